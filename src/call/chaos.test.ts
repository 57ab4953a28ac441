// Whatever two phones say, in whatever order, with owners that die in between: nothing throws, every commit fits the
// store, what is sent twice is byte-identical, and once both hang up nothing is left.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cseq, values } from '../sip/message.ts'
import { follower, inDialog, label, parsed, request, response } from './testing/phone.ts'
import type { Leg } from './testing/phone.ts'
import { contradictions } from './testing/same-bytes.ts'
import { calling } from './testing/scene.ts'
import type { Scene } from './testing/scene.ts'

const URI = 'sip:callee@127.31.0.1:5060'

type Act = (scene: Scene) => void

/** Answers the last request of this method that the phone got. */
function answer(who: 'caller' | 'callee', method: string, status: number, tag?: string): Act {
  return (scene) => {
    const phone = scene[who]
    const got = scene.ladder.sent.findLast((one) => one.to === phone.name && label(one.data) === method)
    if (got !== undefined) scene.ladder.say(phone, response(phone, got.data, status, [], tag))
  }
}

/** The leg of a side in the dialog with this callee tag; with the routes of the call or without. */
function legOf(scene: Scene, who: 'caller' | 'callee', tag: string, routed: boolean): Leg {
  const routes = routed ? values(parsed(scene.invite), 'Record-Route') : []
  const caller = '<sip:caller@example.com>;tag=caller-tag'
  const callee = `<sip:callee@example.com>;tag=${tag}`
  const target = routed ? scene[who === 'caller' ? 'callee' : 'caller'].contact : URI
  const [local, remote] = who === 'caller' ? [caller, callee] : [callee, caller]
  return { callId: 'call-1', local, remote, target, routes }
}

function ask(who: 'caller' | 'callee', method: string, number: number, tag: string, routed: boolean): Act {
  return (scene) => {
    // With a Route it is another request.
    const branch = `z9hG4bK-${who}-${method}-${number}-${tag}${routed ? '' : '-direct'}`
    scene.ladder.say(scene[who], inDialog(scene[who], legOf(scene, who, tag, routed), method, number, { branch }))
  }
}

const ackFailure: Act = ({ ladder, caller, sent }) => {
  const failed = ladder.sent.findLast((one) => one.to === caller.name && /^SIP\/2\.0 [3-6].*\r\n/.test(one.data))
  if (failed !== undefined && cseq(parsed(failed.data)).method === 'INVITE') {
    ladder.say(caller, follower(sent, 'ACK', failed.data))
  }
}

const side = fc.constantFrom('caller' as const, 'callee' as const)
const tag = fc.constantFrom('callee-tag', 'other-tag')
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(side, fc.constantFrom(100, 180, 183, 200, 200, 407, 486, 503), tag)
      .map(([who, status, t]) => answer(who, 'INVITE', status, t)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(side, fc.constantFrom('BYE', 'INFO', 'UPDATE', 'CANCEL'), fc.constantFrom(100, 200, 407, 481))
      .map(([who, method, status]) => answer(who, method, status)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        side,
        fc.constantFrom('BYE', 'INFO', 'UPDATE', 'INVITE', 'ACK'),
        fc.integer({ min: 2, max: 4 }),
        tag,
        fc.boolean(),
      )
      .map((args) => ask(...args)),
  },
  { weight: 1, arbitrary: fc.constant<Act>(({ ladder, caller, sent }) => ladder.say(caller, sent)) },
  {
    weight: 1,
    arbitrary: fc.constant<Act>(({ ladder, caller }) =>
      ladder.say(caller, request(caller, 'INVITE', URI, { cseq: 2 })),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Act>(({ ladder, caller, sent }) => ladder.say(caller, follower(sent, 'CANCEL'))),
  },
  { weight: 1, arbitrary: fc.constant(ackFailure) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0.1, 1, 7, 33, 70).map((s): Act => ({ ladder }) => {
      ladder.release()
      ladder.pass(s)
    }),
  },
  { weight: 2, arbitrary: fc.constant<Act>(({ ladder }) => ladder.takeover()) },
  {
    weight: 1,
    arbitrary: fc.constant<Act>(({ ladder }) => {
      ladder.stalled = true
    }),
  },
  { weight: 2, arbitrary: fc.constant<Act>(({ ladder }) => ladder.release()) },
)

test('two phones and a mortal owner', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), fc.boolean(), (acts, streams) => {
      const scene = calling(streams ? { callerStream: '1.a.1/1', calleeStream: '1.a.1/2' } : {})
      const { ladder } = scene
      for (const one of acts) one(scene)
      ladder.release()
      expect(contradictions(ladder)).toEqual([])
      // Whatever rings is given up, then whoever talks hangs up and is not even answered.
      ladder.pass(400)
      for (const t of ['callee-tag', 'other-tag']) ask('caller', 'BYE', 90, t, true)(scene)
      ladder.pass(100)
      const counts = ladder.store.counts()
      expect(counts).toMatchObject({ groups: 0, entities: 0, timersPending: 0, intentsOpen: 0 })
      expect([ladder.store.counter('calls.early'), ladder.store.counter('calls.confirmed')]).toEqual([0, 0])
      expect(ladder.idle).toBe(true)
    }),
    { numRuns: 150 },
  )
})
