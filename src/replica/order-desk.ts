// Orders at the owner of their group (decision 0034): each waits until this replica may handle it, is one input of its group, and is
// answered once what it changed is applied. Whoever asked asks again; an order that is here already, or is done already, is not done twice.
//
//   taken --owner, and fresh--> the group's input --its commit is applied----------------------> answered from the store
//     |                             |   '--nothing to commit--> read barrier --still the owner--^
//     |                             '-- the group goes elsewhere: forgotten, its asker asks there
//     '-- `order` has passed: forgotten
//
// An owner that lags may not know that its groups are another's by now (decision 0010, left open). The log rejects its commits; what it says
// without one ("there is no such session") waits until a barrier shows that it was the owner.

import type { Index, Life } from '../base/brand.ts'
import { plus, seconds } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { AppContext } from '../app/context.ts'
import { isTarget, sessionIn } from '../app/found-session.ts'
import type { Order, OrderAnswer } from '../app/orders.ts'
import type { GroupInput } from '../app/group.ts'
import type { InputRef, OrderOutcome } from '../call/contract.ts'
import type { Store } from '../store/store.ts'
import { earliest } from '../transaction/machine.ts'
import type { OrderFrame } from '../wire/frame.ts'
import type { BanAnswer, BanRequest } from '../wire/member-request.ts'
import { bansOf } from './bans.ts'
import { Barriers, isSure } from './barriers.ts'
import type { Waiting } from './barriers.ts'
import { limits } from './limits.ts'
import { unpackOrder } from './order-packet.ts'
import type { GroupAnswer, GroupOrder } from './order-packet.ts'
import type { Owner } from './owner.ts'

export interface DeskPorts {
  readonly life: Life
  readonly store: Store
  readonly owner: Owner
  context(): AppContext
  now(): Instant
  stale(): boolean
  nextRef(): InputRef
  answer(to: Life, id: string, answer: GroupAnswer): void
}

interface Open {
  readonly from: Life
  readonly frame: OrderFrame
  readonly order: GroupOrder
  readonly until: Instant
  /** Null = it is not its group's input yet. */
  ref: InputRef | null
}

/** An outcome that no commit shows. */
interface Unsure extends Waiting {
  readonly open: Open
  readonly outcome: OrderOutcome
  /** Who owned what when it was found. */
  readonly serving: Index
}

export class OrderDesk {
  readonly #ports: DeskPorts
  /** By the order's id, the oldest first. Invariant: at most `limits.orders`. */
  readonly #open = new Map<string, Open>()
  readonly #refs = new Map<InputRef, Open>()
  #unsure: Unsure[] = []
  readonly #barriers: Barriers

  /** `context`: of read barriers, the number before the first one's. */
  constructor(ports: DeskPorts, context: number) {
    this.#ports = ports
    this.#barriers = new Barriers(context)
  }

