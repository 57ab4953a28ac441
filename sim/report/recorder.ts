// Records one run for a report. It is a checker that checks nothing: it sees what all checkers see, and draws nothing.

import { replicaOf } from '../../src/base/brand.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied, CommitOutcome, Serving } from '../../src/store/view.ts'
import { decodeFrame } from '../../src/wire/codec.ts'
import type { Commit } from '../../src/wire/entry.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import { callIdOf, cseqOf, readMessage } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Plan } from '../plan.ts'
import { simulate } from '../simulate.ts'
import type { RunResult } from '../simulate.ts'
import type { SocketAddress } from '../sip-network.ts'
import type { Witness } from '../witness.ts'
import { absencesOf, happeningOf } from './happenings.ts'
import type { Chronicle, Committed, Happening, Party, Reign, Stance, Way } from './chronicle.ts'

/** Runs the plan and tells what happened. */
export function record(plan: Plan): Chronicle {
  const recorder = new Recorder()
  const result = simulate(plan, recorder.listen, null, recorder)
  return recorder.chronicle(plan, result)
}

type Recorded = { -readonly [K in keyof Way]: Way[K] } & { readonly callId: string }

/** To be given to a run as its witness, and as its listener. */
export class Recorder implements Witness {
  now: () => number = () => 0
  readonly #ways: Recorded[] = []
  /** Ways that have not arrived, by kind and text, oldest first. */
  readonly #underway = new Map<string, Recorded[]>()
  /** Whoever sent that text last. */
  readonly #lastOf = new Map<string, Recorded>()
  /** By Call-ID. */
  readonly #callOf = new Map<string, number>()
  readonly #commits: (Committed & { readonly group: GroupKey })[] = []
  readonly #groups = new Map<GroupKey, string>()
  readonly #servings: { readonly at: number; readonly serving: Serving }[] = []
  readonly #happenings: Happening[] = []
  readonly #stances: Stance[] = []
  readonly #stance = new Map<number, Stance>()
  /** How far each replica has said its log is durable. */
  readonly #durable = new Map<number, number>()

  /** A line of the trace. */
  readonly listen = (line: string): void => {
    const happening = happeningOf(line.slice(timeWidth), this.now())
    if (happening !== null) this.#happenings.push(happening)
  }

  datagram(from: SocketAddress, text: string): void {
    this.#leaves('network', sideOf(from), null, text)
  }

  sent(phone: Phone): void {
    this.#callOf.set(phone.callId, phone.options.call)
  }

  received(phone: Phone, _message: Message, text: string): void {
    this.#arrives('network', phone.side, text, null)
  }

  stepped(machine: Machine, input: Input): void {
    if (input.kind === 'sip') this.#arrives('network', machine.id, input.data, sideOf(input.flow))
    if (input.kind === 'peer')
      this.#passed(machine.id, input.frame, (to, text) => this.#arrives(`pass ${to}`, to, text, null))
    this.#look(machine)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind === 'send') this.#leaves('network', machine.id, sideOf(effect.flow), effect.data)
    if (effect.kind === 'peer') {
      this.#passed(effect.to, effect.frame, (to, text) => this.#leaves(`pass ${to}`, machine.id, to, text))
      const frame = decodeFrame(effect.frame)
      if (frame.ok) this.#acknowledged(frame.value)
    }
  }

  applied(applied: Applied, store: Store): void {
    const index = store.appliedIndex
    if (applied.kind === 'commit') this.#committed(applied.commit, index, applied.outcome)
    if (applied.kind === 'serving' && applied.accepted) this.#reign(applied.after)
    if (applied.kind !== 'pulse') return
    for (const { group, id } of applied.fired) {
      const life = ownerUnder(store.serving(), group)
      const what = `timer ${id}`
      if (life !== null) this.#decided({ group, replica: replicaOf(life), index, outcome: 'fired', what })
    }
  }

