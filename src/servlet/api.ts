// What handlers see: JSR 289's nouns as TypeScript has them. This page is the contract; docs/APPLICATIONS.md tells how they
// are used, and where they differ from the standard's. The objects live for one turn of one handler: they show the session
// as that turn found it, with all that the turn itself has changed, and after it they refuse every change.

import type { AttributeValue, Region, RoutingDirective } from '../app/contract.ts'
import type { SipSessionState } from '../session/sip-session.ts'
import type { AttributeName } from './attribute.ts'

export type { AttributeValue, SipSessionState }

// The web's standard Request and Response; whoever compiles with the types of Node.js or of browsers has all of them.
declare global {
  interface Request {}
  interface Response {}
}

/** A URI, as it came or as `SipFactory.createURI` read it. */
export interface URI {
  /** `sip`, `sips`, `tel`, ... in lower case. */
  readonly scheme: string
  readonly isSipURI: boolean
  /** Of sip and sips, with its escapes; null = none. Of another scheme what follows the colon, up to a semicolon. */
  readonly user: string | null
  /** '' for what is no SIP URI. */
  readonly host: string
  readonly port: number | null
  /** '' = it is there without a value, null = it isn't. */
  getParameter(name: string): string | null
  toString(): string
}

/** A name-addr: what From, To, Contact, Route, Refer-To and their like hold. */
export interface Address {
  /** '' = none. */
  readonly displayName: string
  readonly uri: URI
  /** Of the header, not of the URI: '' = it is there without a value, null = it isn't. */
  getParameter(name: string): string | null
  /** `"Name" <uri>`, with the header's parameters. */
  toString(): string
}

interface Attributes {
  /** Undefined if there is none. What comes back is frozen: to change it, set it anew. */
  getAttribute<T extends AttributeValue>(name: AttributeName<T>): T | undefined
  getAttribute(name: string): AttributeValue | undefined
  /** What JSON can say, and bytes: throws a TypeError for anything else. */
  setAttribute<T extends AttributeValue>(name: AttributeName<T>, value: T): void
  setAttribute(name: string, value: AttributeValue): void
  removeAttribute(name: string): void
  readonly attributeNames: readonly string[]
}

/** One call, or whatever else an application keeps together: its SIP sessions, its timers, its attributes. */
export interface SipApplicationSession extends Attributes {
  readonly kind: 'application'
  /** The same for its life, unique in the set, and a secret: who shows it has it from the set. */
  readonly id: string
  readonly applicationName: string
  /** The application key by which it was made; null = none. */
  readonly key: string | null
  /** Milliseconds since 1970, of the set's time. */
  readonly creationTime: number
  /** When a message of it was last handled. */
  readonly lastAccessedTime: number
  /** When it expires; null = never. */
  readonly expirationTime: number | null
  /** From now; 0 = never. In `sessionExpired` it gives the session that much more time. */
  setExpires(minutes: number): void
  readonly isValid: boolean
  /** Every SipSession of it is ready, and no timer is active. */
  readonly isReadyToInvalidate: boolean
  /** Whether it goes by itself once it is ready; true unless the application says otherwise. */
  invalidateWhenReady: boolean
  /** Ends it with its timers and SipSessions; whatever is asked of them afterwards throws. No message is sent. */
  invalidate(): void
  readonly sessions: readonly SipSession[]
  getSipSession(id: string): SipSession | null
  /** Active ones; in `timeout` also the one that fired. */
  readonly timers: readonly ServletTimer[]
  getTimer(id: string): ServletTimer | null
  /** How many commits have changed it. */
  readonly version: number
  /** That SIP URI with a parameter more: a request that has it as its Request-URI, at whatever replica and whenever, is this session's. Its
   * host is to lead to the set: `request.requestURI` of what came to it, or a name of the set's. Throws a TypeError if it is no SIP URI. */
  encodeURI(uri: URI | string): URI
  /** Compare and put: what this turn does is committed only if the session is still at `version`; else the turn fails. */
  expectVersion(version: number): void
}

