// What requests and responses have in common (JSR 289 5.1): the headers and the body of one that came, or of one that the
// application makes.

import type { MessageParts } from '../app/contract.ts'
import { DIALOG_HEADERS } from '../app/dialog-headers.ts'
import { latin1Bytes, latin1Text } from '../base/bytes.ts'
import { longName } from '../sip/header-name.ts'
import { body, headerLines } from '../sip/message.ts'
import type { SipMessage } from '../sip/message.ts'
import { isToken } from '../sip/scan.ts'
import { readAddress } from './address.ts'
import type { Address } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import type { Session } from './session.ts'
import { fromWire, toWire } from './utf8.ts'

const SYSTEM: ReadonlySet<string> = new Set([...DIALOG_HEADERS, 'rseq', 'rack'])

type Line = readonly [name: string, value: string]

export abstract class Message {
  readonly session: Session
  protected readonly turn: HandlerTurn
  abstract readonly method: string
  abstract readonly callId: string
  abstract readonly from: Address
  abstract readonly to: Address
  /** Null: the application makes it. */
  readonly #message: SipMessage | null
  /** Of the wire's text; of one that came in, read when they are asked for. */
  #lines: readonly Line[] | null
  #body: string
  /** Of one that came in: what the application has set, by long name. */
  readonly #changed = new Set<string>()
  protected isSent = false

  constructor(turn: HandlerTurn, session: Session, message: SipMessage | null) {
    this.turn = turn
    this.session = session
    this.#message = message
    this.#lines = message === null ? [] : null
    this.#body = message === null ? '' : body(message)
  }

  get applicationSession(): Session['applicationSession'] {
    return this.session.applicationSession
  }

  abstract get isCommitted(): boolean

  getHeader(name: string): string | null {
    return this.getHeaders(name)[0] ?? null
  }

  getHeaders(name: string): readonly string[] {
    const long = longName(name)
    const own = this.ownHeader(long)
    if (own !== null) return [fromWire(own)]
    return this.lines.filter(([line]) => longName(line) === long).map(([, value]) => fromWire(value))
  }

  getAddressHeader(name: string): Address | null {
    const value = this.getHeader(name)
    return value === null ? null : readAddress(toWire(value))
  }

  get headerNames(): readonly string[] {
    return [...new Map(this.lines.map(([name]) => [longName(name), name])).values()]
  }

  setHeader(name: string, value: string): void {
    this.#checkHeader(name, value)
    const long = longName(name)
    this.#lines = [...this.lines.filter(([line]) => longName(line) !== long), [name, toWire(value)]]
  }

  addHeader(name: string, value: string): void {
    this.#checkHeader(name, value)
    this.#lines = [...this.lines, [name, toWire(value)]]
  }

  removeHeader(name: string): void {
    this.#checkHeader(name, '')
    const long = longName(name)
    this.#lines = this.lines.filter(([line]) => longName(line) !== long)
  }

  get content(): string {
    return fromWire(this.#body)
  }

  get rawContent(): Uint8Array {
    return latin1Bytes(this.#body)
  }

  get contentType(): string | null {
    return this.getHeader('Content-Type')
  }

  setContent(content: string | Uint8Array, contentType: string): void {
    if (this.#message !== null) illegal('the body of a message that came from the network stays as it is')
    this.setHeader('Content-Type', contentType)
    this.#body = typeof content === 'string' ? toWire(content) : latin1Text(content)
  }

  /** Headers and body of another message, without those that a dialog makes. */
  copyFrom(other: Message): void {
    this.#lines = other.lines.filter(([name]) => !SYSTEM.has(longName(name)))
    this.#body = other.#body
  }

  protected get parts(): MessageParts {
    return { headers: this.lines, body: this.#body }
  }

  /** Of one that came in: the headers that the application has set, as they are now; null = removed. */
  protected get changedHeaders(): readonly (readonly [name: string, value: string | null])[] {
    return [...this.#changed].flatMap((long): readonly (readonly [string, string | null])[] => {
      const lines = this.lines.filter(([name]) => longName(name) === long)
      return lines.length === 0 ? [[long, null]] : lines
    })
  }

  /** Whether it came in and may leave otherwise. */
  protected get mayChange(): boolean {
    return false
  }

  /** A header that is not among the lines, of a message that the application makes. */
  protected ownHeader(_long: string): string | null {
    return null
  }

  /** Whether the application says it although it is a dialog's. */
  protected allows(_long: string): boolean {
    return false
  }

  /** Throws unless it can still be sent, and marks it as sent. */
  protected commit(): void {
    this.turn.checkOpen()
    if (this.#message !== null)
      illegal(`this ${this.method} came from the network: it is answered or proxied, not sent`)
    if (this.isSent) illegal('this message was sent already: each is sent once; make a new one')
    this.session.check()
    this.isSent = true
  }

  private get lines(): readonly Line[] {
    this.#lines ??= this.#message === null ? [] : headerLines(this.#message)
    return this.#lines
  }

  #checkHeader(name: string, value: string): void {
    this.turn.checkOpen()
    if (this.#message !== null && !this.mayChange) {
      illegal(
        'a message that came from the network stays as it is, but for an initial request before it is proxied; a B2BUA sends a message of its own (getB2buaHelper().createRequest), whose headers can be set',
      )
    }
    if (this.isSent) illegal('this message was sent already: its headers are set before send()')
    if (!isToken(name)) throw new TypeError(`"${name}" is no name of a header`)
    if (typeof value !== 'string' || value.includes('\r') || value.includes('\n')) {
      throw new TypeError(`the value of ${name} is a text of one line`)
    }
    const long = longName(name)
    if (SYSTEM.has(long) && !this.allows(long)) {
      throw new TypeError(`${name} is a header that the set makes itself: leave it out`)
    }
    if (this.#message !== null) this.#changed.add(long)
  }
}
