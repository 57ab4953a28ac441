// Marks of a set that changes: who came and went, and what was under way meanwhile.

import { placeOf } from '../../src/base/brand.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import { allVoters } from '../../src/raft/quorum.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Store } from '../../src/store/store.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { CONFIRMED_CALLS, EARLY_CALLS } from '../../src/session/holds.ts'
import type { Checker } from '../checkers/checker.ts'
import type { Machine } from '../machine.ts'
import { cseqOf, tagOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Marks } from './coverage.ts'

interface Known {
  readonly leads: boolean
  /** The newest configuration that it knows to be committed. */
  readonly settled: number
  /** It is to go, and has a vote. */
  readonly goes: boolean
}

const begins: Known = { leads: false, settled: 0, goes: false }

export class MemberMarks implements Checker {
  readonly #marks: Marks
  readonly #known = new Map<number, Known>()
  /** The newest configuration that is committed anywhere and not joint. */
  #settled = 0
  #voters: readonly ReplicaId[] = []
  /** INVITEs within a dialog that have no final answer, by phone and CSeq. */
  readonly #reinvites = new Set<string>()

  constructor(marks: Marks, voters: readonly ReplicaId[]) {
    this.#marks = marks
    this.#voters = voters
  }

  started(machine: Machine): void {
    this.#known.set(machine.id, begins)
  }

  died(machine: Machine): void {
    const known = this.#known.get(machine.id)
    this.#marks.reached('died-leaving', known?.goes === true)
    this.#known.delete(machine.id)
  }

  stepped(machine: Machine, input: Input): void {
    const { replica } = machine
    const before = this.#known.get(machine.id)
    if (replica === null || before === undefined || input.kind === 'sip') return
    const { raft, store } = replica
    const { voters } = raft.configuration
    const { configurationIndex: at, isLeader } = raft
    const isJoint = voters.outgoing.length > 0
    const settled = at <= raft.commitIndex ? at : before.settled
    const goes = store.book.row(machine.place)?.wanted === false && allVoters(voters).includes(machine.id)
    const leaves = isLeader && goes && !(before.leads && before.goes)
    this.#marks.reached('leader-leaves', leaves)
    this.#marks.reached('leader-leaves-with-calls', leaves && hasCalls(store))
    this.#known.set(machine.id, { leads: isLeader, settled, goes })
    if (settled > this.#settled && !isJoint && voters.incoming.length > 0) this.#changed(settled, voters.incoming)
  }

  frameLeaving(machine: Machine, frame: Frame, to: number): void {
    if (frame.kind === 'snapshot' && frame.number === 1)
      this.#marks.reached(
        'snapshot-for-a-newcomer',
        machine.replica?.raft.configuration.learners.includes(to as ReplicaId) === true,
      )
    if (frame.kind === 'raft' && machine.replica?.raft.isLeader === true)
      this.#marks.reached(
        'leadership-handed-over',
        frame.messages.some(({ kind }) => kind === 'timeout-now'),
      )
  }

  sent(phone: Phone, message: Message): void {
    const { method } = cseqOf(message)
    if (message.kind !== 'request' || method !== 'INVITE' || tagOf(message, 'to') === null) return
    this.#reinvites.add(nameOf(phone, message))
  }

  received(phone: Phone, message: Message): void {
    if (message.kind === 'response' && message.status >= 200) this.#reinvites.delete(nameOf(phone, message))
  }

  #changed(at: number, voters: readonly ReplicaId[]): void {
    const before = this.#voters
    this.#settled = at
    this.#voters = voters
    const places = new Set(before.map(placeOf))
    const came = voters.filter((id) => !before.includes(id))
    const isNew = came.some((id) => !places.has(placeOf(id)))
    this.#marks.reached('replica-added', isNew)
    this.#marks.reached('added-during-a-re-invite', isNew && this.#reinvites.size > 0)
    this.#marks.reached(
      'replica-replaced',
      came.some((id) => places.has(placeOf(id))),
    )
    this.#marks.reached(
      'replica-removed',
      before.some((id) => voters.every((one) => placeOf(one) !== placeOf(id))),
    )
  }
}

function hasCalls(store: Store): boolean {
  return store.counter(EARLY_CALLS) + store.counter(CONFIRMED_CALLS) > 0
}

function nameOf(phone: Phone, message: Message): string {
  const { number, method } = cseqOf(message)
  return `${phone.options.call} ${phone.options.side} ${number} ${method}`
}
