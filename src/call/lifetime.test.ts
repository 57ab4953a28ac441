import { describe, expect, test } from 'vitest'
import { seconds } from '../base/instant.ts'
import { callId, cseq, fromTag, toTag, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { callerLeg, inDialog, parsed, response } from './testing/phone.ts'
import { calling, ringing, talking } from './testing/scene.ts'
import type { Scene, SceneOptions, Talk } from './testing/scene.ts'

const HOUR = 3_600

const limited = (maxCall = HOUR, options: SceneOptions = {}): Talk =>
  talking({ ...options, lifetime: { maxCall: seconds(maxCall) } })

const request = (text: string): SipRequest => parsed(text) as SipRequest

/** The BYEs of ours that went out, to whom. */
const byes = ({ ladder }: Scene): readonly string[] =>
  ladder.sent.filter(({ data }) => data.startsWith('BYE ')).map(({ to }) => to)

describe('--max-call (decision 0028)', () => {
  test('a call that is as old as it may become ends with a BYE to both sides', () => {
    const { ladder, caller, callee } = limited()
    ladder.pass(HOUR)
    expect(ladder.take()).toEqual([
      'fired: x.1',
      'fired: l.1',
      'commit: tx 1, tx 2, dialog 1, session 1, timer x, cancel e.1, cancel l.1, cancel o.1, cancel s.1, holds none, open b.1, open b.2, done l.1',
      'set -> caller: BYE',
      'set -> callee: BYE',
    ])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take()).toEqual([
      'caller -> set: 200 BYE',
      'commit: -tx 1, done b.1',
      'callee -> set: 200 BYE',
      'commit: -tx 2, done b.2',
    ])
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('12.2.1.1: each is written as the other phone would, with a CSeq above all that it said', () => {
    const { ladder, caller, callee, callerLeg } = limited()
    ladder.say(caller, inDialog(caller, callerLeg, 'INVITE', 7))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    ladder.pass(HOUR)
    const [toCaller, toCallee] = [caller, callee].map((one) => request(ladder.last(one, 'BYE'))) as [
      SipRequest,
      SipRequest,
    ]
    expect([toCallee.requestUri, fromTag(toCallee), toTag(toCallee)]).toEqual([
      callee.contact,
      'caller-tag',
      'callee-tag',
    ])
    expect([toCaller.requestUri, fromTag(toCaller), toTag(toCaller)]).toEqual([
      caller.contact,
      'callee-tag',
      'caller-tag',
    ])
    expect([cseq(toCallee).number, cseq(toCaller).number]).toEqual([107, 100])
    expect([callId(toCallee), values(toCallee, 'Via').length, values(toCallee, 'Route')]).toEqual(['call-1', 1, []])
  })

  test('they go by the proxies between (12.1.2), in the order of each side', () => {
    const scene = calling({ lifetime: { maxCall: seconds(HOUR) } })
    const { ladder, caller, callee } = scene
    const below = ['<sip:127.31.9.2;lr>', '<sip:127.31.0.3:5064;lr>'] as const
    const ours = values(parsed(scene.invite), 'Record-Route').join(', ')
    const answer = response(callee, scene.invite, 200)
    ladder.say(callee, answer.replace(/Record-Route: .*\r\n/, `Record-Route: ${below.join(', ')}, ${ours}\r\n`))
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1))
    ladder.pass(HOUR)
    expect(values(request(ladder.last(callee, 'BYE')), 'Route')).toEqual([...below].reverse())
    expect(values(request(ladder.last(caller, 'BYE')), 'Route')).toEqual([])
  })

  test('its owner dies right after the decision: the next one sends the same bytes, and nobody decides again', () => {
    const scene = limited()
    const { ladder, caller, callee } = scene
    ladder.pass(HOUR)
    const sent = [ladder.last(caller, 'BYE'), ladder.last(callee, 'BYE')]
    ladder.takeover()
    expect(ladder.take().slice(-2)).toEqual(['set -> caller: BYE', 'set -> callee: BYE'])
    expect([ladder.last(caller, 'BYE'), ladder.last(callee, 'BYE')]).toEqual(sent)
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.takeover()
    ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 481))
    expect(byes(scene)).toEqual(['caller', 'callee', 'caller', 'callee', 'caller'])
    ladder.pass(40)
    expect(byes(scene)).toHaveLength(5)
    expect(ladder.idle).toBe(true)
  })

  test('a BYE that is answered before its intent is performed at the next owner is done once', () => {
    const { ladder, caller } = limited()
    ladder.pass(HOUR)
    ladder.takeover()
    ladder.stalled = true
    ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
    ladder.perform('b.1')
    ladder.take()
    ladder.release()
    expect(ladder.take()).toEqual(['commit: -tx 1, done b.1'])
  })

  test('its owner dies before it hears of the timer: the next one decides', () => {
    const scene = limited()
    const { ladder } = scene
    ladder.sleep(HOUR + 1)
    ladder.fireUnheard()
    ladder.takeover()
    expect(byes(scene)).toEqual(['caller', 'callee'])
  })

  test('a BYE of ours is repeated (timer E) and given up after 64*T1, at the next owner from its commit on', () => {
    const scene = limited()
    const { ladder, callee } = scene
    ladder.pass(HOUR)
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.pass(20)
    expect(byes(scene).length).toBeGreaterThan(4)
    ladder.takeover()
    ladder.take()
    ladder.pass(12)
    expect(ladder.take().at(-1)).toBe('commit: -tx 1, done b.1')
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test('a 500 gets one more with a higher CSeq (12.2.2), and no third', () => {
    const scene = limited()
    const { ladder, caller, callee } = scene
    ladder.pass(HOUR)
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.take()
    const first = ladder.last(caller, 'BYE')
    ladder.say(caller, response(caller, first, 500))
    expect(ladder.take()).toEqual(['caller -> set: 500 BYE', 'commit: tx 1', 'set -> caller: BYE'])
    const second = ladder.last(caller, 'BYE')
    expect(cseq(parsed(second)).number).toBe(10_100)
    expect(values(parsed(second), 'Via')).not.toEqual(values(parsed(first), 'Via'))
    ladder.takeover()
    expect(ladder.last(caller, 'BYE')).toBe(second)
    ladder.take()
    ladder.say(caller, response(caller, second, 500))
    expect(ladder.take()).toEqual(['caller -> set: 500 BYE', 'commit: -tx 1, done b.1'])
  })

  test('a phone hangs up at the same moment: its BYE is relayed and answered, and the call ends once', () => {
    const { ladder, caller, callee, callerLeg } = limited()
    ladder.pass(HOUR)
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    const [own, relayed] = ladder.sent.filter(({ to, data }) => to === 'callee' && data.startsWith('BYE '))
    ladder.say(callee, response(callee, own?.data ?? '', 200))
    ladder.say(callee, response(callee, relayed?.data ?? '', 481))
    expect(ladder.take().at(-1)).toBe('set -> caller: 481 BYE')
    ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('a call that its phones end takes the timer with it', () => {
    const scene = limited()
    const { ladder, caller, callee, callerLeg } = scene
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take()).toContain(
      'commit: dialog 1, tx 2, session 1, timer x.2, timer x, cancel e.1, cancel l.1, cancel o.1, cancel s.1, holds none',
    )
    ladder.pass(HOUR)
    expect(byes(scene)).toEqual(['callee'])
  })

  test('15: not before the ACK, or 64*T1', () => {
    const early = ringing({ lifetime: { maxCall: seconds(5) } })
    early.ladder.say(early.callee, response(early.callee, early.invite, 200))
    early.ladder.pass(31)
    expect(byes(early)).toEqual([])
    early.ladder.pass(1)
    expect(byes(early)).toEqual(['caller', 'callee'])
    const acknowledged = ringing({ lifetime: { maxCall: seconds(5) } })
    const { ladder, caller, callee, invite } = acknowledged
    ladder.say(callee, response(callee, invite, 200))
    ladder.take()
    ladder.pass(2)
    const ack = inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1)
    ladder.say(caller, ack)
    expect(ladder.take()).toEqual(['caller -> set: ACK', 'set -> callee: ACK', 'commit: dialog 1, timer l.1'])
    ladder.say(caller, ack)
    expect(ladder.take()).toEqual(['caller -> set: ACK', 'set -> callee: ACK'])
    ladder.pass(2.9)
    expect(byes(acknowledged)).toEqual([])
    ladder.pass(0.1)
    expect(byes(acknowledged)).toEqual(['caller', 'callee'])
  })

  test('a phone whose requests leave no commit behind is counted up to in steps', () => {
    const { ladder, caller, callee, callerLeg } = limited()
    ladder.say(caller, inDialog(caller, callerLeg, 'INFO', 40))
    expect(ladder.take()).toEqual(['caller -> set: INFO', 'set -> callee: INFO'])
    ladder.say(caller, inDialog(caller, callerLeg, 'INFO', 5_000))
    expect(ladder.take()).toEqual(['caller -> set: INFO', 'set -> callee: INFO', 'commit: dialog 1'])
    ladder.pass(HOUR)
    expect(cseq(parsed(ladder.last(callee, 'BYE'))).number).toBe(5_100)
  })

  test('a side that nobody can connect to does not hold the other one up', () => {
    const scene = limited(HOUR, { calleeStream: '1.x.1/3', transport: 'tcp' })
    const { ladder, callee } = scene
    ladder.pass(HOUR)
    ladder.take()
    const bye = ladder.sent.findLast(({ to, data }) => to !== 'caller' && data.startsWith('BYE '))
    expect(bye).toMatchObject({ what: 'own 2', flow: { transport: 'tcp', host: callee.flow.host } })
    const { what, flow, data } = bye as NonNullable<typeof bye>
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'late' })
    expect(ladder.sent.at(-1)?.data).toBe(data)
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'unreachable' })
    expect(ladder.take().at(-1)).toBe('commit: -tx 2, done b.2')
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'late' })
    expect(ladder.take()).toEqual([])
  })

  test('a set that writes format 1 has no room for it: its calls are ended by their phones alone', () => {
    const scene = limited(HOUR, { format: 1 })
    scene.ladder.pass(2 * HOUR)
    expect(byes(scene)).toEqual([])
  })

  test('without a limit nothing of it is in the log', () => {
    const { ladder } = talking()
    expect(ladder.view?.timers.map(({ id }) => id)).toEqual(['x.1'])
  })
})

