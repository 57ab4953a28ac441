// fast-check's model-based commands for a store of sessions: one owner's step after another, each answer compared with the
// model at once. What goes wrong only between concurrent owners is for session-history.ts and check-history.ts.

import fc from 'fast-check'
import { checkHistory } from './check-history.ts'
import { ask, isLater, operationOf, tell } from './operation.ts'
import type { Operation, Outcome, Question } from './operation.ts'
import { Owners } from './owners.ts'
import { stepOf, tellStep } from './session-history.ts'
import type { HistoryOptions, Step } from './session-history.ts'
import { after, noSession } from './session-model.ts'
import type { SessionState } from './session-model.ts'
import type { AsyncVersionedStore, VersionedStore } from './versioned-store.ts'

/** What must be so, and what was done so far. */
export class SessionsModel {
  readonly owners = new Owners()
  readonly operations: Operation[] = []
  readonly #states = new Map<string, SessionState>()

  /** Throws, in one sentence, if the answer can't be. */
  hear(owner: string, question: Question, outcome: Outcome): void {
    const at = this.operations.length * 2
    const operation = operationOf(owner, question, at, at + 1, outcome)
    this.operations.push(operation)
    this.owners.learn(operation)
    if (operation.returned === null) {
      throw new Error(`${tell(operation)}: commands know no unknown outcomes; play a history instead (playInOrder)`)
    }
    const next = after(this.#states.get(operation.session) ?? noSession, operation)
    if (next === null) throw new Error(checkHistory(this.operations)?.text ?? `it can't be that ${tell(operation)}`)
    this.#states.set(operation.session, next)
  }
}

/** To be given to `fc.modelRun(setup, commands)`, or for a store with promises to `fc.asyncModelRun`. (Not to
 * `fc.scheduledModelRun`: there no command may wait for what the scheduler is to release. Play histories concurrently.) */
export interface SessionCommands {
  readonly commands: fc.Arbitrary<Iterable<fc.Command<SessionsModel, VersionedStore>>>
  /** A model and a new store. */
  readonly setup: () => { model: SessionsModel; real: VersionedStore }
}

export interface AsyncSessionCommands {
  readonly commands: fc.Arbitrary<Iterable<fc.AsyncCommand<SessionsModel, AsyncVersionedStore>>>
  readonly setup: () => { model: SessionsModel; real: AsyncVersionedStore }
}

/** Commands for a store; `make` makes an empty one for each run. The error of a run that fails is one sentence of what was
 * lost. */
export function commandsFor(make: () => VersionedStore, options?: HistoryOptions): SessionCommands
export function commandsFor(make: () => AsyncVersionedStore, options?: HistoryOptions): AsyncSessionCommands
export function commandsFor(
  make: () => AsyncVersionedStore,
  options: HistoryOptions = {},
): SessionCommands | AsyncSessionCommands {
  const maxCommands = options.maxSteps ?? 20
  const commands = fc.commands([stepOf(options).map(commandOf)], { maxCommands, size: 'max' })
  return { commands, setup: () => ({ model: new SessionsModel(), real: make() }) }
}

function commandOf(step: Step): fc.AsyncCommand<SessionsModel, AsyncVersionedStore> {
  return {
    check: () => true,
    toString: () => tellStep(step),
    // A store that answers at once is heard at once: fc.modelRun waits for nothing.
    run(model, real) {
      const question = model.owners.question(step)
      const hear = (outcome: Outcome): void => {
        if (question !== null) model.hear(step.owner, question, outcome)
      }
      const outcome = question === null ? null : ask(real, question)
      return (isLater(outcome) ? outcome.then(hear) : hear(outcome)) as Promise<void>
    },
  }
}
