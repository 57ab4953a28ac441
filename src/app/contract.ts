// The door between a replica and the applications (decision 0031). A handler runs outside: in a worker of the host, or in the
// simulator. It is asked with all that it may read (`AppCall`), and what it did comes back as a list of operations (`AppAnswer`):
// both are plain values that a worker can be sent. Nothing else passes.
//
//   input --> app/group.ts --asks--> AppCall --effect `ask`--> the handler's turn --input `answered`--> AppAnswer
//                                                                                                        |
//          messages leave <-- applied <-- ONE commit of the group <-- its operations, in order <---------'
//
// What the replica guarantees:
// - one call at a time for a group, in the order of its inputs; the next one sees what this one's commit made;
// - nothing of an answer is seen outside before its commit is applied; an answer that came too late (`limits.handler`, 5 s), is
//   `failed`, or has an operation that isn't allowed, changes nothing at all;
// - a handler runs again, on newer state, if its owner died or its commit fell before that was applied. Only what it did outside
//   of its answer can then be seen twice.

import type { GroupKey, Index } from '../base/brand.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import type { Region } from '../proxy/chain.ts'
import type { SipSessionRole, SipSessionState } from '../session/sip-session.ts'
import type { HttpAsk } from './http.ts'

export type { Region } from '../proxy/chain.ts'
export type { SipSessionRole, SipSessionState } from '../session/sip-session.ts'

/** What an attribute may hold: what JSON can say, and bytes. */
export type AttributeValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue }

/** What the set knows of an application without asking it; the same at each replica that loaded this version of it. */
export interface ApplicationInfo {
  readonly name: string
  /** Which code it is: a session stays with the version that began it, as long as any replica has that loaded. */
  readonly version: string
  /** The handlers it has (JSR 289 4.1's names); another event takes its default course. */
  readonly handlers: readonly HandlerName[]
}

/** SipServlet's methods for requests and responses, and the listeners' for what happens without a message. */
export type HandlerName =
  | 'doInvite'
  | 'doAck'
  | 'doBye'
  | 'doCancel'
  | 'doInfo'
  | 'doMessage'
  | 'doNotify'
  | 'doOptions'
  | 'doPrack'
  | 'doRefer'
  | 'doSubscribe'
  | 'doUpdate'
  | 'doRequest'
  | 'doProvisionalResponse'
  | 'doRedirectResponse'
  | 'doErrorResponse'
  | 'doSuccessResponse'
  | 'doResponse'
  | 'timeout'
  | 'sessionCreated'
  | 'sessionExpired'
  | 'sessionReadyToInvalidate'
  | 'sessionDidActivate'
  | 'sessionDestroyed'
  | 'noAckReceived'
  | 'noPrackReceived'
  | 'doHttp'
  | 'getNextApplication'
  /** Its result is the key, or null (JSR 289 15.11.2); it does nothing. */
  | 'applicationKey'

/** One turn of one handler. */
export interface AppCall {
  /** Names this turn in its owner's life; an answer to another one is dropped. */
  readonly id: number
  readonly application: string
  readonly version: string
  readonly handler: HandlerName
  /** What it is about; null for what no message brought. */
  readonly message: AppMessage | null
  /** The timer that fired (it is in `view.timers`, also if it fires once), or the id of the session that expired; '' = none. */
  readonly subject: string
  /** Of `timeout`: when that timer was due (its `due` in the view is the next time, if it has one); null = no timer. */
  readonly due: Stamp | null
  /** Of `getNextApplication`: for each its answer, a `NextApplication` or null, in a list that is the `result`. */
  readonly questions?: readonly NextQuestion[]
  /** Of `doHttp`: the request. It is asked at any replica, with what that one's store has; its result is an `HttpResult`. */
  readonly http: HttpAsk | null
  /** Cluster time as the owner estimates it. */
  readonly now: Stamp
  readonly view: SessionView
}

/** Of an application's own request: it is about something new, goes on with what it was made of, or goes to the other side (15.2.2). */
export type RoutingDirective = 'NEW' | 'CONTINUE' | 'REVERSE'

/** A request that begins something; whose is it? */
export interface NextQuestion {
  /** As it came, or as it is about to be sent, latin1. */
  readonly text: string
  readonly directive: RoutingDirective
  /** Those of the application that sends it, of CONTINUE and REVERSE; else null. */
  readonly region: Region | null
  readonly stateInfo: AttributeValue
}

