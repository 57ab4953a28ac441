import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { callIdsOf, describeCalls, describeEntity } from './describe.ts'
import { callerLeg, inDialog, response } from './testing/phone.ts'
import { ringing } from './testing/scene.ts'

test('GET /calls: a call is early, then confirmed, then gone although its transactions linger', () => {
  const { ladder, caller, callee, invite } = ringing()
  const calls = (): unknown =>
    describeCalls(must(ladder.view, 'a group')).map(({ callId, state }) => ({ callId, state }))
  expect(calls()).toEqual([{ callId: 'call-1', state: 'early' }])
  ladder.say(callee, response(callee, invite, 200))
  expect(calls()).toEqual([{ callId: 'call-1', state: 'confirmed' }])
  ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'BYE', 2))
  ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
  expect(calls()).toEqual([])
  expect(callIdsOf(must(ladder.view, 'a group'))).toEqual(['call-1'])
  expect(ladder.view?.entities.length).toBeGreaterThan(0)
})

test('GET /calls/CALL-ID: every entity as JSON, with its version', () => {
  const { ladder } = ringing()
  const entities = must(ladder.view, 'a group').entities.map(describeEntity)
  expect(JSON.parse(JSON.stringify(entities))).toContainEqual(
    expect.objectContaining({
      tree: 'SipSession',
      id: '1',
      version: 2,
      value: expect.objectContaining({ state: 'EARLY', callId: 'call-1' }) as unknown,
    }),
  )
})
