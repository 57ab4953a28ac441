// SIP in: every message that arrives at this replica is kept, its group's owner found, and then handled here or passed on
// (design.md 3, passing on). And the other half: what other replicas keep and pass to us.

import { must, unreachable } from '../base/assert.ts'
import { firstOf } from '../base/first-of.ts'
import { replicaOf } from '../base/brand.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { CallContext, InputRef, Outgoing } from '../call/contract.ts'
import { callLimits } from '../call/limits.ts'
import { relayDetached } from '../call/detached.ts'
import { keyOfRoute, receive } from '../call/receive.ts'
import { refuse, refuseForNow } from '../call/refuse.ts'
import { isOwnFlow } from '../proxy/own.ts'
import { toTag } from '../sip/message.ts'
import type { Store } from '../store/store.ts'
import type { Destination, Flow, PassId } from '../wire/entry.ts'
import type { HandledFrame, PassFrame, PassedOnFrame } from '../wire/frame.ts'
import type { Bans } from './bans.ts'
import { holderOf } from './egress.ts'
import { Keeper } from './keeper.ts'
import type { Kept } from './keeper.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { Owner } from './owner.ts'
import { Shedding } from './shedding.ts'

/** What passing on needs of the replica around it. */
export interface PassingPorts {
  readonly life: Life
  readonly store: Store
  readonly links: Links
  readonly outbox: Outbox
  readonly owner: Owner
  context(): CallContext
  now(): Instant
  /** While stale, everything waits. */
  stale(): boolean
  /** No leader is heard, or at the leader no quorum. */
  detached(): boolean
  /** Who judges for a replica that has been stale for long, or can't become fresh: the leader. Null = nobody need or can. */
  standIn(): Life | null
  /** Whether that life has still to say that it has sent an answer of that group, on a stream that it holds. */
  isLending(holder: Life, group: GroupKey): boolean
  /** An answer that needs no group (400, OPTIONS to the set). */
  answer(outgoing: Outgoing): void
  readonly bans: Pick<Bans, 'isBanned'>
  /** Each input of this replica's has another one. */
  nextRef(): InputRef
}

/** An input that another replica keeps. */
interface Passed {
  readonly keeper: Life
  readonly id: PassId
  readonly group: GroupKey
}

export class Passing {
  readonly #ports: PassingPorts
  readonly #keeper = new Keeper(limits.kept, limits.keptFor)
  /** There was no room; said once, until half of it is free again. */
  #isFull = false
  /** Inputs that other replicas keep and that are being handled here. */
  readonly #passed = new Map<InputRef, Passed>()
  readonly #passedRefs = new Map<PassId, InputRef>()
  /** Whether this life was in the last serving entry. */
  #serves = false
  /** Passes whose sender judged by a serving entry that we have not applied, in order of arrival. */
  #ahead: { readonly frame: PassFrame; readonly at: Instant }[] = []
  /** Kept, and to be given once the messages before them were: those that no turn has had room for, in order. */
  readonly #again = new Set<Kept>()
  /** Passes that no turn has had room for, in order. */
  #later: PassFrame[] = []
  /** How many of either this turn still takes. */
  #room: { again: number; later: number } = { again: limits.inTurn, later: limits.inTurn }
  /** Handled, but for an answer that its keeper has not sent yet: only who keeps the question can have it answered again. */
  readonly #answering = new Set<InputRef>()
  readonly #shedding = new Shedding()
  /** What keepers are to be told with the end of this turn. */
  readonly #tellings = new Map<Life, { handled: PassId[]; hops: PassId[] }>()

  /** When what has no sure way is given again. */
  #againAt: Instant

  constructor(ports: PassingPorts, now: Instant) {
    this.#ports = ports
    this.#againAt = now
  }

  get kept(): number {
    return this.#keeper.size
  }

