// A machine of RFC 3261 section 17 against a table: every state that it can reach meets every event. A pair that the table
// has must do what its row says; any other changes nothing. A timer that isn't armed can't fire.

import { instant } from '../../base/instant.ts'
import type { Instant } from '../../base/instant.ts'

export const T0 = instant(1_000)

export interface Step<M> {
  readonly machine: M
  readonly actions: readonly string[]
}

export interface Subject<M extends { readonly state: string }, E> {
  start(reliable: boolean): M
  step(machine: M, event: E | { readonly kind: 'time' }, now: Instant): Step<M>
  /** What may come from outside, by name. */
  readonly events: ReadonlyMap<string, E>
  /** The timers by their letter: when each is due, null = it isn't armed. */
  readonly timers: ReadonlyMap<string, (machine: M) => Instant | null>
}

/** [section, state, event, next state, what is done] */
export type Row = readonly [section: string, state: string, event: string, next: string, actions: readonly string[]]

/** [section, state, which timers it begins with, in ms] */
export type Armed = readonly [section: string, state: string, timers: Readonly<Record<string, number>>]

/** What is not as the table says, for all pairs on a transport. `armed` names all states that can be reached on it, and no
 * other. */
export function tableFaults<M extends { readonly state: string }, E>(
  subject: Subject<M, E>,
  reliable: boolean,
  armed: readonly Armed[],
  rows: readonly Row[],
): string[] {
  const faults: string[] = []
  const expectEqual = (place: string, is: unknown, should: unknown): void => {
    const [found, wanted] = [JSON.stringify(is), JSON.stringify(should)]
    if (found !== wanted) faults.push(`${place}: ${found}, not ${wanted}`)
  }
  const reached = reach(subject, subject.start(reliable))
  expectEqual('states', [...reached.keys()].sort(), armed.map(([, state]) => state).sort())
  const unused = new Set(rows)
  for (const [section, state, timers] of armed) {
    const machine = reached.get(state)
    if (machine === undefined) continue
    expectEqual(`${section} ${state}, timers`, armedTimers(subject, machine), timers)
    for (const name of [...subject.events.keys(), ...subject.timers.keys()]) {
      const row = rows.find(([, of, event]) => of === state && event === name)
      const step = stepBy(subject, machine, name)
      // A row of a timer that isn't armed stays unused.
      if (step === null) continue
      if (row !== undefined) unused.delete(row)
      const place = `${row?.[0] ?? section} ${state}, ${name}`
      if (row === undefined) expectEqual(place, step, { machine, actions: [] })
      else expectEqual(place, [step.machine.state, step.actions], [row[3], row[4]])
    }
  }
  for (const [section, state, event] of unused) faults.push(`${section} ${state}, ${event}: never happens`)
  return faults
}

/** The first machine found in each state that events and timers lead to, entered at T0. */
function reach<M extends { readonly state: string }, E>(subject: Subject<M, E>, first: M): Map<string, M> {
  const reached = new Map([[first.state, first]])
  for (const machine of reached.values()) {
    for (const name of [...subject.events.keys(), ...subject.timers.keys()]) {
      const next = stepBy(subject, machine, name)?.machine
      if (next !== undefined && !reached.has(next.state)) reached.set(next.state, next)
    }
  }
  return reached
}

/** Null if `name` is a timer that isn't armed. */
function stepBy<M extends { readonly state: string }, E>(
  subject: Subject<M, E>,
  machine: M,
  name: string,
): Step<M> | null {
  const event = subject.events.get(name)
  if (event !== undefined) return subject.step(machine, event, T0)
  const due = subject.timers.get(name)?.(machine) ?? null
  return due === null ? null : subject.step(machine, { kind: 'time' }, due)
}

function armedTimers<M extends { readonly state: string }, E>(
  subject: Subject<M, E>,
  machine: M,
): Record<string, number> {
  const entries = [...subject.timers].map(([name, due]) => [name, due(machine)] as const)
  return Object.fromEntries(
    entries.flatMap(([name, due]) => (due === null ? [] : [[name, (due - T0) / 1_000] as const])),
  )
}