  chronicle(plan: Plan, result: RunResult): Chronicle {
    const end = this.now()
    const { failure } = result
    const happenings: Happening[] =
      failure === null
        ? this.#happenings
        : [
            ...this.#happenings,
            { at: failure.at, replica: null, kind: 'failure', text: `${failure.promise}: ${failure.text}` },
          ]
    return {
      plan,
      result,
      end,
      calls: plan.calls.map(({ flow, at, number }, i) => ({ call: number ?? i + 1, flow, at })),
      ways: this.#ways.map(({ callId, ...way }) => ({ ...way, call: this.#callOf.get(callId) ?? null })),
      commits: this.#commits.map(({ group, ...commit }) => ({
        ...commit,
        call: this.#callOf.get(this.#groups.get(group) ?? '') ?? null,
      })),
      happenings,
      stances: this.#stances,
      reigns: this.#reigns(),
      absences: absencesOf(happenings),
    }
  }

  #committed(commit: Commit, index: number, outcome: CommitOutcome): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value?.kind === 'session') this.#groups.set(commit.group, value.callId)
    }
    const { group, proposer } = commit
    this.#decided({ group, replica: replicaOf(proposer), index, outcome, what: describe(commit) })
  }

  #decided(what: Pick<Committed, 'replica' | 'index' | 'outcome' | 'what'> & { readonly group: GroupKey }): void {
    const acknowledgedBy = [...this.#durable].filter(([, upTo]) => upTo >= what.index).map(([id]) => id)
    this.#commits.push({ ...what, call: null, at: this.now(), acknowledgedBy: acknowledgedBy.sort() })
  }

  #reign(serving: Serving): void {
    this.#servings.push({ at: this.now(), serving })
    const members = serving.members.map(({ life }) => replicaOf(life)).sort()
    const text = `serving: ${members.join(', ') || 'nobody'}`
    this.#happenings.push({ at: this.now(), replica: null, kind: 'serving', text })
  }

  #leaves(kind: string, from: Party, to: Party | null, text: string): void {
    const key = `${kind} ${text}`
    const message = readMessage(text)
    const isKnown = typeof message !== 'string'
    const way: Recorded = {
      callId: isKnown ? callIdOf(message) : '',
      call: null,
      from,
      sentAt: this.now(),
      to,
      arrivedAt: null,
      label: isKnown ? labelOf(message) : 'what is no SIP',
      text,
      isRepeat: this.#lastOf.has(key),
    }
    this.#ways.push(way)
    this.#lastOf.set(key, way)
    const waiting = this.#underway.get(key)
    if (waiting === undefined) this.#underway.set(key, [way])
    else waiting.push(way)
  }

  /** The oldest that is under way. Else the network doubled it, or it came on a stream, from `by`. */
  #arrives(kind: string, to: Party, text: string, by: Party | null): void {
    const key = `${kind} ${text}`
    const way = this.#underway.get(key)?.shift()
    if (way !== undefined) return void Object.assign(way, { to, arrivedAt: this.now() })
    const last = this.#lastOf.get(key)
    if (last !== undefined && by === null) this.#ways.push({ ...last, to, arrivedAt: this.now(), isRepeat: true })
    if (by === null) return
    this.#leaves(kind, by, to, text)
    this.#arrives(kind, to, text, null)
  }

  #passed(to: number, bytes: Uint8Array, tell: (to: number, text: string) => void): void {
    const frame = decodeFrame(bytes)
    if (!frame.ok) return
    if (frame.value.kind === 'pass' || frame.value.kind === 'egress') tell(to, frame.value.data)
  }

  #acknowledged(frame: Frame): void {
    if (frame.kind !== 'raft') return
    for (const message of frame.messages) {
      if (message.kind !== 'append-response' || message.rejected) continue
      this.#durable.set(message.from, Math.max(message.index, this.#durable.get(message.from) ?? 0))
    }
  }

  /** Notes what a replica has become. */
  #look(machine: Machine): void {
    const { replica, id } = machine
    if (replica === null) return
    const { role, term } = replica.raft.inspect()
    const epoch = replica.store.serving().version
    const before = this.#stance.get(id)
    if (before?.role === role.kind && before.term === term && before.epoch === epoch) return
    const stance = { at: this.now(), replica: id, role: role.kind, term, epoch, applied: replica.store.appliedIndex }
    this.#stance.set(id, stance)
    this.#stances.push(stance)
    if (role.kind === 'leader' && before?.role !== 'leader') {
      this.#happenings.push({ at: this.now(), replica: id, kind: 'leader', text: `leads term ${term}` })
    }
  }

  /** From the first commit of each call on, whenever another replica becomes its group's owner. */
  #reigns(): readonly Reign[] {
    const reigns: Reign[] = []
    for (const [group, callId] of this.#groups) {
      const call = this.#callOf.get(callId)
      if (call === undefined) continue
      const since = this.#commits.find((commit) => commit.group === group)?.at ?? 0
      let last: number | null | undefined
      for (const [i, { at, serving }] of this.#servings.entries()) {
        if ((this.#servings[i + 1]?.at ?? Number.MAX_SAFE_INTEGER) <= since) continue
        const life = ownerUnder(serving, group)
        const owner = life === null ? null : replicaOf(life)
        if (owner !== last) reigns.push({ at: Math.max(at, since), call, owner })
        last = owner
      }
    }
    return reigns.sort((a, b) => a.at - b.at)
  }
}

/** Callers live in 10.0.0.0/16 (simulate.ts); callees and their door elsewhere. */
function sideOf({ host }: { readonly host: string }): Party {
  return host.startsWith('10.0.') ? 'caller' : 'callee'
}

/** `   4.123456 ` */
const timeWidth = 12

function labelOf(message: Message): string {
  const { method } = cseqOf(message)
  return message.kind === 'request' ? message.method : `${message.status} ${method}`
}

/** What a commit does, in a few words. */
function describe({ puts, deletes, timers, cancels, opened, done }: Commit): string {
  const values = puts.map((put) => {
    const value = entityValue(put)
    if (value === null) return put.tree
    return 'state' in value ? `${value.kind} ${value.state}` : value.kind
  })
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['', values],
    ['deletes ', deletes.map(({ tree }) => tree)],
    ['timer ', timers.map(({ id }) => id)],
    ['cancels ', cancels],
    ['opens ', opened.map(({ id }) => id)],
    ['done ', done],
  ]
  return rows
    .filter(([, items]) => items.length > 0)
    .map(([title, items]) => title + items.join(', '))
    .join('; ')
}
