// Sends MESSAGEs over UDP, each until it is answered.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseAddress } from '../../src/host/address.ts'
import type { Address } from '../../src/host/address.ts'
import { buildRequest } from '../../src/sip/build.ts'
import { parseMessage, topVia } from '../../src/sip/message.ts'

const AT_ONCE = 40
const AGAIN_MS = 500
const PATIENCE_MS = 32_000

export class Messenger {
  readonly #host: string
  readonly #to: Address
  readonly #socket: Socket = createSocket('udp4')
  readonly #waiting = new Map<string, (status: number) => void>()

  constructor(host: string, set: string) {
    const to = parseAddress(set)
    if (!to.ok) throw new Error(to.error)
    this.#host = host
    this.#to = to.value
    this.#socket.on('message', (bytes) => this.#heard(bytes.toString('latin1')))
  }

  async open(): Promise<void> {
    this.#socket.bind(0, this.#host)
    await once(this.#socket, 'listening')
  }

  /** A MESSAGE with each of these bodies, some side by side; throws unless each of them gets 200. */
  async sendAll(name: string, bodies: readonly string[]): Promise<void> {
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < bodies.length) {
        const at = next++
        const status = await this.send(`${name}-${at}`, bodies[at] ?? '')
        if (status !== 200) throw new Error(`MESSAGE ${name}-${at} got ${status}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }

  /** The final status; 408 if none came. */
  async send(callId: string, body: string): Promise<number> {
    const set = `${this.#to.host}:${this.#to.port}`
    const own = `${this.#host}:${this.#socket.address().port}`
    const branch = `z9hG4bK-${callId}`
    const text = buildRequest({
      method: 'MESSAGE',
      requestUri: `sip:timers@${set}`,
      headers: [
        ['Via', `SIP/2.0/UDP ${own};branch=${branch}`],
        ['Max-Forwards', '70'],
        ['From', `<sip:bench@${own}>;tag=${callId}`],
        ['To', `<sip:timers@${set}>`],
        ['Call-ID', callId],
        ['CSeq', '1 MESSAGE'],
        ['Content-Type', 'application/json'],
      ],
      body,
    })
    const say = (): void => this.#socket.send(text, this.#to.port, this.#to.host)
    const again = setInterval(say, AGAIN_MS)
    const status = await new Promise<number>((resolve) => {
      const patience = setTimeout(() => resolve(408), PATIENCE_MS)
      this.#waiting.set(branch, (answer) => {
        clearTimeout(patience)
        resolve(answer)
      })
      say()
    })
    clearInterval(again)
    this.#waiting.delete(branch)
    return status
  }

  close(): void {
    this.#socket.close()
  }

  #heard(text: string): void {
    const message = parseMessage(text)
    if (!message.ok || message.value.kind !== 'response' || message.value.status < 200) return
    this.#waiting.get(topVia(message.value)?.branch ?? '')?.(message.value.status)
  }
}
