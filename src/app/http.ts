// HTTP requests that are about application sessions (JSR 289 13, converged applications; decision 0036): what a handler is told beside
// the view of a session, and what it says beside its operations. Plain values, so that a worker can be sent them.

import { byteString, flag, integer, list, matching, oneOf, orNull, record, text, variants } from '../wire/shape.ts'
import type { Shape } from '../wire/shape.ts'
import { appLimits } from './limits.ts'

export type HttpHeaders = readonly (readonly [name: string, value: string])[]

export interface HttpRequest {
  readonly method: string
  /** Absolute, as a browser shows it. */
  readonly url: string
  readonly headers: HttpHeaders
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  readonly headers: HttpHeaders
  readonly body: Uint8Array
}

/** What `AppCall.http` is for `doHttp`. Of a request without a session the view is nobody's: its id is ''. */
export interface HttpAsk {
  readonly request: HttpRequest
  /** The path under which the application is served: '' or `/calls`. */
  readonly prefix: string
  /** It was begun for this request. */
  readonly isNew: boolean
  /** Whether it came with the request's cookie; else by a URL, a key, or it is new. */
  readonly hasCookie: boolean
  /** What the handler asked for when it ran before, `Wanted` kind 'session' that found nothing or 'list'. */
  readonly found: HttpFound
}

export interface HttpFound {
  /** It wanted that session, and there is none. */
  readonly none: SessionWanted | null
  readonly list: { readonly from: number; readonly page: SessionPage } | null
}

/** Some of an application's sessions, as a list shows them. */
export interface SessionPage {
  readonly sessions: readonly SessionSummary[]
  /** Where the next page begins; null = this is the last one. */
  readonly next: number | null
}

export interface SessionSummary {
  readonly id: string
  readonly key: string | null
  /** Cluster time, microseconds. */
  readonly created: number
  readonly sessions: readonly {
    readonly id: string
    readonly callId: string
    readonly state: string
    readonly local: string
    readonly remote: string
  }[]
}

export type SessionWanted =
  | { readonly kind: 'new' }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'key'; readonly key: string; readonly create: boolean }

/** What a handler says beside its operations. `wants`: nothing that it did counts; it runs again and has that. `keeps`: whether the session
 * is the client's from now on, by a cookie; null = as it was, 'no' = it is not any more. */
export type HttpResult =
  | { readonly kind: 'response'; readonly response: HttpResponse; readonly keeps: 'yes' | 'no' | null }
  | { readonly kind: 'wants'; readonly wanted: SessionWanted | { readonly kind: 'list'; readonly from: number } }

/** Of an answer's `result`; null = it is an `HttpResult`. It comes from somebody else's process. */
export function resultFault(result: unknown): string | null {
  return shape.fault(result)
}

const word = <K extends string>(one: K): Shape<K> => oneOf([one])
// What becomes a line is one line: another one in it would be a header that nobody looked at.
const name = matching<string>('the name of a header', /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/)
const line = matching<string>('one line of at most 16384 characters', /^[^\r\n\0]{0,16384}$/)
const header: Shape<readonly [name: string, value: string]> = {
  fault: (value) =>
    Array.isArray(value) && value.length === 2
      ? (name.fault(value[0]) ?? line.fault(value[1]))
      : ': expected a name and a value',
  tidy: (value) => value,
}
const response = record<HttpResponse>({
  status: integer(200, 599),
  headers: list(header, 100),
  body: byteString(0, appLimits.httpBytes),
})
type Wants = Extract<HttpResult, { kind: 'wants' }>['wanted']
const wanted = variants<Wants>({
  new: record<{ readonly kind: 'new' }>({ kind: word('new') }),
  id: record<{ readonly kind: 'id'; readonly id: string }>({ kind: word('id'), id: text(0, 100) }),
  key: record<{ readonly kind: 'key'; readonly key: string; readonly create: boolean }>({
    kind: word('key'),
    key: text(1, appLimits.name),
    create: flag,
  }),
  list: record<{ readonly kind: 'list'; readonly from: number }>({ kind: word('list'), from: integer(0) }),
})
const shape = variants<HttpResult>({
  response: record<Extract<HttpResult, { kind: 'response' }>>({
    kind: word('response'),
    response,
    keeps: orNull(oneOf(['yes', 'no'])),
  }),
  wants: record<Extract<HttpResult, { kind: 'wants' }>>({ kind: word('wants'), wanted }),
})
