import { describe, expect, test } from 'vitest'
import { calleeLeg, inDialog, parsed, response } from '../call/testing/phone.ts'
import { request as phoneRequest } from '../call/testing/phone.ts'
import { header, values } from '../sip/message.ts'
import type { Op } from './contract.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Heard, Handlers, LegsOptions, LegsScene } from './testing/legs-scene.ts'

/** A call that the application places: a MESSAGE asks it to. */
const place: Extract<Op, { kind: 'create-session' }> = {
  kind: 'create-session',
  id: '2',
  first: {
    method: 'INVITE',
    from: '"App" <sip:app@example.com>',
    to: '<sip:callee@example.com>',
    requestUri: 'sip:callee@example.com',
    routes: [],
    callId: 'placed@app',
    headers: [['Subject', 'hello']],
    body: 'v=0\r\n',
  },
}

const ok = (event: Heard): Op => ({
  kind: 'respond',
  request: event.message?.request ?? '',
  response: { status: 200, headers: [], body: '' },
})
const nothing = { headers: [], body: '' }
const ackIt = (event: Heard): Op => ({ kind: 'ack', session: event.message?.session ?? '', parts: nothing })
const bye: Op = { kind: 'request', session: '2', method: 'BYE', parts: nothing }

const places: Handlers = {
  doMessage: (event) => [ok(event), place],
  doProvisionalResponse: () => [],
  doSuccessResponse: (event) => (event.message?.isInitial === true ? [ackIt(event)] : []),
  doErrorResponse: () => [],
  doBye: (event) => [ok(event)],
}

interface Placed extends LegsScene {
  /** As the callee got it. */
  readonly invite: string
  /** Something makes the application do that. */
  readonly tell: (method: string) => void
}

function placed(handlers: Handlers = places, options: LegsOptions = {}): Placed {
  const scene = legsScene(handlers, options)
  let number = 1
  const tell = (method: string): void => {
    scene.ladder.say(scene.caller, phoneRequest(scene.caller, method, 'sip:app@127.31.9.1:5060', { cseq: number++ }))
  }
  tell('MESSAGE')
  return { ...scene, invite: scene.ladder.last(scene.callee, 'INVITE'), tell }
}

function answered(handlers: Handlers = places, options: LegsOptions = {}): Placed {
  const scene = placed(handlers, options)
  const { ladder, callee, invite } = scene
  ladder.say(callee, response(callee, invite, 180))
  ladder.say(callee, response(callee, invite, 200))
  ladder.take()
  return scene
}

const said = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.startsWith('set'))

