// Checks captured SIP against what RFC 3261 section 16 lets a proxy change, and against nothing else. It shares no code
// with the product: lines and commas, no codec. SIPp forgives much (its caller takes a 200 without a Via), this does not.

export interface WireMessage {
  readonly from: string
  readonly to: string
  /** latin1. */
  readonly text: string
}

export interface WireReport {
  /** What was wrong, one line each, the first hundred. */
  readonly faults: readonly string[]
  /** Provisional responses that came in and were not relayed. On UDP nobody repeats them (13.3.1.1): one that lies in the
   * socket of a process as it is killed is gone, and no proxy could bring it back. */
  readonly lostProvisionals: readonly string[]
  /** How many messages were relayed, by kind: `INVITE`, `200 INVITE`. Retransmissions do not count. */
  readonly relayed: Readonly<Record<string, number>>
  /** Messages of the set's own: `100 INVITE`, `200 CANCEL`, `ACK` of a non-2xx. */
  readonly own: Readonly<Record<string, number>>
  /** Identical bytes sent again. */
  readonly repeated: number
}

interface Parsed {
  readonly text: string
  readonly startLine: string
  readonly method: string
  /** Of a response; 0 = a request. */
  readonly status: number
  readonly vias: readonly string[]
  readonly routes: readonly string[]
  readonly recordRoutes: readonly string[]
  readonly maxForwards: number | null
  readonly callId: string
  readonly cseq: string
  readonly toTag: string | null
  readonly fromTag: string | null
  readonly contact: string | null
  /** Lines of all headers that a proxy passes on as they are. */
  readonly others: readonly string[]
  readonly body: string
}

const compact: Readonly<Record<string, string>> = { v: 'via', i: 'call-id', f: 'from', t: 'to', m: 'contact' }

/** Messages captured in order of time. `set` is the set's SIP address (`host:port`), `phones` are the hosts of callers and
 * callees: what does not come from a phone comes from the set, whose streams may have addresses of their own. */
export function checkWire(messages: readonly WireMessage[], set: string, phones: readonly string[]): WireReport {
  const check = new WireCheck(set, phones)
  for (const message of messages) check.take(message)
  return check.report()
}

class WireCheck {
  readonly #set: string
  readonly #phones: readonly string[]
  readonly #faults: string[] = []
  readonly #relayed = new Map<string, number>()
  readonly #own = new Map<string, number>()
  readonly #seen = new Set<string>()
  #repeated = 0
  /** What came in and was not yet relayed, by what it is about. */
  readonly #waiting = new Map<string, Parsed[]>()
  /** Requests sent on, by their topmost Via, with what came in for them. */
  readonly #forwarded = new Map<string, { readonly arrived: Parsed; readonly sent: Parsed }>()
  /** Requests that came in, by their topmost Via: what the set may answer itself. */
  readonly #arrived = new Map<string, Parsed>()
  /** Contacts that dialogs were made with, by Call-ID and the tag of whose Contact it is. */
  readonly #contacts = new Map<string, string>()

  constructor(set: string, phones: readonly string[]) {
    this.#set = set
    this.#phones = phones
  }

