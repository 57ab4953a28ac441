import { describe, expect, test } from 'vitest'
import { calleeLeg, callerLeg, follower, inDialog, parsed, request, response } from '../call/testing/phone.ts'
import type { Leg } from '../call/testing/phone.ts'
import { contradictions } from '../call/testing/same-bytes.ts'
import { parseBlock } from '../proxy/access.ts'
import { header } from '../sip/message.ts'
import { b2bua } from './testing/b2bua.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Handlers, LegsOptions, LegsScene } from './testing/legs-scene.ts'

interface Calling extends LegsScene {
  readonly sent: string
  readonly invite: string
}

interface Talking extends Calling {
  readonly a: Leg
  readonly b: Leg
}

function calling(handlers: Handlers = b2bua, options: LegsOptions = {}): Calling {
  const scene = legsScene(handlers, options)
  const sent = request(scene.caller, 'INVITE', 'sip:callee@127.31.9.1:5060', { body: 'v=0\r\n' })
  scene.ladder.say(scene.caller, sent)
  return { ...scene, sent, invite: scene.ladder.last(scene.callee, 'INVITE') }
}

function talking(handlers: Handlers = b2bua): Talking {
  const scene = calling(handlers)
  const { ladder, caller, callee, invite } = scene
  ladder.say(callee, response(callee, invite, 180))
  ladder.say(callee, response(callee, invite, 200))
  const a = callerLeg(ladder.last(caller, '200 INVITE'))
  ladder.say(caller, inDialog(caller, a, 'ACK', 1))
  ladder.take()
  return { ...scene, a, b: calleeLeg(callee, invite) }
}

const said = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.startsWith('set'))
const counter = ({ ladder }: LegsScene, name: string): number => ladder.store.counter(name)

