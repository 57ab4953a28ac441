// Marks of what replicas do and of what befalls them, from their inputs and effects.

import { entityValue } from '../../src/call/entities.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import type { Effect, Persist } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import { decodeEntry, decodeRecord } from '../../src/wire/codec.ts'
import type { Frame, PassFrame } from '../../src/wire/frame.ts'
import type { DiskRecord } from '../../src/wire/record.ts'
import type { Checker } from '../checkers/checker.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from './coverage.ts'

const second = 1_000_000
/** The longest that a replica which is awake does nothing is a heartbeat; this is several. */
const asleepAfter = 300_000

/** What was known of a machine after its last step. */
interface Known {
  leads: boolean
  hasLeader: boolean
  commit: number
  last: number
  /** True time. */
  at: number
  /** Its wall clock against its monotonic one. */
  wall: number | null
  /** Written, and not told to be durable yet. */
  unsynced: Persist[]
}

export class MachineMarks implements Checker {
  readonly #marks: Marks
  readonly #now: () => number
  readonly #known = new Map<number, Known>()
  /** The first entry that a dead replica had not synced. */
  readonly #tails = new Map<number, number>()
  /** To whom each kept message was passed, by its id. */
  readonly #passed = new Map<string, number>()
  /** Where each datagram arrived first. */
  readonly #arrived = new Map<string, number>()

  constructor(marks: Marks, now: () => number) {
    this.#marks = marks
    this.#now = now
  }

  started(machine: Machine): void {
    const last = machine.replica?.raft.lastIndex() ?? 0
    const tail = this.#tails.get(machine.id)
    this.#marks.reached('tail-lost', tail !== undefined && last < tail)
    this.#tails.delete(machine.id)
    const at = this.#now()
    this.#known.set(machine.id, {
      leads: false,
      hasLeader: false,
      commit: 0,
      last,
      at,
      wall: null,
      unsynced: [],
    })
  }

  died(machine: Machine): void {
    const known = this.#known.get(machine.id)
    if (known === undefined) return
    this.#known.delete(machine.id)
    const marks = this.#marks
    const entries = known.unsynced.flatMap(({ records }) => records.map(entryOf)).filter((entry) => entry !== null)
    const [first] = entries
    if (first !== undefined) this.#tails.set(machine.id, first.index)
    marks.reached('died-asleep', this.#now() - known.at > asleepAfter)
    marks.reached('died-electing', !known.hasLeader)
    marks.reached('leader-died', known.leads)
    marks.reached('leader-died-proposing', known.leads && known.last > known.commit)
    marks.reached('leader-died-answer-unsynced', known.leads && entries.some(isAnswer))
    marks.reached('all-dead', this.#known.size === 0)
  }

  stepped(machine: Machine, input: Input): void {
    const known = this.#known.get(machine.id)
    const raft = machine.replica?.raft
    if (known === undefined || raft === undefined) return
    const [marks, now] = [this.#marks, this.#now()]
    const leads = raft.isLeader
    marks.reached('leader-slept', known.leads && now - known.at > second)
    marks.reached('two-leaders', leads && !known.leads && this.#anotherLeads(machine.id))
    marks.reached('deposed-proposing', known.leads && !leads && known.last > known.commit)
    const wall = input.wall - input.now
    const jump = known.wall === null ? 0 : Math.abs(wall - known.wall)
    marks.reached('clock-jumped-at-the-leader', known.leads && jump > second)
    marks.reached('log-truncated', raft.lastIndex() < known.last)
    known.wall = wall
    known.leads = leads
    known.hasLeader = raft.leader !== null
    known.commit = raft.commitIndex
    known.last = raft.lastIndex()
    known.at = now
    if (input.kind === 'persisted') known.unsynced = known.unsynced.filter(({ number }) => number > input.upTo)
    if (input.kind === 'unsent') marks.reached('send-too-late', input.reason === 'late')
    if (input.kind === 'sip') this.#arrives(machine.id, input.data)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind === 'persist') this.#known.get(machine.id)?.unsynced.push(effect)
  }

  frameLeaving(_machine: Machine, frame: Frame, to: number): void {
    if (frame.kind === 'raft') for (const message of frame.messages) this.#raft(message)
    if (frame.kind === 'pass') this.#passes(to, frame)
    this.#marks.reached('passed-in-a-circle', frame.kind === 'handled' && frame.outcome === 'hops')
    this.#marks.reached('by-way-of-the-leader', frame.kind === 'relay')
  }

  #anotherLeads(id: number): boolean {
    return [...this.#known].some(([other, { leads }]) => leads && other !== id)
  }

  #raft(message: RaftMessage): void {
    const { kind } = message
    const isVote = kind === 'vote-response' || kind === 'pre-vote-response'
    this.#marks.reached('vote-refused', isVote && !message.granted)
    this.#marks.reached('append-refused', kind === 'append-response' && message.rejected)
    this.#marks.reached('barrier-asked', kind === 'read-index')
  }

  #passes(to: number, { id, hops, data }: PassFrame): void {
    const before = this.#passed.get(id)
    this.#passed.set(id, to)
    this.#marks.reached('passed-again', hops === 1 && before !== undefined && before !== to)
    this.#marks.reached('passed-on-twice', hops > 1)
    if (before !== undefined) return
    this.#marks.reached('answer-at-a-stranger', data.startsWith('SIP/2.0 '))
    this.#marks.reached('cancel-at-a-stranger', data.startsWith('CANCEL '))
  }

  #arrives(id: number, data: string): void {
    const before = this.#arrived.get(data)
    if (before === undefined) this.#arrived.set(data, id)
    else this.#marks.reached('dealt-elsewhere', before !== id)
  }
}

function entryOf(bytes: Uint8Array): Extract<DiskRecord, { kind: 'entry' }>['entry'] | null {
  const record = decodeRecord(bytes)
  return record.ok && record.value.kind === 'entry' ? record.value.entry : null
}

/** Whether the entry is a commit that makes a dialog confirmed: that of a 2xx to an INVITE. */
function isAnswer({ kind, data }: NonNullable<ReturnType<typeof entryOf>>): boolean {
  const entry = kind === 'normal' ? decodeEntry(data) : null
  if (entry === null || !entry.ok || entry.value.body.kind !== 'commit') return false
  return entry.value.body.puts.some((put) => {
    const value = put.tree === 'Dialog' ? entityValue(put) : null
    return value?.kind === 'dialog' && value.state === 'confirmed'
  })
}
