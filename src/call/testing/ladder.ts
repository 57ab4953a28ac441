// One group, driven by hand: a replica's part (the round trip of commits, pulses, takeover) played on a real store, and a
// ladder of what was said. Each line is `who -> who: what`, `commit: what`, or `fired: timer`.

import { must } from '../../base/assert.ts'
import { index, life, replicaId } from '../../base/brand.ts'
import type { GroupKey, Index } from '../../base/brand.ts'
import { instant, micros, plus, seconds, stamp } from '../../base/instant.ts'
import type { Instant, Stamp } from '../../base/instant.ts'
import type { Located } from '../../proxy/locate.ts'
import { SlabIndex } from '../../store/slab-index.ts'
import { Store } from '../../store/store.ts'
import type { Applied, GroupView } from '../../store/view.ts'
import type { EntryBody, Flow } from '../../wire/entry.ts'
import { NEWEST_FORMAT } from '../../wire/formats.ts'
import type { FormatNumber } from '../../wire/formats.ts'
import type { CallContext, CallInput, CallSettings, CommitBody, Outgoing } from '../contract.ts'
import { callEvents } from '../events.ts'
import { isIdle, loadGroup, localOf, stepGroup, wakeAt } from '../group.ts'
import type { Group } from '../group.ts'
import { receive } from '../receive.ts'
import { label } from './phone.ts'
import type { Phone } from './phone.ts'

const OWNER = life(replicaId(1), 'ladder', 1)
const EPOCH = 1_700_000_000_000_000

export interface Sent extends Outgoing {
  readonly to: string
  readonly at: Instant
}

export class Ladder {
  readonly store = new Store(new SlabIndex(), {
    deleteSlack: micros(0),
    history: 64,
    follow: { by: callEvents, keep: 1_000 },
  })
  readonly lines: string[] = []
  readonly #settings: CallSettings
  readonly #phones: readonly Phone[]
  /** Everything that left, in order. */
  readonly sent: Sent[] = []
  /** Refs of inputs that are handled. */
  readonly handled: number[] = []
  #now: Instant = instant(1_000_000)
  #at: Index = index(0)
  #serial = 0
  #group: Group | null = null
  #key: GroupKey | null = null
  #ref = 0
  acceptsCalls = true
  /** What the set writes. */
  format: FormatNumber = NEWEST_FORMAT
  hasApplications = false
  keepsRelays = true
  admit: CallContext['admit'] = () => 'admit'
  /** What DNS says: the addresses of a name, each of UDP at port 5060. */
  names: Readonly<Record<string, readonly string[]>> = {}
  /** Commits are not applied while this is set: what waits for them stays. */
  stalled = false
  #waiting: { commit: CommitBody; after: readonly Outgoing[]; refs: readonly number[] }[] = []

  /** What other groups hold. */
  readonly #others = new Map<string, number>()
  readonly #stepGroup: typeof stepGroup

  /** `step`: another room's, above this one. */
  constructor(settings: CallSettings, phones: readonly Phone[], step: typeof stepGroup = stepGroup) {
    this.#settings = settings
    this.#phones = phones
    this.#stepGroup = step
    this.#apply({ kind: 'key', generation: 1, key: new Uint8Array(16).fill(7) })
    this.#apply({ kind: 'serving', replaces: index(0), admit: [OWNER], remove: [] })
  }

