// The shared SIP addresses: UDP and connections, bound by every replica of the set with `reusePort`, so that the kernel deals new
// flows to whoever lives (design.md 9). Here bytes become latin1 strings and back.

import type { Life } from '../base/brand.ts'
import type { Clock } from './clock.ts'
import type { InputBody } from '../replica/input.ts'
import type { Send } from '../replica/effect.ts'
import type { Listener } from '../proxy/settings.ts'
import type { Certificates } from './certificates.ts'
import type { SparseLog } from './log.ts'
import { SipDatagrams } from './sip-datagrams.ts'
import { SipStreams } from './sip-streams.ts'
import { loadWebSockets } from './web-sockets.ts'

export interface SipParts {
  readonly listeners: readonly Listener[]
  /** Not null if one of the listeners is secure. */
  readonly certificates: Certificates | null
  /** No other machine has the listeners' addresses: all replicas are on this one, or have addresses of their own. */
  readonly isOnlyHere: boolean
  readonly life: Life
  readonly clock: Clock
  readonly log: SparseLog
  give(input: InputBody): void
}

export class SipSockets {
  readonly #parts: SipParts
  /** One for each address. */
  readonly #datagrams: readonly SipDatagrams[]
  readonly #streams: SipStreams

  constructor(parts: SipParts) {
    this.#parts = parts
    const isDatagram = ({ transport }: Listener): boolean => transport === 'udp'
    this.#datagrams = parts.listeners.filter(isDatagram).map((listener) => new SipDatagrams(listener, parts))
    this.#streams = new SipStreams(
      parts,
      parts.listeners.filter((listener) => !isDatagram(listener)),
    )
  }

  /** Binds all; rejects with the system's error. */
  async open(): Promise<void> {
    const webSockets = await loadWebSockets(this.#parts.listeners)
    await Promise.all([...this.#datagrams.map((socket) => socket.open()), this.#streams.open(webSockets)])
    this.#parts.certificates?.watch()
  }

  /** Sends it, or gives it back as `unsent`, never before this returns: at once, or when its connection can't be made. */
  send(send: Send): void {
    // The not-after is judged right before the system call (design.md 1).
    if (this.#parts.clock.now() > send.notAfter) this.#parts.give({ kind: 'unsent', send, reason: 'late' })
    else if (send.flow.transport === 'udp') this.#sendDatagram(send)
    else this.#streams.send(send)
  }

  /** From the address of the far end's family, the one that its Via and Record-Route name. */
  #sendDatagram(send: Send): void {
    const family = send.flow.host.includes(':') ? 6 : 4
    const socket = this.#datagrams.find((one) => one.family === family) ?? this.#datagrams[0]
    if (socket === undefined) this.#parts.give({ kind: 'unsent', send, reason: 'unreachable' })
    else socket.send(send)
  }

  /** Open connections, in and out. */
  get connections(): number {
    return this.#streams.size
  }

  /** Takes nothing new, gives what has come, and lets streams come to rest (hostLimits.drainStreamsMs at most). */
  async drain(): Promise<void> {
    await Promise.all([...this.#datagrams.map((socket) => socket.drain()), this.#streams.drain()])
  }

  close(): void {
    for (const socket of this.#datagrams) socket.close()
    this.#streams.close()
    this.#parts.certificates?.close()
  }
}
