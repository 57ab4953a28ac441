// Two phones over UDP that know a set by its domain name only (RFC 3263), and the DNS server that they ask: a program, to run on a machine
// of its own. It places calls and says `up`; told to (SIGUSR2) it goes on with them and places more, and says what came of it.
//
// A request goes to the servers in the order that DNS gives, each for TRY_MS: RFC 3263 4.3 waits 64*T1, which phones that are to change
// over soon cut short. One that didn't answer is asked last from then on.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { readFileSync } from 'node:fs'
import { must } from '../../src/base/assert.ts'
import { NameResolver } from '../../src/host/resolver.ts'
import { DnsServer } from '../../src/host/testing/dns-server.ts'
import { flowsTo } from '../../src/proxy/locate.ts'
import type { SetAddress } from '../../src/proxy/settings.ts'
import { buildRequest, buildResponse } from '../../src/sip/build.ts'
import type { HeaderList } from '../../src/sip/build.ts'
import { callId, contacts, cseq, header, parseMessage, topVia, values } from '../../src/sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../../src/sip/message.ts'
import { parseUri } from '../../src/sip/uri.ts'
import { readZone } from './zone.ts'

const T1_MS = 500
const TRY_MS = 2_000
const PATIENCE_MS = 12_000
const PER_SECOND = 50

interface Target {
  readonly host: string
  readonly port: number
}

interface Request {
  readonly method: string
  readonly requestUri: string
  readonly headers: HeaderList
}

type Take = (response: SipResponse) => void

/** One socket, its transactions, and what it knows of servers. */
class Phone {
  readonly own: string
  readonly #host: string
  readonly #socket: Socket = createSocket('udp4')
  readonly #resolver: NameResolver
  readonly #waits = new Map<string, Take>()
  readonly #silent = new Set<string>()
  readonly #heard: (request: SipRequest, from: Target) => void
  readonly #repeated: (answer: SipResponse) => void
  #serial = 0
  /** Requests that more than one server was asked with. */
  changedOver = 0

  constructor(
    host: string,
    resolver: NameResolver,
    heard: (request: SipRequest, from: Target) => void,
    repeated: (answer: SipResponse) => void = () => undefined,
  ) {
    this.#host = host
    this.own = `${host}:5060`
    this.#resolver = resolver
    this.#heard = heard
    this.#repeated = repeated
  }

  async open(): Promise<void> {
    this.#socket.on('message', (bytes, from) => {
      const message = parseMessage(bytes.toString('latin1'))
      if (!message.ok) throw new Error(message.error.code)
      this.#take(message.value, { host: from.address, port: from.port })
    })
    this.#socket.bind(5060, this.#host)
    await once(this.#socket, 'listening')
  }

  send(text: string, { host, port }: Target): void {
    this.#socket.send(Buffer.from(text, 'latin1'), port, host, () => undefined)
  }

  /** Its final response: of the first server that gives one. */
  async ask(request: Request): Promise<SipResponse> {
    const targets = await this.#targetsOf(request)
    for (const [n, target] of targets.entries()) {
      if (n === 1) this.changedOver++
      const answer = await this.#askOne(request, target)
      if (answer !== null) return answer
      this.#silent.add(target.host)
    }
    throw new Error(`${request.method} got no answer from ${targets.map(({ host }) => host).join(', ')}`)
  }

  /** Nobody answers it. */
  async tell(request: Request): Promise<void> {
    const [target] = await this.#targetsOf(request)
    this.send(this.#textOf(request, this.#branch()), must(target, 'a server'))
  }

  async #askOne(request: Request, target: Target): Promise<SipResponse | null> {
    // 4.3: for the next server it is another transaction.
    const branch = this.#branch()
    const text = this.#textOf(request, branch)
    const final = Promise.withResolvers<SipResponse | null>()
    const isAlive = { is: false }
    const wait = setTimeout(() => isAlive.is || final.resolve(null), TRY_MS)
    const end = setTimeout(() => final.resolve(null), PATIENCE_MS)
    const again = setInterval(() => this.send(text, target), T1_MS)
    this.#waits.set(branch, (response) => {
      isAlive.is = true
      if (request.method === 'INVITE') clearInterval(again)
      if (response.status >= 200) final.resolve(response)
    })
    this.send(text, target)
    const answer = await final.promise
    clearInterval(again)
    for (const timer of [wait, end]) clearTimeout(timer)
    this.#waits.delete(branch)
    return answer
  }

  #branch(): string {
    return `z9hG4bK-${this.#host}-${++this.#serial}`
  }

  #textOf({ headers, ...request }: Request, branch: string): string {
    return buildRequest({ ...request, headers: [['Via', `SIP/2.0/UDP ${this.own};branch=${branch}`], ...headers] })
  }

  /** RFC 3261 8.1.2, RFC 3263 4: where its first Route, or else its Request-URI, is. */
  async #targetsOf({ headers, requestUri }: Request): Promise<readonly Target[]> {
    const first = headers.find(([name]) => name === 'Route')?.[1]
    const uri = parseUri(first === undefined ? requestUri : first.slice(1, first.indexOf('>')))
    if (uri === null || uri.kind !== 'sip') throw new Error(`no URI to go to: ${first ?? requestUri}`)
    const { answer } = await this.#resolver.find({ host: uri.host, port: uri.port, transport: 'udp' })
    if (answer.kind !== 'found') throw new Error(`${uri.host}: ${answer.kind}`)
    const at: SetAddress = { host: this.#host, port: 5060 }
    const flows = flowsTo(answer.candidates, at, false, (below) => Math.floor(Math.random() * below))
    return [...flows].sort((a, b) => Number(this.#silent.has(a.host)) - Number(this.#silent.has(b.host)))
  }

  #take(message: SipMessage, from: Target): void {
    if (message.kind === 'request') return this.#heard(message, from)
    const wait = this.#waits.get(topVia(message)?.branch ?? '')
    if (wait !== undefined) wait(message)
    else if (message.status === 200 && cseq(message).method === 'INVITE') this.#repeated(message)
  }
}

