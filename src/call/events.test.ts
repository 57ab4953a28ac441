import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { groupKey, index, life, replicaId } from '../base/brand.ts'
import { seconds, stamp } from '../base/instant.ts'
import type { Commit } from '../wire/entry.ts'
import { newHosted } from '../session/sip-session.ts'
import type { SipSession } from '../session/sip-session.ts'
import { entityBytes } from './entities.ts'
import { callEvents } from './events.ts'
import type { CallEvent } from './events.ts'
import type { Ladder } from './testing/ladder.ts'
import { callerLeg, follower, inDialog, request, response } from './testing/phone.ts'
import { calling, ringing, talking } from './testing/scene.ts'

const told = ({ store }: Ladder): readonly CallEvent[] =>
  must(store.tail, 'it is followed')
    .since(index(0))
    .flatMap(({ texts }) => texts.map((text) => JSON.parse(text) as CallEvent))

const names = (ladder: Ladder): readonly string[] => told(ladder).map(({ event }) => event)

type Ended = Extract<CallEvent, { event: 'call-ended' }>
const isEnded = (event: CallEvent): event is Ended => event.event === 'call-ended'

/** Why the only call ended. */
const end = (ladder: Ladder): Pick<Ended, 'cause' | 'by' | 'status'> => {
  const [one, ...others] = told(ladder).filter(isEnded)
  expect(others).toEqual([])
  const { cause, by, status } = must(one, 'it ended')
  return { cause, by, status }
}

const ENDS: readonly (readonly [name: string, end: ReturnType<typeof end>, run: () => Ladder])[] = [
  [
    "the caller's BYE",
    { cause: 'bye', by: 'caller', status: 200 },
    () => {
      const { ladder, caller, callee, callerLeg } = talking()
      ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
      ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
      return ladder
    },
  ],
  [
    "the callee's BYE, which the caller doesn't know",
    { cause: 'bye', by: 'callee', status: 481 },
    () => {
      const { ladder, caller, callee, calleeLeg } = talking()
      ladder.say(callee, inDialog(callee, calleeLeg, 'BYE', 1))
      ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 481))
      return ladder
    },
  ],
  [
    'both hang up at once',
    { cause: 'bye', by: 'callee', status: 200 },
    () => {
      const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
      ladder.say(callee, inDialog(callee, calleeLeg, 'BYE', 1))
      ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
      ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
      ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
      return ladder
    },
  ],
  [
    'a BYE without an answer',
    { cause: 'bye', by: null, status: null },
    () => {
      const { ladder, caller, callerLeg } = talking()
      ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
      return ladder
    },
  ],
  [
    'a BYE without an answer, whose owner dies',
    { cause: 'bye', by: null, status: null },
    () => {
      const { ladder, caller, callerLeg } = talking()
      ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
      ladder.takeover()
      return ladder
    },
  ],
  [
    'it is as old as it may become',
    { cause: 'max-call', by: 'set', status: null },
    () => {
      const { ladder } = talking({ lifetime: { maxCall: seconds(3_600) } })
      ladder.pass(3_600)
      return ladder
    },
  ],
  [
    'its sides are gone',
    { cause: 'probe', by: 'set', status: null },
    () => {
      const { ladder } = talking({ lifetime: { probe: { every: seconds(60), grace: seconds(0) } } })
      ladder.pass(100)
      return ladder
    },
  ],
  [
    'nobody refreshes its session',
    { cause: 'session-expired', by: 'set', status: null },
    () => {
      const { ladder, callee, invite } = ringing({ lifetime: { sessions: true } })
      ladder.say(callee, response(callee, invite, 200, [['Session-Expires', '90']]))
      ladder.pass(91)
      return ladder
    },
  ],
  [
    'the caller gives up',
    { cause: 'cancelled', by: 'caller', status: 487 },
    () => {
      const { ladder, caller, callee, sent, invite } = ringing()
      ladder.say(caller, follower(sent, 'CANCEL'))
      ladder.say(callee, response(callee, invite, 487))
      return ladder
    },
  ],
  [
    'the caller gives up, and the callee says nothing more',
    { cause: 'cancelled', by: 'caller', status: 487 },
    () => {
      const { ladder, caller, sent } = ringing()
      ladder.say(caller, follower(sent, 'CANCEL'))
      return ladder
    },
  ],
  [
    'the callee is busy',
    { cause: 'refused', by: 'callee', status: 486 },
    () => {
      const { ladder, callee, invite } = ringing()
      ladder.say(callee, response(callee, invite, 486))
      return ladder
    },
  ],
  [
    'nobody is there',
    { cause: 'timeout', by: 'set', status: 408 },
    () => {
      const { ladder } = calling()
      return ladder
    },
  ],
  [
    'it rings for ever (16.8)',
    { cause: 'timeout', by: 'set', status: 487 },
    () => {
      const { ladder, callee, invite } = ringing()
      ladder.pass(186)
      ladder.say(callee, response(callee, invite, 487))
      return ladder
    },
  ],
  [
    'it rings for ever, and does not hear our CANCEL',
    { cause: 'timeout', by: 'set', status: 408 },
    () => {
      const { ladder } = ringing()
      ladder.pass(186)
      return ladder
    },
  ],
  [
    'the next hop can not be reached (16.9)',
    { cause: 'refused', by: 'set', status: 500 },
    () => {
      const { ladder, callee, invite } = calling()
      ladder.step({ kind: 'unsent', what: 'invite 1.1', flow: callee.flow, data: invite, reason: 'unreachable' })
      return ladder
    },
  ],
  [
    'a 2xx without a To tag (RFC 2543): its end is nothing that the set sees',
    { cause: 'untracked', by: null, status: 200 },
    () => {
      const { ladder, callee, invite } = calling({ callerStream: 'one' })
      ladder.say(callee, response(callee, invite, 200).replace(/;tag=callee-tag/, ''))
      return ladder
    },
  ],
]

