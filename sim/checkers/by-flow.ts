// C2 for registered phones (docs/decisions/0029): a REGISTER reaches the registrar as it was, but for what RFC 3261 16.6 and RFC 3327 5.2
// do to it, and gets its answer; what comes by its Path reaches that phone and no other;
// when that flow is gone, and nothing else leads there, the caller hears 430 (RFC 5626 5.3), and never while it lives; a flow that nobody
// registered leads nowhere.

import { entityValue } from '../../src/call/entities.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Store } from '../../src/store/store.ts'
import type { Serving } from '../../src/store/view.ts'
import type { Agenda } from '../agenda.ts'
import type { Machine } from '../machine.ts'
import type { PlannedEdge } from '../edge-plan.ts'
import type { Marks } from '../marks/coverage.ts'
import type { Line, LineWatch } from '../phones/line.ts'
import { callIdOf, cseqOf, listOf, parameterOf, tagOf, uriIn, valueOf } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import { timeout } from '../phones/timers.ts'
import { nameOf } from '../sip-network.ts'
import type { SocketAddress } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'
import { earlyPart } from './own-requests.ts'

/** By what a call reaches its phone. */
interface Used {
  readonly line: Line
  /** Whose Path it was. */
  readonly cseq: number
  readonly isForged: boolean
}

/** The end of a connection is heard within 3 ms at either end of it. */
const heardWithin = 10_000

/** How long an owner waits for the word of a flow's holder, and the way there. */
const lentFor = 2_500_000

const touched: ReadonlySet<string> = new Set(['via', 'max-forwards', 'path'])

export class ByFlow implements Checker, LineWatch {
  readonly #agenda: Agenda
  readonly #report: Report
  readonly #marks: Marks
  readonly #edge: PlannedEdge | undefined
  readonly #set: string
  readonly #used = new Map<string, Used>()
  /** What the lines said, by Call-ID and CSeq. */
  readonly #registers = new Map<string, RequestMessage>()
  /** Those whose flow was there when they began. */
  readonly #livedAtFirst = new Set<Used>()
  /** When their INVITEs left. */
  readonly #begun = new Map<Used, number>()
  /** The lives that hold the connections of REGISTERs, as the Path says, by Call-ID and CSeq. */
  readonly #holders = new Map<string, string>()
  /** Which lives died when. */
  readonly #deaths = new Map<string, number>()
  /** Call-IDs of calls that got another owner. */
  readonly #taken = new Set<string>()
  onRegistered: (line: Line) => void = () => undefined

  constructor(agenda: Agenda, edge: PlannedEdge | undefined, set: SocketAddress, report: Report, marks: Marks) {
    this.#agenda = agenda
    this.#edge = edge
    this.#set = nameOf(set)
    this.#report = report
    this.#marks = marks
  }

  registers(_line: Line, register: RequestMessage): void {
    this.#registers.set(keyOf(register), register)
  }

