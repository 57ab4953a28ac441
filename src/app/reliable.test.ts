import { describe, expect, test } from 'vitest'
import { callerLeg, inDialog, parsed, request } from '../call/testing/phone.ts'
import { header } from '../sip/message.ts'
import type { Op } from './contract.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Heard, Handlers, LegsScene } from './testing/legs-scene.ts'

const answer = (event: Heard, status: number, reliable = false): Op => ({
  kind: 'respond',
  request: event.message?.request ?? '',
  response: { status, headers: [], body: '', ...(reliable ? { reliable } : {}) },
})

interface Ringing extends LegsScene {
  readonly prack: (rack: string, cseq: number) => void
  /** 1xx that went to the caller. */
  readonly rung: () => readonly string[]
}

/** Rings reliably; the INVITE is answered in the turn of its PRACK. */
const rings: Handlers = {
  doInvite: (event) => [answer(event, 183, true)],
  doPrack: (event, view) => {
    const invite = view.sessions[0]?.pending.find(({ method }) => method === 'INVITE')
    const up: Op = { kind: 'respond', request: invite?.id ?? '', response: { status: 200, headers: [], body: '' } }
    return [answer(event, 200), up]
  },
  noPrackReceived: () => [],
}

function ringing(handlers: Handlers = rings, supported = '100rel'): Ringing {
  const scene = legsScene(handlers)
  const { ladder, caller } = scene
  const headers = [['Supported', `timer, ${supported}`]] as const
  ladder.say(caller, request(caller, 'INVITE', 'sip:app@127.31.9.1:5060', { headers }))
  const rung = (): readonly string[] => ladder.sent.flatMap(({ data }) => (data.startsWith('SIP/2.0 18') ? [data] : []))
  const prack = (rack: string, cseq: number): void => {
    const leg = callerLeg(rung().at(-1) ?? '')
    ladder.say(caller, inDialog(caller, leg, 'PRACK', cseq, { headers: [['RAck', rack]] }))
  }
  return { ...scene, prack, rung }
}

describe('[JSR 18] RFC 3262: a provisional response that is sent reliably', () => {
  test('says so, and is repeated with the same bytes until its PRACK, by a new owner too', () => {
    const scene = ringing()
    const { ladder, caller, rung, prack } = scene
    const [first = ''] = rung()
    expect([header(parsed(first), 'Require'), header(parsed(first), 'RSeq')]).toEqual(['100rel', '1'])
    ladder.pass(2)
    const before = rung().length
    expect(before).toBeGreaterThan(2)
    ladder.takeover()
    ladder.pass(2)
    expect(rung().length).toBeGreaterThan(before + 1)
    expect(new Set(rung())).toEqual(new Set([first]))
    prack('1 1 INVITE', 2)
    expect(ladder.last(caller, '200 PRACK')).toContain('200')
    expect(ladder.last(caller, '200 INVITE')).toContain('200')
    const after = rung().length
    ladder.takeover()
    ladder.pass(10)
    expect(rung()).toHaveLength(after)
    expect(scene.refused).toEqual([])
  })

  test('a PRACK for none that waits gets 481, and changes nothing', () => {
    const scene = ringing()
    const { ladder, caller, rung, prack } = scene
    prack('2 1 INVITE', 2)
    expect(ladder.last(caller, '481 PRACK')).toContain('481')
    const before = rung().length
    ladder.pass(1)
    expect(rung().length).toBeGreaterThan(before)
    expect(scene.called).toEqual(['doInvite'])
  })

  test('a PRACK that comes again gets the same answer, and doPrack runs once', () => {
    const scene = ringing()
    scene.prack('1 1 INVITE', 2)
    const answered = scene.ladder.last(scene.caller, '200 PRACK')
    scene.ladder.takeover()
    scene.prack('1 1 INVITE', 2)
    expect(scene.ladder.last(scene.caller, '200 PRACK')).toBe(answered)
    expect(scene.called).toEqual(['doInvite', 'doPrack'])
  })

  test('nobody acknowledges: noPrackReceived() once, then 504, whoever dies meanwhile', () => {
    const scene = ringing()
    scene.ladder.pass(10)
    scene.ladder.takeover()
    scene.ladder.pass(23)
    expect(scene.called).toEqual(['doInvite', 'noPrackReceived'])
    expect(scene.ladder.last(scene.caller, '504 INVITE')).toContain('504')
    scene.ladder.takeover()
    scene.ladder.pass(100)
    expect(scene.called).toEqual(['doInvite', 'noPrackReceived'])
    expect(scene.ladder.idle).toBe(true)
  })

  test('nobody listens: 200 to the PRACK, 504 without one', () => {
    const bare = { doInvite: (event: Heard) => [answer(event, 183, true)] }
    const acknowledged = ringing(bare)
    acknowledged.prack('1 1 INVITE', 2)
    expect(acknowledged.ladder.last(acknowledged.caller, '200 PRACK')).toContain('200')
    const silent = ringing(bare)
    silent.ladder.pass(33)
    expect(silent.ladder.last(silent.caller, '504 INVITE')).toContain('504')
  })

  test.each([
    [
      'no 2xx before its PRACK',
      (event: Heard) => [answer(event, 183, true), answer(event, 200)],
      'waits for its PRACK',
    ],
    ['no other 1xx', (event: Heard) => [answer(event, 183, true), answer(event, 180)], 'waits for its PRACK'],
    ['no final one', (event: Heard) => [answer(event, 200, true)], 'only a provisional'],
  ])('%s', (_, doInvite, why) => {
    expect(ringing({ doInvite }).refused).toEqual([expect.stringContaining(why)])
  })

  test('a refusal ends it', () => {
    const scene = ringing({ doInvite: (event) => [answer(event, 183, true), answer(event, 486)] })
    scene.ladder.pass(100)
    expect([scene.refused, scene.ladder.idle]).toEqual([[], true])
  })

  test('not to a caller without 100rel', () => {
    expect(ringing(rings, 'path').refused).toEqual([expect.stringContaining("doesn't support 100rel")])
  })
})