const COMMIT: Commit = {
  kind: 'commit',
  group: groupKey('0123456789abcdef'),
  expected: 0,
  proposer: life(replicaId(1), 'a', 1),
  since: index(1),
  judged: index(1),
  serial: 1,
  lowestOpen: 1,
  onto: 0,
  puts: [],
  deletes: [],
  timers: [],
  cancels: [],
  holds: null,
  opened: [],
  done: [],
}

describe('each way a call ends is one call-ended, with its cause', () => {
  test.each(ENDS)('%s', (_, expected, run) => {
    const ladder = run()
    ladder.pass(200)
    expect(end(ladder)).toEqual(expected)
    expect(names(ladder).filter((name) => name === 'call-started')).toHaveLength(1)
  })
})

describe('a call that is answered', () => {
  test.each([1, 2] as const)('is told in four events, the last of which has all of a record (format %i)', (format) => {
    const { ladder, caller, callee, invite } = calling({ format })
    ladder.sleep(1)
    ladder.say(callee, response(callee, invite, 180))
    ladder.sleep(2)
    ladder.say(callee, response(callee, invite, 200))
    ladder.sleep(60)
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(names(ladder)).toEqual(['call-started', 'call-ringing', 'call-answered', 'call-ended'])
    const { started, answered, at, from, to, callId } = must(told(ladder).find(isEnded), 'it ended')
    expect([(answered ?? 0) - started, at - (answered ?? 0)]).toEqual([3_000_000, 60_000_000])
    expect([from, to, callId]).toEqual(['sip:caller@example.com', 'sip:callee@example.com', 'call-1'])
  })

  test('stays one while its sides change it', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'INVITE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    ladder.pass(100)
    expect(names(ladder)).toEqual(['call-started', 'call-ringing', 'call-answered'])
  })
})

describe('calls of one Call-ID', () => {
  test('an INVITE that comes again with credentials begins another one', () => {
    const { ladder, caller, callee, sent, invite } = calling()
    ladder.say(callee, response(callee, invite, 407))
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '407 INVITE')))
    ladder.pass(1)
    ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: 2 }))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 486))
    const ended = told(ladder).filter(isEnded)
    expect(ended.map(({ status }) => status)).toEqual([407, 486])
    expect((ended[1]?.started ?? 0) - (ended[0]?.started ?? 0)).toBe(1_000_000)
    expect(names(ladder)).toEqual(['call-started', 'call-ended', 'call-started', 'call-ended'])
  })
})

describe('timers', () => {
  test('each that asks its owner for something is told, not those that delete', () => {
    const { ladder } = ringing()
    ladder.pass(186)
    expect(told(ladder).at(-1)).toMatchObject({ event: 'timer-fired', timer: 'c.1.1' })
    ladder.pass(100)
    expect(names(ladder).filter((name) => name === 'timer-fired')).toHaveLength(2)
  })
})

describe('what phones alone never cause', () => {
  const session: SipSession = {
    kind: 'session',
    state: 'CONFIRMED',
    callId: 'c',
    callerTag: 'a',
    caller: 'sip:a@x',
    callee: 'sip:b@x',
    created: stamp(1),
    began: stamp(1),
    answered: stamp(3),
    hosted: null,
  }
  const bytes = (value: SipSession): Uint8Array => entityBytes(value, 2)
  const before = (value: SipSession) => () =>
    ({ tree: 'SipSession', id: '1', version: 1, stamp: stamp(3), bytes: bytes(value) }) as const
  const tell = (was: SipSession, is: SipSession | null): readonly string[] => {
    const ref = { tree: 'SipSession', id: '1', expected: 1 } as const
    const parts = is === null ? { deletes: [ref] } : { puts: [{ ...ref, bytes: bytes(is) }] }
    return callEvents.committed({ ...COMMIT, ...parts }, stamp(9), before(was)).map((text) => {
      const { event, answered = '' } = JSON.parse(text) as { event: string; answered?: number }
      return `${event} ${answered}`.trim()
    })
  }

  test('one call ends and the next one begins in one commit', () => {
    const next: SipSession = { ...session, state: 'INITIAL', began: stamp(9), answered: null }
    expect(tell(session, next)).toEqual(['call-ended 3', 'call-started'])
  })

  test('a session that is deleted while its call is up ends it', () => {
    expect(tell(session, null)).toEqual(['call-ended 3'])
    expect(tell({ ...session, state: 'TERMINATED' }, null)).toEqual([])
  })

  test("an application's attributes are no event", () => {
    expect(tell(session, { ...session, hosted: newHosted('proxy') })).toEqual([])
  })
})

test('bytes that are no session are told as such: applying an entry never throws', () => {
  const puts = [{ tree: 'SipSession', id: '1', expected: 0, bytes: Uint8Array.of(1, 2) }] as const
  const commit = { ...COMMIT, puts }
  expect(callEvents.committed(commit, stamp(5), () => null)).toEqual([
    '{"event":"unreadable","at":5,"group":"0123456789abcdef"}',
  ])
})
