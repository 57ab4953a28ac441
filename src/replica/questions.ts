// What the admin address asks: most of it is answered at once, lookups behind a read barrier, reads of events when there are some,
// and what changes something by the rooms that do.

import type { Instant } from '../base/instant.ts'
import type { Index } from '../base/brand.ts'
import type { Store } from '../store/store.ts'
import { answer, isLookup, tooMany, unconfirmed } from './admin.ts'
import type { Picture } from './admin.ts'
import { EventReads, isEventRead } from './event-reads.ts'
import type { AdminInput } from './input.ts'
import { Lookups } from './lookups.ts'
import type { Members } from './members.ts'
import type { Orders } from './orders.ts'
import type { Outbox } from './outbox.ts'

export interface QuestionPorts {
  readonly store: Store
  readonly outbox: Outbox
  picture(): Picture
  orders(): Pick<Orders, 'ask'>
  members(): Pick<Members, 'ask'>
}

export class Questions {
  readonly #ports: QuestionPorts
  readonly #lookups: Lookups
  readonly #reads: EventReads

  /** `context`: of read barriers, the number before the first one's. */
  constructor(ports: QuestionPorts, context: number) {
    this.#ports = ports
    this.#lookups = new Lookups(context)
    this.#reads = new EventReads(ports.store)
  }

  take(input: AdminInput, now: Instant): void {
    const { outbox, picture, orders, members } = this.#ports
    const { id, query } = input
    if (query.kind === 'ban') orders().ask(id, { kind: 'ban', request: query.request })
    else if (query.kind === 'order') orders().ask(id, { kind: 'app', order: query.order })
    else if (query.kind === 'member') members().ask({ kind: 'admin', id }, query.request)
    else if (isEventRead(input)) {
      const reply = this.#reads.add(input, now)
      if (reply !== null) outbox.push(reply)
    } else if (!isLookup(input)) outbox.push(answer(input, picture()))
    else if (!this.#lookups.add(input, now)) outbox.push(tooMany(input))
  }

  /** The context of a read barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    return this.#lookups.ask(now)
  }

  /** A read barrier was answered. */
  answered(context: number, index: Index): void {
    this.#lookups.answered(context, index)
  }

  /** What is ready by now is answered, and what has waited too long. */
  answer(now: Instant): void {
    const { outbox, picture, store } = this.#ports
    for (const input of this.#lookups.takeReady(store.appliedIndex)) outbox.push(answer(input, picture()))
    for (const input of this.#lookups.takeExpired(now)) outbox.push(unconfirmed(input))
    for (const reply of this.#reads.take(now)) outbox.push(reply)
  }

  deadline(): Instant | null {
    const [lookup, read] = [this.#lookups.deadline(), this.#reads.deadline()]
    return lookup === null || (read !== null && read < lookup) ? read : lookup
  }
}
