// The shared SIP address: UDP and TCP, bound by every replica of the set with `reusePort`, so that the kernel deals new
// flows to whoever lives (design.md 9). Here bytes become latin1 strings and back.

import type { Life } from '../base/brand.ts'
import type { Clock } from './clock.ts'
import type { InputBody } from '../replica/input.ts'
import type { Send } from '../replica/effect.ts'
import type { Address } from './address.ts'
import type { SparseLog } from './log.ts'
import { SipDatagrams } from './sip-datagrams.ts'
import { SipStreams } from './sip-streams.ts'

export interface SipParts {
  readonly address: Address
  readonly life: Life
  readonly clock: Clock
  readonly log: SparseLog
  give(input: InputBody): void
}

export class SipSockets {
  readonly #parts: SipParts
  readonly #datagrams: SipDatagrams
  readonly #streams: SipStreams

  constructor(parts: SipParts) {
    this.#parts = parts
    this.#datagrams = new SipDatagrams(parts)
    this.#streams = new SipStreams(parts)
  }

  /** Binds both; rejects with the system's error. */
  async open(): Promise<void> {
    await Promise.all([this.#datagrams.open(), this.#streams.open()])
  }

  /** Sends it, or gives it back as `unsent`, never before this returns: at once, or when its connection can't be made. */
  send(send: Send): void {
    // The not-after is judged right before the system call (design.md 1).
    if (this.#parts.clock.now() > send.notAfter) this.#parts.give({ kind: 'unsent', send, reason: 'late' })
    else if (send.flow.transport === 'udp') this.#datagrams.send(send)
    else this.#streams.send(send)
  }

  /** Open connections, in and out. */
  get connections(): number {
    return this.#streams.size
  }

  /** Takes nothing new, gives what has come, and lets streams come to rest (hostLimits.drainStreamsMs at most). */
  async drain(): Promise<void> {
    await Promise.all([this.#datagrams.drain(), this.#streams.drain()])
  }

  close(): void {
    this.#datagrams.close()
    this.#streams.close()
  }
}