/** One call as its caller knows it. */
class Call {
  readonly id: string
  readonly #phone: Phone
  readonly #name: string
  #cseq = 1
  #answer: SipResponse | null = null

  constructor(id: string, phone: Phone, name: string) {
    this.id = id
    this.#phone = phone
    this.#name = name
  }

  async place(): Promise<void> {
    const requestUri = `sip:callee@${this.#name}`
    const answer = await this.#phone.ask({
      method: 'INVITE',
      requestUri,
      headers: this.#headers('INVITE', '<sip:b@x>'),
    })
    if (answer.status !== 200) throw new Error(`INVITE got ${answer.status}`)
    this.#answer = answer
    await this.acknowledge()
  }

  /** 13.2.2.4: for each 200 of its INVITE. */
  async acknowledge(): Promise<void> {
    if (this.#answer !== null) await this.#phone.tell(this.#inDialog('ACK'))
  }

  async again(method: 'INVITE' | 'BYE'): Promise<void> {
    this.#cseq++
    const answer = await this.#phone.ask(this.#inDialog(method))
    if (answer.status !== 200) throw new Error(`${method} in a call got ${answer.status}`)
    if (method === 'INVITE') await this.acknowledge()
  }

  #inDialog(method: string): Request {
    const answer = must(this.#answer, 'an answered call')
    const recorded = values(answer, 'Record-Route').toReversed()
    return {
      method,
      requestUri: contactOf(answer),
      headers: [
        ...recorded.map((value) => ['Route', value] as const),
        ...this.#headers(method, header(answer, 'To') ?? ''),
      ],
    }
  }

  #headers(method: string, to: string): HeaderList {
    return [
      ['Max-Forwards', '70'],
      ['From', `<sip:caller@${this.#phone.own}>;tag=${this.id}`],
      ['To', to],
      ['Call-ID', this.id],
      ['CSeq', `${this.#cseq} ${method}`],
      ['Contact', `<sip:caller@${this.#phone.own}>`],
    ]
  }
}

/** Answers, and hangs up when it is told to. */
class Callee {
  readonly phone: Phone
  readonly #invites = new Map<string, SipRequest>()
  readonly #acked = new Set<string>()
  /** Record-Route values that name an address. */
  readonly numbers = new Set<string>()
  readonly ended = new Set<string>()

