// UDP at a shared SIP address: RFC 3261 18.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIP } from 'node:net'
import { setImmediate as round } from 'node:timers/promises'
import type { Listener } from '../proxy/settings.ts'
import type { Send } from '../replica/effect.ts'
import { hostLimits } from './limits.ts'
import type { SipParts } from './sip-sockets.ts'

/** The discard port of our own address, where nobody sends. */
const NOBODY = 9

export class SipDatagrams {
  readonly #parts: SipParts
  readonly #socket: Socket
  readonly family: 4 | 6
  readonly #address: Listener
  #isOpen = false
  /** What is to leave before the address is bound: a replica that becomes fresh opens it and sends in one step. Null: it was bound. */
  #early: Send[] | null = []
  #received = 0

  constructor(address: Listener, parts: SipParts) {
    this.#parts = parts
    this.#address = address
    this.family = address.host.includes(':') ? 6 : 4
    this.#socket = createSocket({
      type: this.family === 6 ? 'udp6' : 'udp4',
      reusePort: true,
      ipv6Only: this.family === 6,
      recvBufferSize: hostLimits.udpReceiveBytes,
      // Only addresses come here, so nothing is looked up, and the system call is made before `send` returns.
      lookup: (host, _options, found) => found(null, host, this.family),
    })
    this.#socket.on('message', (bytes, from) => {
      this.#received++
      // Keep-alives of CRLFs only, which phones send by datagrams as well (for RFC 5626 4.4.1 it is streams alone): a double one is
      // answered by a single one, as there. Nothing else that short is SIP.
      if (bytes.length <= 4) {
        if (bytes.toString('latin1') === '\r\n\r\n' && this.#isOpen) this.#pong(from.port, from.address)
        return
      }
      const flow = { transport: 'udp', host: from.address, port: from.port, stream: '' } as const
      parts.give({ kind: 'sip', flow, data: bytes.toString('latin1') })
    })
  }

  #pong(port: number, host: string): void {
    if (this.#socket.getSendQueueSize() > hostLimits.udpQueueBytes) return
    // Whom it doesn't reach asks again.
    this.#socket.send('\r\n', port, host, () => undefined)
  }

  open(): Promise<void> {
    const { host, port } = this.#address
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.bind({ address: host, port }, () => {
        this.#socket.off('error', reject)
        // What an ICMP message or a full interface causes is the sender's callback to hear; it ends nobody.
        this.#socket.on('error', (error) => this.#parts.log.warn('udp-error', error.message))
        this.#isOpen = true
        this.#sendEarly()
        resolve()
      })
    })
  }

  send(send: Send): void {
    const { host, port } = send.flow
    if (isIP(host) !== this.family || port < 1 || port > 65_535) return this.#unsent(send)
    if (this.#early !== null && this.#early.length < hostLimits.udpEarly) {
      this.#early.push(send)
      return
    }
    if (!this.#isOpen) return this.#unsent(send)
    if (this.#socket.getSendQueueSize() > hostLimits.udpQueueBytes) {
      this.#parts.log.warn('udp-queue-full', 'datagrams are dropped: the kernel takes no more')
      return
    }
    this.#socket.send(Buffer.from(send.data, 'latin1'), port, host, (error) => {
      if (error === null) return
      this.#parts.log.warn('udp-send-failed', error.message, { host, port })
      this.#unsent(send)
    })
  }

  #sendEarly(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const send of early) {
      if (this.#parts.clock.now() > send.notAfter) this.#parts.give({ kind: 'unsent', send, reason: 'late' })
      else this.send(send)
    }
  }

  #unsent(send: Send): void {
    this.#parts.give({ kind: 'unsent', send, reason: 'unreachable' })
  }

  /** What lies in the socket is read and given; nothing comes or leaves any more. What lies in a socket that is closed is lost, so
   * it is connected first: the kernel deals what comes to the address to the other sockets then, and this one keeps what it has. */
  async drain(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const failed = await new Promise<Error | null>((resolve) => {
      this.#socket.connect(NOBODY, this.#address.host, (error?: Error) => resolve(error ?? null))
    })
    if (failed !== null) this.#parts.log.warn('udp-drain-failed', failed.message)
    // A round of the loop reads some of them. The first may have begun before the connect.
    for (let idle = 0; idle < 3;) {
      const before = this.#received
      await round()
      idle = this.#received === before ? idle + 1 : 0
    }
  }

  close(): void {
    this.#socket.close()
  }
}
