// `holdfast/sim`: the simulator as a library, and arbitraries and models for session versioning (docs/PROPERTY-TESTING.md).

// A plan in, what happened out; the plan can be drawn from a seed, or made by hand, or come from `faultPlan`.
export { drawPlan } from './plan.ts'
export type { Fault, Plan, PlannedCall } from './plan.ts'
export { faultPlan } from './fault-plan.ts'
export { simulate } from './simulate.ts'
export type { Failure, RunResult } from './simulate.ts'
export { flowNames } from './flows.ts'

// A set that runs applications of one's own, under the same faults (docs/SIMULATION.md).
export { defineSimulation } from './own/definition.ts'
export type {
  BrowserAnswer,
  BrowserRequest,
  BrowserScript,
  CallDefinition,
  CommittedSession,
  CommittedSipSession,
  PhoneMessage,
  SimulatedCall,
  SimulatedPhone,
  SimulatedRun,
  Simulation,
  SimulationDefinition,
} from './own/definition.ts'
export { planOf } from './own/own-plan.ts'
export { simulateApplications } from './own/simulate-applications.ts'
export type { SimulationOptions } from './own/simulate-applications.ts'

// Sessions with versions, in a store of anybody's.
export { OutcomeUnknown, modelStore } from './sessions/versioned-store.ts'
export type { AsyncVersionedStore, Awaitable, Versioned, VersionedStore } from './sessions/versioned-store.ts'
export { sessionHistory } from './sessions/session-history.ts'
export type { HistoryOptions, SessionHistory, Step } from './sessions/session-history.ts'
export { playConcurrently, playInOrder } from './sessions/play.ts'
export type { Answer, Operation, Question } from './sessions/operation.ts'
export { checkHistory } from './sessions/check-history.ts'
export type { Loss } from './sessions/check-history.ts'
export { commandsFor } from './sessions/commands.ts'
export type { AsyncSessionCommands, SessionCommands, SessionsModel } from './sessions/commands.ts'
