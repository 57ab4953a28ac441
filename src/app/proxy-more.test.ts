import { describe, expect, test } from 'vitest'
import { seconds } from '../base/instant.ts'
import { callerLeg, follower, inDialog, parsed, request, response } from '../call/testing/phone.ts'
import { header } from '../sip/message.ts'
import type { CallSettings } from '../call/contract.ts'
import type { Op, ProxyPlan } from './contract.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Handler, Handlers, Heard, LegsScene } from './testing/legs-scene.ts'

const TARGET = 'sip:callee@127.31.9.1:5060'
const FIRST = 'sip:first@127.31.9.3:5064'
const SECOND = 'sip:second@127.31.9.3:5064'

const proxied = (plan: Partial<ProxyPlan> = {}, id = ''): Op => ({
  kind: 'proxy',
  request: id,
  plan: { targets: [[FIRST]], recurse: false, timeout: null, ...plan },
})

interface Told {
  readonly handler: string
  readonly text: string
  readonly event: Heard
}

interface Scene extends LegsScene {
  readonly sent: string
  readonly told: Told[]
}

/** `on`: what a failure is answered with. */
function calling(on: Handler = () => [], plan: Partial<ProxyPlan> = {}, settings: Partial<CallSettings> = {}): Scene {
  const told: Told[] = []
  const tells =
    (name: string, handler: Handler): Handler =>
    (event, view) => {
      const [line = ''] = (event.message?.text ?? '').split('\r\n')
      told.push({ handler: name, text: line, event })
      return handler(event, view)
    }
  const handlers: Handlers = {
    doInvite: (event) => [proxied(plan, event.message?.request ?? '')],
    doErrorResponse: tells('doErrorResponse', on),
    doBye: tells('doBye', () => []),
  }
  const scene = legsScene(handlers, { settings })
  const sent = request(scene.caller, 'INVITE', TARGET)
  scene.ladder.say(scene.caller, sent)
  return { ...scene, sent, told }
}

const lines = ({ told }: Scene): readonly string[] => told.map(({ handler, text }) => `${handler} ${text}`)
const invites = ({ ladder }: Scene): number =>
  new Set(ladder.sent.filter(({ data }) => data.startsWith('INVITE')).map(({ data }) => data)).size
const next: Handler = () => [proxied({ targets: [[SECOND]] })]

describe('[JSR 29] proxyTo again in doErrorResponse', () => {
  const once = (): Handler => {
    let count = 0
    return (event, view) => (count++ === 0 ? next(event, view) : [])
  }

  test('the next target is called in the place of the answer, in one commit, and whoever takes over goes on', () => {
    const scene = calling(once())
    const { ladder, caller, callee } = scene
    ladder.take()
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 486))
    expect(ladder.take().filter((line) => line.startsWith('commit') || line.startsWith('set'))).toEqual([
      expect.stringContaining('tx 1.2'),
      'set -> callee: ACK',
      'set -> callee: INVITE',
    ])
    const second = ladder.last(callee, 'INVITE')
    expect(parsed(second)).toMatchObject({ requestUri: SECOND })
    ladder.takeover()
    expect(ladder.last(callee, 'INVITE')).toBe(second)
    ladder.say(callee, response(callee, second, 200))
    expect(ladder.last(caller, '200 INVITE')).toContain('200 OK')
    expect(scene.refused).toEqual([])
  })

  test('after the last one the best of all failures goes up', () => {
    const scene = calling(once())
    const { ladder, caller, callee } = scene
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 486))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 404))
    expect(lines(scene)).toEqual([
      expect.stringMatching(/^doErrorResponse SIP\/2.0 486/),
      expect.stringMatching(/^doErrorResponse SIP\/2.0 4/),
    ])
    expect(invites(scene)).toBe(2)
    expect(ladder.sent.filter(({ to, data }) => to === caller.name && data.startsWith('SIP/2.0 4'))).toHaveLength(1)
  })

  test('nobody answers in the time that it has: told before the caller is, and the next one is called', () => {
    const scene = calling(once(), { timeout: seconds(5) })
    scene.ladder.pass(6)
    expect(lines(scene)).toEqual([expect.stringMatching(/^doErrorResponse SIP\/2.0 408/)])
    expect(parsed(scene.ladder.last(scene.callee, 'INVITE'))).toMatchObject({ requestUri: SECOND })
    expect(scene.ladder.sent.some(({ data }) => data.startsWith('SIP/2.0 408'))).toBe(false)
  })

  test('16.7, 16.10: not after a 6xx, nor for a caller that has given up', () => {
    const global = calling(next)
    global.ladder.say(global.callee, response(global.callee, global.ladder.last(global.callee, 'INVITE'), 603))
    expect(global.refused).toEqual([expect.stringContaining('after a 6xx')])
    expect(global.ladder.last(global.caller, '603 INVITE')).toContain('603')
    const gone = calling(next)
    const { ladder, caller, callee, sent } = gone
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 180))
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 487))
    expect(gone.refused).toEqual([expect.stringContaining('given up')])
    expect(invites(gone)).toBe(1)
  })

  test.each([
    ['a target that leads nowhere', [['tel:1']], 'leads anywhere'],
    ['too many', [Array.from({ length: 16 }, (_, n) => `sip:${n}@127.31.9.3:5064`)], 'at most'],
  ])('%s: nothing that the handler did counts', (_, targets, why) => {
    const scene = calling(() => [proxied({ targets })])
    scene.ladder.say(scene.callee, response(scene.callee, scene.ladder.last(scene.callee, 'INVITE'), 486))
    expect(scene.refused).toEqual([expect.stringContaining(why)])
    expect(scene.ladder.last(scene.caller, '486 INVITE')).toContain('486')
  })
})

