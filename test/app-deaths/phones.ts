// Callers and callees of one set over UDP, by script. Each repeats what isn't answered (RFC 3261 17), answers what it is asked, and
// compares: whatever the set sends again has to be the same bytes, and nobody is asked twice for one thing.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { must } from '../../src/base/assert.ts'
import { parseAddress, printAddress } from '../../src/host/address.ts'
import type { Address } from '../../src/host/address.ts'
import { buildRequest, buildResponse } from '../../src/sip/build.ts'
import type { HeaderList } from '../../src/sip/build.ts'
import { callId, contacts, cseq, header, parseMessage, values } from '../../src/sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../../src/sip/message.ts'
import { callIn } from './order.ts'

const T1_MS = 500
const T2_MS = 4_000

/** Something that the set did. */
export interface Fault {
  readonly kind: 'lost' | 'doubled'
  readonly call: string
  readonly text: string
}

/** One end of one call. */
class End {
  readonly call: string
  readonly #socket: Socket
  readonly #set: Address
  readonly #own: string
  readonly #report: (kind: Fault['kind'], text: string) => void
  /** What was heard, by what it is about. */
  readonly #heard = new Map<string, string>()
  readonly #answers = new Map<string, string>()
  readonly #repeating = new Map<string, NodeJS.Timeout>()
  /** The 200 that made a caller's dialog. */
  #peer: SipResponse | null = null
  #number = 1
  /** Methods of requests that came, each counted once. */
  readonly asked: string[] = []
  isOver = false
  /** First lines of what it said and heard, for the reader of a fault. */
  readonly story: string[] = []

  constructor(call: string, socket: Socket, set: Address, report: (kind: Fault['kind'], text: string) => void) {
    this.call = call
    this.#socket = socket
    this.#set = set
    this.#own = printAddress({ host: socket.address().address, port: socket.address().port })
    this.#report = report
  }

  invite(to: string): void {
    this.#ask('INVITE', `sip:${to}@${printAddress(this.#set)}`, [], `<sip:${to}@example.com>`)
  }

  get canEnd(): boolean {
    return this.#peer !== null && !this.isOver
  }

  bye(): void {
    const { uri, routes, to } = this.#dialog()
    this.#number++
    this.#ask('BYE', uri, routes, to)
  }

  hear(message: SipMessage, text: string): void {
    this.#tell('hears', text)
    if (message.kind === 'response') this.#answered(message, text)
    else this.#asked(message, text)
  }

  end(): void {
    for (const timer of this.#repeating.values()) clearTimeout(timer)
    this.#repeating.clear()
  }

  #answered(response: SipResponse, text: string): void {
    const { method } = cseq(response)
    // A provisional is enough for an INVITE to rest (17.1.1.2).
    if (response.status < 200) {
      if (method === 'INVITE') this.#rest('INVITE')
      return
    }
    this.#rest(method)
    this.#compare(`${response.status} for ${method}`, text)
    if (response.status !== 200) this.#report('lost', `${method} got ${response.status}`)
    if (method === 'BYE') this.isOver = true
    if (method !== 'INVITE') return
    this.#peer = response
    const { uri, routes, to } = this.#dialog()
    this.#send(this.#request('ACK', uri, routes, to))
  }

  #asked(request: SipRequest, text: string): void {
    const { method } = request
    if (method === 'ACK') {
      this.#rest('200')
      return
    }
    const about = `${method} ${cseq(request).number}`
    // However often it comes: one leg, one INFO, one BYE.
    if (!this.#heard.has(method)) this.asked.push(method)
    this.#compare(method, text)
    const known = this.#answers.get(about)
    if (known !== undefined) return this.#send(known)
    const recorded = values(request, 'Record-Route').map((value) => ['Record-Route', value] as const)
    const contact = ['Contact', `<sip:callee@${this.#own}>`] as const
    const headers: HeaderList = method === 'INVITE' ? [...recorded, contact] : []
    const answer = buildResponse(request, 200, undefined, { toTag: `callee-${this.call}`, headers })
    this.#answers.set(about, answer)
    if (method === 'BYE') this.isOver = true
    if (method !== 'INVITE') return this.#send(answer)
    this.#send(buildResponse(request, 180, undefined, { toTag: `callee-${this.call}`, headers }))
    this.#repeat('200', answer)
  }