/** One dialog, or what may become one. Of a call that is proxied there is one for both sides. */
export interface SipSession extends Attributes {
  readonly kind: 'sip'
  readonly id: string
  readonly applicationSession: SipApplicationSession
  readonly state: SipSessionState
  readonly callId: string
  /** From and To without their tags: ours and the other end's; of a call that is proxied the caller's and the callee's. */
  readonly localParty: Address
  readonly remoteParty: Address
  /** As of its requests. */
  readonly region: Region | null
  readonly subscriberURI: URI | null
  readonly isValid: boolean
  readonly isReadyToInvalidate: boolean
  invalidateWhenReady: boolean
  /** Refused while the session is EARLY or CONFIRMED, or has a request without an answer. */
  invalidate(): void
  /** For a 2xx that has none yet, where `response.createAck()` came too early: the answer's body isn't known before another leg's. */
  createAck(): SipServletRequest
  /** A request in its dialog, sent by `send()`. */
  createRequest(method: string): SipServletRequest
  /** Ends a call that is proxied by a BYE to both sides, and a dialog of the application's own by a BYE to its other end. */
  endCall(): void
  /** Of a call that is proxied and has no answer yet, to cancel it from a timer, say; null = it is none. */
  getProxy(): Proxy | null
  /** Which of the application's servlets handles it from now on; '' = its own handlers. */
  handler: string
  readonly version: number
  expectVersion(version: number): void
}

interface SipServletMessage {
  readonly method: string
  readonly session: SipSession
  readonly applicationSession: SipApplicationSession
  readonly callId: string
  readonly from: Address
  readonly to: Address
  /** It was sent, or came in and was answered or proxied: it can't be changed any more. */
  readonly isCommitted: boolean
  /** The first line of that header; null = none. Names in any case, long or compact. */
  getHeader(name: string): string | null
  getHeaders(name: string): readonly string[]
  /** The header as an address; null = it isn't there, or is none. */
  getAddressHeader(name: string): Address | null
  readonly headerNames: readonly string[]
  /** On messages of the application's own, before they are sent, and on an initial request before it is proxied; not the headers that a
   * dialog makes. */
  setHeader(name: string, value: string): void
  addHeader(name: string, value: string): void
  removeHeader(name: string): void
  /** The body as text (UTF-8); '' = none. */
  readonly content: string
  readonly rawContent: Uint8Array
  readonly contentType: string | null
  setContent(content: string | Uint8Array, contentType: string): void
}

export interface SipServletRequest extends SipServletMessage {
  readonly kind: 'request'
  readonly requestURI: URI
  /** Of an initial request that isn't sent yet. */
  setRequestURI(uri: URI | string): void
  /** It opens a dialog, or stands alone: it belongs to no dialog that the application is in. */
  readonly isInitial: boolean
  /** It came from the network; else the application made it. */
  readonly isIncoming: boolean
  /** What of the call the application serves, and whom, as the application router said; null = it said nothing. */
  readonly region: Region | null
  readonly subscriberURI: URI | null
  /** Of an initial request that the application makes, before it is sent: what the application router is told. A copy of another request
   * (`original`, or what B2buaHelper made it of) goes on with that one's chain of applications, CONTINUE, or to the other side, REVERSE; all
   * else is NEW. */
  setRoutingDirective(directive: RoutingDirective, original?: SipServletRequest): void
  /** Null = it has no such header. */
  readonly maxForwards: number | null
  /** Of an INVITE with that header: the SipSession whose dialog it is to replace (RFC 3891) or join (RFC 3911), in this application session;
   * null = it has no such header, or names none. Who answers calls refuses one that names none with 481. */
  getCorrespondingSipSession(header: 'Replaces' | 'Join'): SipSession | null
  /** An answer to a request that came in; sent by its `send()`. */
  createResponse(status: number, reasonPhrase?: string): SipServletResponse
  /** Of an initial request that came in: how it is proxied. The same object each time. Of the request of a failure of a proxied call: to
   * name more targets, in the place of that answer. */
  getProxy(): Proxy
  getB2buaHelper(): B2buaHelper
  /** Takes back an INVITE of the application's own that has no final response; sent by its `send()`. */
  createCancel(): SipServletRequest
  /** Puts a proxy before the place where an initial request goes; what is pushed last is visited first. */
  pushRoute(uri: URI | string): void
  /** Once this turn is committed. */
  send(): void
}

