// chaos.test.ts with an INVITE that forks: whatever the callees say, in whatever order, with owners that die in between, every
// commit fits the store, the caller gets one failure or as many 2xx as were given, and nothing is left in the end.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cseq, toTag } from '../sip/message.ts'
import { forked, named } from './testing/fork.ts'
import type { Fork } from './testing/fork.ts'
import { callerLeg, follower, inDialog, label, parsed, response } from './testing/phone.ts'
import { contradictions } from './testing/same-bytes.ts'

type Act = (fork: Fork) => void

const callee = fc.constantFrom('a', 'b', 'c')

function answer(name: string, status: number): Act {
  return (fork) => {
    const { ladder } = fork
    if (ladder.sent.some((one) => one.to === name && label(one.data) === 'INVITE')) fork.answer(name, status)
  }
}

const acknowledge: Act = ({ ladder, caller, sent }) => {
  const failed = finals(ladder.sent).find(({ status }) => status >= 300)
  if (failed !== undefined) ladder.say(caller, follower(sent, 'ACK', failed.text))
}

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(callee, fc.constantFrom(100, 180, 180, 200, 302, 401, 486, 487, 503, 603))
      .map((args) => answer(...args)),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Act>(({ ladder, caller, sent }) => ladder.say(caller, follower(sent, 'CANCEL'))),
  },
  {
    weight: 1,
    // What comes when the transaction is forgotten is another call.
    arbitrary: fc.constant<Act>(({ ladder, caller, sent }) => {
      if (ladder.view?.entities.some(({ tree }) => tree === 'Transaction') === true) ladder.say(caller, sent)
    }),
  },
  { weight: 1, arbitrary: fc.constant(acknowledge) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0.1, 1, 7, 33, 100).map((s): Act => ({ ladder }) => {
      ladder.release()
      ladder.pass(s)
    }),
  },
  { weight: 3, arbitrary: fc.constant<Act>(({ ladder }) => ladder.takeover()) },
  {
    weight: 1,
    arbitrary: fc.constant<Act>(({ ladder }) => {
      ladder.stalled = true
    }),
  },
  { weight: 2, arbitrary: fc.constant<Act>(({ ladder }) => ladder.release()) },
)

/** The finals that the caller got to its INVITE. */
function finals(
  sent: Fork['ladder']['sent'],
): readonly { readonly status: number; readonly tag: string; readonly text: string }[] {
  return sent.flatMap(({ to, data }) => {
    const message = to === 'caller' ? parsed(data) : null
    if (message?.kind !== 'response' || message.status < 200 || cseq(message).method !== 'INVITE') return []
    return [{ status: message.status, tag: toTag(message) ?? '', text: data }]
  })
}

test.each(['a,b,c', 'a|b|c', 'a,b|c'])('three callees and a mortal owner: %s', (targets) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), fc.boolean(), (acts, streams) => {
      const fork = forked(targets, streams ? { streams: ['a', 'c'], callerStream: '1.a.1/1' } : {})
      const { ladder, caller, callees } = fork
      for (const one of acts) one(fork)
      ladder.release()
      expect(contradictions(ladder)).toEqual([])
      // What rings is given up; what was answered hangs up.
      ladder.pass(800)
      for (const { text, tag } of finals(ladder.sent).filter(({ status }) => status < 300)) {
        const leg = callerLeg(text)
        ladder.say(caller, inDialog(caller, leg, 'BYE', 90, { branch: `z9hG4bK-bye-${tag}` }))
      }
      for (const one of callees) {
        const bye = ladder.sent.findLast(({ to, data }) => to === one.name && data.startsWith('BYE'))
        if (bye !== undefined) ladder.say(one, response(one, bye.data, 200))
      }
      ladder.pass(100)
      expectOneAnswer(fork)
      expect(ladder.store.counts()).toMatchObject({ groups: 0, entities: 0, timersPending: 0, intentsOpen: 0 })
      expect([ladder.store.counter('calls.early'), ladder.store.counter('calls.confirmed')]).toEqual([0, 0])
      expect(ladder.idle).toBe(true)
    }),
    { numRuns: 25 },
  )
})

/** A failure, once and the same, or 2xx, each of a callee that gave one. */
function expectOneAnswer({ ladder, callees }: Fork): void {
  const all = finals(ladder.sent)
  expect(all.length).toBeGreaterThan(0)
  const failures = new Set(all.filter(({ status }) => status >= 300).map(({ text }) => text))
  const answered = new Set(all.filter(({ status }) => status < 300).map(({ tag }) => tag))
  expect(failures.size + Math.min(answered.size, 1)).toBe(1)
  for (const tag of answered) expect(named(callees, tag.replace('-tag', '')).name).toBe(tag.replace('-tag', ''))
}