test('an answer to a BYE of ours that comes once more goes nowhere', () => {
  const { ladder, caller } = limited()
  ladder.pass(HOUR)
  const answer = response(caller, ladder.last(caller, 'BYE'), 200)
  ladder.say(caller, answer)
  ladder.take()
  ladder.say(caller, answer)
  expect(ladder.take()).toEqual(['caller -> set: 200 BYE'])
})

/** Asked every hour, and once more after five minutes. */
const asked = (options: SceneOptions = {}, grace = 300): Talk =>
  talking({ ...options, lifetime: { probe: { every: seconds(HOUR), grace: seconds(grace) } } })

/** Each side answers the OPTIONS that it got last. */
function answerProbe({ ladder, caller, callee }: Talk, ofCaller: number | null, ofCallee: number | null): void {
  for (const [one, status] of [
    [caller, ofCaller],
    [callee, ofCallee],
  ] as const) {
    if (status !== null) ladder.say(one, response(one, ladder.last(one, 'OPTIONS'), status))
  }
}

describe('OPTIONS to both sides (decision 0028)', () => {
  test('both are asked, and again an hour later', () => {
    const scene = asked()
    const { ladder, callee } = scene
    ladder.pass(HOUR)
    expect(ladder.take()).toEqual(['fired: x.1', 'fired: o.1', 'set -> caller: OPTIONS', 'set -> callee: OPTIONS'])
    answerProbe(scene, 500, 200)
    expect(ladder.take()).toEqual([
      'caller -> set: 500 OPTIONS',
      'callee -> set: 200 OPTIONS',
      'commit: timer o.1, done o.1',
    ])
    const first = ladder.last(callee, 'OPTIONS')
    ladder.pass(HOUR)
    expect(ladder.take()).toEqual(['fired: o.1', 'set -> caller: OPTIONS', 'set -> callee: OPTIONS'])
    // Alike but for the branch: what the phone still remembers of the last one is no answer to this one (17.2.3).
    const branches = [first, ladder.last(callee, 'OPTIONS')].map((text) => values(parsed(text), 'Via')[0])
    expect(branches[0]).not.toBe(branches[1])
  })

  test('its CSeq was used before in that direction, or is 0: a re-INVITE that comes next is not refused (12.2.2)', () => {
    const { ladder, caller, callee, callerLeg } = asked()
    ladder.say(caller, inDialog(caller, callerLeg, 'INVITE', 7))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    ladder.pass(HOUR)
    const numbers = [callee, caller].map((one) => cseq(parsed(ladder.last(one, 'OPTIONS'))).number)
    expect(numbers).toEqual([6, 0])
  })

  test.each([200, 401, 404, 405, 480, 486, 488, 500, 501, 503, 604])('a %d means that somebody is there', (status) => {
    const scene = asked({}, 0)
    scene.ladder.pass(HOUR)
    answerProbe(scene, 200, status)
    expect(scene.ladder.take().at(-1)).toBe('commit: timer o.1, done o.1')
    expect(byes(scene)).toEqual([])
  })

  test.each([481, 408, null])('%s twice means that nobody is: BYE to both sides', (status) => {
    const scene = asked()
    const { ladder } = scene
    ladder.pass(HOUR)
    answerProbe(scene, 200, status)
    ladder.pass(33)
    expect(ladder.take().at(-1)).toBe('commit: dialog 1, timer o.1, done o.1')
    ladder.pass(300)
    answerProbe(scene, 200, status)
    ladder.pass(33)
    expect(byes(scene).slice(0, 2)).toEqual(['caller', 'callee'])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })

  test('a side that is there again after the grace time is not doubted any more', () => {
    const scene = asked()
    const { ladder } = scene
    ladder.pass(HOUR)
    answerProbe(scene, 481, 200)
    ladder.pass(300)
    // It was the other one before.
    answerProbe(scene, 200, 481)
    ladder.pass(300)
    answerProbe(scene, 200, 200)
    ladder.take()
    ladder.pass(300)
    expect(ladder.take()).toEqual([])
    expect(byes(scene)).toEqual([])
  })

  test('its owner dies while it waits: the next one asks again, by the same bytes, and decides once', () => {
    const scene = asked({}, 0)
    const { ladder, callee } = scene
    ladder.pass(HOUR)
    const first = ladder.last(callee, 'OPTIONS')
    ladder.take()
    ladder.takeover()
    expect(ladder.take().slice(-2)).toEqual(['set -> caller: OPTIONS', 'set -> callee: OPTIONS'])
    expect(ladder.last(callee, 'OPTIONS')).toBe(first)
    answerProbe(scene, 200, 481)
    ladder.takeover()
    expect(byes(scene)).toEqual(['caller', 'callee', 'caller', 'callee'])
    expect(ladder.view?.intents.map(({ id }) => id)).toEqual(['b.1', 'b.2'])
  })

  test('a connection that is refused is no answer at all', () => {
    const scene = asked({ calleeStream: '1.x.1/3', transport: 'tcp' }, 0)
    const { ladder, caller } = scene
    ladder.pass(HOUR)
    const { what, flow, data } = ladder.sent.findLast(({ to }) => to !== 'caller') as (typeof ladder.sent)[number]
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'late' })
    expect(ladder.sent.at(-1)?.data).toBe(data)
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'unreachable' })
    ladder.say(caller, response(caller, ladder.last(caller, 'OPTIONS'), 500))
    expect(ladder.take().at(-1)).toBe('commit: timer o.1, done o.1')
  })

  test('the call ends meanwhile: so does the question', () => {
    const { ladder, caller, callee, callerLeg } = asked()
    ladder.pass(HOUR)
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.view?.intents).toEqual([])
    ladder.take()
    ladder.pass(31)
    expect(ladder.take()).toEqual([])
    ladder.pass(5)
    expect(ladder.idle).toBe(true)
  })
})

