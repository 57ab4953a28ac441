// Decision 0035 at whole replicas: which session a request is for that begins something, and that it gets there whoever dies.

import type { Stamp } from '../base/instant.ts'
import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { AppAnswer, AppCall, HandlerName, Op } from '../app/contract.ts'
import {
  calleeLeg,
  callerLeg,
  follower,
  inDialog,
  parsedRequest,
  phone,
  request,
  response,
} from '../call/testing/phone.ts'
import type { Phone, RequestOptions } from '../call/testing/phone.ts'
import { groupOfCallId, groupOfKey } from '../proxy/token.ts'
import { header } from '../sip/message.ts'
import { Trio } from './testing/trio.ts'

const alice = phone('alice', '127.38.1.2', 5062)
const bob = phone('bob', '127.38.1.4', 5066)
const callee = phone('callee', '127.36.0.3', 5064)
const TO = 'sip:callee@127.36.0.1:5060'

/** What the application does: its ops, or what it says of a key. */
type Play = (call: AppCall) => readonly Op[] | string | null

/** Proxies what begins; of a request with a Subject that is the key. */
const bySubject: Play = (call) => {
  if (call.handler === 'applicationKey') return subjectOf(call)
  return call.message?.isInitial === true ? [proxied(call)] : []
}

function subjectOf({ message }: AppCall): string | null {
  return header(parsedRequest(message?.text ?? ''), 'Subject')
}

function proxied({ message }: AppCall): Op {
  return { kind: 'proxy', request: message?.request ?? '', plan: { targets: [], recurse: false, timeout: null } }
}

function answered({ message }: AppCall, status: number): Op {
  return { kind: 'respond', request: message?.request ?? '', response: { status, headers: [], body: '' } }
}

class Scene {
  readonly trio: Trio
  readonly #play: Play
  #answered = 0

  constructor(play: Play, handlers: readonly HandlerName[] = ['applicationKey', 'doInvite'], count = 3) {
    this.#play = play
    this.trio = new Trio(count, {}, [{ name: 'desk', version: '1', handlers }]).begin()
  }

