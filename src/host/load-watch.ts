// Whether datagrams come faster than this process handles them, and so what share of new requests it should take (decision 0026).
//
// A process that can't keep up reads its socket for ever without finding it empty, while the kernel drops what doesn't fit, the BYE of
// a call that is up as well as the INVITE of a new one. A pause (a busy machine, a long collection) fills the socket too, but it
// is empty again soon after. So what counts is a whole second in which it never was.

import { hostLimits } from './limits.ts'

export class LoadWatch {
  /** In this second, how often the socket was read, and whether it was empty then. */
  #rounds = 0
  #wasEmpty = false
  /** Seconds in a row in which it never was. */
  #full = 0
  #share = 100

  /** The socket was read until it was empty, or until the loop had to go on with something else. */
  round(datagrams: number): void {
    this.#rounds++
    if (datagrams < hostLimits.fullRound) this.#wasEmpty = true
  }

  /** A second has passed. The share in hundredths, if it changes; else null. */
  second(): number | null {
    const isFull = this.#rounds > 0 && !this.#wasEmpty
    this.#rounds = 0
    this.#wasEmpty = false
    this.#full = isFull ? this.#full + 1 : 0
    const before = this.#share
    if (this.#full >= hostLimits.fullSeconds) {
      this.#share = Math.max(hostLimits.leastShare, Math.floor(before * hostLimits.shareCut))
    } else if (!isFull) this.#share = Math.min(100, before + hostLimits.shareRise)
    return this.#share === before ? null : this.#share
  }
}