describe('session timers (RFC 4028)', () => {
  const TEN_MINUTES = 600
  const refreshed = (headers: readonly (readonly [string, string])[]): Talk => {
    const scene = calling({ lifetime: { sessions: true } })
    const { ladder, caller, callee, invite } = scene
    ladder.say(callee, response(callee, invite, 200, headers))
    const leg = callerLeg(ladder.last(caller, '200 INVITE'))
    ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
    ladder.take()
    return { ...scene, callerLeg: leg, calleeLeg: leg }
  }
  const ten = [['Session-Expires', '600;refresher=uac']] as const

  test('8.3: once it has expired the proxy forgets the call, and sends nothing', () => {
    const scene = refreshed(ten)
    const { ladder } = scene
    ladder.pass(TEN_MINUTES - 1)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    ladder.pass(1)
    expect(ladder.take().slice(-2)).toEqual([
      'fired: s.1',
      'commit: dialog 1, session 1, timer x, cancel e.1, cancel l.1, cancel o.1, cancel s.1, holds none, done s.1',
    ])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(40)
    expect([byes(scene), ladder.idle]).toEqual([[], true])
  })

  test.each(['INVITE', 'UPDATE'])('8.2: the 2xx to an %s sets it anew, or takes it away', (method) => {
    const { ladder, caller, callee, callerLeg } = refreshed([['x', '600']])
    const refresh = (number: number, headers: readonly (readonly [string, string])[]): void => {
      ladder.say(caller, inDialog(caller, callerLeg, method, number))
      ladder.say(callee, response(callee, ladder.last(callee, method), 200, headers))
    }
    ladder.pass(500)
    refresh(2, ten)
    ladder.pass(TEN_MINUTES - 1)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    refresh(3, [])
    ladder.pass(HOUR)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test.each(['', 'soon', '-5', '1e9'])('a Session-Expires of "%s" is none', (value) => {
    const { ladder } = refreshed([['Session-Expires', value]])
    expect(ladder.view?.timers.map(({ id }) => id)).toEqual(['x.1'])
  })

  test('where nobody asks for it, it is not looked at', () => {
    const scene = calling({ lifetime: { maxCall: seconds(HOUR) } })
    scene.ladder.say(scene.callee, response(scene.callee, scene.invite, 200, ten))
    expect(scene.ladder.view?.timers.map(({ id }) => id)).toEqual(['l.1', 'x.1'])
  })
})
