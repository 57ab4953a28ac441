// UDP at the shared SIP address: RFC 3261 18.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { Send } from '../replica/effect.ts'
import { hostLimits } from './limits.ts'
import type { SipParts } from './sip-sockets.ts'

export class SipDatagrams {
  readonly #parts: SipParts
  readonly #socket: Socket
  readonly #family: 4 | 6
  #isOpen = false

  constructor(parts: SipParts) {
    this.#parts = parts
    this.#family = parts.address.host.includes(':') ? 6 : 4
    this.#socket = createSocket({
      type: this.#family === 6 ? 'udp6' : 'udp4',
      reusePort: true,
      ipv6Only: this.#family === 6,
      recvBufferSize: hostLimits.udpReceiveBytes,
      // Only addresses come here, so nothing is looked up, and the system call is made before `send` returns.
      lookup: (host, _options, found) => found(null, host, this.#family),
    })
    this.#socket.on('message', (bytes, from) => {
      // RFC 5626 4.4.1: keep-alives of CRLFs only. Nothing else that short is SIP.
      if (bytes.length <= 4) return
      const flow = { transport: 'udp', host: from.address, port: from.port, stream: '' } as const
      parts.give({ kind: 'sip', flow, data: bytes.toString('latin1') })
    })
  }

  open(): Promise<void> {
    const { host, port } = this.#parts.address
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.bind({ address: host, port }, () => {
        this.#socket.off('error', reject)
        // What an ICMP message or a full interface causes is the sender's callback to hear; it ends nobody.
        this.#socket.on('error', (error) => this.#parts.log.warn('udp-error', error.message))
        this.#isOpen = true
        resolve()
      })
    })
  }

  send(send: Send): void {
    const { host, port } = send.flow
    if (!this.#isOpen || isIP(host) !== this.#family || port < 1 || port > 65_535) return this.#unsent(send)
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

  #unsent(send: Send): void {
    this.#parts.give({ kind: 'unsent', send, reason: 'unreachable' })
  }

  close(): void {
    this.#socket.close()
  }
}
