import { describe, expect, test } from 'vitest'
import { callerLeg, follower, inDialog, parsed, request } from '../call/testing/phone.ts'
import type { Leg } from '../call/testing/phone.ts'
import { header } from '../sip/message.ts'
import type { Op } from './contract.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Heard, Handlers, LegsOptions, LegsScene } from './testing/legs-scene.ts'

const SDP = 'v=0\r\n'

function respond(event: Heard, status: number, headers: readonly (readonly [string, string])[] = []): Op {
  const body = status === 200 && event.handler === 'doInvite' ? SDP : ''
  return { kind: 'respond', request: event.message?.request ?? '', response: { status, headers, body } }
}

const answers: Handlers = {
  doInvite: (event) => [respond(event, 180), respond(event, 200)],
  doAck: () => [],
  doBye: (event) => [respond(event, 200)],
}

interface Answered extends LegsScene {
  readonly sent: string
  readonly leg: Leg
}

function invited(handlers: Handlers, options: LegsOptions = {}): LegsScene & { readonly sent: string } {
  const scene = legsScene(handlers, options)
  const sent = request(scene.caller, 'INVITE', 'sip:app@127.31.9.1:5060')
  scene.ladder.say(scene.caller, sent)
  return { ...scene, sent }
}

function answered(handlers: Handlers = answers, options: LegsOptions = {}): Answered {
  const scene = invited(handlers, options)
  return { ...scene, leg: callerLeg(scene.ladder.last(scene.caller, '200 INVITE')) }
}

function talking(handlers: Handlers = answers, options: LegsOptions = {}): Answered {
  const scene = answered(handlers, options)
  scene.ladder.say(scene.caller, inDialog(scene.caller, scene.leg, 'ACK', 1))
  scene.ladder.take()
  return scene
}

const said = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.startsWith('set'))

