// RFC 3261 section 16 from outside: what a relayed message may differ in from what the far phone sent. Via, Max-Forwards,
// Route and Record-Route as the section says; all else byte for byte, headers in their order.

import type { Effect } from '../../src/replica/effect.ts'
import type { Machine } from '../machine.ts'
import type { SocketAddress } from '../sip-network.ts'
import { nameOf } from '../sip-network.ts'
import {
  branchOf,
  cseqOf,
  isOwn,
  listOf,
  parameterOf,
  readMessage,
  sentByOf,
  tagOf,
  topVia,
  uriIn,
  valueOf,
} from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import { redirectUris } from '../forks.ts'
import type { Checker, Report } from './checker.ts'
import type { Ledger } from './ledger.ts'

/** 64*T1: what is older may have been forgotten. */
const forgotten = 32_000_000

export class SipRelay implements Checker {
  readonly #ledger: Ledger
  readonly #set: string
  readonly #report: Report
  readonly #now: () => number
  readonly #mayAsk: boolean
  readonly #proxies: number
  /** Branches of ACKs that a replica without a quorum relayed, for it knows no better (src/call/detached.ts). */
  readonly #detached = new Set<string>()
  /** INVITEs that phones received, by branch, and when first: what hop-by-hop CANCELs and ACKs are compared with. */
  readonly #invites = new Map<string, { readonly invite: RequestMessage; readonly at: number }>()

  /** `mayAsk`: the set says something by itself in a call. `proxies`: how many of its applications a call passes. */
  constructor(ledger: Ledger, set: SocketAddress, report: Report, now: () => number, mayAsk = false, proxies = 1) {
    this.#mayAsk = mayAsk
    this.#proxies = proxies
    this.#now = now
    this.#ledger = ledger
    this.#set = nameOf(set)
    this.#report = report
  }

  leaving(_machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send' || effect.origin !== null || !effect.data.startsWith('ACK ')) return
    const ack = readMessage(effect.data)
    if (typeof ack !== 'string') this.#detached.add(branchOf(ack))
  }

  received(phone: Phone, message: Message): void {
    const problem = message.kind === 'request' ? this.#request(phone, message) : this.#response(phone, message)
    if (problem !== null) this.#report('sip', `${phone} received a wrong ${nameMessage(message)}: ${problem}`, phone)
  }

