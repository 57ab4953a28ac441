// C3: one call detail record per call, and the same stream of events at every replica (docs/decisions/0032). Compared with what a store
// tells that applies the log once and never starts again: each replica, whenever it started, from whatever snapshot, tells exactly that
// of all entries that it says to have. And what is told is one call-ended for each call-started, and one record with an answer for each
// call that the caller saw answered.

import { must } from '../../src/base/assert.ts'
import { index } from '../../src/base/brand.ts'
import type { CallEvent } from '../../src/call/events.ts'
import type { Store } from '../../src/store/store.ts'
import type { Tail } from '../../src/store/tail.ts'
import type { KeptEvents } from '../../src/wire/snapshot.ts'
import type { Machine } from '../machine.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'

interface EventCourt {
  /** Its store never starts again. */
  readonly oracle: { readonly store: Store }
  /** The Call-IDs of calls of which nobody knows when they are over, for what was lost with a stream or without a quorum. */
  excusedCalls(phones: readonly Phone[]): ReadonlySet<string>
}

export class Events implements Checker {
  readonly #report: Report
  readonly #court: EventCourt
  /** How far each machine's tail was compared; another tail comes with another life, or a leader's snapshot. */
  readonly #compared = new Map<number, { readonly tail: Tail; readonly applied: number }>()
  /** Up to here what is told was looked at for its sense. */
  #heard = 0
  /** The calls that have begun and not ended, with their Call-IDs. */
  readonly #open = new Map<string, string>()
  /** Records, and those of them with an answer, by Call-ID. */
  readonly #records = new Map<string, { readonly all: number; readonly answered: number }>()
  readonly #replays: boolean

  /** `replays`: the network gives datagrams again, seconds later: an old INVITE is a call of its own. */
  constructor(report: Report, replays: boolean, court: EventCourt) {
    this.#report = report
    this.#replays = replays
    this.#court = court
  }

  died(machine: Machine): void {
    this.#compared.delete(machine.place)
  }

  stepped(machine: Machine): void {
    const { replica, place } = machine
    const tail = replica?.store.tail ?? null
    if (replica === null || tail === null) return
    const applied = replica.store.appliedIndex
    const known = this.#compared.get(place)
    if (known?.tail === tail && known.applied === applied) return
    this.#compared.set(place, { tail, applied })
    this.#hear()
    const from = known?.tail === tail ? Math.max(known.applied, tail.after.index) : tail.after.index
    const right = textOf(this.#right(from).filter((item) => item.index <= applied))
    const told = textOf(tail.since(index(from + 1)))
    if (right !== told) {
      this.#report(
        'C3',
        `replica ${place} tells of entries ${from + 1} to ${applied}: ${told || 'nothing'}; the log says: ${right}`,
      )
    }
  }

  quiet(_: readonly Machine[], phones: readonly Phone[]): void {
    this.#hear()
    const excused = this.#court.excusedCalls(phones)
    for (const [call, callId] of this.#open)
      if (!excused.has(callId)) this.#report('C3', `call ${call} was told to begin and never to end`)
    for (const phone of phones) {
      const { callId, side } = phone.options
      if (excused.has(callId)) continue
      if (side !== 'caller') continue
      const final = phone.firstFinal ?? 0
      const { all, answered } = this.#records.get(callId) ?? { all: 0, answered: 0 }
      const isAnswered = final >= 200 && final < 300
      if (all > 1 && !this.#replays) this.#report('C3', `there are ${all} records of ${phone}'s call`, phone)
      if (isAnswered && answered !== 1)
        this.#report('C3', `${phone} was answered with ${final}, and there are ${answered} records of that`, phone)
    }
  }

  #right(from: number): readonly KeptEvents[] {
    return must(this.#court.oracle.store.tail, 'the oracle tells events').since(index(from + 1))
  }

  #hear(): void {
    for (const { index: at, texts } of this.#right(this.#heard)) {
      this.#heard = at
      for (const text of texts) this.#one(at, JSON.parse(text) as CallEvent)
    }
  }

  #one(at: number, event: CallEvent): void {
    if (event.event === 'unreadable') this.#report('C3', `what entry ${at} does to a call can't be read`)
    if (event.event === 'timer-fired' || event.event === 'unreadable') return
    const { call, callId } = event
    const isOpen = this.#open.has(call)
    if (event.event === 'call-started') {
      if (isOpen) this.#report('C3', `entry ${at}: call ${call} begins and is under way`)
      this.#open.set(call, callId)
      return
    }
    if (!isOpen) this.#report('C3', `entry ${at}: ${event.event} of call ${call}, which is not under way`)
    if (event.event !== 'call-ended') return
    this.#open.delete(call)
    const { all, answered } = this.#records.get(callId) ?? { all: 0, answered: 0 }
    this.#records.set(callId, { all: all + 1, answered: answered + (event.answered === null ? 0 : 1) })
  }
}

function textOf(items: readonly KeptEvents[]): string {
  return items.map(({ index: at, texts }) => `${at} ${texts.join(' ')}`).join('; ')
}
