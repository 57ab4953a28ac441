// Whether more comes than this process handles (decision 0030). What becomes of that: replica/shedding.ts.
//
// What comes in one round of the loop is what came while the round before was worked on. Who keeps up finds a single message now
// and then; who doesn't finds as many as a round takes, each time: datagrams of a full socket, messages that wait on connections
// (stream-rounds.ts), what other replicas pass on. A pause (a busy machine, a long collection) makes full rounds too, but there is an
// empty one soon after. So what counts is a whole second without any.

import { hostLimits } from './limits.ts'

export class LoadWatch {
  /** In this round. */
  #came = 0
  /** In this second, how many rounds had anything, and whether one of them had little. */
  #rounds = 0
  #hadRoom = false

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
    if (messages < hostLimits.fullRound) this.#hadRoom = true
  }

  /** A second has passed: whether more came in it than was taken. */
  second(): boolean {
    const isFull = this.#rounds > 0 && !this.#hadRoom
    this.#rounds = 0
    this.#hadRoom = false
    return isFull
  }
}
