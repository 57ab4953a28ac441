// Whether more comes than this process handles (decision 0030). What becomes of that: replica/shedding.ts.
//
// Who keeps up has nothing to do now and then: its loop waits for the next message. Who doesn't never waits, and each round of the loop
// brings many messages, those that came while the round before was worked on: of a socket that is not empty libuv reads as many as one
// round takes, of connections as many wait (stream-rounds.ts), and there is what other replicas pass on. Both have to hold: a loop that
// only takes over a dead one's calls is busy as well, and a pause (a collection, a busy machine) makes large rounds too.

import { hostLimits } from './limits.ts'

/** What Node's `performance.eventLoopUtilization` says, in milliseconds since the start. */
export interface LoopTimes {
  readonly idle: number
  readonly active: number
}

export class LoadWatch {
  readonly #times: () => LoopTimes
  #before: LoopTimes
  /** In this round. */
  #came = 0
  /** Since it was asked last: rounds that had anything, and what they had. */
  #rounds = 0
  #messages = 0

  constructor(times: () => LoopTimes) {
    this.#times = times
    this.#before = times()
  }

  /** A message came from a phone, or a frame from another replica. */
  came(): void {
    if (this.#came === 0) setImmediate(() => this.#endRound())
    this.#came++
  }

  #endRound(): void {
    this.round(this.#came)
    this.#came = 0
  }

  /** A round of the loop took that much. */
  round(messages: number): void {
    this.#rounds++
    this.#messages += messages
  }

  /** Whether more came than was taken, since this was asked last. */
  isFull(): boolean {
    const times = this.#times()
    const idle = times.idle - this.#before.idle
    const all = idle + times.active - this.#before.active
    const isLarge = this.#rounds > 0 && this.#messages >= this.#rounds * hostLimits.largeRound
    this.#before = times
    this.#rounds = 0
    this.#messages = 0
    return isLarge && idle < all * hostLimits.idlePart
  }
}
