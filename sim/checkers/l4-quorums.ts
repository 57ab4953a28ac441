// L4: what a leader commits is, at that moment, durable at a quorum of the configuration by which it counts: of both halves, if
// that is joint, and of voters only. Nothing is committed that no leader has counted. L8: who leads has the votes of a quorum
// of its configuration, by the same rule. A learner's acknowledgement or vote, and a quorum of one half, show here.
//
// A leader counts by the newest configuration in its log (Raft thesis 4.1). When one step both commits and appends a newer one,
// the one before must have carried all up to its own entry, for only then may the newer one follow.

import type { ReplicaId } from '../../src/base/brand.ts'
import type { Observation } from '../../src/raft/invariants.ts'
import { observe } from '../../src/raft/invariants.ts'
import { formatVoters } from '../../src/raft/configuration.ts'
import type { VoterSet } from '../../src/raft/quorum.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import { isQuorum } from '../majority.ts'
import type { Checker, Report } from './checker.ts'

/** A replica as its last step left it. */
interface Known {
  readonly observed: Observation
  readonly index: number
  readonly voters: VoterSet
}

export class Quorums implements Checker {
  readonly #report: Report
  /** The term of that entry on that replica's disk, as a crash would leave it; also of a disk that was lost since. */
  readonly #durableTerm: (id: ReplicaId, index: number) => number | null
  readonly #known = new Map<ReplicaId, Known>()
  /** Whom each replica gave its vote of a term, by `replica term`: what has left it. */
  readonly #votes = new Map<string, ReplicaId>()
  #counted = 0

  constructor(report: Report, durableTerm: (id: ReplicaId, index: number) => number | null) {
    this.#report = report
    this.#durableTerm = durableTerm
  }

  /** Up to here some leader has committed by counting. */
  get counted(): number {
    return this.#counted
  }

  started(machine: Machine): void {
    this.#known.delete(machine.id)
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind !== 'raft') return
    for (const message of frame.messages) {
      if (message.kind === 'vote-response' && message.granted)
        this.#votes.set(`${machine.id} ${message.term}`, message.to)
    }
  }

  stepped(machine: Machine, input: Input): void {
    const raft = machine.replica?.raft
    // What phones say commits nothing, and is most of all that is said.
    if (raft === undefined || input.kind === 'sip') return
    const before = this.#known.get(machine.id)
    const now = {
      observed: observe(raft),
      index: raft.configurationIndex,
      voters: raft.configuration.voters,
    }
    this.#known.set(machine.id, now)
    const led = before?.observed.role === 'leader' && before.observed.term === now.observed.term
    if (now.observed.role === 'leader' && !led) this.#elected(machine.id, now)
    const commit = before?.observed.commit ?? now.observed.commit
    if (!led || now.observed.commit <= commit) return
    this.#counted = Math.max(this.#counted, now.observed.commit)
    this.#commits(machine.id, before, now)
  }

  #commits(id: ReplicaId, before: Known, { observed, index, voters }: Known): void {
    if (index !== before.index && before.index > before.observed.commit) {
      this.#carried(id, before.index, observed, [before.voters])
      if (observed.commit === before.index) return
    }
    this.#carried(id, observed.commit, observed, index === before.index ? [voters] : [before.voters, voters])
  }

  #carried(id: ReplicaId, at: number, { termAt }: Observation, voters: readonly VoterSet[]): void {
    const term = termAt(at as Parameters<typeof termAt>[0])
    if (term === null) return
    const has = (far: ReplicaId): boolean => this.#durableTerm(far, at) === term
    if (voters.some((one) => isQuorum(one, has))) return
    const who = [...this.#known.keys()].filter(has).sort((a, b) => a - b)
    this.#report(
      'L4',
      `replica ${id} commits entry ${at} by the configuration ${voters.map(formatVoters).join(' or ')}; it is durable at ${who.join(', ') || 'none'} only`,
    )
  }

  #elected(id: ReplicaId, { observed: { term }, voters }: Known): void {
    const votes = (far: ReplicaId): boolean => far === id || this.#votes.get(`${far} ${term}`) === id
    if (isQuorum(voters, votes)) return
    const who = [...this.#known.keys()].filter(votes).sort((a, b) => a - b)
    this.#report(
      'L8',
      `replica ${id} leads term ${term} with the votes of ${who.join(', ')}; its configuration is ${formatVoters(voters)}`,
    )
  }
}
