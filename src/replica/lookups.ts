// Lookups of calls and sessions, from anywhere (design.md 6: ReadIndex). What one shows is never older than what anybody was shown before it
// was asked: it waits for a read barrier, an index that the leader gives and a quorum confirms, and is answered from what this
// replica has applied by then. Without a quorum it is told so, and can ask for the local view instead. Who knows an index that it must
// see (a session's, from an earlier answer) waits for that one alone.
//
//     added --> asked for (one barrier for all that wait) --> barrier known --> applied: answered
//        '------------------------ `lookup` has passed: 503 -------------------------'

import type { Index } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { Barriers, isSure } from './barriers.ts'
import type { Waiting as WaitsForBarrier } from './barriers.ts'
import type { AdminInput } from './input.ts'
import { limits } from './limits.ts'

interface Waiting extends WaitsForBarrier {
  readonly input: AdminInput
  readonly at: Instant
}

export class Lookups {
  /** In order of arrival. Invariant: at most `limits.lookups` of calls, `limits.sessionLookups` of sessions. */
  #waiting: Waiting[] = []
  readonly #barriers: Barriers
  /** Some that are ready wait for the next turn. */
  #isLeft = false

  /** `context`: the number before its first question's. */
  constructor(context = 0) {
    this.#barriers = new Barriers(context)
  }

  /** False = there is no room. */
  add(input: AdminInput, now: Instant): boolean {
    const { query } = input
    const sessions = this.#waiting.filter(isOfSession).length
    const isFull =
      query.kind === 'session' ? sessions >= limits.sessionLookups : this.#waiting.length - sessions >= limits.lookups
    if (isFull) return false
    const barrier = query.kind === 'session' ? query.lookup.atLeast : null
    this.#waiting.push({ input, at: now, from: this.#barriers.from, barrier })
    if (barrier === null) this.#barriers.want(now)
    return true
  }

  /** The context of a barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    return this.#barriers.ask(now)
  }

  answered(context: number, index: Index): void {
    this.#barriers.answered(context, index, this.#waiting)
  }

  /** Those whose barrier is applied: of calls each costs a look, so that only some are answered in one turn. */
  takeReady(applied: Index): readonly AdminInput[] {
    if (this.#waiting.length === 0) return []
    const ready = this.#waiting.filter((waiting) => isSure(waiting, applied))
    const [sessions, calls] = [ready.filter(isOfSession), ready.filter((waiting) => !isOfSession(waiting))]
    this.#isLeft = calls.length > limits.looksAtOnce
    const now = new Set([...sessions, ...calls.slice(0, limits.looksAtOnce)])
    return this.#take((waiting) => now.has(waiting))
  }

  /** Those that have waited too long. */
  takeExpired(now: Instant): readonly AdminInput[] {
    return this.#take(({ at }) => between(at, now) >= limits.lookup)
  }

  deadline(): Instant | null {
    const [first] = this.#waiting
    if (first === undefined) return null
    if (this.#isLeft) return first.at
    const end = plus(first.at, limits.lookup)
    const { askAt } = this.#barriers
    return askAt !== null && askAt < end ? askAt : end
  }

  #take(is: (waiting: Waiting) => boolean): readonly AdminInput[] {
    if (this.#waiting.length === 0) return []
    const taken = this.#waiting.filter(is)
    if (taken.length > 0) this.#waiting = this.#waiting.filter((waiting) => !taken.includes(waiting))
    if (this.#waiting.length === 0) this.#barriers.rest()
    return taken.map(({ input }) => input)
  }
}

function isOfSession({ input }: Waiting): boolean {
  return input.query.kind === 'session'
}
