import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { groupOfCallId } from '../proxy/token.ts'
import { callId, values, vias } from '../sip/message.ts'
import { relayDetached } from './detached.ts'
import { Ladder } from './testing/ladder.ts'
import { callerLeg, inDialog, parsed, parsedRequest, phone, request, response } from './testing/phone.ts'
import type { Phone } from './testing/phone.ts'

const SET = '127.31.2.1'

interface Scene {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly first: Phone
  readonly second: Phone
}

/** Two servers stand behind one name. */
function two(): Scene {
  const caller = phone('caller', '127.31.2.2', 5062)
  const first = phone('first', '127.31.2.3', 5060)
  const second = phone('second', '127.31.2.4', 5060)
  const ladder = new Ladder({ sip: { host: SET, port: 5060 }, nextHop: null, names: true }, [caller, first, second])
  ladder.names = { 'two.example': [first.flow.host, second.flow.host], 'one.example': [first.flow.host] }
  return { ladder, caller, first, second }
}

function asking(method = 'MESSAGE', host = 'two.example'): Scene {
  const scene = two()
  scene.ladder.say(scene.caller, request(scene.caller, method, `sip:callee@${host}`))
  scene.ladder.take()
  return scene
}

/** Answered by a callee whose Contact is the name. */
function talking(): Scene & { readonly leg: ReturnType<typeof callerLeg> } {
  const scene = two()
  const { ladder, caller, second } = scene
  ladder.say(caller, request(caller, 'INVITE', `sip:callee@${second.address}`))
  const named = { ...second, contact: 'sip:callee@two.example' }
  ladder.say(named, response(named, ladder.last(second, 'INVITE'), 200))
  const leg = callerLeg(ladder.last(caller, '200 INVITE'))
  ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
  ladder.take()
  return { ...scene, leg }
}

function unreachable({ ladder }: Scene, to: Phone, method: string): void {
  const sent = must(
    ladder.sent.findLast((one) => one.to === to.name && one.data.startsWith(method)),
    method,
  )
  ladder.step({ kind: 'unsent', what: sent.what, flow: sent.flow, data: sent.data, reason: 'unreachable' })
}

function branchOf(text: string): string {
  return must(vias(parsed(text))[0]?.branch, 'a branch')
}

