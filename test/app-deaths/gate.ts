// Where handlers come and wait for what is decided about their replica: an outside call, as a real handler makes them.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '../cluster/poll.ts'
import type { Order } from './order.ts'

export interface Waiting {
  readonly call: string
  /** The replica's process. */
  readonly replica: number
  readonly answer: (order: Order) => void
  readonly since: number
}

const HELD_MS = 3_000

export class Gate {
  readonly #server = createServer()
  /** Ids of the calls' application sessions, as a handler has them last. */
  readonly sessions = new Map<string, string>()
  #handler = ''
  #isHeld = false
  #waiting: Waiting[] = []
  #came = 0

  async open(host: string): Promise<void> {
    this.#server.on('request', ({ url = '' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://gate')
      const [, handler = '', call = ''] = pathname.split('/')
      const [replica, since] = [Number(searchParams.get('replica')), performance.now()]
      this.sessions.set(call, searchParams.get('session') ?? '')
      this.#come(handler, { call, replica, since, answer: answerWith(response) })
    })
    // What waits on a connection whose process dies ends with it.
    this.#server.keepAliveTimeout = 60_000
    this.#server.listen(0, host)
    await once(this.#server, 'listening')
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return `http://${address}:${port}`
  }

  /** From now on who comes there waits. */
  hold(handler: string): void {
    this.#handler = handler
    this.#isHeld = true
    this.#came = 0
  }

  /** All that wait once so many calls do, or once the first has waited for so long: a handler is waited for 5 s by its replica. One that
   * was asked again, on newer state, counts once: nobody takes the answer to the earlier question any more. */
  async all(count: number, deadlineMs: number): Promise<readonly Waiting[]> {
    await until(`calls come to ${this.#handler}`, deadlineMs, () => {
      const calls = new Set(this.#waiting.map(({ call }) => call)).size
      const isTime = performance.now() - (this.#waiting[0]?.since ?? Infinity) > HELD_MS
      return calls >= count || isTime ? true : null
    })
    return [...new Map(this.#waiting.map((one) => [one.call, one])).values()]
  }

  /** Each of them is told what `orderFor` says, and whoever comes later goes on. */
  release(orderFor: (one: Waiting) => Order): void {
    const all = this.#waiting
    this.#waiting = []
    this.#isHeld = false
    for (const one of all) one.answer(orderFor(one))
  }

  /** How often that handler ran, held or not. */
  get came(): number {
    return this.#came
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #come(handler: string, one: Waiting): void {
    if (handler === this.#handler) this.#came++
    if (handler === this.#handler && this.#isHeld) this.#waiting.push(one)
    else one.answer({ kind: 'go' })
  }
}

function answerWith(response: ServerResponse): (order: Order) => void {
  return (order) => void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(order))
}
