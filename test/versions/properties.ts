// The properties of session versioning in our own store (issue 4, 5): which worlds each is looked for in, and what it says.
// Their names are the judge's; each world is asked for one property alone.

import fc from 'fast-check'
import type { Scheduler } from 'fast-check'
import type { PropertyName } from './judge.ts'
import type { Change, Id } from './view.ts'
import { findingsOf } from './world.ts'
import type { Event, Scenario } from './world.ts'

const id = fc.constantFrom<Id>('a', 'b', 'c')
const write: fc.Arbitrary<Change> = fc.array(id, { minLength: 1, maxLength: 2 }).map((ids) => ({ kind: 'write', ids }))
const end: fc.Arbitrary<Change> = fc.constant({ kind: 'end' })
const drop = fc.record({ kind: fc.constant('drop' as const), id })
const timer = fc.record({
  kind: fc.constant('timer' as const),
  id,
  after: fc.nat({ max: 40 }),
  target: fc.oneof(id, fc.constant(null)),
})
const cancel = fc.record({ kind: fc.constant('cancel' as const), which: fc.nat({ max: 2 }) })
const done = fc.record({ kind: fc.constant('done' as const), which: fc.nat({ max: 2 }) })
const hold = fc.record({
  kind: fc.constant('hold' as const),
  count: fc.nat({ max: 2 }),
  limit: fc.option(fc.nat({ max: 3 })),
})

function inputs(change: fc.Arbitrary<Change>, replays: boolean): fc.Arbitrary<Event> {
  const copies = replays ? fc.integer({ min: 1, max: 3 }) : fc.constant(1)
  return fc.record({ kind: fc.constant('input' as const), group: fc.constantFrom(0, 0, 0, 1, 2), change, copies })
}

const pulse = fc.record({ kind: fc.constant('pulse' as const), later: fc.nat({ max: 30 }) })
const serving = fc.record({
  kind: fc.constantFrom('toggle' as const, 'toggle' as const, 'restart' as const),
  replica: fc.integer({ min: 1, max: 3 }),
})

function worlds(
  replicas: number,
  pipelines: boolean,
  ...events: readonly fc.Arbitrary<Event>[]
): fc.Arbitrary<Scenario> {
  const all = fc.array(fc.oneof(...events), { minLength: 2, maxLength: 14, size: 'max' })
  return all.map((drawn) => ({ replicas, pipelines, events: drawn }))
}

export type VersionProperty =
  | 'races'
  | 'pipelines'
  | 'stale owners'
  | 'replayed proposals'
  | 'versions'
  | 'whole'
  | 'accepted'
  | 'timers'
  | 'holds'
  | 'replay'

export interface Property {
  readonly key: VersionProperty
  readonly name: string
  readonly promise: PropertyName
  readonly scenario: fc.Arbitrary<Scenario>
}

export const properties: readonly Property[] = [
  {
    key: 'races',
    name: '[JSR question 1] of two puts on one version one is accepted, and the other one is made again on what is',
    promise: 'built on what is',
    scenario: worlds(1, false, inputs(write, false)),
  },
  {
    key: 'pipelines',
    name: 'of a pipeline, what was built on a commit that fell falls too, whatever timers do to the version',
    promise: 'built on what is',
    scenario: worlds(1, true, inputs(fc.oneof(write, timer), false), pulse),
  },
  {
    key: 'stale owners',
    name: '[JSR question 2.1] a commit of an owner that has lost the group meanwhile is refused, also if it got it back',
    promise: 'owner',
    scenario: worlds(3, true, inputs(write, true), serving),
  },
  {
    key: 'replayed proposals',
    name: 'a proposal that comes again changes nothing: a deleted group does not live again',
    promise: 'once',
    scenario: worlds(1, true, inputs(fc.oneof(write, end, drop), true)),
  },
  {
    key: 'versions',
    name: '[JSR question 1] versions go up by one for each commit and each pulse, groups and entities, from one again after an end',
    promise: 'version +1',
    scenario: worlds(2, true, inputs(fc.oneof(write, timer, end), true), pulse),
  },
  {
    key: 'whole',
    name: 'a commit is applied whole, exactly as its owner meant it, or not at all',
    promise: 'all or nothing',
    scenario: worlds(1, true, inputs(fc.oneof(write, end, drop, timer, cancel, done, hold), true), pulse),
  },
  {
    key: 'accepted',
    name: 'a commit that is right is accepted, and no input is handled for ever',
    promise: 'accepted if right',
    scenario: worlds(3, true, inputs(fc.oneof(write, end, timer), true), pulse, serving),
  },
  {
    key: 'timers',
    name: '[JSR question 3] a timer fires once, when it is due, and not if a commit before that cancelled it or ended its group',
    promise: 'timers',
    scenario: worlds(2, true, inputs(fc.oneof(write, timer, cancel, end), true), pulse),
  },
  {
    key: 'holds',
    name: 'a counter is what living groups hold, whatever became of their commits',
    promise: 'holds',
    scenario: worlds(2, true, inputs(fc.oneof(write, hold, end, drop), true), serving),
  },
  {
    key: 'replay',
    name: 'the log applied from its bytes, at any time, by any replica, is the same store',
    promise: 'replay',
    scenario: worlds(2, true, inputs(fc.oneof(write, end, timer, cancel, hold), true), pulse, serving),
  },
]

export interface Search {
  readonly seed: number
  readonly runs: number
  /** Whether the counterexample is made small, which takes longer than to find it. */
  readonly shrinks: boolean
  /** Whether the store's invariants must hold as well. A planted bug is to be found by the property that it is for. */
  readonly invariants: boolean
}

/** Looks for a world that breaks the property; what it found, or null. */
export async function search(property: Property, { seed, runs, shrinks, invariants }: Search): Promise<string | null> {
  const holds = async (scenario: Scenario, scheduler: Scheduler): Promise<void> => {
    const findings = await findingsOf(scenario, scheduler, invariants)
    const finding = findings.get(property.promise) ?? findings.get('invariants')
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