/** What an application router says; what is left out is null, '', NO_ROUTE. Null in its place: no application, it goes where it would go
 * without any. */
export interface NextApplication {
  /** Null or left out: none; of use with `routes`. */
  readonly application?: string | null
  readonly region?: Region | null
  /** Whom it serves. */
  readonly subscriberURI?: string
  /** Given back with the next question. */
  readonly stateInfo?: AttributeValue
  /** ROUTE: it goes to `routes`, and no further application is asked. ROUTE_BACK: it does, and the next one is asked for once it comes
   * back from there. */
  readonly modifier?: 'ROUTE' | 'ROUTE_BACK' | 'NO_ROUTE'
  /** SIP URIs, the first one is visited first. */
  readonly routes?: readonly string[]
}

export interface AppMessage {
  readonly kind: 'request' | 'response'
  /** Id of the SipSession that it belongs to. */
  readonly session: string
  /** Of a request that the application may answer or proxy, and of a response the request it answers; '' = neither. */
  readonly request: string
  /** As it came, latin1. */
  readonly text: string
  /** Of an INVITE: whether it opens a dialog. Of a proxied call's failure: whether more targets may be named, in its place. */
  readonly isInitial: boolean
  /** A request of the set's own: it ended the call by itself; absent = it came from the network. */
  readonly isOwn?: boolean
  /** Of a response to a request that was sent for one of the other end's on another leg: that one's id; absent or '' = for none. */
  readonly linked?: string
}

/** The group as its owner has it: committed state, and what this owner's open commits will make of it. */
export interface SessionView {
  readonly group: GroupKey
  /** The SipApplicationSession's id: its group and a MAC, so that whoever shows it has it from the set. */
  readonly id: string
  /** The value of the URI parameter that leads here (JSR 289 15.11.1, encodeURI): it tells nothing of the id. */
  readonly uriToken: string
  readonly created: Stamp
  readonly lastAccessed: Stamp
  /** When it expires; null = never. */
  readonly expires: Stamp | null
  readonly isValid: boolean
  readonly invalidateWhenReady: boolean
  /** The application key that it was found by (JSR 289 15.11.2); null = none. */
  readonly key: string | null
  readonly stateInfo: AttributeValue
  /** What of the call it serves, and whom, as the application router says (15.1); left out = there is none, or it said nothing. */
  readonly region?: Region
  readonly subscriber?: string
  readonly attributes: readonly Attribute[]
  readonly sessions: readonly SipSessionView[]
  readonly timers: readonly ServletTimerView[]
  /** Of the SipApplicationSession entity: +1 with each commit that touches it. */
  readonly version: number
  /** Of the whole group. */
  readonly groupVersion: number
  /** Applied by the owner when the call was made. */
  readonly index: Index
  /** The smallest number that no SipSession of the group has had: new ones are numbered from here. */
  readonly nextSession: number
  /** The same of ServletTimers (`t1`, `t2`, ...), so that no timer has the name of one that is firing. */
  readonly nextTimer: number
}

export interface Attribute {
  readonly name: string
  readonly value: AttributeValue
}

export interface SipSessionView {
  /** A decimal number. */
  readonly id: string
  readonly state: SipSessionState
  readonly role: SipSessionRole
  readonly isValid: boolean
  readonly invalidateWhenReady: boolean
  readonly callId: string
  /** From and To as name-addr without tag: ours (`local`) and the other end's; of a proxy the caller's and the callee's. */
  readonly local: string
  readonly remote: string
  readonly localTag: string
  readonly remoteTag: string
  /** The other leg (B2buaHelper.linkSessions); '' = none. */
  readonly linked: string
  readonly handler: string
  readonly attributes: readonly Attribute[]
  /** Requests of the other end that wait for an answer of ours, oldest first; and our own that wait for theirs. */
  readonly pending: readonly PendingRequest[]
  readonly version: number
}

export interface PendingRequest {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly method: string
  readonly text: string
  /** Of `out`: the request that it was sent for, on another leg; absent or '' = for none. */
  readonly linked?: string
}

export interface ServletTimerView {
  readonly id: string
  /** When it is due next. */
  readonly due: Stamp
  /** Between two times; null = once. */
  readonly period: Duration | null
  readonly isFixedDelay: boolean
  readonly isPersistent: boolean
  readonly info: AttributeValue
}

