import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { CallBounds } from '../call/contract.ts'
import type { CallEvent } from '../call/events.ts'
import { calleeLeg, callerLeg, follower, inDialog, request, response } from '../call/testing/phone.ts'
import { b2bua } from './testing/b2bua.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Handlers, LegsScene } from './testing/legs-scene.ts'

const TARGET = 'sip:callee@127.31.9.1:5060'

interface Placed extends LegsScene {
  readonly sent: string
}

function calling(handlers: Handlers = b2bua, bounds: CallBounds = {}): Placed {
  const scene = legsScene(handlers, { settings: { bounds } })
  const sent = request(scene.caller, 'INVITE', TARGET, { body: 'v=0\r\n' })
  scene.ladder.say(scene.caller, sent)
  return { ...scene, sent }
}

function talking(bounds: CallBounds = {}): Placed {
  const scene = calling(b2bua, bounds)
  const { ladder, caller, callee } = scene
  ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 180))
  ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
  ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1))
  return scene
}

function hangUp({ ladder, caller }: LegsScene): void {
  ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'BYE', 2))
}

function told({ ladder }: LegsScene): readonly CallEvent[] {
  const kept = must(ladder.store.tail, 'it is followed').since(index(0))
  return kept.flatMap(({ texts }) => texts.map((text) => JSON.parse(text) as CallEvent))
}

type Ended = Extract<CallEvent, { event: 'call-ended' }>
const records = (scene: LegsScene): readonly Ended[] =>
  told(scene).filter((event): event is Ended => event.event === 'call-ended')

/** `leg cause by status`, the leg that was answered first. */
function ends(scene: LegsScene): readonly string[] {
  return records(scene)
    .map(({ leg, cause, by, status }) => `${leg} ${cause} ${by} ${status}`)
    .toSorted()
    .toReversed()
}

function steps(scene: LegsScene, leg: string): readonly string[] {
  return told(scene).flatMap((event) => ('leg' in event && event.leg === leg ? [event.event] : []))
}

describe('decision 0032: a leg of an application is a call, with a record of its own', () => {
  const whole = ['call-started', 'call-ringing', 'call-answered', 'call-ended']

  test("a B2BUA's two name one another", () => {
    const scene = talking()
    hangUp(scene)
    expect([steps(scene, 'uas'), steps(scene, 'uac')]).toEqual([whole, whole])
    expect(ends(scene)).toEqual(['uas bye caller 200', 'uac bye caller null'])
    const [one, other] = records(scene)
    expect([one?.linked, other?.linked]).toEqual([other?.call, one?.call])
    expect(records(scene).every(({ answered, started }) => answered !== null && answered >= started)).toBe(true)
  })

  test("the callee's BYE is the caller's of neither", () => {
    const scene = talking()
    const { ladder, callee } = scene
    ladder.say(callee, inDialog(callee, calleeLeg(callee, ladder.last(callee, 'INVITE')), 'BYE', 1))
    expect(ends(scene)).toEqual(['uas bye callee null', 'uac bye callee 200'])
  })

  test('a refusal ends both, whoever takes over in between', () => {
    const scene = calling()
    const { ladder, callee } = scene
    ladder.takeover()
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 486))
    expect(ends(scene)).toEqual(['uas refused callee 486', 'uac refused callee 486'])
    expect(records(scene).map(({ answered }) => answered)).toEqual([null, null])
  })

  test('so does a CANCEL', () => {
    const scene = calling()
    const { ladder, caller, callee, sent } = scene
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 180))
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 487))
    expect(ends(scene)).toEqual(['uas cancelled caller 487', 'uac cancelled caller 487'])
  })

  test('nobody answers: a timeout of the set', () => {
    const scene = calling()
    scene.ladder.pass(33)
    expect(ends(scene)).toEqual(['uas refused callee 408', 'uac timeout set 408'])
  })

  test('an INVITE that was refused is sent again: two calls', () => {
    let tries = 0
    const again: Handlers = {
      ...b2bua,
      doErrorResponse: (event) => {
        const session = event.message?.session ?? ''
        return tries++ > 0 ? [] : [{ kind: 'request', session, method: 'INVITE', parts: { headers: [], body: '' } }]
      },
    }
    const scene = calling(again)
    const { ladder, callee } = scene
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 407))
    expect(steps(scene, 'uac')).toEqual(['call-started', 'call-ended', 'call-started'])
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 603))
    expect(steps(scene, 'uac')).toEqual(['call-started', 'call-ended', 'call-started', 'call-ended'])
  })

  test('nobody acknowledges: told as that', () => {
    const handlers: Handlers = {
      doInvite: (event) => [
        {
          kind: 'respond',
          request: event.message?.request ?? '',
          response: { status: 200, headers: [], body: '' },
        },
      ],
    }
    const scene = calling(handlers)
    scene.ladder.pass(33)
    expect(ends(scene)).toEqual(['uas no-ack set null'])
  })

  test('what is no INVITE is no call', () => {
    const scene = legsScene({ doMessage: (event) => [ok(event.message?.request ?? '')] })
    scene.ladder.say(scene.caller, request(scene.caller, 'MESSAGE', TARGET))
    scene.ladder.pass(100)
    expect(told(scene)).toEqual([])
  })
})

function ok(id: string): { kind: 'respond'; request: string; response: { status: number; headers: []; body: string } } {
  return { kind: 'respond', request: id, response: { status: 200, headers: [], body: '' } }
}

describe('decision 0026: a leg of an application counts where the number of calls is limited', () => {
  const counts = ({ ladder }: LegsScene): readonly number[] =>
    ['calls.all', 'calls.in', 'calls.to 127.31.9.3:5064'].map((name) => ladder.store.counter(name))

  test("a B2BUA's call is two, and none once it is over, whoever takes over in between", () => {
    const scene = talking({ calls: 10, in: 10, route: 10 })
    expect(counts(scene)).toEqual([2, 1, 1])
    scene.ladder.takeover()
    hangUp(scene)
    expect(counts(scene)).toEqual([0, 0, 0])
  })

  test('the second leg is refused where there is no room, as its application hears', () => {
    const scene = calling(b2bua, { calls: 1 })
    expect(scene.called).toEqual(['doInvite', 'doErrorResponse'])
    expect(scene.ladder.last(scene.caller, '503 INVITE')).toContain('503')
    expect(counts(scene)).toEqual([0, 0, 0])
  })

  test('the first one is turned away before its application hears of it', () => {
    const scene = calling(b2bua, { calls: 0 })
    expect(scene.called).toEqual([])
    expect(scene.ladder.last(scene.caller, '503 INVITE')).toContain('Retry-After')
    expect(scene.ladder.idle).toBe(true)
  })

  test('a leg that failed, and is tried again, counts once', () => {
    const scene = calling(b2bua, { in: 1 })
    const { ladder, callee } = scene
    expect(counts(scene)).toEqual([0, 1, 0])
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 486))
    expect(counts(scene)).toEqual([0, 0, 0])
  })
})
