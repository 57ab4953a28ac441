// What holds of an application's sessions whatever happens at the same time (JSR 289; sessions.md's hard column): which worlds each
// promise is looked for in. Each world is asked for one promise alone.

import fc from 'fast-check'
import type { Scheduler } from 'fast-check'
import type { Promise_ } from './judge.ts'
import { findingsOf } from './world.ts'
import type { Event, Scenario } from './world.ts'
import { UNIT } from './application.ts'
import type { Habits } from './application.ts'

type Asked = Extract<Event, { kind: 'act' }>['act']

const act = (arbitrary: fc.Arbitrary<Asked>): fc.Arbitrary<Event> =>
  arbitrary.map((one) => ({ kind: 'act' as const, act: one }))

const timer = act(
  fc.record({
    kind: fc.constant('timer' as const),
    after: fc.integer({ min: 0, max: 5 }),
    period: fc.constantFrom('once' as const, 'delay' as const, 'rate' as const),
  }),
)
const cancel = act(fc.record({ kind: fc.constant('cancel' as const), which: fc.nat({ max: 2 }) }))
const extend = act(
  fc.record({
    kind: fc.constant('extend' as const),
    after: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constant(null)),
  }),
)
const invalidate = act(fc.constant({ kind: 'invalidate' as const }))
const write = act(fc.constant({ kind: 'write' as const }))
const call = act(fc.constantFrom({ kind: 'call' as const }, { kind: 'end' as const }))
const readAndPut: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant('read and put' as const),
  replica: fc.nat({ max: 2 }),
})
const pulse: fc.Arbitrary<Event> = fc.record({ kind: fc.constant('pulse' as const), later: fc.nat({ max: 4 * UNIT }) })
const toggle: fc.Arbitrary<Event> = fc.record({ kind: fc.constant('toggle' as const), replica: fc.nat({ max: 2 }) })

const HABITS: Habits = { timeout: 'nothing', sessionExpired: 'nothing' }
const anyTimeout = fc.constantFrom<Habits['timeout']>('nothing', 'cancel', 'extend', 'fault')
const anyExpired = fc.constantFrom<Habits['sessionExpired']>('nothing', 'extend', 'fault')
const anyHabits: fc.Arbitrary<Habits> = fc.record({ timeout: anyTimeout, sessionExpired: anyExpired })

function worlds(habits: fc.Arbitrary<Habits>, ...events: readonly fc.Arbitrary<Event>[]): fc.Arbitrary<Scenario> {
  return fc.record({
    habits,
    events: fc.array(fc.oneof(...events), { minLength: 3, maxLength: 14, size: 'max' }),
    skews: fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 3, maxLength: 3 }),
  })
}

export interface Property {
  readonly promise: Promise_
  readonly name: string
  readonly scenario: fc.Arbitrary<Scenario>
}

export const properties: readonly Property[] = [
  {
    promise: 'fires once',
    name: '[JSR 20] [JSR question 3] each time that a timer fires has one callback that counts, whoever owns it and however versions race',
    scenario: worlds(anyHabits, timer, timer, cancel, write, pulse, pulse, toggle),
  },
  {
    promise: 'expired or extended',
    name: '[JSR 4] [JSR 6] a session is expired or extended, never both: the smaller index wins',
    scenario: worlds(anyHabits, extend, extend, write, pulse, pulse, toggle),
  },
  {
    promise: 'cancel wins',
    name: '[JSR 22] a timer that was cancelled has no callback after that, also if it had fired',
    scenario: worlds(anyHabits, timer, cancel, cancel, write, pulse, pulse, toggle),
  },
  {
    promise: 'nothing is lost',
    name: '[JSR question 1] [JSR 2] a put on a stale version is refused, at whatever replica it was read',
    scenario: worlds(fc.constant(HABITS), readAndPut, readAndPut, write, pulse, toggle),
  },
  {
    promise: 'the end is the end',
    name: '[JSR 7] after invalidate() nothing of the session happens but sessionDestroyed(), once',
    scenario: worlds(anyHabits, timer, timer, cancel, extend, invalidate, write, call, pulse, pulse, toggle),
  },
  {
    promise: 'ready',
    name: '[JSR 8] [JSR 24] a session ends by itself only with no timer active and no call up',
    scenario: worlds(anyHabits, timer, cancel, call, call, extend, pulse, toggle),
  },
]

export interface Search {
  readonly seed: number
  readonly runs: number
  /** Whether the counterexample is made small. */
  readonly shrinks: boolean
}

/** Looks for a world that breaks the promise; what it found, or null. */
export async function search(property: Property, { seed, runs, shrinks }: Search): Promise<string | null> {
  const holds = async (scenario: Scenario, scheduler: Scheduler): Promise<void> => {
    const finding = (await findingsOf(scenario, scheduler)).get(property.promise)
    if (finding !== undefined) throw new Error(finding)
  }
  const { failed, counterexample, errorInstance } = await fc.check(
    fc.asyncProperty(property.scenario, fc.scheduler(), holds),
    { seed, numRuns: runs, endOnFailure: !shrinks },
  )
  if (!failed) return null
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return `${property.promise}: ${why}\n${fc.stringify(counterexample)}`
}