export interface SipServletResponse extends SipServletMessage {
  readonly kind: 'response'
  readonly status: number
  readonly reasonPhrase: string
  /** What it answers. */
  readonly request: SipServletRequest
  /** Of a 2xx for an INVITE of the application's own; sent by its `send()`. */
  createAck(): SipServletRequest
  /** Of a provisional response that came reliably (RFC 3262), to an INVITE of the application's own with `Supported: 100rel`. */
  createPrack(): SipServletRequest
  /** A provisional response to an INVITE whose caller supports 100rel: repeated until its PRACK comes (doPrack, noPrackReceived). */
  sendReliably(): void
  send(): void
}

export interface ServletTimer {
  readonly id: string
  readonly applicationSession: SipApplicationSession
  readonly info: AttributeValue
  readonly isPersistent: boolean
  /** Milliseconds from one time to the next; null = it fires once. */
  readonly period: number | null
  /** Milliseconds since 1970, of the set's time: in `timeout` when it was due, else when it is due next. */
  readonly scheduledExecutionTime: number
  /** Milliseconds until it is due next; negative = it is late. */
  readonly timeRemaining: number
  /** It doesn't fire any more, also not once more. May be called again. */
  cancel(): void
}

export interface TimerService {
  /** Once, `delay` milliseconds from now. */
  createTimer(session: SipApplicationSession, delay: number, isPersistent: boolean, info?: AttributeValue): ServletTimer
  /** Again and again: `fixedDelay` true = `period` after it was handled, false = at a fixed rate. */
  createTimer(
    session: SipApplicationSession,
    delay: number,
    period: number,
    fixedDelay: boolean,
    isPersistent: boolean,
    info?: AttributeValue,
  ): ServletTimer
}

/** How one INVITE is proxied. What is set here counts for the turn's `proxyTo`s. */
export interface Proxy {
  readonly originalRequest: SipServletRequest
  /** All targets at once, or one after another; true at first. */
  parallel: boolean
  /** Whether the contacts of a 3xx are tried; true at first. */
  recurse: boolean
  /** Seconds that one target (or all, if parallel) may ring, whatever provisional responses come; null = as long as RFC 3261's timer C
   * lets it, which is also the most. */
  proxyTimeout: number | null
  /** Takes the call back from all its targets; the caller gets the best of what they answer, 487 as a rule. */
  cancel(): void
  /** Without targets: to where the set sends new calls (`--next-hop`, or the Request-URI). */
  proxyTo(targets?: URI | string | readonly (URI | string)[]): void
}

/** For an application that is one end of both dialogs (a back-to-back user agent): the legs, linked. */
export interface B2buaHelper {
  /** The other leg: a copy of an initial request with a Call-ID of its own, in a new SipSession, linked unless `linked` is
   * false. `headers` replace what is copied; From and To may be among them. */
  createRequest(
    original: SipServletRequest,
    linked?: boolean,
    headers?: Readonly<Record<string, string>>,
  ): SipServletRequest
  /** The same in a leg that is there: a copy of a request that came in the other dialog. */
  createRequest(
    session: SipSession,
    original: SipServletRequest,
    headers?: Readonly<Record<string, string>>,
  ): SipServletRequest
  /** An answer to the request that opened that leg. */
  createResponseToOriginalRequest(session: SipSession, status: number, reasonPhrase?: string): SipServletResponse
  createCancel(session: SipSession): SipServletRequest
  linkSipSessions(a: SipSession, b: SipSession): void
  unlinkSipSessions(session: SipSession): void
  getLinkedSession(session: SipSession): SipSession | null
  /** Of a copy, the request that it was made of; of that, the copy. Null = it waits for no answer any more. */
  getLinkedSipServletRequest(request: SipServletRequest): SipServletRequest | null
  /** Requests without a final answer: those that came in (`UAS`), and the application's own (`UAC`). */
  getPendingMessages(session: SipSession, mode: 'UAS' | 'UAC'): readonly SipServletRequest[]
}

