// L9: a replica that comes back with another disk neither votes nor counts: nobody listens to it, it could vote twice. A disk that was
// lost is followed by another incarnation, which has no vote before a configuration gives it one; what an incarnation that is out
// of the set still says is not heard.

import { replicaOf } from '../../src/base/brand.ts'
import type { Life, ReplicaId } from '../../src/base/brand.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import { allVoters } from '../../src/raft/quorum.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

export class Incarnations implements Checker {
  readonly #report: Report
  /** The voters when it asked for votes, by candidate and term. */
  readonly #asked = new Map<string, readonly ReplicaId[]>()
  readonly #incarnations = new Map<number, string>()

  constructor(report: Report) {
    this.#report = report
  }

  started(machine: Machine): void {
    const known = this.#incarnations.get(machine.id)
    if (known === undefined) this.#incarnations.set(machine.id, incarnationOf(machine.life))
    else if (known !== incarnationOf(machine.life))
      this.#report('L9', `replica ${machine.id} starts on another disk than replica ${machine.id} had`)
  }

  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void {
    if (input.kind === 'peer' && machine.replica?.store.book.isGone(replicaOf(input.from)) === true) {
      const answer = effects.find((effect) => effect.kind === 'peer' && effect.to === replicaOf(input.from))
      if (answer !== undefined)
        this.#report('L9', `replica ${machine.id} answers ${input.from}, which is out of the set`)
    }
    if (input.kind === 'peer') this.#listens(machine, input.from)
    else if (input.kind === 'link' && input.state.kind === 'up') this.#listens(machine, input.state.life)
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind === 'raft') for (const message of frame.messages) this.#sent(machine, message)
  }

  #sent(machine: Machine, message: RaftMessage): void {
    if (message.kind === 'vote' || message.kind === 'transfer-vote') {
      const core = machine.replica?.raft.inspect()
      // As long as it is a candidate its log stays as it is.
      if (core?.role.kind === 'candidate' && core.term === message.term)
        this.#asked.set(`${machine.id} ${message.term}`, allVoters(core.membership.latest.voters))
    }
    if (message.kind !== 'vote-response' || !message.granted) return
    const voters = this.#asked.get(`${message.to} ${message.term}`)
    if (voters === undefined || voters.includes(machine.id)) return
    const who = `replica ${machine.id} votes for ${message.to} in term ${message.term}`
    this.#report('L9', `${who}, and that one's configuration gives it no vote`)
  }

  #listens(machine: Machine, far: Life): void {
    const known = this.#incarnations.get(replicaOf(far))
    if (known === undefined || known === incarnationOf(far)) return
    this.#report(
      'L9',
      `replica ${machine.id} listens to ${far}, which has another disk than replica ${replicaOf(far)} had`,
    )
  }
}

function incarnationOf(life: Life): string {
  const from = life.indexOf('.') + 1
  return life.slice(from, life.indexOf('.', from))
}
