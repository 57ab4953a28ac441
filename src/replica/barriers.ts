// Read barriers for what waits to be sure (Raft thesis 6.4): one question for all that wait, asked again until it is answered, for answers
// are lost with links and leaders. It counts for what came before it was asked.
//
//   wanted --> asked, again every 100 ms --an index--> whoever came before the question waits until that is applied

import type { Index } from '../base/brand.ts'
import { millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'

/** How often a barrier is asked for again. */
const again = millis(100)

/** What waits for one. */
export interface Waiting {
  /** Only a question with this number or a later one was asked after it came. */
  readonly from: number
  /** Null = it isn't known yet. */
  barrier: Index | null
}

export class Barriers {
  #context: number
  #askAt: Instant | null = null

  /** `context`: the number before its first question's. */
  constructor(context: number) {
    this.#context = context
  }

  /** When a barrier is asked for; null = none is wanted. */
  get askAt(): Instant | null {
    return this.#askAt
  }

  /** Which question is the first that counts for what comes now. */
  get from(): number {
    return this.#context + 1
  }

  want(now: Instant): void {
    this.#askAt = now
  }

  /** Nobody waits any more. */
  rest(): void {
    this.#askAt = null
  }

  /** The context of a barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    if (this.#askAt === null || now < this.#askAt) return null
    this.#askAt = plus(now, again)
    return ++this.#context
  }

  /** A barrier was answered. */
  answered(context: number, index: Index, waiting: readonly Waiting[]): void {
    // Somebody else's question, which has a higher number, may have been asked before.
    if (context > this.#context) return
    for (const one of waiting) if (context >= one.from) one.barrier ??= index
    if (waiting.every(({ barrier }) => barrier !== null)) this.rest()
  }
}

export function isSure({ barrier }: Waiting, applied: Index): boolean {
  return barrier !== null && barrier <= applied
}
