// Responses of our own: to what is refused, and on behalf of a branch that gave none. Any replica makes the same bytes
// for the same request (RFC 3261 8.2.7, 16.11).

import { must } from '../base/assert.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { buildResponse } from '../sip/build.ts'
import type { HeaderList } from '../sip/build.ts'
import { edit } from '../sip/edit.ts'
import { parseMessage } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { requestKey } from './branch.ts'
import type { SetKeys } from './settings.ts'
import { sourceParams, viaOf } from './upstream.ts'
import type { SourceParams } from './upstream.ts'

export interface AnswerParts {
  /** null = the standard one. */
  readonly reason?: string | null
  readonly headers?: HeaderList
  /** What its source adds to the top Via, if that isn't in it already (`withSource`). */
  readonly source?: Flow
}

/** A response with a To tag that depends on the request alone; a CANCEL and its INVITE get the same (9.2). */
export function answerText(request: SipRequest, keys: SetKeys, status: number, parts: AnswerParts = {}): string {
  const headers = parts.headers ?? []
  const viaParams = parts.source === undefined ? [] : sourceList(sourceParams(viaOf(request), parts.source))
  const toTag = ownTag(request, keys)
  return buildResponse(request, status, parts.reason ?? undefined, { toTag, headers, viaParams })
}

/** The To tag of our own answers to a request, and so of the ACK for them. */
export function ownTag(request: SipRequest, keys: SetKeys): string {
  const key = must(keys.key(1), 'the set has no key yet')
  return hashHex(sipHashText(key, `tag ${requestKey(request)}`))
}

/** 18.2.1: the request with what its source adds to its top Via. */
export function withSource(request: SipRequest, flow: Flow): SipRequest {
  const params = sourceList(sourceParams(viaOf(request), flow))
  if (params.length === 0) return request
  const change = edit(request)
  for (const [name, value] of params) change.topViaParam(name, value)
  const parsed = parseMessage(change.print())
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : request
}

function sourceList(params: SourceParams): readonly (readonly [name: string, value: string])[] {
  const list: (readonly [string, string])[] = []
  if (params.received !== null) list.push(['received', params.received])
  if (params.rport !== null) list.push(['rport', String(params.rport)])
  return list
}
