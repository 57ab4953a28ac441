// A phone on the npm package `sip`: its transports, transactions and parser, none of which share a line with ours. What a user
// agent does above its transactions is here: dialogs (RFC 3261 section 12), 2xx and ACK (13), CSeq.

import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { must } from '../../src/base/assert.ts'
import { until } from '../cluster/poll.ts'
import type { Transport } from './arena.ts'

interface NameAddress {
  readonly name?: string | undefined
  readonly uri: string
  readonly params?: Readonly<Record<string, string | null>>
}

interface Message {
  readonly method?: string
  readonly uri?: string
  readonly status?: number
  readonly content?: string
  readonly headers: {
    readonly to: NameAddress
    readonly from: NameAddress
    readonly 'call-id': string
    readonly cseq: { readonly seq: number; readonly method: string }
    readonly contact?: readonly NameAddress[]
    readonly 'record-route'?: readonly NameAddress[]
    readonly [name: string]: unknown
  }
}

interface Remote {
  readonly address: string
  readonly port: number
}

interface Stack {
  send(message: Message, answered?: (response: Message) => void): void
  destroy(): void
}

interface Library {
  create(options: object, onRequest: (request: Message, from: Remote) => void): Stack
  makeResponse(request: Message, status: number, reason: string, more?: object): Message
}

const library = createRequire(import.meta.url)('sip') as Library

export interface StackOptions {
  readonly host: string
  readonly port: number
  readonly by: Transport
  /** For TLS: what it shows, and whom it trusts. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
}

const T1 = 500
const T2 = 4_000

/** One end of a call, until it is known what becomes of it. */
interface End {
  readonly callId: string
  local: NameAddress
  remote: NameAddress
  target: string
  routes: readonly NameAddress[]
  sequence: number
  state: 'calling' | 'ringing' | 'up' | 'over' | 'failed'
  invite: Message | null
  /** Where its INVITE came from. */
  from: Remote | null
  failure: string
}

export class StackPhone {
  readonly #options: StackOptions
  readonly #stack: Stack
  readonly #ends = new Map<string, End>()

  constructor(options: StackOptions) {
    this.#options = options
    const { host, port, by, tls } = options
    const more = by === 'tls' ? { tls, tls_port: port } : {}
    this.#stack = library.create(
      { address: host, port, udp: by === 'udp', tcp: by === 'tcp', ...more },
      (request, from) => this.#asked(request, from),
    )
  }

  close(): void {
    this.#stack.destroy()
  }

  /** Sends an INVITE, and returns when it rings. */
  async ring(callId: string, uri: string): Promise<void> {
    const end: End = {
      ...{ callId, target: uri, routes: [], sequence: 0, state: 'calling', invite: null, from: null, failure: '' },
      local: { uri: `sip:caller@${this.#options.host}`, params: { tag: randomBytes(6).toString('hex') } },
      remote: { uri },
    }
    this.#ends.set(callId, end)
    const invite = this.#request(end, 'INVITE', offer(1))
    this.#stack.send(invite, (response) => this.#answered(end, invite, response))
    await until(`${callId} rings`, 30_000, () => {
      if (end.state === 'failed') throw new Error(`${callId}: ${end.failure}`)
      return end.state === 'calling' ? null : true
    })
  }

  /** The callee's: 200, again and again until its ACK (13.3.1.4). */
  async answer(callId: string): Promise<void> {
    const end = await this.known(callId)
    const response = this.#response(must(end.invite, 'an INVITE'), 200, 'OK', offer(1))
    const again = (pause: number): void => {
      if (end.state !== 'ringing') return
      this.#stack.send(response)
      setTimeout(() => again(Math.min(2 * pause, T2)), pause).unref()
    }
    again(T1)
    await this.isUp(callId)
  }

  /** Until that call is up at this end. */
  async isUp(callId: string): Promise<void> {
    const end = await this.known(callId)
    await until(`${callId} is up`, 40_000, () => {
      if (end.state === 'failed') throw new Error(`${callId}: ${end.failure}`)
      return end.state === 'up' ? true : null
    })
  }

  async isOver(callId: string): Promise<void> {
    const end = await this.known(callId)
    await until(`a BYE for ${callId}`, 40_000, () => (end.state === 'over' ? true : null))
  }

  /** The connection that a call's INVITE came on, and what became of one that was sent. */
  inviteOf(callId: string): { readonly from: Remote | null; readonly failure: string } {
    const { from = null, failure = '' } = this.#ends.get(callId) ?? {}
    return { from, failure }
  }

