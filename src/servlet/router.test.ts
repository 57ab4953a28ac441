// SipApplicationRouter, and what applications see of it (JSR 289 15).

import { describe, expect, test } from 'vitest'
import type { NextQuestion } from '../app/contract.ts'
import { runHandler } from './run-handler.ts'
import { defineRouter } from './router.ts'
import type { RouterDefinition } from './router.ts'
import { INVITE, call, onRequest } from './testing/turn.ts'

function asked(definition: RouterDefinition, ...questions: readonly NextQuestion[]): unknown {
  const run = runHandler(defineRouter(definition), { ...call('getNextApplication'), questions })
  return run.kind === 'answered' ? run.answer : 'pending'
}

const fresh: NextQuestion = { text: INVITE, directive: 'NEW', region: null, stateInfo: null }

describe('[JSR 30] a router', () => {
  test('sees the request, and answers each question', () => {
    const seen: unknown[] = []
    const answer = asked(
      {
        getNextApplication(request, region, directive, stateInfo) {
          const { method, requestURI, from, to, callId } = request
          seen.push([method, String(requestURI), from.displayName, to.uri.user, callId, request.getHeader('subject')])
          seen.push([region, directive, stateInfo])
          return directive === 'NEW' ? { application: 'prepaid', stateInfo: 1 } : undefined
        },
      },
      fresh,
      { ...fresh, directive: 'CONTINUE', region: 'neutral', stateInfo: [1, 'x'] },
    )
    expect(seen).toEqual([
      ['INVITE', 'sip:bob@example.com', 'Alice', 'bob', 'call-1', 'lunch'],
      [null, 'NEW', null],
      ['INVITE', 'sip:bob@example.com', 'Alice', 'bob', 'call-1', 'lunch'],
      ['neutral', 'CONTINUE', [1, 'x']],
    ])
    expect(answer).toEqual({ kind: 'done', ops: [], result: [{ application: 'prepaid', stateInfo: 1 }, null] })
  })

  test('that waits has failed, and says so', () => {
    const answer = asked({ getNextApplication: (() => Promise.resolve(null)) as never }, fresh)
    expect(answer).toMatchObject({ kind: 'failed', reason: expect.stringContaining('may not be async') as string })
  })

  test.each<[unknown, string]>([
    [{ getNextApplication: 5 }, 'getNextApplication should be a function, not 5'],
    [{ getNextApplication: () => null, doInvite: () => {} }, '"doInvite" is nothing of a router\'s'],
    [{ name: 'a b', getNextApplication: () => null }, 'name: "a b" should be 1 to 64'],
  ])('is checked when it is defined: %o', (definition, complaint) => {
    expect(() => defineRouter(definition as never)).toThrow(complaint)
  })
})

describe('[JSR 17] what an application sees of it', () => {
  test('region and subscriber, of requests and sessions; null where nobody said any', () => {
    const routed = { region: 'originating', subscriber: 'sip:alice@example.com' } as const
    onRequest(
      (request) => {
        expect([request.region, String(request.subscriberURI)]).toEqual(['originating', 'sip:alice@example.com'])
        expect([request.session.region, request.session.subscriberURI?.user]).toEqual(['originating', 'alice'])
      },
      {},
      routed,
    )
    onRequest((request) => expect([request.region, request.subscriberURI]).toEqual([null, null]))
  })

  test('[JSR 30] a routing directive goes with the request, and CONTINUE needs one to go on with', () => {
    const ops = onRequest((request, { factory }) => {
      const copy = request.getB2buaHelper().createRequest(request)
      copy.setRoutingDirective('REVERSE')
      copy.send()
      expect(() => copy.setRoutingDirective('NEW')).toThrow('before send()')
      const own = factory.createRequest(request.applicationSession, 'INVITE', 'sip:a@x', 'sip:b@x')
      expect(() => own.setRoutingDirective('CONTINUE')).toThrow('name it, or copy it')
      expect(() => own.setRoutingDirective('BACK' as never)).toThrow('"BACK" is not NEW, CONTINUE or REVERSE')
      own.setRoutingDirective('CONTINUE', request)
      own.send()
      expect(() => request.setRoutingDirective('NEW')).toThrow('for an initial request that you make')
    })
    const directives = ops.flatMap((op) => (op.kind === 'create-session' ? [op.first.directive] : []))
    expect(directives).toEqual(['REVERSE', 'CONTINUE'])
  })
})
