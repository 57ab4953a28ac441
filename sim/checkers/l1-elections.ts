// Leader stability (Raft thesis 6.2 and 9.6; proof.md, "leader stability"): nobody deposes a leader that others hear. So a
// term is raised only with the consent of a quorum, and nobody consents who heard the leader within an election timeout.
// Without the first rule whoever was cut off comes back with a higher term; without the second, two that can't hear each
// other take the lead from each other for ever.

import { micros } from '../../src/base/instant.ts'
import type { Instant } from '../../src/base/instant.ts'
import type { Input } from '../../src/replica/input.ts'
import type { VoterSet } from '../../src/raft/quorum.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import type { Machine } from '../machine.ts'
import { isQuorum } from '../majority.ts'
import type { Work } from '../machine-watch.ts'
import type { Checker, Report } from './checker.ts'

/** Turns remembered for what waits for the disk. */
const turnsKept = 256

/** A replica as its last turn left it. */
interface Turned {
  readonly contact: Instant
  readonly isLeader: boolean
}

export class Elections implements Checker {
  readonly #report: Report
  /** By candidate and term. */
  readonly #consents = new Map<string, Set<number>>()
  /** By candidate and term: its leader asked it to campaign (thesis 3.10), which needs nobody else's consent. */
  readonly #asked = new Set<string>()
  readonly #raised = new Map<number, number>()
  readonly #turned = new Map<number, Turned>()
  /** The turns in which a replica had heard its leader not long before. */
  readonly #heard = new Map<number, { readonly silence: number; readonly leader: number; readonly term: number }>()

  constructor(report: Report) {
    this.#report = report
  }

  started(machine: Machine): void {
    this.#turned.delete(machine.id)
    this.#raised.delete(machine.id)
  }

  stepped(machine: Machine, input: Input): void {
    const raft = machine.replica?.raft
    const core = raft?.inspect()
    if (raft === undefined || core === undefined) return
    if (core.role.kind === 'candidate' && this.#raised.get(machine.id) !== core.term) {
      this.#raised.set(machine.id, core.term)
      this.#consented(machine, core.term, raft.configuration.voters)
    }
    if (input.kind !== 'time') return
    const before = this.#turned.get(machine.id)
    this.#turned.set(machine.id, { contact: core.contact, isLeader: core.role.kind === 'leader' })
    // A word that came in this very turn may have come after the vote; a leader known dead is none.
    if (before === undefined || before.isLeader || before.contact !== core.contact) return
    const silence = core.now - core.contact
    if (silence >= core.settings.electionTimeout) return
    // Whom it heard led an earlier term: a refusal told it of this one, in which it is free. A pre-vote would show before that.
    if (core.leader === null) return
    const { leader, term } = core
    this.#heard.set(turnOf(machine, machine.steps), { silence: micros(silence), leader, term })
    if (this.#heard.size > turnsKept)
      for (const key of [...this.#heard.keys()].slice(0, turnsKept / 2)) this.#heard.delete(key)
  }

  frameLeaving(machine: Machine, frame: Frame, _to: number, work: Work): void {
    if (frame.kind === 'raft') for (const message of frame.messages) this.#sent(machine, message, work)
  }

  #sent(machine: Machine, message: RaftMessage, work: Work): void {
    if (message.kind === 'timeout-now') this.#asked.add(`${message.to} ${message.term + 1}`)
    if (message.kind !== 'pre-vote-response' && message.kind !== 'vote-response') return
    if (!message.granted) return
    if (message.kind === 'pre-vote-response') {
      const key = `${message.to} ${message.term}`
      const consents = this.#consents.get(key)
      if (consents === undefined) this.#consents.set(key, new Set([machine.id]))
      else consents.add(machine.id)
    }
    const heard = this.#heard.get(turnOf(machine, work.input))
    // Its vote may leave after its choice has won, when its own disk is slow.
    const candidacy = `${message.to} ${message.term}`
    const isItsLeader = heard?.leader === message.to && heard.term === message.term
    if (heard === undefined || isItsLeader || this.#asked.has(candidacy)) return
    this.#report(
      'stability',
      `replica ${machine.id} votes for ${message.to} in term ${message.term}, ${Math.round(heard.silence / 1_000)} ms after its leader's last word`,
    )
  }

  #consented(machine: Machine, term: number, voters: VoterSet): void {
    if (this.#asked.has(`${machine.id} ${term}`)) return
    const consents = this.#consents.get(`${machine.id} ${term}`)
    if (isQuorum(voters, (id) => id === machine.id || consents?.has(id) === true)) return
    const others = consents?.size ?? 0
    this.#report('stability', `replica ${machine.id} raises its term to ${term} with the consent of ${others} others`)
  }
}

function turnOf({ id }: Machine, input: number): number {
  return id * 2 ** 32 + input
}
