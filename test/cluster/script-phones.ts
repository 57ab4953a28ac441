// Phones by script, for transports that SIPp doesn't speak. A caller has one connection and makes it again when it is gone, as a
// browser does; a callee listens, answers, and can hang up. Each checks what it gets by the dialog it knows.

import { parseAddress } from '../../src/host/address.ts'
import type { Address } from '../../src/host/address.ts'
import { buildRequest, buildResponse } from '../../src/sip/build.ts'
import type { HeaderList } from '../../src/sip/build.ts'
import { contacts, cseq, fromTag, header, parseMessage, topVia, values } from '../../src/sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../../src/sip/message.ts'
import { until } from './poll.ts'
import { listenBy, openWire } from './wires.ts'
import type { Speaks, Trust, Wire } from './wires.ts'

/** What all phones of a test share. */
export interface World {
  readonly by: Speaks
  /** HOST:PORT of the set. */
  readonly set: string
  readonly callee: string
  /** Where callers are. */
  readonly from: string
  readonly trust: Trust
}

const T1 = 500

interface Asked {
  readonly text: string
  answered(response: SipResponse): void
}

/** A phone's requests: each sent again until it is answered, on UDP by time, elsewhere when its connection is made anew. */
class Requests {
  readonly #waiting = new Map<string, Asked>()
  #wire: Wire | null = null
  readonly #timer: NodeJS.Timeout | null

  constructor(by: Speaks) {
    this.#timer = by === 'udp' ? setInterval(() => this.#again(), T1) : null
  }

  use(wire: Wire | null): void {
    this.#wire = wire
    this.#again()
  }

  ask(text: string): Promise<SipResponse> {
    return new Promise((answered) => {
      this.#waiting.set(branchOf(parsed(text)), { text, answered })
      this.#wire?.send(text)
    })
  }

  send(text: string): void {
    this.#wire?.send(text)
  }

  heard(response: SipResponse): void {
    if (response.status < 200) return
    const branch = branchOf(response)
    this.#waiting.get(branch)?.answered(response)
    this.#waiting.delete(branch)
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #again(): void {
    for (const { text } of this.#waiting.values()) this.#wire?.send(text)
  }
}

export class Caller {
  readonly name: string
  readonly #world: World
  readonly #requests: Requests
  #wire: Wire | null = null
  #isOver = false
  #cseq = 0
  #answer: SipResponse | null = null
  #hungUp = 0
  /** How often its connection was gone. */
  reconnects = 0

  constructor(name: string, world: World) {
    this.name = name
    this.#world = world
    this.#requests = new Requests(world.by)
  }

  async connect(): Promise<void> {
    const { by, from, set, trust } = this.#world
    const wire = await openWire(by, from, placeOf(set), trust, {
      heard: (text) => this.#heard(text),
      closed: () => void this.#again(),
    })
    this.#wire = wire
    this.#requests.use(wire)
  }

  /** A call until it is answered and acknowledged. */
  async call(): Promise<void> {
    const answer = await this.#requests.ask(this.#request('INVITE', `sip:callee@${this.#world.set}`, []))
    if (answer.status !== 200) throw new Error(`${this.name}: INVITE got ${answer.status}`)
    this.#answer = answer
    this.#requests.send(this.#inDialog('ACK'))
  }

