// What the checkers see of a machine. Called after the fact; nothing they do reaches the replica.

import type { SnapshotMetadata } from '../src/raft/message.ts'
import type { Effect } from '../src/replica/effect.ts'
import type { Input } from '../src/replica/input.ts'
import type { Machine } from './machine.ts'

export interface MachineWatch {
  started(machine: Machine): void
  died(machine: Machine): void
  /** After each step, before its effects are carried out. */
  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void
  /** An effect is about to be carried out. */
  leaving(machine: Machine, effect: Effect, work: Work): void
  /** Between two effects, and before the first and after the last of those that leave together. */
  moment?(machine: Machine, work: Work): void
  /** A snapshot is durable, and so many of the disk's oldest records are of no use any more. */
  snapshotStands?(machine: Machine, metadata: SnapshotMetadata, dropped: number): void
  /** Its release can't take part any more. */
  tooOld?(machine: Machine): void
  broken(promise: string, text: string): void
}

/** One input's effects while they are carried out: at once, and when its records are durable. */
export interface Work {
  /** Counts the inputs of all lives of the machine. */
  readonly input: number
  /** True time of what it does: if the machine slept since, and has not had a whole turn yet, of when it fell asleep. */
  readonly at: number
  /** Moments passed: a crash point is one of them. */
  place: number
}

/** For a process that is none of the set's: a replica that came back with another disk. What it does to itself is its own
 * affair; that nobody listens to it is L9's. */
export function unwatched(watch: MachineWatch): MachineWatch {
  const nothing = (): void => undefined
  return {
    started: nothing,
    died: nothing,
    stepped: nothing,
    leaving: nothing,
    broken: (promise, text) => watch.broken(promise, text),
  }
}
