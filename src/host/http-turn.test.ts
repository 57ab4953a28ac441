// What becomes of a doHttp that asks for other sessions, with a replica that answers as it is told to.

import { expect, test } from 'vitest'
import type { AppAnswer } from '../app/contract.ts'
import type { HttpResult } from '../app/http.ts'
import type { OrderAnswer } from '../app/orders.ts'
import { index } from '../base/brand.ts'
import { defineApplication } from '../servlet/application.ts'
import { failed } from '../servlet/run-handler.ts'
import { call as callOf, view } from '../servlet/testing/turn.ts'
import { answerHttp } from './http-turn.ts'

/** A page that sets an attribute of the session that it has, and then changes another one. */
async function paged(answer: OrderAnswer): Promise<AppAnswer> {
  const application = defineApplication({
    name: 'calls',
    async doHttp(_request, context) {
      context.getSession().applicationSession.setAttribute('asked', true)
      const other = await context.sessions.getApplicationSessionByKey('bob')
      await other?.update((session) => session.setAttribute('n', 1))
      return new Response('changed')
    },
  })
  const request = { method: 'POST', url: 'http://127.0.0.1/calls/', headers: [], body: new Uint8Array() }
  const http = { request, prefix: '/calls', isNew: false, hasCookie: false, found: { none: null, list: null } }
  const seen = { kind: 'seen', view: view({ id: 'other', key: 'bob' }), index: index(7) } as const
  const ports = { look: () => Promise.resolve(seen), order: () => Promise.resolve(answer) }
  return await answerHttp(application, { ...callOf('doHttp', { view: view({ id: 'own' }) }), http }, failed, ports)
}

test('an update that nobody could make, or that may have been made, is a 503 that says so, and undoes the rest', async () => {
  for (const isOpen of [false, true]) {
    const answer = await paged({ kind: 'refused', reason: 'no owner has done it in time', again: true, isOpen })
    if (answer.kind !== 'done') throw new Error(answer.reason)
    const result = answer.result as HttpResult
    if (result.kind !== 'response') throw new Error('a handler that has all that it asked for answers')
    const { status, headers, body } = result.response
    expect([status, headers.find(([name]) => name === 'retry-after')]).toEqual([503, ['retry-after', '1']])
    const text = new TextDecoder().decode(body)
    expect(text).toContain('no owner has done it in time')
    expect(text.includes('may have been done')).toBe(isOpen)
    expect(answer.ops).toEqual([])
  }
})

test('an update that can never be made is the fault of the application', async () => {
  const answer = await paged({ kind: 'refused', reason: 'too many attributes', again: false, isOpen: false })
  expect(answer).toEqual({ kind: 'failed', reason: "Error: the session can't be changed: too many attributes" })
})
