// SIP out. A datagram leaves here, from the shared address; what must go on a stream leaves at the replica that holds it
// (design.md 8). A send that was not made comes back to the owner of its group, which decides whether those bytes still
// stand.
//
// Nobody repeats a response on a stream but us, so a send that another replica is to make (it is *lent*) is kept until that
// one says that it has given it to its host:
//
//   lent --sent--> forgotten
//     | '--no word for passAgain, or its link is new--> do those bytes still stand? --> lent again
//     '----no word for `lent`, or its holder is dead--> as if the stream were gone: a new connection (RFC 3261 18.2.2)

import { replicaOf } from '../base/brand.ts'
import type { GroupKey, Life, ReplicaId } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Outgoing } from '../call/contract.ts'
import { what } from '../call/what.ts'
import { isOwnFlow } from '../proxy/own.ts'
import type { SetAddress } from '../proxy/settings.ts'
import type { Store } from '../store/store.ts'
import type { EgressId, Flow } from '../wire/entry.ts'
import type { EgressFrame, SentFrame, UnsentFrame } from '../wire/frame.ts'
import type { Send } from './effect.ts'
import type { UnsentInput } from './input.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { Owner } from './owner.ts'
import type { UnsentSend } from './owner-ports.ts'

export interface EgressPorts {
  readonly life: Life
  readonly settings: { readonly sip: SetAddress }
  readonly store: Store
  readonly links: Links
  readonly outbox: Outbox
  owner(): Owner
  now(): Instant
  /** A stale replica lends its streams to nobody: what it reads now may be old. */
  stale(): boolean
  /** Its SIP sockets are closed, for it leaves: none of its streams is left. */
  closed(): boolean
}

interface Lent {
  readonly group: GroupKey
  readonly outgoing: Outgoing
  readonly holder: Life
  /** When these bytes were lent first. */
  readonly since: Instant
  readonly at: Instant
}

export class Egress {
  readonly #ports: EgressPorts
  #serial = 0
  readonly #lent = new Map<EgressId, Lent>()
  /** How many of them are of one group, at one holder. */
  readonly #lending = new Map<string, number>()
  /** Given back to their owners' room at a time, which may lend them again: since when they were lent. In order of `at`, and no older
   * than `passAgain`; beyond `lentMost` the oldest counts as lent anew. */
  readonly #again = new Map<string, { readonly since: Instant; readonly at: Instant }>()
  /** What owners are to be told with the end of this turn. */
  readonly #sent = new Map<Life, EgressId[]>()

  constructor(ports: EgressPorts) {
    this.#ports = ports
  }