  get ctx(): CallContext {
    const { store } = this
    const keys = {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
    const { acceptsCalls, keepsRelays, format, hasApplications } = this
    const counter = (name: string): number => store.counter(name) + (this.#others.get(name) ?? 0)
    const settings = this.#settings
    return {
      now: this.#now,
      cluster: this.#cluster,
      settings,
      keys,
      format,
      hasApplications,
      acceptsCalls,
      keepsRelays,
      counter,
      view: (group) => store.group(group),
      admit: this.admit,
      locate: ({ host }) => this.#locate(host),
    }
  }

  #locate(host: string): Located {
    const addresses = this.names[host]
    if (addresses === undefined) return { kind: 'none' }
    const server = { transport: 'udp', order: 0, weight: 0, port: 5060 } as const
    const candidates = addresses.map((address, i) => ({ ...server, priority: i, addresses: [address] }))
    return { kind: 'found', candidates }
  }

  get #cluster(): Stamp {
    return stamp(EPOCH + this.#now)
  }

  get view(): GroupView | null {
    return this.#key === null ? null : this.store.group(this.#key)
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.lines.splice(0)
  }

  /** The last message that went to this phone and has this label. */
  last(to: Phone, what: string): string {
    const found = this.sent.findLast((one) => one.to === to.name && label(one.data) === what)
    return must(found, `nothing like ${what} went to ${to.name}`).data
  }

  /** A phone's message reaches the set. */
  say(from: Phone, text: string): void {
    this.lines.push(`${from.name} -> set: ${label(text)}`)
    this.arrive(from.flow, text)
  }

  arrive(flow: Flow, text: string): void {
    const received = receive(text, flow, this.ctx)
    if (received.kind === 'drop') {
      this.lines.push(`dropped: ${received.reason}`)
      return
    }
    if (received.kind === 'answer') {
      for (const one of received.sends) this.#leave(one)
      return
    }
    this.#key = received.group
    this.step({ kind: 'message', message: received.message, flow, ref: ++this.#ref })
  }

  step(input: CallInput): void {
    const key = must(this.#key, 'no group yet')
    const group = this.#group ?? loadGroup(key, this.store.group(key), null)
    const result = this.#stepGroup(group, input, this.ctx)
    this.#group = result.group
    if (this.stalled && this.#waiting.length > 0) {
      must(this.#waiting.at(-1), 'an open commit')
      this.#waiting.push({ commit: emptyCommit, after: result.sends, refs: result.handled })
    } else {
      for (const one of result.sends) this.#leave(one)
      this.handled.push(...result.handled)
    }
    if (result.commit === null) return
    this.#waiting.push({ commit: result.commit, after: result.after, refs: result.handledAfter })
    if (!this.stalled) this.release()
  }

  /** The open commits are applied, in order; then what they opened is performed. */
  release(): void {
    this.stalled = false
    const opened: CommitBody['opened'][number][] = []
    for (const { commit, after, refs } of this.#waiting.splice(0)) {
      if (commit !== emptyCommit) this.#commit(commit)
      for (const one of after) this.#leave(one)
      this.handled.push(...refs)
      opened.push(...commit.opened)
    }
    for (const { id } of opened) this.perform(id)
  }

  /** The open intent of that id is performed. */
  perform(id: string): void {
    const open = this.view?.intents.find((intent) => intent.id === id)
    this.step({ kind: 'intent', ...(open ?? { id, bytes: new Uint8Array(), opened: this.#at }) })
  }

  #commit(commit: CommitBody): void {
    const group = must(this.#key, 'a group')
    const serial = ++this.#serial
    const since = must(this.store.sinceOf(OWNER), 'serves')
    const applied = this.#apply({
      kind: 'commit',
      group,
      expected: this.store.groupVersion(group),
      proposer: OWNER,
      since,
      judged: since,
      serial,
      lowestOpen: serial,
      onto: 0,
      ...commit,
    })
    if (applied.kind !== 'commit' || applied.outcome !== 'accepted')
      throw new Error(`${applied.kind === 'commit' ? applied.outcome : ''}: ${commitLine(commit)}`)
    this.lines.push(`commit: ${commitLine(commit)}`)
  }

  /** A call of another group counts for it. */
  hold(counter: string): void {
    this.#others.set(counter, (this.#others.get(counter) ?? 0) + 1)
  }

  /** The owner dies, with the local part and what waits; another takes over. */
  takeover(): void {
    this.#waiting = []
    this.stalled = false
    this.#group = null
    this.lines.push('-- takeover --')
    this.step({ kind: 'takeover' })
    for (const { id } of this.view?.intents ?? []) this.perform(id)
  }

  /** Time passes: deadlines of the group and pulses, in order. */
  pass(howLong: number): void {
    const end = plus(this.#now, seconds(howLong))
    for (;;) {
      const wake = this.#group === null ? null : wakeAt(this.#group)
      const deadline = this.store.nextDeadline()
      const pulse = deadline === null ? null : instant(deadline - EPOCH)
      const next = Math.min(wake ?? Infinity, pulse ?? Infinity)
      if (next > end) break
      this.#now = instant(Math.max(this.#now, next))
      if (pulse !== null && pulse <= this.#now) this.#pulse()
      else this.step({ kind: 'wake' })
    }
    this.#now = end
  }

  /** Time passes and nobody is there. */
  sleep(howLong: number): void {
    this.#now = plus(this.#now, seconds(howLong))
  }

  /** What is due fires, and its owner dies before it hears of it. */
  fireUnheard(): void {
    this.#apply({ kind: 'pulse', limit: 1_000, audit: null })
  }

  #pulse(): void {
    const applied = this.#apply({ kind: 'pulse', limit: 1_000, audit: null })
    if (applied.kind !== 'pulse') throw new Error('not a pulse')
    this.#reload()
    for (const timer of applied.fired) {
      this.lines.push(`fired: ${timer.id}`)
      if (timer.action.kind === 'callback') this.perform(timer.id)
    }
  }

  #reload(): void {
    const group = this.#group
    if (group !== null) this.#group = loadGroup(group.key, this.store.group(group.key), localOf(group))
  }

  /** Nothing of the group is left anywhere. */
  get idle(): boolean {
    return (this.#group === null || isIdle(this.#group)) && this.store.counts().groups === 0
  }

  #apply(body: EntryBody): Applied {
    this.#at = index(this.#at + 1)
    return this.store.apply(this.#at, { stamp: this.#cluster, body })
  }

  #leave(one: Outgoing): void {
    const { flow } = one
    const to = this.#phones.find(({ flow: own }) => sameEnd(own, flow))
    const name = to?.name ?? `${flow.transport} ${flow.host}:${flow.port} ${flow.stream}`.trim()
    this.sent.push({ ...one, to: name, at: this.#now })
    this.lines.push(`set -> ${name}: ${label(one.data)}`)
  }
}

const emptyCommit: CommitBody = { puts: [], deletes: [], timers: [], cancels: [], holds: null, opened: [], done: [] }

function sameEnd(phone: Flow, flow: Flow): boolean {
  if (phone.transport !== flow.transport) return false
  if (flow.stream !== '') return phone.stream === flow.stream
  return phone.host === flow.host && phone.port === flow.port
}

const SHORT: Readonly<Record<string, string>> = {
  SipApplicationSession: 'app',
  SipSession: 'session',
  Dialog: 'dialog',
  Transaction: 'tx',
}

function commitLine(commit: CommitBody): string {
  const parts = [
    ...commit.puts.map((put) => `${SHORT[put.tree] ?? put.tree} ${put.id}`),
    ...commit.deletes.map((gone) => `-${SHORT[gone.tree] ?? gone.tree} ${gone.id}`),
    ...commit.timers.map((timer) => `timer ${timer.id}`),
    ...commit.cancels.map((id) => `cancel ${id}`),
    ...(commit.holds === null
      ? []
      : [`holds ${commit.holds.map((hold) => hold.counter.replace(/^calls\./, '')).join('+') || 'none'}`]),
    ...commit.opened.map(({ id }) => `open ${id}`),
    ...commit.done.map((id) => `done ${id}`),
  ]
  return parts.join(', ')
}