  /** A request in the dialog; its final answer. On a connection that turns out to be gone it is said once more, on another. */
  async ask(callId: string, method: 'INFO' | 'INVITE' | 'BYE'): Promise<number> {
    const end = await this.known(callId)
    const first = await this.#askOnce(end, method)
    const { status } = first.content === undefined ? await this.#askOnce(end, method) : first
    if (method === 'BYE' && status === 200) end.state = 'over'
    return status ?? 0
  }

  known(callId: string): Promise<End> {
    return until(`${callId} is known at ${this.#options.host}`, 30_000, () => this.#ends.get(callId) ?? null)
  }

  #askOnce(end: End, method: string): Promise<Message> {
    return new Promise((resolve) => {
      const request = this.#request(end, method, method === 'INVITE' ? offer(end.sequence) : '')
      this.#stack.send(request, (response) => {
        const { status = 0 } = response
        if (method === 'INVITE' && status >= 200 && status < 300) this.#acknowledge(end, request, response)
        if (status >= 200) resolve(response)
      })
    })
  }

  #answered(end: End, invite: Message, response: Message): void {
    const { status = 0, headers } = response
    if (status >= 300) {
      end.state = 'failed'
      end.failure = response.content === undefined ? 'its connection is gone' : `INVITE got ${status}`
      return
    }
    if (status <= 100) return
    end.remote = headers.to
    end.target = headers.contact?.[0]?.uri ?? end.target
    end.routes = (headers['record-route'] ?? []).toReversed()
    if (status < 200) end.state = 'ringing'
    else {
      end.state = 'up'
      this.#acknowledge(end, invite, response)
    }
  }

  #acknowledge(end: End, invite: Message, response: Message): void {
    const { seq } = invite.headers.cseq
    end.target = response.headers.contact?.[0]?.uri ?? end.target
    this.#stack.send({
      method: 'ACK',
      uri: end.target,
      headers: {
        ...{ to: response.headers.to, from: end.local, 'call-id': end.callId, cseq: { method: 'ACK', seq } },
        route: [...end.routes],
      },
    })
  }

  #asked(request: Message, from: Remote): void {
    const known = this.#ends.get(request.headers['call-id'])
    switch (request.method) {
      case 'INVITE':
        if (known === undefined) this.#ringing(request, from)
        else this.#stack.send(this.#response(request, 200, 'OK', offer(known.sequence + 100)))
        return
      case 'ACK':
        if (known?.state === 'ringing') known.state = 'up'
        return
      case 'BYE':
        if (known !== undefined) known.state = 'over'
        this.#stack.send(library.makeResponse(request, 200, 'OK'))
        return
      default:
        this.#stack.send(library.makeResponse(request, known === undefined ? 481 : 200, 'Done'))
    }
  }

  #ringing(invite: Message, from: Remote): void {
    const { headers } = invite
    const local = { ...headers.to, params: { ...headers.to.params, tag: randomBytes(6).toString('hex') } }
    const tagged = { ...invite, headers: { ...headers, to: local } }
    this.#ends.set(headers['call-id'], {
      ...{ callId: headers['call-id'], local, remote: headers.from, sequence: 0, state: 'ringing', failure: '' },
      ...{ target: headers.contact?.[0]?.uri ?? '', routes: headers['record-route'] ?? [], invite: tagged, from },
    })
    this.#stack.send(this.#response(tagged, 180, 'Ringing', ''))
  }

  #response(request: Message, status: number, reason: string, content: string): Message {
    const headers = {
      contact: [{ uri: this.#contact }],
      'record-route': request.headers['record-route'],
      ...(content === '' ? {} : { 'content-type': 'application/sdp' }),
    }
    return library.makeResponse(request, status, reason, { headers, content })
  }

  #request(end: End, method: string, content: string): Message {
    return {
      method,
      uri: end.target,
      content,
      headers: {
        ...{ to: end.remote, from: end.local, 'call-id': end.callId, cseq: { method, seq: ++end.sequence } },
        ...{ 'max-forwards': 70, contact: [{ uri: this.#contact }], route: [...end.routes] },
        ...(content === '' ? {} : { 'content-type': 'application/sdp' }),
      },
    }
  }

  get #contact(): string {
    const { host, port, by } = this.#options
    return `sip:phone@${host}:${port}${by === 'udp' ? '' : `;transport=${by}`}`
  }
}

function offer(version: number): string {
  const lines = ['v=0', `o=- 1 ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0']
  return [...lines, 'm=audio 40000 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', ''].join('\r\n')
}
