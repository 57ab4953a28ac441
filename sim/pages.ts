// The application `pages` of simulated sets: it counts as `counts` does, and has doHttp (decision 0036). A request says in its URL what is to
// be done; a response says which session it is about, and what that has heard so far.
//
//   /bind/CALL-ID   finds that call's session, by lists, and keeps it by a cookie; an update
//   /new            a session of its own, by a cookie, which expires soon; an update
//   /update         one more mark in the session of the cookie, or of the URL
//   /read           nothing is changed

import { latin1Bytes, latin1Text } from '../src/base/bytes.ts'
import { seconds } from '../src/base/instant.ts'
import type { AppCall, Op } from '../src/app/contract.ts'
import type { HttpAsk, HttpResult } from '../src/app/http.ts'

/** What a response of it says. */
export interface Shown {
  /** '' = it was about no session. */
  readonly id: string
  readonly group: string
  readonly marks: readonly string[]
}

export interface WebReply {
  readonly ops: readonly Op[]
  readonly result: HttpResult
}

/** The header that numbers requests. */
export const NUMBER = 'x-number'

const EXPIRES = seconds(20)

/** `before`: what the session has heard; `put`: how that is told anew. */
export function answerWeb(call: AppCall, ask: HttpAsk, before: readonly string[], put: (mark: string) => Op): WebReply {
  const { view } = call
  const [, deed = '', about = ''] = new RegExp('^http://set/([a-z]+)/?(.*)$').exec(ask.request.url) ?? []
  const mark = `doHttp ${ask.request.headers.find(([name]) => name === NUMBER)?.[1] ?? ''}`
  if (view.id === '') {
    const wanted = deed === 'new' ? ({ kind: 'new' } as const) : deed === 'bind' ? wantedOf(ask, about) : null
    return { ops: [], result: wanted === null ? told({ id: '', group: '', marks: [] }) : { kind: 'wants', wanted } }
  }
  const { id, group } = view
  if (deed === 'read') return { ops: [], result: told({ id, group, marks: before }) }
  const ops = deed === 'new' ? [put(mark), { kind: 'set-expires', after: EXPIRES } as const] : [put(mark)]
  return { ops, result: told({ id, group, marks: [...before, mark] }) }
}

/** The session of that call, if it is there; null = it is nowhere. */
function wantedOf({ found }: HttpAsk, callId: string): Extract<HttpResult, { kind: 'wants' }>['wanted'] | null {
  if (found.list === null) return { kind: 'list', from: 0 }
  const { sessions, next } = found.list.page
  const session = sessions.find((one) => one.sessions.some((own) => own.callId === callId))
  if (session !== undefined) return found.none === null ? { kind: 'id', id: session.id } : null
  return next === null ? null : { kind: 'list', from: next }
}

function told(shown: Shown): HttpResult {
  const body = latin1Bytes(JSON.stringify(shown))
  return { kind: 'response', response: { status: 200, headers: [], body }, keeps: null }
}

export function shownBy(body: Uint8Array): Shown {
  return JSON.parse(latin1Text(body)) as Shown
}