describe('bounds of calls (decision 0040)', () => {
  const THIRD = 'sip:third@127.31.9.4:5064'
  const failing = (targets: readonly (readonly string[])[], held: string): Scene => {
    const scene = calling(() => [proxied({ targets })], {}, { bounds: { calls: 9, out: 9, route: 1 } })
    scene.ladder.hold(`calls.to ${held}`)
    scene.ladder.say(scene.callee, response(scene.callee, scene.ladder.last(scene.callee, 'INVITE'), 486))
    return scene
  }
  const held = ({ ladder }: Scene): readonly number[] =>
    ['calls.all', 'calls.to 127.31.9.3:5064', 'calls.to 127.31.9.4:5064'].map((name) => ladder.store.counter(name))

  test('no target has room: nothing that the handler did counts, and nothing is held for it', () => {
    const scene = failing([[THIRD]], '127.31.9.4:5064')
    expect(scene.refused).toEqual([
      expect.stringContaining('limit: proxy: as many calls as may be go to these targets'),
    ])
    expect(scene.ladder.last(scene.caller, '486 INVITE')).toContain('486')
    expect(held(scene)).toEqual([0, 0, 0])
  })

  test('too many targets: what they would hold is not held', () => {
    const scene = failing([Array.from({ length: 16 }, () => THIRD)], '127.31.9.5:5064')
    expect(scene.refused).toEqual([expect.stringContaining('limit: proxy: an INVITE has at most')])
    expect(held(scene)).toEqual([0, 0, 0])
  })

  test('those that have room are called, and hold it until the call ends', () => {
    const scene = failing([['sip:full@127.31.9.5:5064', THIRD]], '127.31.9.5:5064')
    expect(scene.refused).toEqual([])
    expect(invites(scene)).toBe(2)
    expect(held(scene)).toEqual([1, 1, 1])
    scene.ladder.pass(40)
    expect(held(scene)).toEqual([0, 0, 0])
  })
})

describe('what the set does to a proxied call by itself is told afterwards, once', () => {
  test('408: nothing came from its target', () => {
    const scene = calling()
    scene.ladder.pass(33)
    expect(lines(scene)).toEqual([expect.stringMatching(/^doErrorResponse SIP\/2.0 408/)])
    expect(scene.told[0]?.event.message?.session).toBe('1')
    scene.ladder.takeover()
    scene.ladder.pass(100)
    expect(scene.told).toHaveLength(1)
    expect(scene.ladder.idle).toBe(true)
  })

  test('404: no target leads anywhere; what doInvite did stands', () => {
    const told: string[] = []
    const scene = legsScene({
      doInvite: ({ message }) => [
        proxied({ targets: [['tel:1']] }, message?.request ?? ''),
        { kind: 'set-attribute', of: '', name: 'tried', value: true },
      ],
      doErrorResponse: ({ message }, { attributes }) => {
        told.push(`${message?.session} ${message?.text.split('\r\n')[0]} ${attributes[0]?.name}`)
        return []
      },
    })
    const { ladder, caller } = scene
    const sent = request(caller, 'INVITE', TARGET)
    ladder.say(caller, sent)
    expect(told).toEqual([expect.stringMatching(/^1 SIP\/2.0 \d\d\d .* tried$/)])
    expect(scene.refused).toEqual([])
    const answers = ladder.sent.filter(({ to, data }) => to === caller.name && /^SIP\/2.0 [4-6]/.test(data))
    expect(answers).toHaveLength(1)
    ladder.pass(200)
    expect(ladder.idle).toBe(true)
  })

  test('a call that is too old: doBye with the BYE of the set', () => {
    const scene = calling(() => [], {}, { lifetime: { maxCall: seconds(60) } })
    const { ladder, caller, callee } = scene
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1))
    ladder.pass(61)
    expect(lines(scene)).toEqual([expect.stringMatching(/^doBye BYE /)])
    expect(scene.told[0]?.event.message).toMatchObject({ session: '1', isOwn: true })
  })
})