describe('a B2BUA: two linked sessions in one group (JSR 289 12)', () => {
  test('[JSR 28] the turn that takes one leg and begins the other is one commit', () => {
    const scene = calling()
    expect(scene.refused).toEqual([])
    const lines = scene.ladder.take()
    expect(lines.filter((line) => line.startsWith('commit'))).toEqual([
      expect.stringMatching(/session 1.*dialog 1\.leg.*tx 1, tx 1\.1.*session 2.*dialog 2\.leg.*tx 2, tx 2\.1/),
    ])
    expect(said(lines)).toEqual(['set -> caller: 100 INVITE', 'set -> callee: INVITE'])
    expect(scene.view().sessions).toMatchObject([
      { role: 'uas', linked: '2' },
      { role: 'uac', linked: '1' },
    ])
    expect(header(parsed(scene.invite), 'Call-ID')).not.toBe(header(parsed(scene.sent), 'Call-ID'))
    expect(header(parsed(scene.invite), 'Max-Forwards')).toBe('69')
    expect(counter(scene, 'calls.early')).toBe(2)
  })

  test('answers cross, the ACK too; a leg is a call: two are counted', () => {
    const scene = calling()
    const { ladder, caller, callee, invite } = scene
    ladder.take()
    ladder.say(callee, response(callee, invite, 180))
    ladder.say(callee, response(callee, invite, 200))
    expect(said(ladder.take())).toEqual(['set -> caller: 180 INVITE', 'set -> caller: 200 INVITE'])
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK'])
    expect([counter(scene, 'calls.early'), counter(scene, 'calls.confirmed')]).toEqual([0, 2])
  })

  test('messages of the second leg find the group by what its Contact and Via say, not by its Call-ID', () => {
    const scene = talking()
    const { ladder, callee, b } = scene
    ladder.say(callee, inDialog(callee, b, 'BYE', 1))
    expect(said(ladder.take())).toEqual(['set -> callee: 200 BYE', 'set -> caller: BYE'])
    expect(ladder.store.counts().groups).toBe(1)
  })

  test('decision 0026: whoever we called may speak in its call, though no access list has it; nobody else may', () => {
    const block = parseBlock('127.31.9.2/32')
    const scene = calling(b2bua, { settings: { access: block.ok ? [block.value] : [] } })
    const { ladder, callee, invite } = scene
    ladder.say(callee, response(callee, invite, 200))
    ladder.take()
    const b = calleeLeg(callee, invite)
    ladder.say(callee, inDialog(callee, { ...b, callId: 'guessed' }, 'BYE', 1))
    expect(said(ladder.take())).toEqual(['set -> callee: 403 BYE'])
    ladder.say(callee, inDialog(callee, b, 'BYE', 1))
    expect(said(ladder.take())).toContain('set -> callee: 200 BYE')
  })

  test.each(['caller', 'callee'] as const)("[JSR 28] the %s's BYE ends both legs in one commit", (who) => {
    const scene = talking()
    const { ladder, a, b } = scene
    const [phone, leg] = who === 'caller' ? [scene.caller, a] : [scene.callee, b]
    ladder.say(phone, inDialog(phone, leg, 'BYE', 2))
    expect(ladder.take().filter((line) => line.startsWith('commit'))).toHaveLength(1)
    expect(counter(scene, 'calls.confirmed')).toBe(0)
    const far = who === 'caller' ? scene.callee : scene.caller
    ladder.say(far, response(far, ladder.last(far, 'BYE'), 200))
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('[JSR 28] a CANCEL of the one leg is a CANCEL of the other, and its 487 ends there', () => {
    const scene = calling()
    const { ladder, caller, callee, sent, invite, called } = scene
    ladder.say(callee, response(callee, invite, 180))
    ladder.take()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(said(ladder.take())).toEqual([
      'set -> caller: 200 CANCEL',
      'set -> caller: 487 INVITE',
      'set -> callee: CANCEL',
    ])
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 200))
    ladder.say(callee, response(callee, invite, 487))
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '487 INVITE')))
    expect(called).toEqual(['doInvite', 'doProvisionalResponse', 'doCancel', 'doErrorResponse'])
    expect(counter(scene, 'calls.early')).toBe(0)
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('a CANCEL that the 2xx overtook: the leg that answered is acknowledged and ended', () => {
    const { ladder, caller, callee, sent, invite } = calling()
    ladder.say(callee, response(callee, invite, 180))
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.take()
    ladder.say(callee, response(callee, invite, 200))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> callee: BYE'])
  })

  test('a failure of the one leg is the answer of the other', () => {
    const { ladder, caller, callee, invite, sent } = calling()
    ladder.take()
    ladder.say(callee, response(callee, invite, 486))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> caller: 486 INVITE'])
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '486 INVITE')))
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('a re-INVITE crosses, and an INFO, each way', () => {
    const { ladder, caller, callee, a, b } = talking()
    ladder.say(callee, inDialog(callee, b, 'INVITE', 1))
    ladder.say(caller, response(caller, ladder.last(caller, 'INVITE'), 200))
    expect(said(ladder.take())).toEqual([
      'set -> callee: 100 INVITE',
      'set -> caller: INVITE',
      'set -> callee: 200 INVITE',
    ])
    ladder.say(callee, inDialog(callee, b, 'ACK', 1))
    expect(said(ladder.take())).toEqual(['set -> caller: ACK'])
    ladder.say(caller, inDialog(caller, a, 'INFO', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'INFO'), 200))
    expect(said(ladder.take())).toEqual(['set -> callee: INFO', 'set -> caller: 200 INFO'])
  })

  test('13.3.1.4: no ACK on the one leg: both are ended, once', () => {
    const scene = calling()
    const { ladder, callee, invite, called } = scene
    ladder.say(callee, response(callee, invite, 200))
    ladder.take()
    ladder.pass(33)
    expect(called.filter((name) => name === 'noAckReceived')).toHaveLength(1)
    const byes = ladder.sent.filter(({ data }) => data.startsWith('BYE '))
    expect(new Set(byes.map(({ to }) => to))).toEqual(new Set(['caller', 'callee']))
    // 13.2.2.4: no BYE before the ACK.
    expect(said(ladder.take())).toContain('set -> callee: ACK')
    expect(contradictions(ladder)).toEqual([])
  })

  test('8.1.1.6: a circle of B2BUAs ends: with Max-Forwards 0 no leg is begun, and nothing of the turn counts', () => {
    const scene = legsScene(b2bua)
    const invite = request(scene.caller, 'INVITE', 'sip:callee@127.31.9.1:5060').replace(
      'Max-Forwards: 70',
      'Max-Forwards: 1',
    )
    scene.ladder.say(scene.caller, invite)
    expect(header(parsed(scene.ladder.last(scene.callee, 'INVITE')), 'Max-Forwards')).toBe('0')
  })

  test('[JSR 28] whoever takes over between any two messages: all goes on, byte for byte', () => {
    // 0: nobody dies.
    for (let death = 0; death <= 8; death++) {
      const scene = legsScene(b2bua)
      const { ladder, caller, callee } = scene
      let step = 0
      const mayDie = (): void => {
        if (++step === death) ladder.takeover()
      }
      const sent = request(caller, 'INVITE', 'sip:callee@127.31.9.1:5060')
      ladder.say(caller, sent)
      mayDie()
      const invite = ladder.last(callee, 'INVITE')
      ladder.say(callee, response(callee, invite, 180))
      mayDie()
      ladder.say(callee, response(callee, invite, 200))
      mayDie()
      const a = callerLeg(ladder.last(caller, '200 INVITE'))
      ladder.say(caller, inDialog(caller, a, 'ACK', 1))
      mayDie()
      ladder.say(caller, inDialog(caller, a, 'INFO', 2))
      mayDie()
      ladder.say(callee, response(callee, ladder.last(callee, 'INFO'), 200))
      mayDie()
      ladder.say(caller, inDialog(caller, a, 'BYE', 3))
      mayDie()
      ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
      mayDie()
      expect(contradictions(ladder), `death ${death}`).toEqual([])
      const tags = ladder.sent.filter(({ to }) => to === 'caller').map(({ data }) => header(parsed(data), 'To'))
      const numbers = ladder.sent
        .filter(({ to, data }) => to === 'callee' && !data.startsWith('SIP/2.0'))
        .map(({ data }) => header(parsed(data), 'CSeq'))
      expect(new Set(tags.filter((tag) => tag?.includes('tag=') === true)).size).toBe(1)
      expect([...new Set(numbers)]).toEqual(['1 INVITE', '1 ACK', '2 INFO', '3 BYE'])
      ladder.pass(120)
      expect(ladder.idle, `death ${death}`).toBe(true)
    }
  })
})