  deadline(): Instant | null {
    if (this.#again.size + this.#later.length > 0) return this.#ports.now()
    const expiry = this.#keeper.expiry()
    return expiry === null ? null : (Math.min(expiry, this.#againAt) as Instant)
  }

  /** A message from a phone. */
  receive(flow: Flow, data: string, now: Instant): void {
    this.#ports.outbox.count('sip_received')
    if (!isOwnFlow(this.#ports.context().settings.sip, flow) && this.#isTurnedAway(flow, data, now)) return
    // What comes on a stream comes once: but for an INVITE, which can be refused, it has room of its own.
    const spare = flow.transport === 'udp' || isInvite(data) ? 0 : limits.keptOnStreams
    const kept = this.#keeper.keep(this.#ports.nextRef(), flow, data, now, spare)
    if (kept === null) this.#refuse(flow, data)
    else if (this.#again.size > 0) this.#again.add(kept)
    else this.#give(kept)
  }

  /** What comes from one of our own groups (proxy/chain.ts) was let in where it came in. */
  #isTurnedAway(flow: Flow, data: string, now: Instant): boolean {
    if (this.#ports.bans.isBanned(flow.host)) {
      this.#ports.outbox.count('sip_dropped_banned')
      return true
    }
    const isCrowded = this.#shedding.isCrowded(this.#keeper.size, now)
    return (isCrowded || this.#shedding.isOn) && this.#turnsAway(flow, data, isCrowded)
  }

  /** How it went since the last check: with more than this process could take or not. While it is stale nobody can tell what waits for what. */
  load(isFull: boolean, now: Instant): void {
    const isLate = (kept: Kept): boolean =>
      kept.givenTo !== null && isInvite(kept.data) && this.#shedding.isSlow(kept.since, now)
    const waiting = this.#ports.stale() ? 0 : this.#keeper.all().filter(isLate).length
    const wasOn = this.#shedding.isOn
    const share = this.#shedding.check(isFull, waiting)
    if (share === null || wasOn === this.#shedding.isOn) return
    const said = wasOn
      ? 'all new requests are let in again'
      : 'more comes than is handled: of new requests a share gets 503, as large as it has to be'
    this.#ports.outbox.log('warn', 'load', said, { share })
  }

  /** While there is too much to do, at the door: refuses what would begin something, but for its share. True: nothing more becomes of
   * it. What somebody may have let in already is never refused. */
  #turnsAway(flow: Flow, data: string, isCrowded: boolean): boolean {
    const { store, outbox } = this.#ports
    if (!mayBegin(data) || this.#ports.stale() || store.keyGeneration === 0) return false
    const context = this.#ports.context()
    const received = receive(data, flow, context)
    if (received.kind !== 'group' || received.message.kind !== 'request') return false
    const { group, message } = received
    const kept = this.#keeper.of(group)
    if (kept !== null) {
      // Its owner has it: a repetition by datagram tells nothing new.
      const isRepeated = flow.transport === 'udp' && [...kept].some((one) => one.givenTo !== null && one.data === data)
      if (isRepeated) outbox.count('sip_dropped_repeated')
      return isRepeated
    }
    if (store.group(group) !== null || this.#shedding.hasBegun(group)) return false
    if (message.method === 'ACK') {
      // Of a refusal here, as a rule: there is nobody to tell.
      const isStray = keyOfRoute(message, context) === null
      if (isStray) outbox.count('sip_dropped_stray_ack')
      return isStray
    }
    if (toTag(message) !== null || (!isCrowded && this.#shedding.isLetIn(message, context.keys))) return false
    outbox.count('sip_refused_load')
    this.#ports.answer(refuseForNow(message, flow, context))
    return true
  }

  /** No room: a datagram is dropped, for UDP repeats it. A stream doesn't: an INVITE on one is told. */
  #refuse(flow: Flow, data: string): void {
    const { outbox } = this.#ports
    outbox.count('sip_dropped_full')
    if (!this.#isFull) {
      const said = `${limits.kept} messages wait for their owners: datagrams are dropped, INVITEs on streams get 503`
      outbox.log('warn', 'passing-full', said)
    }
    this.#isFull = true
    this.#refuseInvite(flow, data)
  }

  /** An INVITE on a stream is told that it has come to nothing. */
  #refuseInvite(flow: Flow, data: string): void {
    if (flow.transport === 'udp') return
    const context = this.#ports.context()
    const received = receive(data, flow, context)
    if (received.kind !== 'group' || received.message.kind !== 'request' || received.message.method !== 'INVITE') return
    this.#ports.answer(refuse(received.message, flow, 503, callLimits.retryAfterSeconds, context))
  }

  /** To the owner of its group, as far as that is known and can be reached; else it waits. */
  #give(kept: Kept): void {
    const { store, life, owner: room } = this.#ports
    if (store.keyGeneration === 0 || store.serving().members.length === 0) return
    if (this.#ports.stale()) {
      if (this.#ports.detached() && this.#relay(kept)) return
      const standIn = this.#ports.standIn()
      this.#keeper.name(kept, null)
      if (standIn !== null) this.#pass(kept, standIn)
      return
    }
    const received = receive(kept.data, kept.flow, this.#ports.context())
    switch (received.kind) {
      case 'drop':
        this.#ports.outbox.count(`sip_dropped_${received.reason.replaceAll('-', '_')}`)
        this.#keeper.handled(kept.number)
        return
      case 'answer':
        this.#ports.outbox.count(`sip_answered_${received.reason.replaceAll('-', '_')}`)
        for (const outgoing of received.sends) this.#ports.answer(outgoing)
        this.#keeper.handled(kept.number)
        return
      case 'group': {
        const { to } = kept
        const group = to?.group ?? received.group
        this.#keeper.name(kept, group)
        const { message } = received
        if (message.kind === 'request' && message.method !== 'ACK') this.#shedding.begun(group, this.#ports.now())
        const owner = must(store.ownerOf(group), 'somebody serves')
        if (owner === life) {
          this.#keeper.give(kept, owner)
          room.message(group, message, kept.flow, kept.number, to)
        } else {
          this.#pass(kept, owner)
        }
        return
      }
      default:
        unreachable(received)
    }
  }

  /** Without a quorum: relays what needs none. True if nothing more is to become of it. */
  #relay(kept: Kept): boolean {
    if (kept.wasRelayed || kept.wasGiven) return false
    const { store, life, outbox } = this.#ports
    const context = this.#ports.context()
    const received = receive(kept.data, kept.flow, context)
    if (received.kind !== 'group') return false
    const { group, message } = received
    const relayed = relayDetached(group, store.group(group), message, kept.flow, context)
    // A stream that another replica holds is that one's to send on, and it is asked by nobody who is stale.
    if (relayed === null || (holderOf(relayed.outgoing.flow) ?? life) !== life) return false
    outbox.count('sip_relayed_detached')
    this.#ports.answer(relayed.outgoing)
    kept.wasRelayed = true
    if (!relayed.isKept) this.#keeper.handled(kept.number)
    return !relayed.isKept
  }

  #pass(kept: Kept, owner: Life): void {
    const sent = this.#ports.links.send(replicaOf(owner), {
      kind: 'pass',
      id: `${this.#ports.life}#${kept.number}` as PassId,
      keeper: this.#ports.life,
      hops: 1,
      judged: this.#ports.store.serving().version,
      flow: kept.flow,
      data: kept.data,
      to: kept.to,
    })
    if (!sent) {
      this.#keeper.takeBack(kept)
      return
    }
    this.#ports.outbox.count('sip_passed_on')
    this.#keeper.give(kept, owner)
  }

  /** Gives again what waits, and what was given to somebody whom `again` names. */
  #giveAgain(again: (givenTo: Life, kept: Kept) => boolean): void {
    for (const kept of this.#keeper.all()) {
      if (kept.givenTo !== null && !again(kept.givenTo, kept)) continue
      this.#keeper.takeBack(kept)
      this.#again.add(kept)
    }
    this.#giveSome()
  }

  #giveSome(): void {
    for (const kept of firstOf(this.#again, this.#room.again)) {
      this.#room.again--
      this.#again.delete(kept)
      if (kept.givenTo === null && this.#keeper.has(kept.number)) this.#give(kept)
    }
  }

  /** A turn begins: what the turns before had no room for, as far as this one has. */
  turn(now: Instant): void {
    this.#room = { again: limits.inTurn, later: limits.inTurn }
    this.#giveSome()
    for (const frame of this.#later.splice(0, limits.inTurn)) this.#judgePass(frame, now)
    this.#expire(now)
    this.#retry(now)
  }

  /** Owners were computed anew. */
  servingChanged(): void {
    const { store, life } = this.#ports
    const left = this.#serves && store.sinceOf(life) === null
    this.#serves = store.sinceOf(life) !== null
    this.#shedding.ownersChanged(this.#ports.now())
    // One that catches up applies entries of long ago: who stands in knows better. But what is our own comes back to us until
    // we are out of serving.
    const standIn = this.#standIn()
    if (standIn !== null) this.#giveAgain((givenTo) => left || givenTo !== standIn)
    else this.#giveAgain((givenTo, { group }) => group !== null && store.ownerOf(group) !== givenTo)
  }

  /** Who judges in place of this replica now, or null. */
  #standIn(): Life | null {
    return this.#ports.stale() ? this.#ports.standIn() : null
  }

  /** The store became another, and the owner room forgot what it was given: it is judged again, here and by the keepers. */
  storeReplaced(): void {
    this.#giveAgain(() => true)
  }

  /** What was passed to this replica goes back to its keepers, who pass it again: to be called before its owner drops it. */
  giveBack(): void {
    for (const [ref, { keeper, id }] of [...this.#passed]) {
      this.forget(ref)
      this.#tell(keeper, id, 'hops')
    }
  }

  /** A link is new: what was on its way over the old one may be lost, and what went by way of the leader. */
  linkUp(life: Life): void {
    this.#giveAgain((givenTo) => replicaOf(givenTo) === replicaOf(life) || this.#isByLeader(givenTo))
  }

  /** Another leader: what was with the old one, on its way to others, may be lost. */
  leaderChanged(): void {
    this.#giveAgain((givenTo) => this.#isByLeader(givenTo))
  }

  #isByLeader(givenTo: Life): boolean {
    return givenTo !== this.#ports.life && !this.#ports.links.isUp(replicaOf(givenTo))
  }

  /** The set key is known, or this replica is fresh again: what waited is judged. */
  giveWaiting(): void {
    this.#shedding.waited(this.#ports.now())
    if (this.#keeper.waiting > 0) this.#giveAgain(() => false)
  }

  /** What waits is judged again, and what went by way of the leader goes again: the leader may have had no link either, and
   * nothing tells us. Nothing tells a stale replica either that somebody lost a group: who stands in gets all it keeps, and again
   * what came on a stream, which nobody repeats, for an owner behind it may have died; and once it is fresh, it judges by itself what is
   * still not handled, for who stood in keeps nothing. */
  #retry(now: Instant): void {
    if (now < this.#againAt) return
    this.#againAt = plus(now, limits.passAgain)
    if (this.#keeper.size === 0) return
    const isStale = this.#ports.stale()
    const standIn = this.#standIn()
    const isElsewhere = (givenTo: Life): boolean => standIn !== null && givenTo !== standIn
    const isLong = ({ flow, since }: Kept): boolean =>
      standIn !== null && flow.transport !== 'udp' && between(since, now) >= limits.passAgain
    this.#giveAgain(
      (givenTo, kept) =>
        this.#isByLeader(givenTo) || isElsewhere(givenTo) || isLong(kept) || (!isStale && kept.group === null),
    )
  }

  #expire(now: Instant): void {
    if (this.#isFull && this.#keeper.size <= limits.kept / 2) this.#isFull = false
    const expired = this.#keeper.expire(now)
    if (expired.length > 0) this.#ports.outbox.count('sip_dropped_expired', expired.length)
    // Of what somebody else was given, only that one knows what has become.
    for (const { flow, data, wasGiven } of expired) if (!wasGiven) this.#refuseInvite(flow, data)
  }

  /** A message that another replica keeps. It is judged only once we have applied the serving entry that its sender judged by. */
  onPass(frame: PassFrame, now: Instant): void {
    if (this.#later.length === 0 && this.#room.later > 0) {
      this.#room.later--
      this.#judgePass(frame, now)
    } else if (this.#later.length < limits.kept) this.#later.push(frame)
    else this.#dropPass(frame)
  }

  #dropPass(frame: PassFrame): void {
    this.#ports.outbox.count('passes_dropped_full')
    this.#tell(frame.keeper, frame.id, 'hops')
  }

  #judgePass(frame: PassFrame, now: Instant): void {
    const { store, life, links, outbox } = this.#ports
    if (this.#isAhead(frame) || this.#ports.stale()) {
      if (this.#ahead.length < limits.kept) this.#ahead.push({ frame, at: now })
      else this.#dropPass(frame)
      return
    }
    const received = receive(frame.data, frame.flow, this.#ports.context())
    if (received.kind !== 'group') {
      // Its keeper would have answered, but for one that leaves the judgement to us.
      if (received.kind === 'answer') for (const outgoing of received.sends) this.#ports.answer(outgoing)
      this.#tell(frame.keeper, frame.id, 'handled')
      return
    }
    const group = frame.to?.group ?? received.group
    const owner = store.ownerOf(group)
    if (owner === life) {
      // Of its own group's owner it may come here once more, as the owner of the other one: it is told apart by the group.
      const known = this.#passedRefs.get(frame.id)
      if (known !== undefined && this.#passed.get(known)?.group === group) return
      if (known !== undefined) this.forget(known)
      const ref = this.#ports.nextRef()
      this.#passed.set(ref, { keeper: frame.keeper, id: frame.id, group })
      this.#passedRefs.set(frame.id, ref)
      this.#ports.owner.message(group, received.message, frame.flow, ref, frame.to)
      return
    }
    const further: PassFrame = { ...frame, hops: frame.hops + 1, judged: store.serving().version }
    if (owner !== null && frame.hops < limits.hops && links.send(replicaOf(owner), further)) return
    outbox.count('passes_in_a_circle')
    this.#tell(frame.keeper, frame.id, 'hops')
  }

  /** Whether its sender knew a serving entry, or the set key behind the first one, that we have not applied. */
  #isAhead(frame: PassFrame): boolean {
    const { store } = this.#ports
    return frame.judged > store.serving().version || store.keyGeneration === 0
  }

  /** Passes that came before we knew enough. */
  retryAhead(now: Instant): void {
    if (this.#ahead.length === 0 || this.#ports.stale()) return
    const waiting = this.#ahead
    this.#ahead = []
    for (const { frame, at } of waiting) {
      if (between(at, now) >= limits.keptFor) this.#ports.outbox.count('passes_dropped_expired')
      else if (this.#isAhead(frame)) this.#ahead.push({ frame, at })
      else this.onPass(frame, now)
    }
  }

  /** The owner room is done with an input: its keeper may forget it. */
  handled(ref: InputRef): void {
    const passed = this.#passed.get(ref)
    if (passed === undefined) {
      this.#keptIsHandled(ref)
      return
    }
    if (this.#ports.isLending(passed.keeper, passed.group)) {
      this.#answering.add(ref)
      return
    }
    this.forget(ref)
    this.#tell(passed.keeper, passed.id, 'handled')
  }

  #keptIsHandled(number: number): void {
    const kept = this.#keeper.get(number)
    if (kept === undefined) return
    if (isInvite(kept.data)) this.#shedding.handled(kept.since, this.#ports.now())
    this.#keeper.handled(number)
  }

  /** The group went elsewhere: the keeper passes the input on by itself. */
  forget(ref: InputRef): void {
    const passed = this.#passed.get(ref)
    if (passed === undefined) return
    this.#passed.delete(ref)
    this.#passedRefs.delete(passed.id)
    this.#answering.delete(ref)
  }

  /** The owner room says that an input is another group's. */
  passedOn(ref: InputRef, to: Destination): void {
    const passed = this.#passed.get(ref)
    if (passed === undefined) return this.#aim(ref, to)
    this.forget(ref)
    this.#ports.links.send(replicaOf(passed.keeper), { kind: 'passed-on', id: passed.id, to })
  }

  /** Who owns the group that it named says that it is another one's. */
  onPassedOn({ id, to }: PassedOnFrame): void {
    const prefix = `${this.#ports.life}#`
    if (id.startsWith(prefix)) this.#aim(Number(id.slice(prefix.length)), to)
  }

  #aim(number: number, to: Destination): void {
    const kept = this.#keeper.get(number)
    if (kept === undefined) return
    kept.to = to
    this.#keeper.takeBack(kept)
    this.#again.add(kept)
  }

  onHandled(frame: HandledFrame): void {
    const prefix = `${this.#ports.life}#`
    for (const id of frame.ids) {
      if (!id.startsWith(prefix)) continue
      const number = Number(id.slice(prefix.length))
      if (frame.outcome === 'handled') {
        this.#keptIsHandled(number)
        continue
      }
      // It went in a circle: views differ. It waits until ours moves (a serving entry, a link, freshness), or a little.
      const kept = this.#keeper.get(number)
      if (kept !== undefined) this.#keeper.takeBack(kept)
    }
  }

  #tell(keeper: Life, id: PassId, outcome: HandledFrame['outcome']): void {
    const told = this.#tellings.get(keeper) ?? { handled: [], hops: [] }
    told[outcome].push(id)
    this.#tellings.set(keeper, told)
  }

  /** Answers have left since, or are another owner's by now. */
  #settleAnswers(): void {
    const { store, life } = this.#ports
    if (this.#answering.size === 0 || this.#ports.stale()) return
    for (const ref of this.#answering) {
      const { group } = must(this.#passed.get(ref), 'what is answered was passed')
      if (store.ownerOf(group) !== life) this.forget(ref)
      else this.handled(ref)
    }
  }

  /** Tells the keepers, one frame each a turn. A telling that is lost costs a repetition. */
  tellKeepers(): void {
    this.#settleAnswers()
    if (this.#tellings.size === 0) return
    for (const [keeper, { handled, hops }] of this.#tellings) {
      const to = replicaOf(keeper)
      if (handled.length > 0) this.#ports.links.send(to, { kind: 'handled', ids: handled, outcome: 'handled' })
      if (hops.length > 0) this.#ports.links.send(to, { kind: 'handled', ids: hops, outcome: 'hops' })
    }
    this.#tellings.clear()
  }
}

function isInvite(data: string): boolean {
  return data.startsWith('INVITE ')
}

/** Whether it is worth a look: neither a response nor a request that belongs to something by its kind. */
function mayBegin(data: string): boolean {
  return !data.startsWith('SIP/2.0 ') && !data.startsWith('BYE ') && !data.startsWith('CANCEL ')
}