describe('a request other than INVITE, and the places of its target (RFC 3263 4.3)', () => {
  test('503: the next place gets it under a branch of its own, and what that says goes up', () => {
    const { ladder, caller, first, second } = asking()
    const sent = ladder.last(first, 'MESSAGE')
    ladder.say(first, response(first, sent, 503))
    expect(ladder.take()).toEqual(['first -> set: 503 MESSAGE', 'set -> second: MESSAGE'])
    const again = ladder.last(second, 'MESSAGE')
    expect(branchOf(again)).not.toBe(branchOf(sent))
    const rest = (text: string): string => text.replace(branchOf(text), '').replace(';hfn', '')
    expect(rest(again)).toBe(rest(sent))
    ladder.say(second, response(second, again, 200))
    expect(ladder.take()).toEqual(['second -> set: 200 MESSAGE', 'set -> caller: 200 MESSAGE'])
    expect(values(parsed(ladder.last(caller, '200 MESSAGE')), 'Via')).toHaveLength(1)
  })

  test('what comes from the first one late goes no further', () => {
    const { ladder, first, second } = asking()
    const sent = ladder.last(first, 'MESSAGE')
    ladder.say(first, response(first, sent, 503))
    ladder.take()
    ladder.say(first, response(first, sent, 503))
    ladder.say(first, response(first, sent, 200))
    expect(ladder.take()).toEqual(['first -> set: 503 MESSAGE', 'first -> set: 200 MESSAGE'])
    ladder.say(second, response(second, ladder.last(second, 'MESSAGE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 MESSAGE')
  })

  test('any other failure is the answer', () => {
    const { ladder, first } = asking()
    ladder.say(first, response(first, ladder.last(first, 'MESSAGE'), 500))
    expect(ladder.take()).toEqual(['first -> set: 500 MESSAGE', 'set -> caller: 500 MESSAGE'])
  })

  test('the 503 of the last one goes up', () => {
    const { ladder, first, second } = asking()
    ladder.say(first, response(first, ladder.last(first, 'MESSAGE'), 503))
    ladder.say(second, response(second, ladder.last(second, 'MESSAGE'), 503))
    expect(ladder.take().at(-1)).toBe('set -> caller: 503 MESSAGE')
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('a transport error: the next one at once; of the last one 500', () => {
    const scene = asking()
    unreachable(scene, scene.first, 'MESSAGE')
    expect(scene.ladder.take()).toEqual(['set -> second: MESSAGE'])
    unreachable(scene, scene.second, 'MESSAGE')
    expect(scene.ladder.take()).toEqual(['set -> caller: 500 MESSAGE'])
    // An error that is told late, of the place before, changes nothing.
    unreachable(scene, scene.first, 'MESSAGE')
    expect(scene.ladder.take()).toEqual([])
  })

  test('timer F without a word: the next one gets it, and no answer goes to who has given up', () => {
    const { ladder, second } = asking()
    ladder.pass(32.1)
    expect(ladder.take().filter((line) => line.includes('second'))).toEqual(['set -> second: MESSAGE'])
    expect(ladder.handled).toHaveLength(1)
    ladder.say(second, response(second, ladder.last(second, 'MESSAGE'), 200))
    expect(ladder.take()).toEqual(['second -> set: 200 MESSAGE'])
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('timer F of all of them: each had its 32 s, and nothing is left', () => {
    const { ladder } = asking()
    ladder.pass(70)
    expect(ladder.take().filter((line) => !line.endsWith('MESSAGE'))).toEqual([])
    expect(ladder.idle).toBe(true)
  })

  test('one that has said 100 is not given up for another (timer F after a provisional)', () => {
    const { ladder, first } = asking()
    ladder.say(first, response(first, ladder.last(first, 'MESSAGE'), 100))
    ladder.pass(40)
    expect(ladder.take().filter((line) => line.includes('second'))).toEqual([])
    expect(ladder.idle).toBe(true)
  })

  test('another owner, asked again, tries the same places under the same branches', () => {
    const { ladder, caller, first, second } = asking()
    const sent = ladder.last(first, 'MESSAGE')
    ladder.say(first, response(first, sent, 503))
    const again = ladder.last(second, 'MESSAGE')
    ladder.takeover()
    ladder.take()
    ladder.say(caller, request(caller, 'MESSAGE', 'sip:callee@two.example'))
    ladder.say(first, response(first, sent, 503))
    expect(ladder.last(first, 'MESSAGE')).toBe(sent)
    expect(ladder.last(second, 'MESSAGE')).toBe(again)
  })

  test('a 503 that comes to another owner before it is asked again goes no further, if it is not the last place’s', () => {
    const { ladder, caller, first, second } = asking()
    const sent = ladder.last(first, 'MESSAGE')
    ladder.takeover()
    ladder.take()
    ladder.say(first, response(first, sent, 503))
    expect(ladder.take()).toEqual(['first -> set: 503 MESSAGE'])
    ladder.say(caller, request(caller, 'MESSAGE', 'sip:callee@two.example'))
    ladder.say(first, response(first, sent, 503))
    const last = ladder.last(second, 'MESSAGE')
    ladder.takeover()
    ladder.take()
    ladder.say(second, response(second, last, 503))
    expect(ladder.take()).toEqual(['second -> set: 503 MESSAGE', 'set -> caller: 503 MESSAGE'])
  })

  test('a name with one place: its 503 goes up', () => {
    const { ladder, first } = asking('MESSAGE', 'one.example')
    ladder.say(first, response(first, ladder.last(first, 'MESSAGE'), 503))
    expect(ladder.take().at(-1)).toBe('set -> caller: 503 MESSAGE')
  })
})

describe('a BYE, and the places of its target', () => {
  test('503: the dialog goes on until another place has answered', () => {
    const { ladder, caller, first, second, leg } = talking()
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    expect(ladder.take()).toEqual(['caller -> set: BYE', 'set -> first: BYE', 'commit: dialog 1, timer e.1'])
    ladder.say(first, response(first, ladder.last(first, 'BYE'), 503))
    expect(ladder.take()).toEqual(['first -> set: 503 BYE', 'set -> second: BYE'])
    ladder.say(second, response(second, ladder.last(second, 'BYE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 BYE')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })

  test('relayed without a quorum it has the bytes of its owner: a 503 of the first place is no answer then, either', () => {
    const { ladder, caller, first, leg } = talking()
    const bye = inDialog(caller, leg, 'BYE', 2)
    const message = parsedRequest(bye)
    const group = groupOfCallId(ladder.ctx.keys, callId(message))
    const relayed = relayDetached(group, ladder.view, message, caller.flow, ladder.ctx)
    ladder.say(caller, bye)
    expect(relayed?.outgoing.data).toBe(ladder.last(first, 'BYE'))
  })

  test('timer F ends the dialog, and the next place hears of it all the same', () => {
    const { ladder, caller, second, leg } = talking()
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    ladder.pass(32.5)
    expect(ladder.take()).toContain('set -> second: BYE')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.say(second, response(second, ladder.last(second, 'BYE'), 200))
    expect(ladder.take().filter((line) => line.includes('caller'))).toEqual([])
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })
})