export interface SipFactory {
  /** An initial request in a new SipSession; its Request-URI is that of `to` unless it is set. */
  createRequest(
    session: SipApplicationSession,
    method: string,
    from: Address | URI | string,
    to: Address | URI | string,
  ): SipServletRequest
  /** Throws a TypeError if it is no URI. */
  createURI(uri: string): URI
  createAddress(address: string): Address
  createAddress(uri: URI | string, displayName: string): Address
}

/** What a handler is given beside its event. */
export interface HandlerContext {
  readonly applicationName: string
  /** Which code runs; the sessions that it began stay with it. */
  readonly version: string
  /** Milliseconds since 1970, of the set's time: the same for the whole turn. */
  readonly now: number
  readonly factory: SipFactory
  readonly timers: TimerService
  /** For handlers that are async: each answer takes a round to other replicas. */
  readonly sessions: SipSessionsUtil
}

/** Application sessions besides the handler's own, of the same application, wherever in the set they are. */
export interface SipSessionsUtil {
  /** As of all that was committed when it was asked; null = there is none, or it has ended. */
  getApplicationSessionById(id: string): PromiseLike<FoundSession | null>
  /** The one that has that key; `create`: begun if there is none. Of all that create it at one instant, one does. */
  getApplicationSessionByKey(key: string, create: true): PromiseLike<FoundSession>
  getApplicationSessionByKey(key: string, create?: boolean): PromiseLike<FoundSession | null>
  /** One without a key and without a call. */
  createApplicationSession(): PromiseLike<FoundSession>
}

/** Another application session. */
export interface FoundSession {
  readonly id: string
  readonly version: number
  /** As it was found: to be read. */
  readonly session: SipApplicationSession
  /** What `change` does to it is one commit, made when this resolves: not with the handler's own, and not undone if that fails later.
   * `change` may run several times, each time on what the session has by then. With the session after it; null = it has ended. Rejects
   * if it can't be made now: no quorum, or the session's own handler takes too long. */
  update(change: (session: SipApplicationSession, context: HandlerContext) => void): PromiseLike<FoundSession | null>
}

/** What doHttp is given beside the Request: of one run, as all else is. */
export interface HttpContext extends HandlerContext {
  /** The path under which the application is served, without a slash at its end: '' or `/calls`. */
  readonly prefix: string
  /** The session that the request is about: of its cookie, or of a URL that `encodeURL` made. If there is none, one is begun for it, which
   * its cookie has from then on: the handler runs once more, with that. */
  getSession(create?: true): ConvergedHttpSession
  getSession(create: boolean): ConvergedHttpSession | null
  /** The same by the application key, for a request that has no session yet. */
  getSessionByKey(key: string, create?: true): ConvergedHttpSession
  getSessionByKey(key: string, create: boolean): ConvergedHttpSession | null
  getSessionById(id: string): ConvergedHttpSession | null
  /** The application's sessions, some at a time; `from` = the `next` of the page before. The handler runs once more, with that. */
  listSessions(from?: number): SessionPage
}

/** JSR 289 13.3: a SipApplicationSession, as an HTTP client has it. */
export interface ConvergedHttpSession {
  readonly applicationSession: SipApplicationSession
  /** That one's. */
  readonly id: string
  /** It was begun for this request. */
  readonly isNew: boolean
  /** The client has it by its cookie; else by a URL, or by what this request asked for. */
  readonly isFromCookie: boolean
  /** That URL with the session in it: who asks for it, at any replica, has this session. Whoever has the URL has it too. */
  encodeURL(url: string): string
  /** The client loses it; the SipApplicationSession goes on. (That one's `invalidate()` ends both.) */
  invalidate(): void
}

export interface SessionPage {
  readonly sessions: readonly {
    readonly id: string
    readonly key: string | null
    readonly creationTime: number
    readonly sessions: readonly Pick<SipSession, 'id' | 'callId' | 'state' | 'localParty' | 'remoteParty'>[]
    /** As ConvergedHttpSession has it. */
    encodeURL(url: string): string
  }[]
  /** Where the next page begins; null = this is the last one. */
  readonly next: number | null
}

/** What `noAckReceived` and `noPrackReceived` tell. */
export interface SipErrorEvent {
  readonly session: SipSession
  /** The INVITE whose answer nobody acknowledged; null = it is not kept any more. */
  readonly request: SipServletRequest | null
}