describe('[JSR 29] what is proxied', () => {
  test('leaves with the headers that the application sets, and visits first what it pushes', () => {
    const headers = [
      ['Subject', null],
      ['X-Account', '17'],
      ['X-Account', '18'],
    ] as const
    const scene = calling(() => [], { headers, routes: ['sip:127.31.9.3:5064;lr'] })
    const invite = parsed(scene.ladder.last(scene.callee, 'INVITE'))
    expect(header(invite, 'X-Account')).toBe('17')
    expect(invite.text).toContain('X-Account: 18')
    expect(header(invite, 'Route')).toContain('127.31.9.3')
    expect(invite).toMatchObject({ requestUri: FIRST })
  })

  test.each([
    [{ headers: [['Via', 'x']] }, "the set's to write"],
    [{ headers: [['X A', 'x']] }, 'no header'],
    [{ routes: ['tel:1'] }, 'no SIP URI'],
  ] as const)('%j is refused', (plan, why) => {
    expect(calling(() => [], plan).refused).toEqual([expect.stringContaining(why)])
  })

  test('can be taken back: a CANCEL to whoever rings, and 487', () => {
    const told: string[] = []
    const scene = legsScene({
      doInvite: (event) => [proxied({ targets: [[FIRST], [SECOND]] }, event.message?.request ?? '')],
      doProvisionalResponse: (event) => [{ kind: 'cancel-proxy', session: event.message?.session ?? '' }],
    })
    const { ladder, caller, callee } = scene
    ladder.say(caller, request(caller, 'INVITE', TARGET))
    const invite = ladder.last(callee, 'INVITE')
    ladder.say(callee, response(callee, invite, 180))
    expect(ladder.last(callee, 'CANCEL')).toContain('CANCEL')
    ladder.say(callee, response(callee, invite, 487))
    expect(ladder.last(caller, '487 INVITE')).toContain('487')
    expect(parsed(ladder.last(callee, 'INVITE'))).toMatchObject({ requestUri: FIRST })
    expect([...told, ...scene.refused]).toEqual([])
  })

  test('can not be taken back once it is answered', () => {
    const scene = legsScene({
      doInvite: (event) => [proxied({}, event.message?.request ?? '')],
      doSuccessResponse: (event) => [{ kind: 'cancel-proxy', session: event.message?.session ?? '' }],
      doInfo: (event) => [{ kind: 'cancel-proxy', session: event.message?.session ?? '' }],
    })
    const { ladder, caller, callee } = scene
    ladder.say(caller, request(caller, 'INVITE', TARGET))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'INFO', 2))
    expect(scene.refused).toEqual([expect.stringContaining('no INVITE that is being proxied')])
  })
})

describe('[JSR 29] a request that is no INVITE', () => {
  const messaging = (plan: Partial<ProxyPlan>): LegsScene => {
    const scene = legsScene({ doMessage: ({ message }) => [proxied(plan, message?.request ?? '')] })
    scene.ladder.say(scene.caller, request(scene.caller, 'MESSAGE', TARGET))
    return scene
  }

  test('goes to the target that its application names, and its answer comes back', () => {
    const scene = messaging({ targets: [[SECOND]], headers: [['X-Account', '17']] })
    const { ladder, caller, callee } = scene
    const sent = ladder.last(callee, 'MESSAGE')
    expect(parsed(sent)).toMatchObject({ requestUri: SECOND })
    expect(header(parsed(sent), 'X-Account')).toBe('17')
    ladder.say(callee, response(callee, sent, 202))
    expect(ladder.last(caller, '202 MESSAGE')).toContain('202')
    expect(scene.refused).toEqual([])
  })

  test('is not forked', () => {
    const scene = messaging({ targets: [[FIRST, SECOND]] })
    expect(scene.refused).toEqual([expect.stringContaining('only an INVITE is forked')])
    expect(scene.ladder.last(scene.caller, '500 MESSAGE')).toContain('500')
  })

  test('that leads nowhere is answered by the set', () => {
    const scene = messaging({ targets: [['tel:1']] })
    expect(scene.ladder.sent.filter(({ to }) => to === scene.caller.name)).toHaveLength(1)
    scene.ladder.pass(300)
    expect(scene.ladder.idle).toBe(true)
  })
})
