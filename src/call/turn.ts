// One input's work on one group, as it is gathered: what the entities become, what may leave at once and what only after
// the commit. Nothing of it is seen outside before `finish`.

import { assert, must } from '../base/assert.ts'
import type { Duration, Instant } from '../base/instant.ts'
import type { Place } from '../proxy/locate.ts'
import type { NonInviteClient } from '../transaction/non-invite-client.ts'
import type { Delete, Destination, EntityRef, Flow, Hold, Intent, Put, TimerSet, Tree } from '../wire/entry.ts'
import type { CallContext, CallResult, CommitBody, InputRef, OrderOutcome, Outgoing, PassedOn } from './contract.ts'
import { entityBytes, treeOf } from './entities.ts'
import type { EntityValue } from './entities.ts'
import type { Group, Held, InviteLocal, Local, Probe, Relay, UacLocal, UasLocal } from './group-state.ts'

/** Of a turn whose input is given again. */
const NOTHING = { commit: null, sends: [], after: [], handled: [], handledAfter: [], passedOn: [] } as const

export class Turn {
  readonly ctx: CallContext
  readonly #base: Group
  /** Entities that this turn changed, by `tree/id`; null = deleted. */
  readonly #changed = new Map<string, { readonly ref: EntityRef; readonly value: EntityValue | null }>()
  readonly #timers = new Map<string, TimerSet>()
  readonly #cancels = new Set<string>()
  readonly #opened: Intent[] = []
  readonly #done: string[] = []
  readonly #sends: Outgoing[] = []
  readonly #after: Outgoing[] = []
  readonly #handled: InputRef[] = []
  readonly #handledAfter: InputRef[] = []
  readonly #passedOn: PassedOn[] = []
  #holds: readonly Hold[] | null = null
  #caps: readonly Hold[]
  #taken: readonly Hold[] = []
  #waitsFor: Place | null = null
  #isHeldBack = false
  #onward: readonly string[] = []
  #outcome: OrderOutcome | null = null
  #local: Local

  constructor(group: Group, ctx: CallContext) {
    this.ctx = ctx
    this.#base = group
    this.#caps = group.caps
    this.#local = group.local
  }

  get key(): Group['key'] {
    return this.#base.key
  }

  get now(): Instant {
    return this.ctx.now
  }

  /** The group as it was when the turn began. */
  get base(): Group {
    return this.#base
  }

  get local(): Local {
    return this.#local
  }

  /** Whether this turn commits. */
  get commits(): boolean {
    return this.#changed.size + this.#timers.size + this.#cancels.size + this.#opened.length + this.#done.length > 0
  }