  take(from: Life, frame: OrderFrame): void {
    const { answer, now } = this.#ports
    if (this.#open.has(frame.id)) return
    const read = unpackOrder(frame.order)
    if (!read.ok) return answer(from, frame.id, refusal(null, read.error, false))
    if (this.#open.size >= limits.orders) {
      const full = `${limits.orders} orders wait at the owner already: ask again`
      return answer(from, frame.id, refusal(read.value, full, true))
    }
    const open: Open = { from, frame, order: read.value, until: plus(now(), limits.order), ref: null }
    this.#open.set(frame.id, open)
    this.#give(open)
  }

  /** Owners were computed anew, or this replica is fresh again. */
  retry(): void {
    for (const open of [...this.#open.values()]) if (open.ref === null) this.#give(open)
  }

  #give(open: Open): void {
    const { store, life, owner, stale, nextRef } = this.#ports
    const { group, id, until } = open.frame
    if (stale() || store.ownerOf(group) !== life) return
    const ref = nextRef()
    open.ref = ref
    this.#refs.set(ref, open)
    owner.input(group, inputOf(open.order, { id, until }, ref))
  }

  /** The owner room is done with it. False: that was no order. */
  handled(ref: InputRef, outcome: OrderOutcome | null): boolean {
    const open = this.#refs.get(ref)
    if (open === undefined) return false
    this.#refs.delete(ref)
    const told = outcome ?? { kind: 'refused', reason: 'its group has ended: ask again', again: true }
    if (told.kind === 'refused' || (told.kind === 'done' && told.isInLog)) this.#tell(open, told)
    else {
      const serving = this.#ports.store.serving().version
      this.#unsure.push({ open, outcome: told, serving, from: this.#barriers.from, barrier: null })
      this.#barriers.want(this.#ports.now())
    }
    return true
  }

  /** The context of a read barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    return this.#barriers.ask(now)
  }

  answered(context: number, index: Index): void {
    this.#barriers.answered(context, index, this.#unsure)
  }

  /** The store became another: what was found in the old one, or in commits built on that, is found anew. */
  storeReplaced(): void {
    for (const { open } of this.#unsure.splice(0)) open.ref = null
    this.#barriers.rest()
  }

  /** What is sure by now is told; where owners have changed meanwhile it is found anew. */
  settle(): void {
    const { store } = this.#ports
    const sure = this.#unsure.filter((unsure) => isSure(unsure, store.appliedIndex))
    if (sure.length === 0) return
    this.#unsure = this.#unsure.filter((unsure) => !sure.includes(unsure))
    for (const { open, outcome, serving } of sure) {
      if (serving === store.serving().version) this.#tell(open, outcome)
      else {
        open.ref = null
        this.#give(open)
      }
    }
  }

  #tell(open: Open, told: OrderOutcome): void {
    this.#forget(open)
    const { from, frame, order } = open
    const answer = order.kind === 'ban' ? this.#ofBan(order.request, told) : this.#ofSession(order.order, frame, told)
    this.#ports.answer(from, frame.id, answer)
  }

  /** The group went to another owner before that. */
  dropped(ref: InputRef): boolean {
    const open = this.#refs.get(ref)
    if (open !== undefined) this.#forget(open)
    return open !== undefined
  }

  #forget({ frame, ref }: Open): void {
    this.#open.delete(frame.id)
    if (ref !== null) this.#refs.delete(ref)
  }

  #ofBan({ kind, source }: BanRequest, outcome: OrderOutcome): GroupAnswer {
    if (outcome.kind !== 'done')
      return refusal({ kind: 'ban' }, outcome.reason, outcome.kind === 'refused' && outcome.again)
    // It may have run out already.
    const row = kind === 'ban' ? bansOf(this.#ports.store).find((one) => one.source === source) : undefined
    return { status: 200, body: { ok: true, source, until: row?.until ?? null } }
  }

  #ofSession({ application, target }: Order, { group }: OrderFrame, outcome: OrderOutcome): GroupAnswer {
    const { store, context } = this.#ports
    const index = store.appliedIndex
    const found = sessionIn(store.group(group), application, context())
    const view = found !== null && (target.kind === 'new' || isTarget(found, target)) ? found : null
    switch (outcome.kind) {
      case 'done':
        return { status: 200, body: { kind: 'done', view, index, created: outcome.created } }
      case 'conflict':
        return { status: 409, body: { kind: 'conflict', view, index, reason: outcome.reason } }
      case 'gone':
        return { status: 404, body: { kind: 'gone', index, reason: outcome.reason } }
      case 'refused':
        return refusal({ kind: 'app' }, outcome.reason, outcome.again)
    }
  }

  /** What can't be handled in time is its asker's to ask again; what is a group's input is answered or dropped. */
  expire(now: Instant): void {
    for (const open of [...this.#open.values()]) if (open.ref === null && open.until <= now) this.#forget(open)
    if (this.#unsure.length === 0) return
    for (const { open } of this.#unsure) if (open.until <= now) this.#forget(open)
    this.#unsure = this.#unsure.filter(({ open }) => open.until > now)
    if (this.#unsure.length === 0) this.#barriers.rest()
  }

  deadline(): Instant | null {
    const unsure = this.#unsure[0]?.open.until ?? null
    for (const { ref, until } of this.#open.values())
      if (ref === null) return earliest([until, unsure, this.#barriers.askAt])
    return earliest([unsure, this.#barriers.askAt])
  }
}

function inputOf(order: GroupOrder, mark: { readonly id: string; readonly until: OrderFrame['until'] }, ref: InputRef) {
  return order.kind === 'app'
    ? ({ kind: 'order', order: order.order, mark, ref } as const)
    : ({ kind: 'ban', change: changeOf(order.request), mark, ref } as const)
}

function changeOf(request: BanRequest): Extract<GroupInput, { kind: 'ban' }>['change'] {
  const { source } = request
  if (request.kind === 'unban') return { kind: 'unban', source }
  return { kind: 'ban', source, after: request.seconds === null ? null : seconds(request.seconds) }
}

/** `isOpen`: nobody knows whether it was done, or will be. */
export function refusal(
  order: Pick<GroupOrder, 'kind'> | null,
  reason: string,
  again: boolean,
  isOpen = false,
): GroupAnswer {
  if (order?.kind === 'ban') {
    const body: BanAnswer = { ok: false, error: reason }
    return { status: again ? 503 : 409, body }
  }
  const body: OrderAnswer = { kind: 'refused', reason, again, isOpen }
  return { status: again ? 503 : 400, body }
}