  /** Questions are answered, and what that leads to is over. */
  settle(ms = 200): void {
    this.trio.pass(ms)
    while (this.#answered < this.trio.calls.length) {
      const call = must(this.trio.calls[this.#answered++], 'a question')
      const done = this.#play(call)
      const answer: AppAnswer = Array.isArray(done)
        ? { kind: 'done', ops: done as readonly Op[], result: null }
        : { kind: 'done', ops: [], result: done }
      this.trio.step(call.by, { kind: 'answered', id: call.id, answer })
      this.trio.pass(ms)
    }
  }

  say(at: ReplicaId, from: Phone, data: string): void {
    this.trio.sip(at, from.flow, data)
    this.settle()
  }

  /** What went to a phone last that begins so. */
  last(to: Phone, start: string): string {
    const found = this.trio.sent.findLast(({ flow, data }) => flow.port === to.flow.port && data.startsWith(start))
    return must(found, `${start} to ${to.name}`).data
  }

  count(to: Phone, start: string): number {
    return this.trio.sent.filter(({ flow, data }) => flow.port === to.flow.port && data.startsWith(start)).length
  }

  asked(handler: HandlerName): readonly (AppCall & { readonly by: ReplicaId })[] {
    return this.trio.calls.filter((call) => call.handler === handler)
  }

  get keys() {
    const { store } = this.trio.replica(this.living[0] ?? this.trio.leader())
    return {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
  }

  readonly dead = new Set<ReplicaId>()

  get living(): readonly ReplicaId[] {
    return this.trio.ids.filter((id) => !this.dead.has(id))
  }

  kill(id: ReplicaId): void {
    this.dead.add(id)
    this.trio.kill(id)
  }

  ownerOf(group: ReturnType<typeof groupOfCallId>): ReplicaId {
    const { store } = this.trio.replica(this.trio.leader())
    const owner = must(store.ownerOf(group), 'an owner')
    return must(
      this.trio.ids.find((id) => this.trio.lifeOf(id) === owner),
      'a replica',
    )
  }

  /** A Call-ID whose group, and whose key's, these replicas own. */
  callId(owner: ReplicaId): string {
    for (let n = 0; ; n++) if (this.ownerOf(groupOfCallId(this.keys, `call-${n}`)) === owner) return `call-${n}`
  }

  key(owner: ReplicaId): string {
    for (let n = 0; ; n++) if (this.ownerOf(groupOfKey(this.keys, 'desk', `key-${n}`)) === owner) return `key-${n}`
  }

  /** All groups that the set still has. */
  groups(): readonly string[] {
    return [...this.trio.replica(this.trio.leader()).store.groups()]
  }
}

function invite(from: Phone, callId: string, options: RequestOptions = {}, to = TO): string {
  return request(from, 'INVITE', to, { callId, branch: `z9hG4bK-${from.name}-${callId}`, ...options })
}

const keyed = (key: string): RequestOptions => ({ headers: [['Subject', key]] })

describe('[JSR 12] an application key', () => {
  test('brings two calls of two phones, at two replicas, into one session; each goes its own way there, and ends by itself', () => {
    const scene = new Scene(bySubject)
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    const key = scene.key(three)
    scene.say(one, alice, invite(alice, scene.callId(one), keyed(key)))
    const first = scene.last(callee, 'INVITE ')
    scene.say(two, bob, invite(bob, scene.callId(two), keyed(key)))
    const second = scene.last(callee, 'INVITE ')
    expect(scene.asked('applicationKey').map(({ by }) => by)).toEqual([one, two])
    const [begun, joined] = scene.asked('doInvite')
    expect([begun?.by, joined?.by]).toEqual([three, three])
    expect(joined?.view.id).toBe(begun?.view.id)
    expect([begun?.view.key, joined?.view.key]).toEqual([key, key])
    expect(joined?.view.sessions.map(({ callId }) => callId)).toEqual([scene.callId(one), scene.callId(two)])
    for (const [caller, arrived] of [
      [alice, first],
      [bob, second],
    ] as const) {
      scene.say(two, callee, response(callee, arrived, 200))
      const leg = callerLeg(scene.last(caller, 'SIP/2.0 200'))
      scene.say(one, caller, inDialog(caller, leg, 'ACK', 1))
      scene.say(three, caller, inDialog(caller, leg, 'BYE', 2))
      scene.say(one, callee, response(callee, scene.last(callee, 'BYE '), 200))
    }
    expect([scene.count(callee, 'ACK '), scene.count(callee, 'BYE ')]).toEqual([2, 2])
  })

  test('is asked for once: the INVITE again, its CANCEL and the ACK for the failure go where it went, from any replica', () => {
    const scene = new Scene(bySubject)
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    const sent = invite(alice, scene.callId(one), keyed(scene.key(two)))
    scene.say(three, alice, sent)
    const arrived = scene.last(callee, 'INVITE ')
    scene.say(one, callee, response(callee, arrived, 180))
    scene.say(two, alice, sent)
    scene.say(three, alice, follower(sent, 'CANCEL'))
    expect(scene.count(alice, 'SIP/2.0 200')).toBe(1)
    scene.say(three, callee, response(callee, scene.last(callee, 'CANCEL '), 200))
    scene.say(two, callee, response(callee, arrived, 487))
    const final = scene.last(alice, 'SIP/2.0 487')
    scene.say(one, alice, follower(sent, 'ACK', final))
    const before = scene.count(alice, 'SIP/2.0 487')
    scene.settle(5_000)
    expect(scene.count(alice, 'SIP/2.0 487')).toBe(before)
    expect(scene.asked('applicationKey')).toHaveLength(1)
    expect(scene.count(callee, 'INVITE ')).toBe(1)
  })

  test.each(['the Call-ID', 'the key'] as const)('outlives the owner of %s', (whose) => {
    const scene = new Scene(bySubject)
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    const sent = invite(alice, scene.callId(one), keyed(scene.key(two)))
    scene.say(three, alice, sent)
    const { id } = must(scene.asked('doInvite')[0], 'an INVITE').view
    scene.kill(whose === 'the Call-ID' ? one : two)
    scene.settle(2_000)
    scene.say(three, callee, response(callee, scene.last(callee, 'INVITE '), 180))
    scene.say(three, alice, follower(sent, 'CANCEL'))
    expect(scene.count(alice, 'SIP/2.0 200')).toBe(1)
    expect(scene.count(callee, 'CANCEL ')).toBeGreaterThan(0)
    scene.say(three, bob, invite(bob, 'another', { ...keyed(must(scene.asked('doInvite')[0], '').view.key ?? '') }))
    expect(scene.asked('doInvite').at(-1)?.view.id).toBe(id)
    expect(scene.asked('applicationKey')).toHaveLength(2)
  })

  test('that leads to an owner who dies before it has the request: whoever keeps that passes it to the next one', () => {
    const scene = new Scene(bySubject)
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    // The request goes to the key's owner, and is lost on the way.
    scene.trio.frames = (_from, to, frame) => !(to === two && frame.kind === 'pass' && frame.to !== null)
    scene.say(three, alice, invite(alice, scene.callId(one), keyed(scene.key(two))))
    expect(scene.asked('doInvite')).toEqual([])
    scene.kill(two)
    scene.settle(2_000)
    expect(scene.asked('doInvite').map(({ view }) => view.key)).toEqual([subject(scene)])
    expect(scene.asked('applicationKey')).toHaveLength(1)
    // Nobody answers it, so it is repeated.
    expect(new Set(scene.trio.sent.filter(({ data }) => data.startsWith('INVITE ')).map(({ data }) => data)).size).toBe(
      1,
    )
  })

  test('of null leaves a request to a session of its own; one that is none, or comes with operations, is refused', () => {
    const scene = new Scene(bySubject)
    const [one] = scene.trio.ids as [ReplicaId]
    scene.say(one, alice, invite(alice, 'plain'))
    expect(scene.asked('doInvite')[0]?.view).toMatchObject({ key: null, group: groupOfCallId(scene.keys, 'plain') })
    const wrong: readonly Play[] = [
      (call) => (call.handler === 'applicationKey' ? 'x'.repeat(257) : []),
      (call) => (call.handler === 'applicationKey' ? [answered(call, 603)] : []),
    ]
    for (const play of wrong) {
      const other = new Scene(play, ['applicationKey', 'doInvite'], 1)
      other.say(other.trio.leader(), alice, invite(alice, 'wrong'))
      expect(other.last(alice, 'SIP/2.0 ')).toMatch(/^SIP\/2.0 500 /)
      expect(other.groups()).toEqual([])
    }
  })

  test('has an alias that goes after its session does, not before, and not while a request is on its way by it', () => {
    const scene = new Scene(bySubject, ['applicationKey', 'doInvite'], 1)
    const [one] = scene.trio.ids as [ReplicaId]
    const callId = scene.callId(one)
    const sent = invite(alice, callId, keyed('k'))
    scene.say(one, alice, sent)
    const home = groupOfCallId(scene.keys, callId)
    const hasAlias = (): boolean => scene.groups().includes(home)
    scene.say(one, callee, response(callee, scene.last(callee, 'INVITE '), 180))
    scene.settle(100_000)
    expect(hasAlias()).toBe(true)
    scene.say(one, callee, response(callee, scene.last(callee, 'INVITE '), 486))
    scene.say(one, alice, follower(sent, 'ACK', scene.last(alice, 'SIP/2.0 486')))
    scene.settle(40_000)
    expect(scene.groups()).toEqual([home])
    // It is doubted by now, or soon; what begins something again takes it as it is.
    scene.say(one, alice, invite(alice, callId, { ...keyed('k'), cseq: 2, branch: 'z9hG4bK-again' }))
    expect(scene.asked('applicationKey')).toHaveLength(1)
    scene.settle(40_000)
    expect(hasAlias()).toBe(true)
    scene.say(one, callee, response(callee, scene.last(callee, 'INVITE '), 486))
    scene.settle(200_000)
    expect(scene.groups()).toEqual([])
  })

  test('has an alias that goes after its call, though its session stays for ever', () => {
    const stays: Play = (call) => {
      const ops = bySubject(call)
      return Array.isArray(ops)
        ? [
            { kind: 'set-expires', after: null },
            { kind: 'set-invalidate-when-ready', of: '', value: false },
            ...(ops as Op[]),
          ]
        : ops
    }
    const scene = new Scene(stays, ['applicationKey', 'doInvite'], 1)
    const [one] = scene.trio.ids as [ReplicaId]
    const callId = scene.callId(one)
    const sent = invite(alice, callId, keyed('k'))
    scene.say(one, alice, sent)
    scene.say(one, callee, response(callee, scene.last(callee, 'INVITE '), 180))
    scene.settle(100_000)
    const home = groupOfCallId(scene.keys, callId)
    const session = groupOfKey(scene.keys, 'desk', 'k')
    expect(new Set(scene.groups())).toEqual(new Set([home, session]))
    scene.say(one, callee, response(callee, scene.last(callee, 'INVITE '), 486))
    scene.say(one, alice, follower(sent, 'ACK', scene.last(alice, 'SIP/2.0 486')))
    scene.settle(200_000)
    expect(scene.groups()).toEqual([session])
  })
})

function subject(scene: Scene): string | null {
  return subjectOf(must(scene.asked('applicationKey')[0], 'a question'))
}

describe('[JSR 11] a URI that a session encoded', () => {
  /** The first call is answered by the application, and its session's URI is what later requests name. */
  const answering: Play = (call) => (call.handler === 'doInvite' ? [answered(call, 200)] : [])

  function withUri(): { readonly scene: Scene; readonly uri: string; readonly id: string } {
    const scene = new Scene(answering, ['doInvite'])
    const [one] = scene.trio.ids as [ReplicaId]
    scene.say(one, alice, invite(alice, scene.callId(one)))
    const { id, uriToken } = must(scene.asked('doInvite')[0], 'an INVITE').view
    return { scene, uri: `sip:desk@127.36.0.1:5060;hfa=${uriToken}`, id }
  }

  test('leads to it from any replica, also after its owner died: a call by it is another SipSession of it', () => {
    const { scene, uri, id } = withUri()
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    scene.kill(one)
    scene.settle(2_000)
    const sent = invite(bob, scene.callId(two), {}, uri)
    scene.say(three, bob, sent)
    const { view } = must(scene.asked('doInvite')[1], 'the second INVITE')
    expect(view.id).toBe(id)
    expect(view.sessions).toHaveLength(2)
    const leg = callerLeg(scene.last(bob, 'SIP/2.0 200 OK'))
    scene.say(two, bob, inDialog(bob, leg, 'ACK', 1))
    scene.say(three, bob, inDialog(bob, leg, 'BYE', 2))
    expect(scene.last(bob, 'SIP/2.0 ')).toMatch(/^SIP\/2.0 (200|405|501) /)
  })

  test('with a MAC that is not the set’s is a plain request', () => {
    const { scene, uri, id } = withUri()
    const [, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    const forged = uri.replace(
      /(hfa=.{30})./,
      (_all, start: string) => `${start}${uri.includes(`${start}0`) ? '1' : '0'}`,
    )
    scene.say(three, bob, invite(bob, scene.callId(two), {}, forged))
    expect(scene.asked('doInvite')[1]?.view.id).not.toBe(id)
  })

  test('of a session that has ended is a plain request, with all that follows it', () => {
    const refusing: Play = (call) => [answered(call, 486)]
    const scene = new Scene(refusing, ['doInvite'])
    const [one, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    const sent = invite(alice, scene.callId(one))
    scene.say(one, alice, sent)
    const { id, uriToken } = must(scene.asked('doInvite')[0], 'an INVITE').view
    const callId = scene.callId(two)
    const late = invite(bob, callId, {}, `sip:desk@127.36.0.1:5060;hfa=${uriToken}`)
    scene.say(three, bob, late)
    const { view } = must(scene.asked('doInvite')[1], 'the second INVITE')
    expect(view.id).not.toBe(id)
    expect(view.group).toBe(groupOfCallId(scene.keys, callId))
    scene.say(one, bob, follower(late, 'ACK', scene.last(bob, 'SIP/2.0 486')))
    const before = scene.count(bob, 'SIP/2.0 486')
    scene.settle(5_000)
    expect(scene.count(bob, 'SIP/2.0 486')).toBe(before)
  })
})

describe('[JSR 26] Join and Replaces', () => {
  /** A call that the application answers. */
  function called(scene: Scene): { readonly callId: string; readonly dialog: string; readonly id: string } {
    const [one] = scene.trio.ids as [ReplicaId]
    const callId = scene.callId(one)
    scene.say(one, alice, invite(alice, callId))
    const leg = callerLeg(scene.last(alice, 'SIP/2.0 200'))
    scene.say(one, alice, inDialog(alice, leg, 'ACK', 1))
    const tag = /tag=(.+)$/.exec(leg.remote)?.[1] ?? ''
    const { id } = must(scene.asked('doInvite')[0], 'an INVITE').view
    return { callId, dialog: `${callId};to-tag=${tag};from-tag=alice-tag`, id }
  }

  const answering: Play = (call) => (call.handler === 'doInvite' ? [answered(call, 200)] : null)

  test.each(['Replaces', 'Join'] as const)(
    '%s: an INVITE that names a dialog of a session is that session’s',
    (name) => {
      const scene = new Scene(answering, ['doInvite'])
      const [, two, three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
      const { dialog, id } = called(scene)
      scene.say(three, bob, invite(bob, scene.callId(two), { headers: [[name, dialog]] }))
      const { view } = must(scene.asked('doInvite')[1], 'the second INVITE')
      expect(view.id).toBe(id)
      expect(view.sessions).toHaveLength(2)
      expect(scene.count(bob, 'SIP/2.0 200')).toBeGreaterThan(0)
    },
  )

  test.each([
    ['of no call', (dialog: string) => dialog.replace('call', 'nocall')],
    ['with another tag', (dialog: string) => dialog.replace(/from-tag=\w/, 'from-tag=x')],
    ['that says nothing', () => ';;'],
  ])('a dialog %s is none: a session of its own', (_what, change) => {
    const scene = new Scene(answering, ['doInvite'], 1)
    const { dialog, id } = called(scene)
    scene.say(scene.trio.leader(), bob, invite(bob, 'other', { headers: [['Replaces', change(dialog)]] }))
    expect(scene.asked('doInvite')[1]?.view.id).not.toBe(id)
  })

  test('a leg that the application placed is found by its Call-ID, which names its group', () => {
    const placing: Play = (call) => {
      if (call.handler === 'doSuccessResponse')
        return [{ kind: 'ack', session: call.message?.session ?? '', parts: { headers: [], body: '' } }]
      if (call.handler !== 'doInvite' || call.view.sessions.length > 1) return []
      const [from, to] = ['<sip:desk@127.36.0.1>', '<sip:callee@example.com>']
      const first = { method: 'INVITE', from, to, requestUri: 'sip:callee@127.36.0.3:5064', routes: [], callId: '' }
      const id = String(call.view.nextSession)
      return [answered(call, 180), { kind: 'create-session', id, first: { ...first, headers: [], body: '' } }]
    }
    const scene = new Scene(placing, ['doInvite', 'doSuccessResponse'])
    const [one, , three] = scene.trio.ids as [ReplicaId, ReplicaId, ReplicaId]
    scene.say(one, alice, invite(alice, scene.callId(one)))
    const { id } = must(scene.asked('doInvite')[0], 'an INVITE').view
    const arrived = scene.last(callee, 'INVITE ')
    scene.say(one, callee, response(callee, arrived, 200))
    const leg = calleeLeg(callee, arrived)
    const ours = /tag=(.+)$/.exec(leg.remote)?.[1] ?? ''
    const replaces = `${leg.callId};to-tag=${ours};from-tag=callee-tag`
    scene.say(three, bob, invite(bob, 'takes-over', { headers: [['Replaces', replaces]] }))
    expect(scene.asked('doInvite')[1]?.view.id).toBe(id)
  })
})

test('[JSR 31] a request is for the session that its URI names, else its key’s, else that of the dialog it names, else a new one', () => {
  const play: Play = (call) => {
    if (call.handler === 'applicationKey') return subjectOf(call)
    return call.handler === 'doInvite' ? [answered(call, 200)] : []
  }
  const scene = new Scene(play)
  const [one, two] = scene.trio.ids as [ReplicaId, ReplicaId]
  const at = (n: number): string => must(scene.asked('doInvite')[n], 'an INVITE').view.id
  scene.say(one, alice, invite(alice, 'named'))
  scene.say(one, alice, invite(alice, 'keyed', keyed('k')))
  const leg = callerLeg(
    must(
      scene.trio.sent.find(({ data }) => data.includes('Call-ID: named') && data.includes('200 OK')),
      '',
    ).data,
  )
  const replaces = `named;to-tag=${/tag=(.+)$/.exec(leg.remote)?.[1] ?? ''};from-tag=alice-tag`
  scene.say(one, alice, invite(alice, 'uri'))
  const uri = `sip:x@127.36.0.1:5060;hfa=${must(scene.asked('doInvite')[2], '').view.uriToken}`
  const all: RequestOptions['headers'] = [
    ['Subject', 'k'],
    ['Replaces', replaces],
  ]
  const [named, ofKey, ofUri] = [at(0), at(1), at(2)]
  expect(new Set([named, ofKey, ofUri]).size).toBe(3)
  scene.say(two, bob, invite(bob, 'a', { headers: all }, uri))
  scene.say(two, bob, invite(bob, 'b', { headers: all }))
  scene.say(two, bob, invite(bob, 'c', { headers: [['Replaces', replaces]] }))
  scene.say(two, bob, invite(bob, 'd'))
  expect([at(3), at(4), at(5)]).toEqual([ofUri, ofKey, named])
  expect([ofUri, ofKey, named]).not.toContain(at(6))
})
