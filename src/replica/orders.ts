// Orders (decision 0034): changes of a group that no SIP message brought, from whoever asked this replica to the group's owner and back.
// The owner that has one dies, or its link does: then the next one is asked, with the same id, and by its mark (call/done-orders.ts) an
// order that is done is known. What isn't answered in time is said to be open.
//
//   ask --> owner? --another: frame `order`--> its desk (order-desk.ts) --frame `ordered`--> reply
//             |'--this one: the own desk ------------------------------------------------------^
//             '--none, or no way: waits; asked again at each change of owners and links, and every half second

import { replicaOf } from '../base/brand.ts'
import type { GroupKey, Index, Life } from '../base/brand.ts'
import { plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { groupOfTarget } from '../app/found-session.ts'
import { BANS } from '../call/bans.ts'
import type { InputRef, OrderOutcome } from '../call/contract.ts'
import { groupOfNew } from '../proxy/token.ts'
import { earliest } from '../transaction/machine.ts'
import type { OrderFrame, OrderedFrame } from '../wire/frame.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import { OrderDesk, refusal } from './order-desk.ts'
import type { DeskPorts } from './order-desk.ts'
import { packAnswer, packOrder, unpackAnswer } from './order-packet.ts'
import type { GroupAnswer, GroupOrder } from './order-packet.ts'
import type { Outbox } from './outbox.ts'

/** The first that has the frames, and what orders change. */
const FORMAT = 2

export interface OrderPorts extends Omit<DeskPorts, 'answer'> {
  readonly links: Links
  readonly outbox: Outbox
  /** No leader is heard, or at the leader no quorum. */
  detached(): boolean
}

interface Asked {
  /** Of the admin input. */
  readonly replyTo: number
  readonly order: GroupOrder
  readonly frame: OrderFrame
  readonly until: Instant
  /** How often it was given to somebody. */
  given: number
}

export class Orders {
  readonly #ports: OrderPorts
  readonly #desk: OrderDesk
  /** By id, the oldest first. Invariant: at most `limits.orders`. */
  readonly #asked = new Map<string, Asked>()
  #count = 0
  #againAt: Instant

  /** `context`: of read barriers, the number before the first one's. */
  constructor(ports: OrderPorts, context: number) {
    this.#ports = ports
    this.#desk = new OrderDesk({ ...ports, answer: (to, id, answer) => this.#answer(to, id, answer) }, context)
    this.#againAt = ports.now()
  }

  /** Answered by a `reply` with that id. */
  ask(replyTo: number, order: GroupOrder): void {
    const { store, life, context, detached, now } = this.#ports
    const refuse = (reason: string, again: boolean): void => this.#reply(replyTo, refusal(order, reason, again))
    if (store.keyGeneration === 0) return refuse('the set has no key yet: ask again', true)
    if (detached()) return refuse('no quorum is known to be there: ask again', true)
    if (store.format < FORMAT) return refuse('some replica is of a release without orders: upgrade it', true)
    if (this.#asked.size >= limits.orders) return refuse(`${limits.orders} orders wait already: ask again`, true)
    const packed = packOrder(order)
    if (!packed.ok) return refuse(packed.error, false)
    const id = `${life}#${++this.#count}`
    const group = this.#groupOf(order, id)
    if (typeof group !== 'string') return this.#reply(replyTo, group)
    const until = plus(context().cluster, limits.orderValid)
    const frame: OrderFrame = { kind: 'order', id, group, until, order: packed.value }
    const asked: Asked = { replyTo, order, frame, until: plus(now(), limits.order), given: 0 }
    if (this.#asked.size === 0) this.#againAt = plus(now(), limits.passAgain)
    this.#asked.set(id, asked)
    this.#give(asked)
  }

  #groupOf(order: GroupOrder, id: string): GroupKey | GroupAnswer {
    if (order.kind === 'ban') return BANS
    const { application, target } = order.order
    const context = this.#ports.context()
    if (target.kind === 'new') return groupOfNew(context.keys, `${application} ${id}`)
    const found = groupOfTarget(target, application, context)
    if ('group' in found) return found.group
    if (target.kind === 'key') return refusal(order, found.fault, false)
    return { status: 404, body: { kind: 'gone', index: this.#ports.store.appliedIndex, reason: found.fault } }
  }

  #give(asked: Asked): void {
    const { store, life, links } = this.#ports
    const { frame } = asked
    const owner = store.ownerOf(frame.group)
    if (owner === null) return
    // Counted first: the answer may be there at once.
    asked.given++
    if (owner === life) this.#desk.take(life, frame)
    else if (!links.send(replicaOf(owner), frame)) asked.given--
  }

  onOrder(from: Life, frame: OrderFrame): void {
    this.#desk.take(from, frame)
  }

  onOrdered({ id, status, body }: OrderedFrame): void {
    const read = unpackAnswer(body)
    if (read !== null) this.#answered(id, { status, body: read })
  }

  #answer(to: Life, id: string, answer: GroupAnswer): void {
    const { life, links } = this.#ports
    if (to === life) return this.#answered(id, answer)
    links.send(replicaOf(to), { kind: 'ordered', id, status: answer.status, body: packAnswer(answer) })
  }

  #answered(id: string, answer: GroupAnswer): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    this.#asked.delete(id)
    const { body } = answer
    // One owner has no room for it; another one may have done it.
    const isOpen = asked.given > 1 && 'kind' in body && body.kind === 'refused' && body.again
    this.#reply(asked.replyTo, isOpen ? { ...answer, body: { ...body, isOpen } } : answer)
  }

  #reply(id: number, { status, body }: GroupAnswer): void {
    this.#ports.outbox.push({ kind: 'reply', id, status, body })
  }

  /** The owner room is done with an input. False: that was no order. */
  handled(ref: InputRef, outcome: OrderOutcome | null): boolean {
    return this.#desk.handled(ref, outcome)
  }

  /** The group went to another owner before that. */
  dropped(ref: InputRef): boolean {
    return this.#desk.dropped(ref)
  }

  /** Owners were computed anew, a link is new, another replica leads, or this one is fresh again. */
  retry(): void {
    this.#desk.retry()
    for (const asked of [...this.#asked.values()]) this.#give(asked)
  }

  storeReplaced(): void {
    this.#desk.storeReplaced()
    this.retry()
  }

  /** The context of a read barrier to ask for now, or null. */
  barrier(now: Instant): number | null {
    return this.#desk.ask(now)
  }

  /** A read barrier was answered. */
  confirmed(context: number, index: Index): void {
    this.#desk.answered(context, index)
  }

  /** What a barrier has made sure is told. */
  settle(): void {
    this.#desk.settle()
  }

  turn(now: Instant): void {
    this.#desk.expire(now)
    if (this.#asked.size === 0) return
    for (const [id, { replyTo, order, until, given }] of [...this.#asked]) {
      if (until > now) break
      this.#asked.delete(id)
      const said =
        order.kind === 'ban'
          ? 'no quorum agreed in time: ask again, the same request is never done twice'
          : given > 0
            ? 'no owner has answered in time, and it may have been done: look first, or expect versions, if it must not be done twice'
            : 'no owner could be asked in time: ask again'
      this.#reply(replyTo, refusal(order, said, true, given > 0))
    }
    if (now < this.#againAt) return
    this.#againAt = plus(now, limits.passAgain)
    for (const asked of [...this.#asked.values()]) this.#give(asked)
  }

  /** Null as a rule: nobody asks for anything. */
  deadline(): Instant | null {
    const desk = this.#desk.deadline()
    for (const { until } of this.#asked.values()) return earliest([until, this.#againAt, desk])
    return desk
  }
}