  /** The entities of a tree with their ids, in the order in which they came. */
  entries(tree: Tree): readonly (readonly [id: string, value: EntityValue])[] {
    const list: (readonly [string, EntityValue])[] = []
    for (const [name, held] of this.#base.entities) {
      if (treeOf(held.value) === tree && !this.#changed.has(name)) list.push([held.id, held.value])
    }
    for (const { ref, value } of this.#changed.values()) {
      if (ref.tree === tree && value !== null) list.push([ref.id, value])
    }
    return list
  }

  /** The entity as the last commit left it, for its stamp. */
  held(tree: Tree, id: string): Held | null {
    return this.#base.entities.get(`${tree}/${id}`) ?? null
  }

  get(tree: Tree, id: string): EntityValue | null {
    const name = `${tree}/${id}`
    const changed = this.#changed.get(name)
    return changed === undefined ? (this.#base.entities.get(name)?.value ?? null) : changed.value
  }

  put(id: string, value: EntityValue): void {
    const tree = treeOf(value)
    const name = `${tree}/${id}`
    if (this.get(tree, id) === value) return
    this.#changed.set(name, { ref: { tree, id }, value })
  }

  delete(tree: Tree, id: string): void {
    const name = `${tree}/${id}`
    if (this.#base.entities.has(name)) this.#changed.set(name, { ref: { tree, id }, value: null })
    else this.#changed.delete(name)
  }

  /** The next free ordinal of a tree's ids `1`, `2`, ... */
  nextId(tree: Tree): string {
    let last = 0
    for (const [id] of this.entries(tree)) last = Math.max(last, Number(id.split('.')[0]))
    return String(last + 1)
  }

  setTimer(id: string, after: Duration, targets: readonly EntityRef[] | null): void {
    this.#cancels.delete(id)
    this.#timers.set(id, { id, after, action: targets === null ? { kind: 'callback' } : { kind: 'delete', targets } })
  }

  cancelTimer(id: string): void {
    this.#timers.delete(id)
    this.#cancels.add(id)
  }

  /** `caps`: those of them that count calls whose number is limited. */
  setHolds(holds: readonly Hold[], caps: readonly Hold[]): void {
    this.#holds = holds
    this.#caps = caps
  }

  /** Nothing comes of this turn, and its input is given again once that place is found, or isn't. */
  wait(place: Place): void {
    this.#waitsFor = place
  }

  get isWaiting(): boolean {
    return this.#waitsFor !== null
  }

  /** Nothing of this turn leaves before its commit, if it has one. */
  holdBack(): void {
    this.#isHeldBack = true
  }

  /** What begins something in this turn goes by way of these URIs, before any other: the application router says so. */
  goOnBy(uris: readonly string[]): void {
    this.#onward = uris
  }

  get onward(): readonly string[] {
    return this.#onward
  }

  /** A call begins that is to hold these. */
  takeCaps(caps: readonly Hold[]): void {
    this.#taken = [...this.#taken, ...caps]
  }

  get taken(): readonly Hold[] {
    return this.#taken
  }

  /** A request of ours is to go out, once this turn's commit is applied. */
  openIntent(id: string): void {
    this.#opened.push({ id, bytes: new Uint8Array(0) })
  }

  /** The intent is done with this turn's commit. */
  intentDone(id: string): void {
    this.#done.push(id)
  }

  /** Whether a commit of the group that may still be open, or this turn, has ended it. */
  hasEnded(id: string): boolean {
    return this.#done.includes(id) || this.#base.ended.has(id)
  }

  send(flow: Flow, data: string, what: string): void {
    this.#sends.push({ flow, data, what })
  }

  sendAfter(flow: Flow, data: string, what: string): void {
    this.#after.push({ flow, data, what })
  }

  handled(...refs: readonly InputRef[]): void {
    this.#handled.push(...refs)
  }

  handledAfter(...refs: readonly InputRef[]): void {
    this.#handledAfter.push(...refs)
  }

  /** What becomes of the order that is this turn's input. */
  answer(outcome: OrderOutcome): void {
    this.#outcome = outcome
  }

  /** The input is another group's to handle: it goes there once this turn's commit is applied, or at once if it has none. */
  passOn(ref: InputRef, to: Destination): void {
    this.#passedOn.push({ ref, to })
  }

  setInvite(id: string, invite: InviteLocal): void {
    this.#local = { ...this.#local, invites: new Map(this.#local.invites).set(id, invite) }
  }

  invite(id: string): InviteLocal {
    return must(this.#local.invites.get(id), 'an INVITE transaction without its local part')
  }

  setRelay(relay: Relay): void {
    this.#local = { ...this.#local, relays: new Map(this.#local.relays).set(relay.id, relay) }
  }

  setOwn(id: string, client: NonInviteClient): void {
    this.#local = { ...this.#local, owns: new Map(this.#local.owns).set(id, client) }
  }

  dropOwn(id: string): void {
    const owns = new Map(this.#local.owns)
    owns.delete(id)
    this.#local = { ...this.#local, owns }
  }

  setProbe(id: string, probe: Probe): void {
    this.#local = { ...this.#local, probes: new Map(this.#local.probes).set(id, probe) }
  }

  dropProbe(id: string): void {
    const probes = new Map(this.#local.probes)
    probes.delete(id)
    this.#local = { ...this.#local, probes }
  }

  setUas(id: string, uas: UasLocal): void {
    this.#local = { ...this.#local, uas: new Map(this.#local.uas).set(id, uas) }
  }

  setUac(id: string, uac: UacLocal): void {
    this.#local = { ...this.#local, uac: new Map(this.#local.uac).set(id, uac) }
  }

  dropLegPart(id: string): void {
    const [uas, uac] = [new Map(this.#local.uas), new Map(this.#local.uac)]
    uas.delete(id)
    uac.delete(id)
    this.#local = { ...this.#local, uas, uac }
  }

  dropRelay(id: string): void {
    const relays = new Map(this.#local.relays)
    relays.delete(id)
    this.#local = { ...this.#local, relays }
  }

  finish(): CallResult<Group> {
    if (this.#waitsFor !== null) return { ...NOTHING, group: this.#base, waitsFor: this.#waitsFor }
    const commit = this.commits ? this.#commit() : null
    assert(commit !== null || this.#after.length + this.#handledAfter.length === 0, 'waits for a commit that is none')
    const waits = this.#isHeldBack && commit !== null
    const passed = this.#passedOn.map(({ ref }) => ref)
    const [handled, after] = commit === null ? [passed, []] : [[], passed]
    return {
      group: { ...this.#base, entities: this.#entities(), caps: this.#caps, ended: this.#ended(), local: this.#local },
      commit,
      sends: waits ? [] : this.#sends,
      after: waits ? [...this.#sends, ...this.#after] : this.#after,
      handled: waits ? [] : [...this.#handled, ...handled],
      handledAfter: [...(waits ? this.#handled : []), ...this.#handledAfter, ...after],
      passedOn: this.#passedOn,
      waitsFor: null,
      ...(this.#outcome === null ? {} : { outcome: this.#outcome }),
    }
  }

  #ended(): ReadonlySet<string> {
    const { ended } = this.#base
    if (this.#done.length + this.#opened.length === 0) return ended
    const opened = new Set(this.#opened.map(({ id }) => id))
    return new Set([...ended, ...this.#done].filter((id) => !opened.has(id)))
  }

  #commit(): CommitBody {
    const puts: Put[] = []
    const deletes: Delete[] = []
    for (const [name, { ref, value }] of this.#changed) {
      const expected = this.#base.entities.get(name)?.version ?? 0
      if (value === null) deletes.push({ ...ref, expected })
      else puts.push({ ...ref, expected, bytes: entityBytes(value, this.ctx.format) })
    }
    const timers = [...this.#timers.values()]
    const cancels = [...this.#cancels]
    return { puts, deletes, timers, cancels, holds: this.#holds, opened: this.#opened, done: this.#done }
  }

  #entities(): ReadonlyMap<string, Held> {
    if (this.#changed.size === 0) return this.#base.entities
    const entities = new Map(this.#base.entities)
    for (const [name, { ref, value }] of this.#changed) {
      const version = (this.#base.entities.get(name)?.version ?? 0) + 1
      if (value === null) entities.delete(name)
      else entities.set(name, { id: ref.id, version, stamp: this.ctx.cluster, value })
    }
    return entities
  }
}