describe('an INVITE that an application answers', () => {
  test('17.2.1, 13.3.1: 100, its answers, each after the commit', () => {
    const { ladder, called, view } = answered()
    expect(ladder.take()).toEqual([
      'caller -> set: INVITE',
      expect.stringMatching(/^commit: .*dialog 1.leg, tx 1, tx 1.1.*timer u.n.1.*holds confirmed/),
      'set -> caller: 100 INVITE',
      'set -> caller: 180 INVITE',
      'set -> caller: 200 INVITE',
    ])
    expect(called).toEqual(['doInvite'])
    expect(view().sessions).toMatchObject([{ id: '1', state: 'CONFIRMED', role: 'uas', remoteTag: 'caller-tag' }])
  })

  test('12.1.1: its answers have our tag, a Contact that leads to the group, and the Record-Route values', () => {
    const scene = legsScene(answers)
    const headers = [['Record-Route', '<sip:127.31.9.8;lr>, <sip:127.31.9.9;lr>']] as const
    scene.ladder.say(scene.caller, request(scene.caller, 'INVITE', 'sip:app@127.31.9.1:5060', { headers }))
    const [ringing, ok] = ['180 INVITE', '200 INVITE'].map((what) => parsed(scene.ladder.last(scene.caller, what)))
    if (ringing === undefined || ok === undefined) throw new Error('no answer')
    expect(header(ringing, 'To')).toBe(header(ok, 'To'))
    expect(header(ok, 'To')).toMatch(/;tag=[0-9a-f]{16}$/)
    expect(header(ok, 'Contact')).toMatch(/^<sip:127\.31\.9\.1:5060;hf=1[0-9a-f]{32}>$/)
    expect(header(ok, 'Record-Route')).toBe('<sip:127.31.9.8;lr>')
  })

  test('13.3.1.4: the 2xx is repeated until its ACK, on streams too', () => {
    for (const callerStream of ['', 'of caller']) {
      const { ladder, caller, leg, called } = answered(answers, { callerStream })
      const final = ladder.last(caller, '200 INVITE')
      ladder.take()
      ladder.pass(4)
      expect(ladder.take()).toEqual(Array(3).fill('set -> caller: 200 INVITE'))
      expect(ladder.last(caller, '200 INVITE')).toBe(final)
      ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
      expect(ladder.take()).toEqual(['caller -> set: ACK', expect.stringMatching(/timer x.1, cancel u.n.1/)])
      ladder.pass(60)
      expect(said(ladder.take())).toEqual([])
      expect(called).toEqual(['doInvite', 'doAck'])
    }
  })

  test('[JSR 18] 13.3.1.4: without an ACK in 64*T1 the application hears of it once, and a BYE goes once', () => {
    const scene = answered({ ...answers, noAckReceived: () => [], doErrorResponse: () => [] })
    const { ladder, called, callee, caller } = scene
    ladder.take()
    ladder.pass(32)
    expect(ladder.take().slice(-2)).toEqual([expect.stringMatching(/^commit: .*done u\.n\.1/), 'set -> caller: BYE'])
    expect(called).toEqual(['doInvite', 'noAckReceived'])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.takeover()
    ladder.pass(100)
    expect(called.filter((name) => name === 'noAckReceived')).toHaveLength(1)
    expect(new Set(ladder.sent.filter(({ data }) => data.startsWith('BYE')).map(({ data }) => data)).size).toBe(1)
    expect(ladder.idle).toBe(true)
    expect(callee.name).not.toBe(caller.name)
  })

  test('13.3.1.3, 17.2.1: a failure is repeated until its ACK', () => {
    const { ladder, caller, sent } = invited({ doInvite: (event) => [respond(event, 486)] })
    const busy = ladder.last(caller, '486 INVITE')
    ladder.take()
    ladder.pass(1)
    expect(ladder.take()).toEqual(['set -> caller: 486 INVITE'])
    ladder.say(caller, follower(sent, 'ACK', busy))
    ladder.pass(30)
    expect(ladder.take()).toEqual(['caller -> set: ACK'])
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('8.2.6.1: 3xx has the Contact that the application gave', () => {
    const { ladder, caller } = invited({
      doInvite: (event) => [respond(event, 302, [['Contact', '<sip:other@127.31.9.7>']])],
    })
    expect(header(parsed(ladder.last(caller, '302 INVITE')), 'Contact')).toBe('<sip:other@127.31.9.7>')
  })

  test('17.2.1: an INVITE that comes again gets what it got last; 8.2.2.2: one that came another way gets 482', () => {
    const { ladder, caller, sent, called } = invited({ doInvite: (event) => [respond(event, 183)] })
    ladder.take()
    ladder.say(caller, sent)
    expect(ladder.take()).toEqual(['caller -> set: INVITE', 'set -> caller: 183 INVITE'])
    ladder.say(caller, request(caller, 'INVITE', 'sip:app@127.31.9.1:5060', { branch: 'z9hG4bK-merged' }))
    expect(ladder.take()).toEqual(['caller -> set: INVITE', 'set -> caller: 482 INVITE'])
    expect(called).toEqual(['doInvite'])
  })

  test('9.2: CANCEL, 200 and 487 with one commit that has what the application makes of it', () => {
    const ringing: Handlers = { doInvite: (event) => [respond(event, 180)], doCancel: () => [] }
    const { ladder, caller, sent, called, view } = invited(ringing)
    ladder.take()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual([
      'caller -> set: CANCEL',
      expect.stringMatching(/^commit: /),
      'set -> caller: 200 CANCEL',
      'set -> caller: 487 INVITE',
    ])
    expect(called).toEqual(['doInvite', 'doCancel'])
    expect(view().sessions).toMatchObject([{ state: 'TERMINATED', pending: [] }])
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(said(ladder.take())).toEqual(['set -> caller: 200 CANCEL'])
    const [ok, final] = ['200 CANCEL', '487 INVITE'].map((what) => header(parsed(ladder.last(caller, what)), 'To'))
    expect(ok).toBe(final)
  })

  test('design.md 4: a handler that fails, or does what it may not, gets 500 said for it, and nothing of it is kept', () => {
    const twice: Handlers = { doInvite: (event) => [respond(event, 200), respond(event, 200)] }
    for (const handlers of [{ doInvite: () => 'fail' }, twice] as const) {
      const { ladder, view } = invited(handlers as Handlers)
      expect(said(ladder.take())).toEqual(['set -> caller: 500 INVITE'])
      expect(view().sessions).toEqual([])
    }
  })
})

describe('requests in its dialog', () => {
  test('15.1.2: a BYE is answered by the application, else by us', () => {
    for (const [handlers, status] of [
      [answers, 200],
      [{ doInvite: answers.doInvite }, 200],
      [{ ...answers, doBye: () => 'fail' }, 200],
      [{ ...answers, doBye: (event: Heard) => [respond(event, 202)] }, 202],
    ] as const) {
      const { ladder, caller, leg, view } = talking(handlers as Handlers)
      const bye = inDialog(caller, leg, 'BYE', 2)
      ladder.say(caller, bye)
      expect(said(ladder.take())).toEqual([`set -> caller: ${status} BYE`])
      expect(view().sessions[0]?.state).toBe('TERMINATED')
      expect(ladder.store.counter('calls.confirmed')).toBe(0)
      const final = ladder.last(caller, `${status} BYE`)
      ladder.takeover()
      expect(ladder.last(caller, `${status} BYE`)).toBe(final)
      ladder.say(caller, bye)
      expect(ladder.last(caller, `${status} BYE`)).toBe(final)
      ladder.pass(70)
      expect(ladder.idle).toBe(true)
    }
  })

  test('15.1.2: with the BYE what waits for an answer gets 487, and a 2xx is not repeated any more', () => {
    const { ladder, caller, leg } = answered({ ...answers, doInfo: () => [] })
    ladder.say(caller, inDialog(caller, leg, 'INFO', 2))
    ladder.take()
    ladder.say(caller, inDialog(caller, leg, 'BYE', 3))
    expect(said(ladder.take())).toEqual(['set -> caller: 487 INFO', 'set -> caller: 200 BYE'])
    ladder.pass(100)
    expect(said(ladder.take())).toEqual([])
    expect(ladder.idle).toBe(true)
  })

  test('12.2.2: a request that was overtaken gets 500; in a dialog that has ended 481', () => {
    const { ladder, caller, leg } = talking({ ...answers, doInfo: (event) => [respond(event, 200)] })
    ladder.say(caller, inDialog(caller, leg, 'INFO', 5))
    ladder.say(caller, inDialog(caller, leg, 'INFO', 4))
    ladder.say(caller, inDialog(caller, leg, 'BYE', 6))
    ladder.say(caller, inDialog(caller, leg, 'INFO', 7))
    expect(said(ladder.take())).toEqual([
      'set -> caller: 200 INFO',
      'set -> caller: 500 INFO',
      'set -> caller: 200 BYE',
      'set -> caller: 481 INFO',
    ])
  })

  test('8.2.1: 405 for what the application has no handler for; OPTIONS is answered', () => {
    const { ladder, caller, leg } = talking()
    ladder.say(caller, inDialog(caller, leg, 'INFO', 2))
    ladder.say(caller, inDialog(caller, leg, 'OPTIONS', 3))
    expect(said(ladder.take())).toEqual(['set -> caller: 405 INFO', 'set -> caller: 200 OPTIONS'])
    expect(header(parsed(ladder.last(caller, '405 INFO')), 'Allow')).toContain('BYE')
  })

  test('14.2: a re-INVITE sets the target once it is accepted; a second one meanwhile gets 500 with Retry-After', () => {
    let invites = 0
    const handlers: Handlers = {
      ...answers,
      doInvite: (event) => (++invites === 1 ? [respond(event, 200)] : []),
      doInfo: (event, view) => {
        const waiting = view.sessions[0]?.pending.find(({ method }) => method === 'INVITE')
        return [
          respond(event, 200),
          { kind: 'respond', request: waiting?.id ?? '', response: { status: 200, headers: [], body: '' } },
        ]
      },
    }
    const { ladder, caller, leg } = talking(handlers)
    const moved = { ...caller, contact: 'sip:moved@127.31.9.2:5062' }
    ladder.say(caller, inDialog(moved, leg, 'INVITE', 2))
    ladder.say(caller, inDialog(caller, leg, 'INVITE', 3))
    expect(said(ladder.take())).toEqual(['set -> caller: 100 INVITE', 'set -> caller: 500 INVITE'])
    expect(header(parsed(ladder.last(caller, '500 INVITE')), 'Retry-After')).toBe('3')
    ladder.say(caller, inDialog(caller, leg, 'INFO', 4))
    expect(said(ladder.take())).toEqual(['set -> caller: 200 INFO', 'set -> caller: 200 INVITE'])
    ladder.say(caller, inDialog(caller, leg, 'ACK', 2))
    expect(JSON.stringify(ladder.view?.entities.map(({ tree, id }) => `${tree} ${id}`))).toContain('Dialog 1.leg')
  })
})

describe('another owner (design.md 4)', () => {
  test('repeats the stored 2xx at once, and on until the ACK, with the same tag and bytes', () => {
    const { ladder, caller, leg } = answered()
    const final = ladder.last(caller, '200 INVITE')
    ladder.pass(1)
    ladder.take()
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --', 'set -> caller: 200 INVITE'])
    ladder.pass(2)
    expect(said(ladder.take())).toHaveLength(2)
    expect(ladder.last(caller, '200 INVITE')).toBe(final)
    ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
    ladder.take()
    ladder.takeover()
    ladder.pass(60)
    expect(said(ladder.take())).toEqual([])
  })

  test('answers an INVITE that waits, by the same tag as the one before did', () => {
    const handlers: Handlers = { ...answers, doInvite: (event) => [respond(event, 180)] }
    const { ladder, caller, sent } = invited(handlers, { callerStream: 'of caller' })
    const ringing = ladder.last(caller, '180 INVITE')
    ladder.take()
    ladder.takeover()
    // On a stream nobody asks again.
    expect(ladder.take()).toEqual(['-- takeover --', 'set -> caller: 180 INVITE'])
    expect(ladder.last(caller, '180 INVITE')).toBe(ringing)
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(header(parsed(ladder.last(caller, '487 INVITE')), 'To')).toBe(header(parsed(ringing), 'To'))
  })

  test('sends a stored failure once, and waits for its ACK', () => {
    const { ladder, caller, sent } = invited({ doInvite: (event) => [respond(event, 486)] })
    const busy = ladder.last(caller, '486 INVITE')
    ladder.take()
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --', 'set -> caller: 486 INVITE'])
    expect(ladder.last(caller, '486 INVITE')).toBe(busy)
    ladder.say(caller, follower(sent, 'ACK', busy))
    ladder.pass(20)
    expect(said(ladder.take())).toEqual([])
  })
})
