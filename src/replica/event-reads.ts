// Reads of what was committed, for those who follow it (decision 0032). A reader says up to where it has read, and gets what comes
// after that, whole entries at a time; if there is nothing, it waits for some seconds. So it reads as fast as it can, nothing is held
// for it, and who reads nothing costs nothing.
//
//   place `index.n`: the n-th event of the entry at that index was the last one read; `index.0`: none of that entry

import { index as indexOf } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Store } from '../store/store.ts'
import type { Tail, TailPlace } from '../store/tail.ts'
import type { Reply } from './effect.ts'
import type { AdminInput } from './input.ts'
import { limits } from './limits.ts'

export type EventPlace = TailPlace

export interface EventsQuery {
  readonly kind: 'events'
  /** Null: from now on. */
  readonly after: EventPlace | null
  /** Whether it waits while there is nothing. */
  readonly waits: boolean
}

/** The body of an answer (200). */
export interface EventsAnswer {
  readonly events: readonly { readonly id: string; readonly text: string }[]
  /** What the next read is to say as `after`. */
  readonly next: EventPlace
  /** What of what was asked for is not here any more: after the one, up to the other. */
  readonly gap: { readonly from: string; readonly to: string } | null
  /** How far this replica has applied the log. */
  readonly applied: Index
}

type Read = AdminInput & { readonly query: EventsQuery }

export function isEventRead(input: AdminInput): input is Read {
  return input.query.kind === 'events'
}

export class EventReads {
  readonly #store: Store
  /** In order of arrival. Invariant: at most `limits.eventReads`. */
  #waiting: { readonly read: Read; readonly at: Instant }[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** The answer, or null: it waits. */
  add(read: Read, now: Instant): Reply | null {
    const { tail } = this.#store
    const { id, query } = read
    if (tail === null) return refusal(id, 404, 'no events are kept: events.keep is 0 in the config file')
    if (!query.waits || query.after === null || hasNews(tail, query.after)) return answer(id, this.#store, tail, query)
    if (this.#waiting.length >= limits.eventReads)
      return refusal(id, 503, `${limits.eventReads} wait for events already`)
    this.#waiting.push({ read, at: now })
    return null
  }

  /** The answers of those that have something to read, or have waited long enough. */
  take(now: Instant): readonly Reply[] {
    const { tail } = this.#store
    if (tail === null || this.#waiting.length === 0) return []
    const isReady = ({ read, at }: { readonly read: Read; readonly at: Instant }): boolean =>
      between(at, now) >= limits.eventWait || (read.query.after !== null && hasNews(tail, read.query.after))
    const ready = this.#waiting.filter(isReady)
    if (ready.length > 0) this.#waiting = this.#waiting.filter((one) => !isReady(one))
    return ready.map(({ read }) => answer(read.id, this.#store, tail, read.query))
  }

  deadline(): Instant | null {
    const [first] = this.#waiting
    return first === undefined ? null : plus(first.at, limits.eventWait)
  }
}

function hasNews(tail: Tail, after: EventPlace): boolean {
  const { last } = tail
  return last.index > after.index || (last.index === after.index && last.n > after.n) || isGone(tail, after)
}

/** Whether something after that place was there and is not any more. */
function isGone({ after }: Tail, { index, n }: EventPlace): boolean {
  return index < after.index || (index === after.index && n < after.n)
}

function answer(id: number, store: Store, tail: Tail, query: EventsQuery): Reply {
  const applied = store.appliedIndex
  const after = query.after ?? { index: indexOf(applied + 1), n: 0 }
  const from = isGone(tail, after) ? tail.after : after
  // Who asks from the start on wants what is there.
  const gap = from === after || after.index === 0 ? null : { from: printPlace(after), to: printPlace(from) }
  const events: { readonly id: string; readonly text: string }[] = []
  let next = from
  for (const { index, texts } of tail.since(from.index, limits.eventsAtOnce)) {
    for (const [i, text] of texts.entries()) {
      if (index === from.index && i < from.n) continue
      events.push({ id: `${index}.${i + 1}`, text })
      next = { index, n: i + 1 }
    }
  }
  // All is read: what follows is told of later entries.
  if (events.length === 0 && next.index <= applied) next = { index: indexOf(applied + 1), n: 0 }
  const body: EventsAnswer = { events, next, gap, applied }
  return { kind: 'reply', id, status: 200, body }
}

function refusal(id: number, status: number, error: string): Reply {
  return { kind: 'reply', id, status, body: { error } }
}

export function printPlace({ index, n }: EventPlace): string {
  return `${index}.${n}`
}

/** `index.n`; null = it is none. */
export function parsePlace(text: string): EventPlace | null {
  const match = /^(\d{1,15})\.(\d{1,9})$/.exec(text)
  return match === null ? null : { index: indexOf(Number(match[1])), n: Number(match[2]) }
}
