// L8, who leaves the set (docs/decisions/0018): a voter that is to go votes until the configuration without it is committed.
// Should it end before, those that are left may need its vote: three voters, of whom one has ended and another dies, are no quorum.
//
// A process ends on its own word (`end`) when it was told to by its supervisor, when it is wanted in the set after all, or when
// nobody takes its calls over; and when its set has told it that it is out (`stop`).

import { generationOf } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

export class Parting implements Checker {
  readonly #report: Report
  /** Told to end, in this life. */
  readonly #drained = new Set<number>()
  /** The newest configuration that any replica knows to be committed, and who votes in it. */
  #settled = 0
  #voters: readonly number[] = []

  constructor(report: Report) {
    this.#report = report
  }

  started(machine: Machine): void {
    this.#drained.delete(machine.id)
  }

  stepped(machine: Machine, input: Input): void {
    if (input.kind === 'drain') this.#drained.add(machine.id)
    const { raft } = machine.replica ?? {}
    if (raft === undefined || raft.configurationIndex <= this.#settled || raft.configurationIndex > raft.commitIndex)
      return
    const { incoming, outgoing } = raft.configuration.voters
    this.#settled = raft.configurationIndex
    this.#voters = [...incoming, ...outgoing]
  }

  leaving(machine: Machine, effect: Effect): void {
    const isRemoved = effect.kind === 'stop' && effect.cause === 'removed'
    if (!isRemoved && (effect.kind !== 'end' || this.#drained.has(machine.id))) return
    const { replica } = machine
    if (replica === null || !this.#voters.includes(machine.id)) return
    // It was silent so long that it ends as if it died, or it is wanted again: then it is started anew.
    if (!isRemoved && (replica.store.sinceOf(machine.life) !== null || isWanted(machine))) return
    this.#report('L8', `replica ${machine.id} ends, and it votes: no configuration without it is committed`)
  }
}

/** As its own member book has it. */
function isWanted({ id, place, replica }: Machine): boolean {
  const row = replica?.store.book.row(place) ?? null
  return row === null || (row.wanted && row.generation <= generationOf(id))
}