  /** False if the stream that it must leave on is gone. */
  send(outgoing: Outgoing, group: GroupKey | null): boolean {
    const { flow, data, what } = outgoing
    const { life, outbox } = this.#ports
    const origin = group === null ? null : { group, what }
    const holder = holderOf(flow) ?? life
    outbox.count('sip_sent')
    if (holder === life) {
      const notAfter = plus(this.#ports.now(), limits.notAfter)
      const inside = isOwnFlow(this.#ports.settings.sip, flow) ? { isInside: true } : {}
      outbox.push({ kind: 'send', flow, data, origin, notAfter, ...inside })
      return true
    }
    return this.#lend(outgoing, group, holder)
  }

  #lend(outgoing: Outgoing, group: GroupKey | null, holder: Life): boolean {
    const { life, links, store } = this.#ports
    const { flow, data, what } = outgoing
    if (!links.reaches(holder)) return false
    const id = `${life}#${++this.#serial}` as EgressId
    const origin = group === null ? null : { group, what }
    const judged = store.serving().version
    const frame: EgressFrame = { kind: 'egress', id, judged, flow, data, within: limits.notAfter, origin }
    if (!links.send(replicaOf(holder), frame)) return false
    if (group === null) return true
    const at = this.#ports.now()
    this.#lent.set(id, { group, outgoing, holder, since: this.#again.get(nameOf(group, outgoing))?.since ?? at, at })
    const place = placeOf(holder, group)
    this.#lending.set(place, (this.#lending.get(place) ?? 0) + 1)
    const oldest = this.#lent.keys().next()
    if (this.#lent.size > limits.lentMost && oldest.done !== true) this.#forget(oldest.value)
    return true
  }

  /** Whether that holder has still to say that it has sent something of that group. */
  isLending(holder: Life, group: GroupKey): boolean {
    return this.#lending.has(placeOf(holder, group))
  }

  /** Whether these bytes were lent until a moment ago, and nobody knows whether they left. */
  wasLent(outgoing: Outgoing, group: GroupKey): boolean {
    return this.#again.has(nameOf(group, outgoing))
  }

  #forget(id: EgressId): void {
    const lent = this.#lent.get(id)
    if (lent === undefined) return
    this.#lent.delete(id)
    const place = placeOf(lent.holder, lent.group)
    const left = (this.#lending.get(place) ?? 1) - 1
    if (left === 0) this.#lending.delete(place)
    else this.#lending.set(place, left)
  }

  deadline(): Instant | null {
    const oldest = this.#lent.values().next()
    return oldest.done === true ? null : plus(oldest.value.at, limits.passAgain)
  }

  /** What nobody acknowledged goes back to its owner's room. */
  retry(now: Instant): void {
    for (const [name, { at }] of this.#again) {
      if (between(at, now) < limits.passAgain) break
      this.#again.delete(name)
    }
    for (const [id, lent] of this.#lent) {
      if (between(lent.at, now) < limits.passAgain) break
      this.#giveBack(id, lent, now)
    }
  }

  /** A link is new: what was on its way over the old one may be lost, or its holder is another life by now. */
  linkUp(peer: ReplicaId): void {
    for (const [id, lent] of [...this.#lent]) {
      if (replicaOf(lent.holder) === peer) this.#giveBack(id, lent, this.#ports.now())
    }
  }

  #giveBack(id: EgressId, lent: Lent, now: Instant): void {
    const { links, outbox } = this.#ports
    const { group, outgoing, holder, since } = lent
    const { flow, data, what } = outgoing
    this.#forget(id)
    outbox.count('sip_lent_again')
    const isSilent = !links.isDead(holder) && between(since, now) >= limits.lent
    const isGone = links.isDead(holder) || isSilent
    const name = nameOf(group, outgoing)
    this.#again.delete(name)
    const oldest = this.#again.keys().next()
    if (this.#again.size >= limits.lentMost && oldest.done !== true) this.#again.delete(oldest.value)
    if (isSilent) this.#again.set(name, { since: now, at: now })
    else if (!isGone) this.#again.set(name, { since, at: now })
    const gone = { reason: 'no-stream', mayHaveLeft: true, ...(isSilent ? { isSilent } : {}) } as const
    const failure = isGone ? gone : ({ reason: 'late' } as const)
    this.#ports.owner().unsent({ origin: { group, what }, flow, data, ...failure })
  }

  /** An owner's send on a stream that this replica holds. One that another owner has succeeded speaks no more. */
  onEgress({ id, judged, flow, data, within, origin }: EgressFrame, asker: Life): void {
    const { store, outbox } = this.#ports
    if (this.#ports.stale()) return
    const known = originOf(origin)
    const isOver = known !== null && judged <= store.serving().version && store.ownerOf(known.group) !== asker
    if (isOver) outbox.count('sip_lent_too_late')
    else if (this.#ports.closed()) this.#comesBack({ origin: known, flow, data })
    else outbox.push({ kind: 'send', flow, data, origin: known, notAfter: plus(this.#ports.now(), within) })
    const ids = this.#sent.get(asker)
    if (ids === undefined) this.#sent.set(asker, [id])
    else ids.push(id)
  }

  /** Our streams are gone: as if the host had said so. */
  #comesBack({ origin, flow, data }: Pick<Send, 'origin' | 'flow' | 'data'>): void {
    if (origin !== null) this.unsent({ origin, flow, data, reason: 'no-stream' })
  }

  /** One frame each a turn. A telling that is lost costs a repetition. */
  tellOwners(): void {
    if (this.#sent.size === 0) return
    for (const [owner, ids] of this.#sent) this.#ports.links.send(replicaOf(owner), { kind: 'sent', ids })
    this.#sent.clear()
  }

  onSent({ ids }: SentFrame): void {
    for (const id of ids) this.#forget(id)
  }

  /** The host did not make a send. */
  onUnsent({ send, reason }: UnsentInput): void {
    const { origin, flow, data } = send
    this.#ports.outbox.count(`sip_unsent_${reason.replace('-', '_')}`)
    if (origin !== null) this.unsent({ origin, flow, data, reason })
    // Nobody's decision: an answer without state, or what was relayed without a quorum. On a stream nobody says it again, and the
    // connection that took so long to be made is there now.
    else if (reason === 'late' && flow.transport !== 'udp') this.send({ flow, data, what: what.untracked }, null)
  }

  /** To its group's owner, who knows whether those bytes still stand. */
  unsent(unsent: UnsentSend): void {
    const { life, store, links, owner } = this.#ports
    const { origin, flow, data, reason } = unsent
    const to = store.ownerOf(origin.group)
    if (to === life) owner().unsent(unsent)
    else if (to !== null) links.send(replicaOf(to), { kind: 'unsent', origin, flow, data, reason })
  }

  /** The host of a stream's holder, or an owner before this one, did not make a send of ours. */
  onUnsentFrame({ origin, flow, data, reason }: UnsentFrame): void {
    const known = originOf(origin)
    if (known !== null) this.#ports.owner().unsent({ origin: known, flow, data, reason })
  }
}

/** The life that holds the stream; null for a datagram, or a connection that is still to be made. */
export function holderOf(flow: Flow): Life | null {
  return flow.stream === '' ? null : (flow.stream.slice(0, flow.stream.indexOf('/')) as Life)
}

function placeOf(holder: Life, group: GroupKey): string {
  return `${holder} ${group}`
}

function nameOf(group: GroupKey, { flow, what, data }: Outgoing): string {
  return `${group} ${flow.stream} ${what} ${data}`
}

function originOf(origin: EgressFrame['origin']): Send['origin'] {
  return origin === null ? null : { group: origin.group as GroupKey, what: origin.what }
}
