// Two phones for `holdfast demo`, over UDP: one places calls and hangs up, the other one answers. They are as stubborn as RFC 3261 17
// asks, and no more: what they don't get within 64*T1 is lost.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { buildRequest, buildResponse } from '../sip/build.ts'
import { callId, contacts, cseq, header, parseMessage, values } from '../sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'

const T1_MS = 500
const T2_MS = 4_000
const PATIENCE_MS = 64 * T1_MS

/** One call: `lost` is an INVITE or a BYE that got no answer, or a refusal. */
export interface PhoneCall {
  readonly callId: string
  state: 'calling' | 'up' | 'ending' | 'ended' | 'lost'
  /** Of one that is lost. */
  reason: string
  /** How many deaths it has lived through. */
  deaths: number
}

interface Wait {
  readonly branch: string
  readonly answered: (response: SipResponse) => void
  /** No more of it is sent. */
  readonly stop: () => void
}

class Phone {
  readonly own: Address
  readonly #socket: Socket = createSocket('udp4')

  constructor(own: Address, heard: (message: SipMessage, text: string) => void) {
    this.own = own
    this.#socket.on('message', (bytes) => {
      const text = bytes.toString('latin1')
      const message = parseMessage(text)
      if (message.ok) heard(message.value, text)
    })
    this.#socket.on('error', () => undefined)
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    const opened = once(this.#socket, 'listening')
    this.#socket.bind(this.own.port, this.own.host)
    await opened
  }

  send(text: string, to: Address): void {
    this.#socket.send(Buffer.from(text, 'latin1'), to.port, to.host, () => undefined)
  }

  close(): void {
    this.#socket.close()
  }
}

/** Places calls through the set, holds each for so long, and hangs up. */
export class DemoCaller {
  readonly #phone: Phone
  readonly #set: Address
  readonly #callee: string
  readonly #holdMs: number
  readonly #waits = new Map<string, Wait>()
  /** What acknowledges a 2xx, by Call-ID: it is said again for each that comes (13.2.2.4). */
  readonly #acks = new Map<string, string>()
  readonly calls: PhoneCall[] = []

  constructor(own: Address, set: Address, callee: Address, holdMs: number) {
    this.#set = set
    this.#callee = printAddress(callee)
    this.#holdMs = holdMs
    this.#phone = new Phone(own, (message) => this.#heard(message))
  }

  open(): Promise<void> {
    return this.#phone.open()
  }

  close(): void {
    for (const { stop } of this.#waits.values()) stop()
    this.#waits.clear()
    this.#phone.close()
  }

  call(): PhoneCall {
    const own = printAddress(this.#phone.own)
    const call: PhoneCall = { callId: `demo-${this.calls.length + 1}@${own}`, state: 'calling', reason: '', deaths: 0 }
    this.calls.push(call)
    const target = `sip:callee@${this.#callee}`
    const headers = [
      ['Max-Forwards', '70'],
      ['From', `<sip:caller@${own}>;tag=${this.calls.length}`],
      ['To', `<${target}>`],
      ['Call-ID', call.callId],
      ['CSeq', '1 INVITE'],
      ['Contact', `<sip:caller@${own}>`],
    ] as const
    this.#request(call, 'INVITE', target, headers, (response) => {
      if (response.status >= 300) return this.#lose(call, `INVITE got ${response.status}`)
      call.state = 'up'
      this.#acknowledge(call, response)
      setTimeout(() => this.#hangUp(call, response), this.#holdMs)
    })
    return call
  }

  #acknowledge(call: PhoneCall, answer: SipResponse): void {
    const { requestUri, headers } = this.#inDialog(answer, 1, 'ACK')
    const via = ['Via', `SIP/2.0/UDP ${printAddress(this.#phone.own)};branch=z9hG4bK-ack-${call.callId}`] as const
    const text = buildRequest({ method: 'ACK', requestUri, headers: [via, ...headers] })
    this.#acks.set(call.callId, text)
    this.#phone.send(text, this.#set)
  }