  #request(phone: Phone, received: RequestMessage): string | null {
    if (sentByOf(topVia(received)) !== this.#set) return `its top Via is not the set's: ${topVia(received)}`
    if (!branchOf(received).startsWith('z9hG4bK')) return `its branch lacks the cookie: ${branchOf(received)}`
    const key = `${phone.options.call} ${branchOf(received)}`
    const known = this.#invites.get(key)
    const at = known?.at ?? this.#now()
    if (received.method === 'INVITE') this.#invites.set(key, { invite: received, at })
    // 16.11: an ACK for a failure that nobody remembers is relayed, with the branch that its INVITE had.
    const isUnknown = this.#now() - at > forgotten || this.#detached.has(branchOf(received))
    const isForgotten = received.method === 'ACK' && listOf(received, 'via').length > 1 && isUnknown
    if (received.method === 'CANCEL' || (received.method === 'ACK' && known !== undefined && !isForgotten)) {
      return known === undefined ? 'no INVITE had its branch' : checkHop(received, known.invite)
    }
    // What the set says by itself is own-requests.ts's.
    if (this.#mayAsk && isOwn(received)) return null
    const sent = this.#ledger.request(phone, received)
    if (sent === undefined) return 'the far phone never sent it'
    if (received.uri !== sent.uri && !isRedirected(phone, received)) return `its Request-URI was ${sent.uri}`
    return this.#relayed(received, sent)
  }

  #relayed(received: RequestMessage, sent: RequestMessage): string | null {
    const own = listOf(received, 'via').slice(0, this.#proxies)
    if (own.some((via) => sentByOf(via) !== this.#set)) return `its Vias are not the set's: ${own.join(', ')}`
    const vias = checkVias(listOf(received, 'via').slice(this.#proxies), listOf(sent, 'via'))
    if (vias !== null) return vias
    // 16.6 step 3.
    const forwards = Number(valueOf(received, 'max-forwards'))
    if (forwards !== Number(valueOf(sent, 'max-forwards')) - this.#proxies) return `Max-Forwards is ${forwards}`
    // 16.4: our own Routes are gone, others stay.
    const others = listOf(sent, 'route').findIndex((route) => !this.#isOurs(route))
    const routes = others < 0 ? [] : listOf(sent, 'route').slice(others)
    if (listOf(received, 'route').join() !== routes.join()) return `Route is ${listOf(received, 'route').join()}`
    const recorded = this.#checkRecordRoute(received, sent)
    return recorded ?? checkRest(received, sent, touchedInRequests)
  }

  /** 16.6 step 4: ours on top with `lr` where a dialog begins, once for each side if they speak different transports; elsewhere
   * nothing but what was there, or ours on top. */
  #checkRecordRoute(received: RequestMessage, sent: RequestMessage): string | null {
    const got = listOf(received, 'record-route')
    const had = listOf(sent, 'record-route')
    const begins = received.method === 'INVITE' && tagOf(received, 'to') === null
    const added = got.slice(0, got.length - had.length)
    if (got.slice(added.length).join() !== had.join()) return `Record-Route lost: ${got.join()}`
    // 18.1.1: what went by TCP for its size alone is recorded as what it is otherwise.
    const speaks = (via: string): string | null => {
      const protocol = /^SIP\/2\.0\/([A-Z]+) /.exec(via)?.[1] ?? 'UDP'
      // RFC 7118 5.2: a URI has one word for both kinds of WebSocket.
      return protocol === 'UDP' || /;hfu(?:;|$)/.test(via) ? null : protocol.toLowerCase().replace('wss', 'ws')
    }
    const [outer, inner] = [speaks(topVia(received)), speaks(topVia(sent))]
    const pair = (a: string | null, b: string | null): readonly (string | null)[] => (a === b ? [a] : [a, b])
    // Between two applications it is as if a datagram went.
    const wanted = this.#proxies === 1 ? pair(outer, inner) : [...pair(outer, null), ...pair(null, inner)]
    if (!begins && added.length === 0) return null
    if (added.length !== wanted.length) return `${added.length} Record-Routes were added`
    for (const [i, own] of added.entries()) {
      if (!this.#isOurs(own)) return `Record-Route does not lead to the set: ${own}`
      if (parameterOf(uriIn(own), 'lr') === null) return `Record-Route without lr: ${own}`
      if (parameterOf(uriIn(own), 'transport') !== wanted[i]) return `Record-Route for another transport: ${own}`
    }
    return null
  }

  #isOurs(route: string): boolean {
    const uri = uriIn(route)
    return /^sips?:/.test(uri) && uri.includes(this.#set)
  }

  #response(phone: Phone, received: ResponseMessage): string | null {
    const request = this.#ledger.own(phone, received)
    if (request === undefined) return 'it answers nothing'
    const vias = checkVias(listOf(received, 'via'), listOf(request, 'via'))
    if (vias !== null) return vias
    if (valueOf(received, 'from') !== valueOf(request, 'from')) return 'its From is another'
    const sent = this.#ledger.response(phone, received)
    // 100 and the answer to CANCEL are the set's own; other answers of the set are C1's and C2's.
    if (received.status === 100 || cseqOf(received).method === 'CANCEL' || sent === undefined) return null
    return checkRest(received, sent, touchedInResponses)
  }
}

/** An INVITE that a 3xx led to this phone, as it was named there (16.7 step 4). */
function isRedirected({ options }: Phone, { method, uri }: RequestMessage): boolean {
  const { flow, ordinal } = options
  return method === 'INVITE' && flow.fork !== null && redirectUris(flow.fork.forks, ordinal).includes(uri)
}

const touchedInRequests: ReadonlySet<string> = new Set(['via', 'max-forwards', 'max-breadth', 'route', 'record-route'])
const touchedInResponses: ReadonlySet<string> = new Set(['via'])

/** 9.1 and 17.1.1.3: made by the hop, from the INVITE it sent. */
function checkHop(received: RequestMessage, invite: RequestMessage): string | null {
  if (received.uri !== invite.uri) return `its Request-URI is not the INVITE's`
  if (listOf(received, 'via').length !== 1) return 'it has more than one Via'
  if (topVia(received) !== topVia(invite)) return `its Via is not the INVITE's`
  if (cseqOf(received).number !== cseqOf(invite).number) return `its CSeq is not the INVITE's`
  for (const name of ['from', 'call-id', ...(received.method === 'CANCEL' ? ['to'] : [])]) {
    if (valueOf(received, name) !== valueOf(invite, name)) return `its ${name} is not the INVITE's`
  }
  if (listOf(received, 'route').join() !== listOf(invite, 'route').join()) return `its Route is not the INVITE's`
  return null
}

/** The far Vias as they were sent; a proxy may add `received` and fill `rport` in the first one (18.2.1, RFC 3581). */
function checkVias(got: readonly string[], sent: readonly string[]): string | null {
  if (got.length !== sent.length) return `${got.length} Vias of the sender's ${sent.length}`
  for (const [i, via] of sent.entries()) {
    const other = got[i] ?? ''
    if (other === via) continue
    const added = i === 0 && plainVia(other) === plainVia(via)
    if (!added) return `a Via changed: ${via} to ${other}`
  }
  return null
}

function plainVia(via: string): string {
  return via
    .split(';')
    .map((part) => part.trim())
    .filter((part) => !/^(received|rport)(=|$)/.test(part))
    .join(';')
}

function checkRest(received: Message, sent: Message, touched: ReadonlySet<string>): string | null {
  const rest = (message: Message): readonly string[] =>
    message.lines.filter(({ name }) => !touched.has(name)).map(({ raw }) => raw)
  const got = rest(received)
  const had = rest(sent)
  for (let i = 0; i < Math.max(got.length, had.length); i++) {
    if (got[i] !== had[i]) return `a header changed: ${JSON.stringify(had[i])} to ${JSON.stringify(got[i])}`
  }
  return received.body === sent.body ? null : 'its body changed'
}

export function nameMessage(message: Message): string {
  const { number, method } = cseqOf(message)
  return message.kind === 'request'
    ? `${message.method} (CSeq ${number})`
    : `${message.status} to ${method} (CSeq ${number})`
}