  take(message: WireMessage): void {
    const parsed = parse(message.text)
    if (typeof parsed === 'string') return this.#fault(message.text, parsed)
    const identity = `${message.from} ${message.to} ${message.text}`
    if (this.#seen.has(identity)) {
      this.#repeated++
      return
    }
    this.#seen.add(identity)
    const [fromPhone, toPhone] = [this.#isPhone(message.from), this.#isPhone(message.to)]
    if (fromPhone && toPhone) this.#fault(message.text, 'passes by the set')
    else if (fromPhone) this.#arrive(parsed)
    else this.#leave(parsed)
  }

  report(): WireReport {
    const left = [...this.#waiting.values()].flat()
    for (const { text, status } of left) if (!isProvisional(status)) this.#fault(text, 'came in and was not relayed')
    return {
      faults: this.#faults.slice(0, 100),
      lostProvisionals: left.filter(({ status }) => isProvisional(status)).map(({ text }) => text),
      relayed: Object.fromEntries([...this.#relayed].sort()),
      own: Object.fromEntries([...this.#own].sort()),
      repeated: this.#repeated,
    }
  }

  #arrive(message: Parsed): void {
    if (message.contact !== null) this.#contacts.set(`${message.callId} ${contactTag(message)}`, message.contact)
    if (message.status === 0 && message.method !== 'ACK')
      this.#arrived.set(`${message.method} ${key(message.vias[0])}`, message)
    // A CANCEL and the responses to ours are hop by hop (9.2, 16.10), a 100 too (16.7 step 3).
    if (message.method === 'CANCEL' || message.status === 100) return
    // So is the ACK of a non-2xx (17.1.1.3): it has the Via of the INVITE that was answered.
    if (message.startLine.startsWith('ACK ') && this.#endedHere(message)) return
    const list = this.#waiting.get(subject(message)) ?? []
    list.push(message)
    this.#waiting.set(subject(message), list)
  }

  // Whether the INVITE of this ACK came in with the same topmost Via.
  #endedHere(ack: Parsed): boolean {
    for (const { arrived } of this.#forwarded.values()) {
      if (
        arrived.callId === ack.callId &&
        arrived.method === 'INVITE' &&
        branch(arrived.vias[0]) === branch(ack.vias[0])
      ) {
        return true
      }
    }
    return false
  }

  #leave(message: Parsed): void {
    if (message.status > 0) this.#responseLeaves(message)
    else if (message.method === 'CANCEL') this.#hopByHop(message)
    else if (message.method === 'ACK' && this.#forwarded.get(key(message.vias[0]))?.sent.method === 'INVITE') {
      this.#hopByHop(message)
    } else this.#requestLeaves(message)
  }

  // A CANCEL, or the ACK of a non-2xx: one Via, that of the INVITE, and its Request-URI (9.1, 17.1.1.3).
  #hopByHop(message: Parsed): void {
    count(this.#own, message.method)
    const invite = this.#forwarded.get(key(message.vias[0]))?.sent
    if (invite === undefined) return this.#fault(message.text, 'no INVITE was sent with this Via')
    if (message.vias.length !== 1 || message.vias[0] !== invite.vias[0])
      this.#fault(message.text, "its Via is not the INVITE's")
    if (uri(message) !== uri(invite)) this.#fault(message.text, "its Request-URI is not the INVITE's")
    if (message.routes.join() !== invite.routes.join()) this.#fault(message.text, "its Route is not the INVITE's")
    if (message.cseq.split(' ')[0] !== invite.cseq.split(' ')[0])
      this.#fault(message.text, "its CSeq is not the INVITE's")
  }

  #requestLeaves(sent: Parsed): void {
    const arrived = this.#match(sent, (candidate) => candidate.vias.length + 1 === sent.vias.length)
    if (arrived === null) return this.#fault(sent.text, 'left, but no such request came in that it relays')
    count(this.#relayed, sent.method)
    for (const fault of this.#requestFaults(arrived, sent)) this.#fault(sent.text, fault)
    if (this.#forwarded.has(key(sent.vias[0]))) this.#fault(sent.text, 'its branch was used before (16.6 step 8)')
    this.#forwarded.set(key(sent.vias[0]), { arrived, sent })
  }

  #requestFaults(arrived: Parsed, sent: Parsed): string[] {
    const faults: string[] = []
    const own = sent.vias[0] ?? ''
    const [protocol, sentBy] = own.split(';')[0]?.split(/\s+/) ?? []
    if (!/^SIP\/2\.0\/(?:UDP|TCP)$/.test(protocol ?? '') || sentBy !== this.#set)
      faults.push(`its topmost Via is not the set's: ${own}`)
    if (!branch(own).startsWith('z9hG4bK')) faults.push('its branch has no cookie (16.6 step 8)')
    if (!sameVias(arrived.vias, sent.vias.slice(1)))
      faults.push('the Vias below are not those that came in (16.6 step 8)')
    const grown = sent.recordRoutes.length - arrived.recordRoutes.length
    if (!endsWith(sent.recordRoutes, arrived.recordRoutes)) faults.push('Record-Route lost a value (16.6 step 4)')
    if (grown > 0 && !sent.recordRoutes.slice(0, grown).every((route) => this.#isOwn(route) && route.includes(';lr'))) {
      faults.push('a Record-Route was added that is not ours, or has no lr (16.6 step 4)')
    }
    if (grown < 1 && sent.method === 'INVITE' && sent.toTag === null)
      faults.push('no Record-Route was added (16.6 step 4)')
    if (sent.maxForwards !== (arrived.maxForwards ?? 71) - 1) faults.push('Max-Forwards is not one less (16.6 step 3)')
    const routes = [...arrived.routes]
    while (routes[0] !== undefined && this.#isOwn(routes[0])) routes.shift()
    if (routes.join() !== sent.routes.join()) faults.push('Route is not what was left after ours (16.4)')
    const target = this.#target(arrived)
    if (uri(sent) !== target) faults.push(`its Request-URI is not ${target}`)
    return [...faults, ...unchanged(arrived, sent)]
  }

  // Where a request goes: to its Request-URI, but one in a dialog that names the set itself to the committed target.
  #target(arrived: Parsed): string {
    const there = uri(arrived)
    if (arrived.toTag === null || !this.#isOwn(`<${there}>`)) return there
    return bare(this.#contacts.get(`${arrived.callId} ${arrived.toTag}`) ?? '')
  }

  #responseLeaves(sent: Parsed): void {
    const arrived = this.#match(sent, (candidate) => sameList(candidate.vias.slice(1), sent.vias))
    if (arrived === null) {
      const request = this.#arrived.get(`${sent.method} ${key(sent.vias[0])}`)
      if (sent.status !== 100 && sent.method !== 'CANCEL')
        this.#fault(sent.text, 'left, but no such response came in that it relays')
      else if (request === undefined || !sameVias(request.vias, sent.vias))
        this.#fault(sent.text, 'answers no request that came with these Vias')
      count(this.#own, `${sent.status} ${sent.method}`)
      return
    }
    count(this.#relayed, `${sent.status} ${sent.method}`)
    const request = this.#forwarded.get(key(arrived.vias[0]))
    if (request === undefined) this.#fault(sent.text, 'its topmost Via was never sent (16.7 step 1)')
    else if (!sameList(request.sent.vias.slice(1), sent.vias))
      this.#fault(sent.text, 'the Vias are not those of its request (16.7 step 3)')
    if (sent.recordRoutes.join() !== arrived.recordRoutes.join())
      this.#fault(sent.text, 'Record-Route was changed on the way back')
    if (sent.startLine !== arrived.startLine) this.#fault(sent.text, 'the status line was changed')
    for (const fault of unchanged(arrived, sent)) this.#fault(sent.text, fault)
  }

  // The message that came in and is relayed by `sent`: taken off the waiting ones.
  #match(sent: Parsed, accept: (candidate: Parsed) => boolean): Parsed | null {
    const list = this.#waiting.get(subject(sent)) ?? []
    const at = list.findIndex(accept)
    if (at < 0) return list.length > 0 && sent.status === 0 ? (list.shift() ?? null) : null
    return list.splice(at, 1)[0] ?? null
  }

  #isPhone(address: string): boolean {
    return this.#phones.includes(address.slice(0, address.lastIndexOf(':')))
  }

  #isOwn(route: string): boolean {
    return hostPort(bare(route)) === this.#set
  }

  #fault(text: string, what: string): void {
    this.#faults.push(`${text.slice(0, Math.max(0, text.indexOf('\r\n')))}: ${what}\n${text}`)
  }
}

/** The message in its parts, or why it is none. */
function parse(text: string): Parsed | string {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 'has no end of its headers'
  // A folded header is one, kept as it was written (7.3.1).
  const lines = text.slice(0, end).split(/\r\n(?![ \t])/)
  const startLine = lines[0] ?? ''
  const response = /^SIP\/2\.0 (\d{3}) /.exec(startLine)
  if (response === null && !/^[A-Z]+ \S+ SIP\/2\.0$/.test(startLine)) return 'has no start line'
  const headers = new Map<string, string[]>()
  const others: string[] = []
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon < 1) return `has a line that is no header: ${line}`
    const written = line.slice(0, colon).trimEnd().toLowerCase()
    const name = compact[written] ?? written
    const value = line
      .slice(colon + 1)
      .replace(/\r\n[ \t]+/g, ' ')
      .trim()
    headers.set(name, [...(headers.get(name) ?? []), value])
    if (!['via', 'route', 'record-route', 'max-forwards'].includes(name)) others.push(line)
  }
  const list = (name: string): string[] => (headers.get(name) ?? []).flatMap(splitList)
  const one = (name: string): string => headers.get(name)?.[0] ?? ''
  const length = headers.get('content-length') ?? headers.get('l')
  const body = text.slice(end + 4)
  if (length !== undefined && Number(length[0]) !== body.length)
    return `Content-Length ${length[0]}, but ${body.length} bytes`
  const cseq = one('cseq').replace(/\s+/, ' ')
  if (one('call-id') === '' || !/^\d+ [A-Z]+$/.test(cseq)) return 'has no Call-ID or CSeq'
  return {
    text,
    startLine,
    method: cseq.split(' ')[1] as string,
    status: Number(response?.[1] ?? 0),
    vias: list('via'),
    routes: list('route'),
    recordRoutes: list('record-route'),
    maxForwards: headers.has('max-forwards') ? Number(one('max-forwards')) : null,
    callId: one('call-id'),
    cseq,
    toTag: tag(one('to')),
    fromTag: tag(one('from')),
    contact: headers.has('contact') ? one('contact') : null,
    others,
    body,
  }
}

// Commas part the values of a list, except in quotes and in angle brackets.
function splitList(value: string): string[] {
  const parts: string[] = []
  let [start, quoted, angled] = [0, false, false]
  for (let at = 0; at < value.length; at++) {
    const character = value[at]
    if (character === '\\' && quoted) at++
    else if (character === '"') quoted = !quoted
    else if (character === '<' && !quoted) angled = true
    else if (character === '>' && !quoted) angled = false
    else if (character === ',' && !quoted && !angled) {
      parts.push(value.slice(start, at).trim())
      start = at + 1
    }
  }
  return [...parts, value.slice(start).trim()]
}

function unchanged(arrived: Parsed, sent: Parsed): string[] {
  const faults: string[] = []
  if (sent.body !== arrived.body) faults.push('the body is not byte for byte the same (16.6 step 1)')
  if (!sameList(arrived.others, sent.others)) {
    const at = arrived.others.findIndex((line, place) => line !== sent.others[place])
    faults.push(`other headers changed: "${arrived.others[at] ?? '(end)'}" became "${sent.others[at] ?? '(end)'}"`)
  }
  return faults
}

// 18.2.1 and RFC 3581: the receiver may note the source in the topmost Via, and nothing else anywhere.
function sameVias(arrived: readonly string[], sent: readonly string[]): boolean {
  const noted = (via: string | undefined): string =>
    (via ?? '').replace(/;received=[^;]*/, '').replace(/;rport(?:=\d+)?/, '')
  return noted(arrived[0]) === noted(sent[0]) && sameList(arrived.slice(1), sent.slice(1))
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at])
}

function endsWith(long: readonly string[], end: readonly string[]): boolean {
  return long.length >= end.length && sameList(long.slice(long.length - end.length), end)
}

function subject(message: Parsed): string {
  return `${message.callId} ${message.cseq} ${message.status} ${message.fromTag} ${message.status === 0 ? '' : message.toTag}`
}

// Whose Contact it is: a request's is its sender's (From), a response's the answerer's (To).
function contactTag(message: Parsed): string | null {
  return message.status === 0 ? message.fromTag : message.toTag
}

function tag(value: string): string | null {
  const after = value.slice(value.lastIndexOf('>') + 1)
  return /;\s*tag\s*=\s*([^;\s]+)/.exec(after)?.[1] ?? null
}

function branch(via: string | undefined): string {
  return /;\s*branch\s*=\s*([^;\s]+)/.exec(via ?? '')?.[1] ?? ''
}

// A branch is the set's own: a Via of ours is known by it.
function key(via: string | undefined): string {
  return branch(via)
}

function uri(request: Parsed): string {
  return request.startLine.split(' ')[1] ?? ''
}

/** The URI of a name-addr or of a bare one. */
function bare(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0] ?? ''
}

function hostPort(address: string): string {
  const place =
    address
      .replace(/^sips?:/, '')
      .replace(/^[^@]*@/, '')
      .split(/[;?]/)[0] ?? ''
  return /:\d+$/.test(place) ? place : `${place}:5060`
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function isProvisional(status: number): boolean {
  return status > 100 && status < 200
}