  #hangUp(call: PhoneCall, answer: SipResponse): void {
    call.state = 'ending'
    const { requestUri, headers } = this.#inDialog(answer, 2, 'BYE')
    this.#request(call, 'BYE', requestUri, headers, (response) => {
      this.#acks.delete(call.callId)
      if (response.status >= 300) this.#lose(call, `BYE got ${response.status}`)
      else call.state = 'ended'
    })
  }

  /** 12.2.1.1 */
  #inDialog(answer: SipResponse, number: number, method: string) {
    const [contact] = contacts(answer)
    const routes = [...values(answer, 'Record-Route')].reverse()
    const headers = [
      ['Max-Forwards', '70'] as const,
      ...routes.map((value) => ['Route', value] as const),
      ...['From', 'To', 'Call-ID'].map((name) => [name, header(answer, name) ?? ''] as const),
      ['CSeq', `${number} ${method}`] as const,
    ]
    const isNamed = contact !== undefined && typeof contact !== 'string'
    return { requestUri: isNamed ? contact.uri : `sip:callee@${this.#callee}`, headers }
  }

  #request(
    call: PhoneCall,
    method: string,
    requestUri: string,
    headers: readonly (readonly [string, string])[],
    done: (response: SipResponse) => void,
  ): void {
    const key = `${method} ${call.callId}`
    const branch = `z9hG4bK-${method}-${call.callId}`
    const via = ['Via', `SIP/2.0/UDP ${printAddress(this.#phone.own)};branch=${branch}`] as const
    const text = buildRequest({ method, requestUri, headers: [via, ...headers] })
    const stop = repeated(() => this.#phone.send(text, this.#set))
    const patience = setTimeout(() => {
      this.#end(key)
      this.#lose(call, `${method} got no answer`)
    }, PATIENCE_MS)
    const answered = (response: SipResponse): void => {
      // Timer A ends with any response, timer E only with a final one (17.1.1.2, 17.1.2.2).
      if (response.status < 200) return method === 'INVITE' ? stop() : undefined
      clearTimeout(patience)
      this.#end(key)
      done(response)
    }
    const end = (): void => {
      clearTimeout(patience)
      stop()
    }
    this.#waits.set(key, { branch, answered, stop: end })
  }

  #end(key: string): void {
    this.#waits.get(key)?.stop()
    this.#waits.delete(key)
  }

  #lose(call: PhoneCall, reason: string): void {
    call.state = 'lost'
    call.reason = reason
  }

  #heard(message: SipMessage): void {
    if (message.kind !== 'response') return
    const id = callId(message)
    const { method } = cseq(message)
    const wait = this.#waits.get(`${method} ${id}`)
    if (wait !== undefined) return wait.answered(message)
    const ack = this.#acks.get(id)
    if (method === 'INVITE' && message.status >= 200 && ack !== undefined) this.#phone.send(ack, this.#set)
  }
}

/** Answers each INVITE, and repeats its answer until it is acknowledged (13.3.1.4). */
export class DemoCallee {
  readonly #phone: Phone
  readonly #set: Address
  /** By Call-ID: what ends its repeating, and the answer. */
  readonly #answers = new Map<string, { readonly text: string; readonly stop: () => void }>()

  constructor(own: Address, set: Address) {
    this.#set = set
    this.#phone = new Phone(own, (message) => message.kind === 'request' && this.#heard(message))
  }

  open(): Promise<void> {
    return this.#phone.open()
  }

  close(): void {
    for (const { stop } of this.#answers.values()) stop()
    this.#phone.close()
  }

  #heard(request: SipRequest): void {
    const id = callId(request)
    const known = this.#answers.get(id)
    switch (request.method) {
      case 'INVITE': {
        if (known !== undefined) return this.#phone.send(known.text, this.#set)
        const routes = values(request, 'Record-Route').map((value) => ['Record-Route', value] as const)
        const contact = ['Contact', `<sip:callee@${printAddress(this.#phone.own)}>`] as const
        const text = buildResponse(request, 200, undefined, { toTag: 'callee', headers: [...routes, contact] })
        this.#answers.set(id, { text, stop: repeated(() => this.#phone.send(text, this.#set)) })
        return
      }
      case 'ACK':
        return known?.stop()
      case 'BYE':
        known?.stop()
        return this.#phone.send(buildResponse(request, 200), this.#set)
      default:
        this.#phone.send(buildResponse(request, 405), this.#set)
    }
  }
}

/** Does it at once, and again after T1, twice that, at most T2, for 64*T1 or until it is stopped. */
function repeated(say: () => void): () => void {
  let wait = T1_MS
  let left = PATIENCE_MS
  let timer: NodeJS.Timeout | undefined
  const go = (): void => {
    say()
    if (left <= 0) return
    left -= wait
    timer = setTimeout(go, wait)
    wait = Math.min(2 * wait, T2_MS)
  }
  go()
  return () => clearTimeout(timer)
}