/** What a handler did, in order. Ids of what it created are its own choice within what `SessionView` says is free. */
export type Op =
  /** `of`: id of a SipSession; '' = the SipApplicationSession. */
  | { readonly kind: 'set-attribute'; readonly of: string; readonly name: string; readonly value: AttributeValue }
  | { readonly kind: 'remove-attribute'; readonly of: string; readonly name: string }
  /** Compare-and-put: the answer is refused as a whole, and the handler told (`conflict`), unless the entity has this version. */
  | { readonly kind: 'expect-version'; readonly of: string; readonly version: number }
  /** In the turn of a request that begins something. One that is not proxied there is the application's to answer, then or later. In the
   * turn of a proxied INVITE's last failure: more targets, in the place of that. */
  | { readonly kind: 'proxy'; readonly request: string; readonly plan: ProxyPlan }
  | {
      readonly kind: 'respond'
      readonly request: string
      readonly response: ResponseParts
    }
  /** A new leg: its first request, sent by its `send`. */
  | { readonly kind: 'create-session'; readonly id: string; readonly first: InitialRequest }
  /** A request in a dialog of ours; or once more the first one of a leg of ours that is INITIAL again. `linked`: as in `InitialRequest`. */
  | {
      readonly kind: 'request'
      readonly session: string
      readonly method: string
      readonly parts: MessageParts
      readonly linked?: string
    }
  | { readonly kind: 'ack'; readonly session: string; readonly parts: MessageParts }
  | { readonly kind: 'cancel'; readonly session: string }
  | { readonly kind: 'link'; readonly a: string; readonly b: string }
  | { readonly kind: 'unlink'; readonly session: string }
  /** A call that is relayed is ended by a BYE to both sides. */
  | { readonly kind: 'end-call'; readonly session: string }
  /** All targets of its INVITE are cancelled, and no more are tried. */
  | { readonly kind: 'cancel-proxy'; readonly session: string }
  | { readonly kind: 'create-timer'; readonly timer: NewTimer }
  | { readonly kind: 'cancel-timer'; readonly id: string }
  /** From now; null = never. */
  | { readonly kind: 'set-expires'; readonly after: Duration | null }
  | { readonly kind: 'invalidate'; readonly of: string }
  | { readonly kind: 'set-invalidate-when-ready'; readonly of: string; readonly value: boolean }
  | { readonly kind: 'set-handler'; readonly session: string; readonly handler: string }

export interface ProxyPlan {
  /** Groups of URIs: those of one at once, the groups one after another (16.6). Empty = the set's own route. */
  readonly targets: readonly (readonly string[])[]
  readonly recurse: boolean
  /** How long one group may ring; null = timer C alone. */
  readonly timeout: Duration | null
  /** Headers of the request as it leaves: in the place of those of that name; null = without them. */
  readonly headers?: readonly (readonly [name: string, value: string | null])[]
  /** URIs that it visits first. */
  readonly routes?: readonly string[]
}

export interface MessageParts {
  /** Besides those that a dialog makes (Via, From, To, Call-ID, CSeq, Contact, Route, Max-Forwards, Content-Length). */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly reason?: string
  readonly body: string
}

export interface ResponseParts extends MessageParts {
  readonly status: number
  /** Of a provisional one: it is repeated until its PRACK comes (RFC 3262). */
  readonly reliable?: boolean
}

export interface InitialRequest extends MessageParts {
  readonly method: string
  readonly from: string
  readonly to: string
  readonly requestUri: string
  readonly routes: readonly string[]
  /** '' = the owner makes one. */
  readonly callId: string
  /** The request of another leg that it is sent for (B2buaHelper.createRequest): its responses name it, and Max-Forwards goes on from
   * there; absent = for none. */
  readonly linked?: string
  /** What the application router is told; absent = CONTINUE if it is sent for another one, else NEW. */
  readonly directive?: RoutingDirective
}

export interface NewTimer {
  /** `t1`, `t2`, ..., from `SessionView.nextTimer` on. */
  readonly id: string
  readonly after: Duration
  readonly period: Duration | null
  readonly isFixedDelay: boolean
  readonly isPersistent: boolean
  readonly info: AttributeValue
}

export type AppAnswer =
  | { readonly kind: 'done'; readonly ops: readonly Op[]; readonly result: unknown }
  /** It threw, took too long, or its worker ended: nothing is changed, and the event takes its default course. */
  | { readonly kind: 'failed'; readonly reason: string }