  /** As the set's next hop gets it. */
  atRegistrar(got: RequestMessage): void {
    const said = this.#registers.get(keyOf(got))
    if (said === undefined) return this.#report('sip', `nobody said the REGISTER ${keyOf(got)}`)
    const rest = (message: Message): string =>
      message.lines.flatMap(({ name, raw }) => (touched.has(name) ? [] : [raw])).join('\n')
    if (rest(got) !== rest(said)) this.#report('sip', `the REGISTER ${keyOf(got)} is changed: ${rest(got)}`)
    const path = listOf(got, 'path').map(uriIn)
    const holder = holderIn(parameterOf(path.at(-1) ?? '', 'hff') ?? '')
    if (holder !== null) this.#holders.set(keyOf(got), holder)
    const isOurs = path.length === 1 && path.every((uri) => uri.includes(`:${this.#set}`) && uri.includes(';lr'))
    const isOutbound = path.every((uri) => parameterOf(uri, 'ob') !== null)
    if (!isOurs || isOutbound !== this.#edge?.outbound)
      this.#report('sip', `the Path of REGISTER ${keyOf(got)} is ${path.join() || 'missing'}`)
  }

  registered(line: Line, register: RequestMessage, answer: ResponseMessage): void {
    const { anyCall, options } = line
    if (answer.status !== 200) return this.#report('C2', `${line}: its REGISTER got ${answer.status}`, anyCall)
    const { number } = cseqOf(register)
    // RFC 5626 5.4.
    const timer = options.edge.outbound ? (options.edge.transport === 'tcp' ? '120' : '25') : null
    if (valueOf(answer, 'flow-timer') !== timer)
      this.#report('sip', `${line}: Flow-Timer is ${valueOf(answer, 'flow-timer')}, not ${timer}`)
    this.#marks.reached('registered')
    this.#marks.reached('registered-again', number > 1)
    this.onRegistered(line)
  }

  unanswered(line: Line, register: RequestMessage | null): void {
    const what = register === null ? 'keep-alive' : `REGISTER (CSeq ${cseqOf(register).number})`
    this.#report('C2', `${line}: its ${what} got no answer`, line.anyCall)
  }

  reached(line: Line, text: string, phone: Phone | null): void {
    if (phone === null) this.#report('C2', `${line} got what is none of its calls': ${text.slice(0, 60)}`)
  }

  /** Somebody is about to call by the newest Path that the registrar has. */
  called(callId: string, used: Used): void {
    this.#used.set(callId, used)
    this.#begun.set(used, this.#agenda.now)
    if (used.line.endOf(used.cseq)?.isOpen === true) this.#livedAtFirst.add(used)
  }

  received(phone: Phone, message: Message): void {
    const used = this.#used.get(phone.options.callId)
    if (message.kind !== 'request' || message.method !== 'INVITE' || tagOf(message, 'to') !== null) return
    this.#marks.reached('called-by-path', used !== undefined)
    if (used?.isForged === true) this.#report('C2', `${phone} is reached by a flow that nobody registered`, phone)
  }

  /** Whether the set may give that final answer by itself to the INVITE of a call. */
  explains(phone: Phone, status: number): boolean {
    const used = this.#used.get(phone.options.callId)
    if (used === undefined) return false
    if (used.isForged) return status === 403
    const end = used.line.endOf(used.cseq)
    // A phone that may have got its INVITE is waited for: one whose flow ended after that, or which has a new owner, or whose flow's holder
    // died and could not say that it was gone.
    const mayHaveIt = this.#livedAtFirst.has(used) || this.#taken.has(phone.options.callId) || this.#holderDied(used)
    const isWaitedFor = status === 408 && mayHaveIt && this.#hasWaited(used)
    if ((status !== 430 && !isWaitedFor) || end === undefined || !this.#isOnly) return false
    this.#marks.reached('flow-gone')
    this.#agenda.after(heardWithin, () => {
      if (end.isOpen) this.#report('C2', `${phone} got ${status}, and the flow of REGISTER ${used.cseq} lives`, phone)
    })
    return true
  }

  /** For 64*T1 of the owner's clock, from when it had the INVITE. */
  #hasWaited(used: Used): boolean {
    return this.#agenda.now - (this.#begun.get(used) ?? 0) >= timeout * earlyPart
  }

  died({ life }: Machine): void {
    this.#deaths.set(life, this.#agenda.now)
  }

  /** While the INVITE was on its way to that flow, or to the word that it is gone. */
  #holderDied(used: Used): boolean {
    const at = this.#deaths.get(this.#holders.get(`${used.line.callId} ${used.cseq}`) ?? '')
    const from = this.#begun.get(used) ?? 0
    return at !== undefined && at >= from && at - from <= lentFor
  }

  /** A serving entry was committed. */
  reign(store: Store, before: Serving, after: Serving): void {
    if (this.#edge === undefined) return
    for (const group of store.groups()) {
      if (ownerUnder(before, group) === ownerUnder(after, group)) continue
      for (const entity of store.group(group)?.entities ?? []) {
        const value = entityValue(entity)
        if (value?.kind === 'session') this.#taken.add(value.callId)
      }
    }
  }

  /** Nothing but the flow leads to a phone. */
  get #isOnly(): boolean {
    return this.#edge?.outbound === true
  }
}

/** The life that made the connection's name in a flow token (src/proxy/flow-token.ts); null on datagrams. */
function holderIn(token: string): string | null {
  const [, , , , life = ''] = token.split('~')
  return life === '' ? null : life
}

function keyOf(register: RequestMessage): string {
  return `${callIdOf(register)} ${cseqOf(register).number}`
}