  /** It is the same as it was, if it was said before. */
  #compare(about: string, text: string): void {
    const known = this.#heard.get(about)
    this.#heard.set(about, known ?? text)
    if (known !== undefined && known !== text) this.#report('doubled', `${about} with other bytes:\n${known}\n${text}`)
  }

  #ask(method: string, uri: string, routes: HeaderList, to: string): void {
    this.#repeat(method, this.#request(method, uri, routes, to))
  }

  #dialog(): { readonly uri: string; readonly routes: HeaderList; readonly to: string } {
    const peer = must(this.#peer, 'a dialog')
    const list = contacts(peer)
    return {
      uri: list === '*' ? '' : (list[0]?.uri ?? ''),
      routes: values(peer, 'Record-Route')
        .toReversed()
        .map((value) => ['Route', value] as const),
      to: header(peer, 'To') ?? '',
    }
  }

  #request(method: string, uri: string, routes: HeaderList, to: string): string {
    const number = method === 'ACK' ? 1 : this.#number
    return buildRequest({
      method,
      requestUri: uri,
      headers: [
        ['Via', `SIP/2.0/UDP ${this.#own};rport;branch=z9hG4bK-${this.call}-${method}-${number}`],
        ['Max-Forwards', '70'],
        ...routes,
        ['From', `<sip:${this.call}@example.com>;tag=caller-${this.call}`],
        ['To', to],
        ['Call-ID', this.call],
        ['CSeq', `${number} ${method}`],
        ['Contact', `<sip:${this.call}@${this.#own}>`],
      ],
    })
  }

  #tell(what: string, text: string): void {
    const at = new Date().toISOString().slice(14, 23)
    this.story.push(`${at} ${what} ${text.slice(0, text.indexOf('\r'))} ${/CSeq: [^\r]*/.exec(text)?.[0] ?? ''}`)
  }

  #send(text: string): void {
    this.#tell('says', text)
    this.#socket.send(text, this.#set.port, this.#set.host)
  }

  #repeat(what: string, text: string, afterMs = T1_MS): void {
    this.#send(text)
    const next = (): void => this.#repeat(what, text, Math.min(2 * afterMs, T2_MS))
    this.#repeating.set(what, setTimeout(next, afterMs))
  }

  #rest(what: string): void {
    clearTimeout(this.#repeating.get(what))
    this.#repeating.delete(what)
  }
}

export class Phones {
  readonly #wave: number
  readonly #sockets = [createSocket('udp4'), createSocket('udp4')] as const
  readonly callers = new Map<string, End>()
  readonly callees = new Map<string, End>()
  readonly faults: Fault[] = []
  /** Call-IDs of INVITEs that callees got, by call. */
  readonly #legs = new Map<string, string>()

  constructor(wave: number) {
    this.#wave = wave
  }

  async open(caller: string, callee: string, set: string, calls: readonly string[]): Promise<void> {
    const address = parseAddress(set)
    if (!address.ok) throw new Error(address.error)
    for (const [at, own] of [caller, callee].entries()) {
      const parsed = parseAddress(own)
      if (!parsed.ok) throw new Error(parsed.error)
      const socket = must(this.#sockets[at], 'a socket')
      socket.bind(parsed.value.port, parsed.value.host)
      await once(socket, 'listening')
      const ends = at === 0 ? this.callers : this.callees
      socket.on('message', (bytes) => this.#hear(bytes.toString('latin1'), ends))
      for (const call of calls) {
        const report = (kind: Fault['kind'], text: string): void => void this.faults.push({ kind, call, text })
        ends.set(call, new End(call, socket, address.value, report))
      }
    }
  }

  get isOver(): boolean {
    return [...this.callers.values(), ...this.callees.values()].every(({ isOver }) => isOver)
  }

  /** What each call came to, once it should be over. `asked`: what its ends are asked, each once. */
  judge(asked: { readonly caller: readonly string[]; readonly callee: readonly string[] }): void {
    for (const [ends, party] of [
      [this.callers, 'caller'],
      [this.callees, 'callee'],
    ] as const) {
      for (const { call, isOver, asked: were, story } of ends.values()) {
        const report = (text: string): void =>
          void this.faults.push({ kind: 'lost', call, text: `${party}: ${text}\n${story.join('\n')}` })
        if (!isOver) report(`its call is not over; it was asked ${were.join(', ')}`)
        else if (were.join() !== asked[party].join())
          report(`it was asked ${were.join(', ')}, not ${asked[party].join(', ')}`)
      }
    }
  }

  end(): void {
    for (const end of [...this.callers.values(), ...this.callees.values()]) end.end()
    for (const socket of this.#sockets) socket.close()
  }

  #hear(text: string, ends: ReadonlyMap<string, End>): void {
    const call = callIn(text, this.#wave)
    const message = parseMessage(text)
    const end = ends.get(call ?? '')
    // Of an earlier wave.
    if (call === null || end === undefined) return
    if (!message.ok) {
      this.faults.push({ kind: 'lost', call, text: `what it was sent is no SIP: ${message.error.code}` })
      return
    }
    const request = message.value
    if (request.kind === 'request' && request.method === 'INVITE') {
      const leg = this.#legs.get(call) ?? callId(request)
      this.#legs.set(call, leg)
      if (leg !== callId(request)) this.faults.push({ kind: 'doubled', call, text: `a second leg, ${callId(request)}` })
    }
    end.hear(message.value, text)
  }
}
