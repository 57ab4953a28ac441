// doHttp's context: what is there is given, what isn't is asked for by a run that counts for nothing.

import { expect, test } from 'vitest'
import type { HttpAsk, HttpResult } from '../app/http.ts'
import type { Op, SessionView } from '../app/contract.ts'
import type { HttpContext } from './api.ts'
import { defineApplication } from './application.ts'
import { beginHttp } from './run-handler.ts'
import { call as callOf, view as viewOf } from './testing/turn.ts'

const NOBODY = { id: '', isValid: false, version: 0, sessions: [] } satisfies Partial<SessionView>

interface Ran {
  readonly ops: readonly Op[]
  readonly result: HttpResult
}

function run(view: Partial<SessionView>, ask: Partial<HttpAsk>, doHttp: (context: HttpContext) => void): Ran {
  const application = defineApplication({ name: 'calls', doHttp: (_request, context) => doHttp(context) })
  const call = callOf('doHttp', { view: viewOf(view) })
  const request = { method: 'GET', url: 'http://127.0.0.1/calls/', headers: [], body: new Uint8Array() }
  const found = { none: null, list: null }
  const http = { ...{ request, prefix: '/calls', isNew: false, hasCookie: false, found }, ...ask }
  const begun = beginHttp(application, { ...call, http })
  try {
    begun.run({} as Request)
  } catch (error) {
    if (!begun.http.isAgain) throw error
  }
  return { ops: begun.finish(), result: begun.http.result({ status: 200, headers: [], body: new Uint8Array() }) }
}

test('a request without a session has none, unless it wants one [JSR 27]', () => {
  expect(run(NOBODY, {}, (context) => expect(context.getSession(false)).toBeNull()).result.kind).toBe('response')
  expect(run(NOBODY, {}, (context) => void context.getSession()).result).toEqual({
    kind: 'wants',
    wanted: { kind: 'new' },
  })
  const byKey = run(NOBODY, {}, (context) => void context.getSessionByKey('alice'))
  expect(byKey.result).toEqual({ kind: 'wants', wanted: { kind: 'key', key: 'alice', create: true } })
})

test('what was looked for and is not there is null, and is not looked for again', () => {
  const wanted = { kind: 'id', id: 'gone' } as const
  const again = run(NOBODY, { found: { none: wanted, list: null } }, (context) => {
    expect(context.getSessionById('gone')).toBeNull()
  })
  expect(again.result.kind).toBe('response')
})

test('a handler that catches what says that it runs again runs again all the same', () => {
  const caught = run(NOBODY, {}, (context) => {
    try {
      context.getSession()
    } catch {
      // As applications do.
    }
  })
  expect(caught.result.kind).toBe('wants')
})

test('the session of a request is its application session, to read and to change [JSR 27]', () => {
  const { ops, result } = run({ id: 'sid' }, { hasCookie: true }, (context) => {
    const session = context.getSession()
    expect([session.id, session.isNew, session.isFromCookie]).toEqual(['sid', false, true])
    session.applicationSession.setAttribute('note', 'by http')
    expect(session.applicationSession.getAttribute('note')).toBe('by http')
    session.invalidate()
    expect(() => context.getSessionByKey('other')).toThrow('a request has one session')
  })
  expect(ops).toEqual([{ kind: 'set-attribute', of: '', name: 'note', value: 'by http' }])
  expect(result).toMatchObject({ kind: 'response', keeps: 'no' })
})

test('encodeURL puts the session into a URL, once, before the fragment [JSR 11] [JSR 27]', () => {
  run({ id: 'a-b' }, {}, (context) => {
    const { encodeURL } = context.getSession()
    expect(encodeURL('/calls/end')).toBe('/calls/end?hfsession=a-b')
    expect(encodeURL('/calls?x=1#top')).toBe('/calls?x=1&hfsession=a-b#top')
    expect(encodeURL('/calls?hfsession=other&x=1')).toBe('/calls?x=1&hfsession=a-b')
    expect(encodeURL(encodeURL('http://h/calls'))).toBe('http://h/calls?hfsession=a-b')
  })
})
