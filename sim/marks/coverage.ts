// Counts the marks of a run (list.ts): a checker that reports nothing. What a replica does is in machine-marks.ts; here is what
// the log decides and what phones see.

import { BANS } from '../../src/call/bans.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied, Serving } from '../../src/store/view.ts'
import type { Commit } from '../../src/wire/entry.ts'
import type { Checker } from '../checkers/checker.ts'
import { cseqOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { MarkCounts, MarkName } from './list.ts'

const second = 1_000_000

export class Marks {
  readonly #counts = new Map<MarkName, number>()

  /** In the order of their names. */
  get counts(): MarkCounts {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  reached(name: MarkName, is = true): void {
    if (is) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }
}

/** Told of each entry once, right after it was applied. */
export class LogMarks {
  readonly #marks: Marks
  readonly #now: () => number
  /** When each group changed hands last. */
  readonly #takenAt = new Map<GroupKey, number>()
  /** When each timer was set. */
  readonly #timersSet = new Map<string, number>()
  #servedAt = -second

  constructor(marks: Marks, now: () => number) {
    this.#marks = marks
    this.#now = now
  }

  applied(applied: Applied, store: Store): void {
    switch (applied.kind) {
      case 'commit':
        this.#marks.reached('rejected-version', applied.outcome === 'version' && applied.commit.onto === 0)
        this.#marks.reached('pipeline-fell', applied.outcome === 'version' && applied.commit.onto !== 0)
        this.#marks.reached('rejected-not-owner', applied.outcome === 'not-owner')
        this.#marks.reached('rejected-duplicate', applied.outcome === 'duplicate')
        if (applied.outcome === 'accepted') this.#accepted(applied.commit)
        break
      case 'pulse':
        this.#marks.reached('pulse-fired-several', applied.fired.length > 1)
        for (const { group, id } of applied.fired) {
          const setAt = this.#timersSet.get(`${group} ${id}`) ?? 0
          this.#marks.reached('timer-crossed-a-takeover', (this.#takenAt.get(group) ?? -1) > setAt)
          this.#timersSet.delete(`${group} ${id}`)
        }
        break
      case 'serving':
        if (applied.accepted) this.#reign(applied.before, applied.after, store)
        break
      case 'key':
        break
      case 'raise':
        this.#marks.reached('format-raised', applied.accepted)
        break
    }
  }

  #accepted({ group, onto, cancels, timers, puts }: Commit): void {
    this.#marks.reached('banned', group === BANS && puts.some(({ tree }) => tree === 'ServletContext'))
    this.#marks.reached('built-on-an-open-commit', onto !== 0)
    for (const id of cancels) this.#timersSet.delete(`${group} ${id}`)
    for (const { id } of timers) this.#timersSet.set(`${group} ${id}`, this.#now())
  }

  #reign(before: Serving, after: Serving, store: Store): void {
    const now = this.#now()
    this.#marks.reached('serving-changed-twice', now - this.#servedAt < second / 10)
    this.#servedAt = now
    this.#marks.reached('one-serves', before.members.length > 1 && after.members.length === 1)
    for (const group of store.groups()) {
      if (ownerUnder(before, group) === ownerUnder(after, group)) continue
      this.#marks.reached('takeover')
      this.#marks.reached('bans-crossed-a-takeover', group === BANS)
      const last = this.#takenAt.get(group)
      this.#marks.reached('takeover-of-a-takeover', last !== undefined && now - last < 2 * second)
      this.#takenAt.set(group, now)
    }
  }
}

/** What phones see. */
export class PhoneMarks implements Checker {
  readonly #marks: Marks
  /** Which of CANCEL and BYE each has sent. */
  readonly #sent = new Map<Phone, Set<string>>()
  /** The CSeq number of the last INVITE of each that was answered with 200. */
  readonly #answered = new Map<Phone, number>()

  constructor(marks: Marks) {
    this.#marks = marks
  }

  sent(phone: Phone, message: Message): void {
    const known = this.#sent.get(phone) ?? new Set()
    this.#sent.set(phone, known)
    const { method } = cseqOf(message)
    if (message.kind === 'request' && (method === 'CANCEL' || method === 'BYE')) known.add(method)
  }

  received(phone: Phone, message: Message): void {
    const sent = this.#sent.get(phone)
    const { number, method } = cseqOf(message)
    if (message.kind === 'request') {
      this.#marks.reached('both-hung-up', method === 'BYE' && sent?.has('BYE') === true)
      return
    }
    if (method !== 'INVITE') return
    if (message.status === 200) {
      this.#marks.reached('answer-repeated', this.#answered.get(phone) === number)
      this.#answered.set(phone, number)
    }
    this.#marks.reached('answered-and-cancelled', message.status === 200 && sent?.has('CANCEL') === true)
    this.#marks.reached('glare', message.status === 491)
    this.#marks.reached('gave-up', message.status === 408)
  }
}