  async hangUp(): Promise<number> {
    return (await this.#requests.ask(this.#inDialog('BYE'))).status
  }

  /** The callee's BYE has come. */
  async isHungUp(): Promise<void> {
    await until(`a BYE for ${this.name}`, 60_000, () => (this.#hungUp > 0 ? true : null))
  }

  end(): void {
    this.#isOver = true
    this.#requests.end()
    this.#wire?.close()
  }

  /** Connected again, it says something in its dialog, so that the set knows where it is. */
  async #again(): Promise<void> {
    if (this.#isOver) return
    this.reconnects++
    this.#requests.use(null)
    await this.connect()
    if (this.#answer !== null) void this.#requests.ask(this.#inDialog('INFO'))
  }

  #heard(text: string): void {
    const message = parsed(text)
    if (message.kind === 'response') {
      this.#requests.heard(message)
      // A repeated 2xx wants its ACK again (13.2.2.4).
      if (message.status === 200 && cseq(message).method === 'INVITE' && this.#answer !== null) {
        this.#requests.send(this.#inDialog('ACK'))
      }
    } else if (message.method === 'BYE') {
      this.#hungUp++
      this.#requests.send(buildResponse(message, 200, undefined, { headers: [] }))
    }
  }

  #inDialog(method: string): string {
    const answer = this.#answer as SipResponse
    const list = contacts(answer)
    const target = list === '*' ? '' : (list[0]?.uri ?? '')
    const routes = values(answer, 'Record-Route').toReversed()
    return this.#request(
      method,
      target,
      routes.map((value) => ['Route', value] as const),
      header(answer, 'To') ?? '',
    )
  }

  #request(method: string, uri: string, routes: HeaderList, to = '<sip:callee@example.com>'): string {
    const number = method === 'ACK' ? 1 : ++this.#cseq
    const via = `SIP/2.0/${this.#world.by.toUpperCase()} ${this.#wire?.local ?? ''}`
    return buildRequest({
      method,
      requestUri: uri,
      headers: [
        ['Via', `${via};branch=z9hG4bK-${this.name}-${method}-${number}`],
        ['Max-Forwards', '70'],
        ...routes,
        ['From', `<sip:${this.name}@example.com>;tag=${this.name}`],
        ['To', to],
        ['Call-ID', this.name],
        ['CSeq', `${number} ${method}`],
        ['Contact', `<sip:${this.name}@${this.#wire?.local ?? ''}${contactParams[this.#world.by]}>`],
      ],
    })
  }
}

/** On a stream nobody can call a phone back: RFC 5626, RFC 7118. */
const contactParams = { udp: '', tcp: ';transport=tcp;ob', tls: ';transport=tls;ob', ws: ';transport=ws' } as const

export class Callee {
  readonly #world: World
  readonly #requests: Requests
  readonly #invites = new Map<string, SipRequest>()
  readonly #acked = new Set<string>()
  #wire: Wire | null = null
  #close: () => void = () => undefined

  constructor(world: World) {
    this.#world = world
    this.#requests = new Requests(world.by)
  }

  async open(): Promise<void> {
    const { by, callee, set, trust } = this.#world
    const at = placeOf(callee)
    this.#close = await listenBy(by, at, trust, (text, wire) => this.#heard(text, wire))
    const connect = async (): Promise<void> => {
      this.#wire = await openWire(by, at.host, placeOf(set), trust, {
        heard: (text, wire) => this.#heard(text, wire),
        closed: () => void connect().catch(() => undefined),
      })
      this.#requests.use(this.#wire)
    }
    await connect()
  }

  get acknowledged(): number {
    return this.#acked.size
  }

  async hangUp(name: string): Promise<number> {
    const invite = this.#invites.get(name) as SipRequest
    const list = contacts(invite)
    const { by } = this.#world
    const text = buildRequest({
      method: 'BYE',
      requestUri: list === '*' ? '' : (list[0]?.uri ?? ''),
      headers: [
        ['Via', `SIP/2.0/${by.toUpperCase()} ${this.#wire?.local ?? ''};branch=z9hG4bK-callee-${name}`],
        ['Max-Forwards', '70'],
        ...values(invite, 'Record-Route').map((value) => ['Route', value] as const),
        ['From', `${header(invite, 'To') ?? ''};tag=callee`],
        ['To', header(invite, 'From') ?? ''],
        ['Call-ID', name],
        ['CSeq', '1 BYE'],
      ],
    })
    return (await this.#requests.ask(text)).status
  }

  end(): void {
    this.#requests.end()
    this.#wire?.close()
    this.#close()
  }

  #heard(text: string, wire: Wire): void {
    const message = parsed(text)
    if (message.kind === 'response') return this.#requests.heard(message)
    const name = fromTag(message) ?? ''
    switch (message.method) {
      case 'INVITE': {
        this.#invites.set(name, message)
        const recorded = values(message, 'Record-Route').map((value) => ['Record-Route', value] as const)
        const { by, callee } = this.#world
        const contact = `<sip:callee@${callee}${by === 'udp' ? '' : `;transport=${by}`}>`
        const headers: HeaderList = [...recorded, ['Contact', contact]]
        wire.send(buildResponse(message, 180, undefined, { toTag: 'callee', headers }))
        wire.send(buildResponse(message, 200, undefined, { toTag: 'callee', headers }))
        return
      }
      case 'ACK':
        this.#acked.add(name)
        return
      default:
        wire.send(buildResponse(message, 200, undefined, { headers: [] }))
    }
  }
}

function placeOf(text: string): Address {
  const address = parseAddress(text)
  if (!address.ok) throw new Error(address.error)
  return address.value
}

function parsed(text: string): SipMessage {
  const message = parseMessage(text)
  if (!message.ok) throw new Error(`${message.error.code}: ${text}`)
  return message.value
}

function branchOf(message: SipMessage): string {
  return topVia(message)?.branch ?? ''
}