describe('a call that an application places', () => {
  test('8.1.1, 13.2.1: the INVITE leaves after its commit, with what makes a dialog', () => {
    const { ladder, invite, refused } = placed()
    expect(refused).toEqual([])
    expect(ladder.take()).toEqual([
      'caller -> set: MESSAGE',
      expect.stringMatching(/^commit: .*dialog 2.leg, .*holds early/),
      'set -> caller: 200 MESSAGE',
      'set -> callee: INVITE',
    ])
    const message = parsed(invite)
    expect(invite.split('\r\n')[0]).toBe('INVITE sip:callee@example.com SIP/2.0')
    expect(header(message, 'From')).toMatch(/^"App" <sip:app@example.com>;tag=[0-9a-f]{16}$/)
    expect(header(message, 'To')).toBe('<sip:callee@example.com>')
    expect(header(message, 'CSeq')).toBe('1 INVITE')
    expect(header(message, 'Contact')).toMatch(/^<sip:127\.31\.9\.1:5060;hf=1[0-9a-f]{32};hfl=[0-9a-f]{16}>$/)
    expect(header(message, 'Subject')).toBe('hello')
    expect(values(message, 'Via')).toHaveLength(1)
  })

  test('8.1.1.4: without a Call-ID of the application its leg has one that nobody can guess', () => {
    const first = { ...place.first, callId: '' }
    const { invite, refused } = placed({ ...places, doMessage: () => [{ ...place, first }] })
    expect(refused).toEqual([])
    expect(header(parsed(invite), 'Call-ID')).toMatch(/^[0-9a-f]{32}-2@127\.31\.9\.1$/)
  })

  test('17.1.1.2: it is repeated with the same bytes; timer B: the application hears of a 408', () => {
    const { ladder, callee, invite, called, view } = placed()
    ladder.take()
    ladder.pass(31)
    expect(said(ladder.take())).toEqual(Array(5).fill('set -> callee: INVITE'))
    expect(ladder.last(callee, 'INVITE')).toBe(invite)
    ladder.pass(1)
    expect(called).toEqual(['doMessage', 'doErrorResponse'])
    expect(view().sessions.find(({ id }) => id === '2')?.state).toBe('INITIAL')
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('13.2.2.4: who answers after our own 408 gets an ACK and a BYE, the same ones each time, and nothing is kept', () => {
    const { ladder, callee, invite, called } = placed()
    ladder.pass(32)
    ladder.take()
    const late = response(callee, invite, 200)
    ladder.say(callee, late)
    expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> callee: BYE'])
    const [ack, bye] = [ladder.last(callee, 'ACK'), ladder.last(callee, 'BYE')]
    expect([header(parsed(ack), 'CSeq'), header(parsed(bye), 'CSeq')]).toEqual(['1 ACK', '2 BYE'])
    expect(header(parsed(bye), 'To')).toBe(header(parsed(late), 'To'))
    ladder.say(callee, late)
    expect([ladder.last(callee, 'ACK'), ladder.last(callee, 'BYE')]).toEqual([ack, bye])
    ladder.say(callee, response(callee, bye, 200))
    expect(called).toEqual(['doMessage', 'doErrorResponse'])
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('12.1.2, 13.2.2.4: early, confirmed; the ACK goes by the route set to the Contact; a repeated 2xx gets the same', () => {
    const { ladder, callee, invite, called, view } = placed()
    const routed = [['Record-Route', '<sip:127.31.9.8;lr>, <sip:127.31.9.3:5064;lr>']] as const
    ladder.say(callee, response(callee, invite, 180, routed))
    expect(view().sessions.find(({ id }) => id === '2')).toMatchObject({ state: 'EARLY', remoteTag: 'callee-tag' })
    const final = response(callee, invite, 200, routed)
    ladder.say(callee, final)
    const ack = ladder.last(callee, 'ACK')
    expect(ack.split('\r\n')[0]).toBe(`ACK ${callee.contact} SIP/2.0`)
    expect(values(parsed(ack), 'Route')).toEqual(['<sip:127.31.9.3:5064;lr>', '<sip:127.31.9.8;lr>'])
    expect(header(parsed(ack), 'CSeq')).toBe('1 ACK')
    ladder.take()
    ladder.say(callee, final)
    expect(ladder.take()).toEqual(['callee -> set: 200 INVITE', 'set -> callee: ACK'])
    expect(ladder.last(callee, 'ACK')).toBe(ack)
    expect(called).toEqual(['doMessage', 'doProvisionalResponse', 'doSuccessResponse'])
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test('[JSR 13] 17.1.1.3, JSR 289 6.2.1: a failure is acknowledged, and the session is INITIAL again', () => {
    const retry: Op = { kind: 'request', session: '2', method: 'INVITE', parts: nothing }
    const { ladder, callee, invite, view, called, refused } = placed({
      ...places,
      doErrorResponse: () => [{ kind: 'set-invalidate-when-ready', of: '2', value: false }, retry],
    })
    ladder.take()
    ladder.say(callee, response(callee, invite, 401))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> callee: INVITE'])
    expect(refused).toEqual([])
    expect(view().sessions.find(({ id }) => id === '2')).toMatchObject({ state: 'INITIAL', remoteTag: '' })
    const again = parsed(ladder.last(callee, 'INVITE'))
    expect(header(again, 'CSeq')).toBe('2 INVITE')
    expect(header(again, 'From')).toBe(header(parsed(invite), 'From'))
    expect(called).toEqual(['doMessage', 'doErrorResponse'])
    const ack = ladder.last(callee, 'ACK')
    ladder.say(callee, response(callee, invite, 401))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK'])
    expect(ladder.last(callee, 'ACK')).toBe(ack)
  })

  test('9.1: a CANCEL waits for the first provisional, and comes to 487 after 64*T1 at last', () => {
    const cancels: Handlers = { ...places, doInfo: (event) => [ok(event), { kind: 'cancel', session: '2' }] }
    const { ladder, callee, invite, tell, called } = placed(cancels)
    tell('INFO')
    expect(said(ladder.take())).not.toContain('set -> callee: CANCEL')
    ladder.say(callee, response(callee, invite, 180))
    expect(said(ladder.take()).at(-1)).toBe('set -> callee: CANCEL')
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 200))
    ladder.pass(33)
    expect(called).toEqual(['doMessage', 'doInfo', 'doProvisionalResponse', 'doErrorResponse'])
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })

  test('15.1.1: our BYE ends it at once; its bytes are repeated until a final', () => {
    const { ladder, callee, tell, view, called } = answered({ ...places, doInfo: (event) => [ok(event), bye] })
    tell('INFO')
    expect(said(ladder.take())).toEqual(['set -> caller: 200 INFO', 'set -> callee: BYE'])
    expect(header(parsed(ladder.last(callee, 'BYE')), 'CSeq')).toBe('2 BYE')
    expect(view().sessions.find(({ id }) => id === '2')?.state).toBe('TERMINATED')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(1)
    expect(said(ladder.take())).toEqual(['set -> callee: BYE'])
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.pass(100)
    expect(said(ladder.take())).toEqual([])
    expect(called.at(-1)).toBe('doSuccessResponse')
    expect(ladder.idle).toBe(true)
  })

  test('14.2: while an INVITE of ours waits, one of the other end gets 491; the other way round it is refused to the application', () => {
    const again: Op = { kind: 'request', session: '2', method: 'INVITE', parts: nothing }
    const { ladder, callee, invite, tell, refused, called } = answered({
      ...places,
      doInfo: (event) => [ok(event), again],
      doInvite: () => [],
    })
    tell('INFO')
    const leg = calleeLeg(callee, invite)
    ladder.say(callee, inDialog(callee, leg, 'INVITE', 1))
    expect(said(ladder.take()).at(-1)).toBe('set -> callee: 491 INVITE')
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 491))
    expect(called.at(-1)).toBe('doErrorResponse')
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    ladder.say(callee, inDialog(callee, leg, 'INVITE', 2))
    tell('INFO')
    expect(refused).toEqual([expect.stringMatching(/^IllegalState: request: an INVITE of session 2 waits/)])
  })

  test('[JSR 16] 13.2.2.4: a second 2xx of a fork is a derived session, with the attributes cloned; not wanted: ACK and BYE', () => {
    const wanted: Op[] = [{ kind: 'set-attribute', of: '2', name: 'who', value: 'me' }]
    const { ladder, callee, invite, view, called } = placed({
      ...places,
      doProvisionalResponse: () => wanted,
      doSuccessResponse: (event) => (event.message?.session === '2' ? [ackIt(event)] : []),
    })
    ladder.say(callee, response(callee, invite, 180))
    ladder.say(callee, response(callee, invite, 200))
    ladder.take()
    ladder.say(callee, response(callee, invite, 200, [], 'other-tag'))
    expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> callee: BYE'])
    const derived = view().sessions.find(({ id }) => id === '3')
    expect(derived).toMatchObject({ remoteTag: 'other-tag', attributes: [{ name: 'who', value: 'me' }] })
    expect(called.slice(-1)).toEqual(['doSuccessResponse'])
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test('a 2xx that the application makes nothing of is acknowledged and ended', () => {
    const { doSuccessResponse: _, ...others } = places
    const fails: Handlers = { ...others, doSuccessResponse: () => 'fail' }
    for (const handlers of [others, fails]) {
      const { ladder, callee, invite } = placed(handlers)
      ladder.take()
      ladder.say(callee, response(callee, invite, 200))
      expect(said(ladder.take())).toEqual(['set -> callee: ACK', 'set -> callee: BYE'])
    }
  })

  test('8.1.3.1: what has no way is told as a failure, once it is in the log', () => {
    const nowhere: Op = { ...place, first: { ...place.first, requestUri: 'mailto:callee@example.com' } }
    let heard = ''
    const { ladder, caller, called } = legsScene({
      ...places,
      doMessage: (event) => [ok(event), nowhere],
      doErrorResponse: (event) => {
        heard = event.message?.text.split('\r\n')[0] ?? ''
        return []
      },
    })
    ladder.say(caller, phoneRequest(caller, 'MESSAGE', 'sip:app@127.31.9.1:5060'))
    expect(said(ladder.take())).toEqual(['set -> caller: 200 MESSAGE'])
    expect(called).toEqual(['doMessage', 'doErrorResponse'])
    expect(heard).toBe('SIP/2.0 416 Unsupported URI Scheme')
  })
})

describe('what an application gives is looked at', () => {
  test.each([
    [{ ...place, id: '1' }, 'IllegalState: create-session: session 1 isn'],
    [{ ...place, first: { ...place.first, to: 'x' } }, 'IllegalState: create-session: from and to'],
    [{ ...place, first: { ...place.first, requestUri: 'x y' } }, 'is no URI'],
    [{ ...place, first: { ...place.first, callId: 'a b' } }, 'a Call-ID is'],
    [{ ...place, first: { ...place.first, headers: [['Bad Name', 'x']] } }, 'is no header'],
    [{ ...place, first: { ...place.first, body: '€' } }, 'is to be bytes'],
    [{ ...place, first: { ...place.first, method: 'IN VITE' } }, 'is no method'],
    [{ kind: 'respond', request: '99', response: { status: 200, headers: [], body: '' } }, 'waits for no answer'],
    [{ kind: 'request', session: '9', method: 'BYE', parts: nothing }, 'session 9 is no leg'],
    [{ kind: 'ack', session: '1', parts: nothing }, 'has no 2xx'],
    [{ kind: 'cancel', session: '1' }, 'has no INVITE'],
  ] as const)('%#: %j', (op, fault) => {
    const { ladder, caller, refused } = legsScene({ doMessage: () => [op as Op] })
    ladder.say(caller, phoneRequest(caller, 'MESSAGE', 'sip:app@127.31.9.1:5060'))
    expect(refused).toEqual([expect.stringContaining(fault)])
  })
})

describe('another owner (design.md 4)', () => {
  test('sends the stored INVITE, ACK, CANCEL and BYE again, once each, byte for byte', () => {
    const handlers: Handlers = {
      ...places,
      doInfo: (event) => [ok(event), { kind: 'cancel', session: '2' }],
      doOptions: (event) => [ok(event), bye],
    }
    const ringing = placed(handlers, { calleeStream: 'of callee' })
    ringing.ladder.take()
    ringing.ladder.takeover()
    expect(said(ringing.ladder.take()).filter((line) => line.endsWith('INVITE'))).toEqual(['set -> callee: INVITE'])
    expect(ringing.ladder.last(ringing.callee, 'INVITE')).toBe(ringing.invite)
    ringing.ladder.say(ringing.callee, response(ringing.callee, ringing.invite, 180))
    ringing.tell('INFO')
    const cancel = ringing.ladder.last(ringing.callee, 'CANCEL')
    ringing.ladder.take()
    ringing.ladder.takeover()
    expect(said(ringing.ladder.take()).filter((line) => line.endsWith('CANCEL'))).toEqual(['set -> callee: CANCEL'])
    expect(ringing.ladder.last(ringing.callee, 'CANCEL')).toBe(cancel)

    const { ladder, callee, tell } = answered(handlers)
    const ack = ladder.last(callee, 'ACK')
    ladder.takeover()
    expect(said(ladder.take()).filter((line) => line.endsWith('ACK'))).toEqual(['set -> callee: ACK'])
    expect(ladder.last(callee, 'ACK')).toBe(ack)
    tell('OPTIONS')
    const sent = ladder.last(callee, 'BYE')
    ladder.take()
    ladder.takeover()
    expect(said(ladder.take()).filter((line) => line.endsWith('BYE'))).toEqual(['set -> callee: BYE'])
    expect(ladder.last(callee, 'BYE')).toBe(sent)
  })

  test('[JSR 14] counts CSeq on from the log', () => {
    const info: Op = { kind: 'request', session: '2', method: 'INFO', parts: nothing }
    const { ladder, callee, tell } = answered({ ...places, doInfo: (event) => [ok(event), info] })
    tell('INFO')
    ladder.takeover()
    tell('INFO')
    const numbers = ladder.sent
      .filter(({ data }) => data.startsWith('INFO '))
      .map(({ data }) => header(parsed(data), 'CSeq'))
    expect([...new Set(numbers)]).toEqual(['2 INFO', '3 INFO'])
    expect(callee.name).toBe('callee')
  })

  test('timer B runs from the commit: a call that nobody answered comes to 408, not to another INVITE', () => {
    const { ladder, called } = placed()
    ladder.take()
    ladder.sleep(33)
    ladder.takeover()
    expect(said(ladder.take())).not.toContain('set -> callee: INVITE')
    expect(called).toEqual(['doMessage', 'doErrorResponse'])
  })
})

describe('RFC 3262: a provisional response that came reliably', () => {
  const RELIABLE = [
    ['Require', '100rel'],
    ['RSeq', '4711'],
  ] as const

  test('is acknowledged by a PRACK in its early dialog, once, with the same bytes whoever takes over', () => {
    const prack = (event: Heard): readonly Op[] => [
      {
        kind: 'request',
        session: event.message?.session ?? '',
        method: 'PRACK',
        parts: { headers: [['RAck', '4711 1 INVITE']], body: '' },
      },
    ]
    const scene = placed({ ...places, doProvisionalResponse: prack })
    const { ladder, callee, invite, called, refused } = scene
    const ringing = response(callee, invite, 183, RELIABLE)
    ladder.say(callee, ringing)
    const sent = ladder.last(callee, 'PRACK')
    expect(header(parsed(sent), 'RAck')).toBe('4711 1 INVITE')
    expect(header(parsed(sent), 'CSeq')).toBe('2 PRACK')
    ladder.say(callee, ringing)
    ladder.takeover()
    ladder.say(callee, ringing)
    expect(called.filter((name) => name === 'doProvisionalResponse')).toHaveLength(1)
    const pracks = ladder.sent.filter(({ data }) => data.startsWith('PRACK')).map(({ data }) => data)
    expect(pracks.length).toBeGreaterThan(1)
    expect(new Set(pracks)).toEqual(new Set([sent]))
    ladder.say(callee, response(callee, sent, 200))
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.last(callee, 'ACK')).toContain('CSeq: 1 ACK')
    expect(refused).toEqual([])
  })
})