  constructor(host: string, resolver: NameResolver) {
    this.phone = new Phone(host, resolver, (request, from) => this.#heard(request, from))
  }

  async hangUp(id: string): Promise<void> {
    const invite = must(this.#invites.get(id), 'a call that came')
    const answer = await this.phone.ask({
      method: 'BYE',
      requestUri: contactOf(invite),
      headers: [
        ...values(invite, 'Record-Route').map((value) => ['Route', value] as const),
        ['Max-Forwards', '70'],
        ['From', `${header(invite, 'To') ?? ''};tag=callee`],
        ['To', header(invite, 'From') ?? ''],
        ['Call-ID', id],
        ['CSeq', '1 BYE'],
      ],
    })
    if (answer.status !== 200) throw new Error(`the callee's BYE got ${answer.status}`)
  }

  #heard(request: SipRequest, from: Target): void {
    const id = callId(request)
    // 18.2.2: `received`, which is where it came from, at the port of sent-by, or 5060.
    const back = { host: from.host, port: topVia(request)?.port ?? 5060 }
    const name = `${id} ${cseq(request).number}`
    if (request.method === 'ACK') return void this.#acked.add(name)
    if (request.method !== 'INVITE') {
      if (request.method === 'BYE') this.ended.add(id)
      return this.phone.send(buildResponse(request, 200, undefined, { headers: [] }), back)
    }
    if (cseq(request).number === 1) this.#invites.set(id, request)
    const recorded = values(request, 'Record-Route').map((value) => ['Record-Route', value] as const)
    for (const [, value] of recorded) if (/sip:\d/.test(value)) this.numbers.add(value)
    const text = buildResponse(request, 200, undefined, {
      ...((header(request, 'To') ?? '').includes('tag=') ? {} : { toTag: 'callee' }),
      headers: [...recorded, ['Contact', `<sip:callee@${this.phone.own}>`]],
    })
    this.phone.send(text, back)
    // 13.3.1.4
    const again = setInterval(() => (this.#acked.has(name) ? clearInterval(again) : this.phone.send(text, back)), T1_MS)
    setTimeout(() => clearInterval(again), PATIENCE_MS)
  }
}

function contactOf(message: SipMessage): string {
  const list = contacts(message)
  return list === '*' ? '' : (list[0]?.uri ?? '')
}

/** All of them at that pace; what became of each that failed. */
async function each<T>(
  ones: readonly T[],
  perSecond: number,
  work: (one: T) => Promise<void>,
): Promise<readonly string[]> {
  const troubles: string[] = []
  const all = ones.map(async (one, i) => {
    await new Promise((resolve) => setTimeout(resolve, (i * 1_000) / perSecond))
    await work(one).catch((error: unknown) => troubles.push((error as Error).message))
  })
  await Promise.all(all)
  return troubles
}

const { values: given } = parseArgs({
  options: {
    name: { type: 'string', default: '' },
    zone: { type: 'string', default: '' },
    caller: { type: 'string', default: '' },
    callee: { type: 'string', default: '' },
    calls: { type: 'string', default: '' },
  },
})

const dns = new DnsServer()
dns.records = readZone(readFileSync(given.zone, 'utf8'))
const resolver = new NameResolver([{ host: '127.0.0.1', port: await dns.open('127.0.0.1') }])
const callee = new Callee(given.callee, resolver)
const caller = new Phone(
  given.caller,
  resolver,
  (request, from) => {
    hungUp.add(callId(request))
    caller.send(buildResponse(request, 200, undefined, { headers: [] }), {
      host: from.host,
      port: topVia(request)?.port ?? 5060,
    })
  },
  (answer) => void byId.get(callId(answer))?.acknowledge(),
)
const hungUp = new Set<string>()
const byId = new Map<string, Call>()
await Promise.all([callee.phone.open(), caller.open()])

const made = (prefix: string, count: number): readonly Call[] =>
  Array.from({ length: count }, (_, i) => {
    const call = new Call(`${prefix}-${i}`, caller, given.name)
    byId.set(call.id, call)
    return call
  })
const calls = made('first', Number(given.calls))
const told = once(process, 'SIGUSR2')
const placing = await each(calls, PER_SECOND, (call) => call.place())
process.stdout.write(`${JSON.stringify({ up: calls.length - placing.length, troubles: placing })}\n`)
await told

const [callers, callees] = [calls.filter((_, i) => i % 2 === 0), calls.filter((_, i) => i % 2 === 1)]
const troubles = await Promise.all([
  each(callers, PER_SECOND / 2, async (call) => {
    await call.again('INVITE')
    await call.again('BYE')
  }),
  each(callees, PER_SECOND / 2, ({ id }) => callee.hangUp(id)),
  each(made('later', calls.length), PER_SECOND, async (call) => {
    await call.place()
    await call.again('BYE')
  }),
])
const ended = calls.filter(({ id }) => hungUp.has(id) || callee.ended.has(id)).length
const changedOver = caller.changedOver + callee.phone.changedOver
process.stdout.write(
  `${JSON.stringify({ ended, changedOver, numbers: [...callee.numbers], troubles: troubles.flat() })}\n`,
)
process.exit(0)
