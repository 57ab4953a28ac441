// HTTP requests at whole replicas (decision 0036): what is shown, what is changed, and when the response leaves.

import { seconds } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import type { CallSettings } from '../call/contract.ts'
import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { HttpResult, SessionWanted } from '../app/http.ts'
import type { ApplicationInfo, Op } from '../app/contract.ts'
import { calleeLeg, inDialog, phone, request, response } from '../call/testing/phone.ts'
import { groupOfCallId } from '../proxy/token.ts'
import type { HttpAnswer } from './effect.ts'
import type { HttpInput } from './input.ts'
import { limits } from './limits.ts'
import { Trio } from './testing/trio.ts'
import type { AskedBy } from './testing/trio.ts'

const caller = phone('caller', '127.38.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)
const invite = request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060')
const application: ApplicationInfo = { name: 'pages', version: '1', handlers: ['doInvite', 'doInfo', 'doHttp'] }
const onward: Op = { kind: 'proxy', request: '1', plan: { targets: [], recurse: false, timeout: null } }

/** A set with a call that is up; its session. */
function setWithCall(settings: Partial<CallSettings> = {}): {
  readonly trio: Trio
  readonly session: string
  readonly owner: ReplicaId
  readonly others: readonly ReplicaId[]
} {
  const trio = new Trio(3, settings, [application]).begin()
  const { store } = trio.replica(trio.leader())
  const keys = {
    current: store.keyGeneration,
    at: (time: Stamp) => store.keyAt(time),
    key: (generation: number) => store.key(generation),
  }
  const life = store.ownerOf(groupOfCallId(keys, 'call-1'))
  const owner = must(
    trio.ids.find((id) => trio.lifeOf(id) === life),
    'an owner',
  )
  trio.sip(owner, caller.flow, invite)
  trio.pass(20)
  const asked = last(trio)
  trio.answer(asked, onward, note('begun'))
  trio.pass(20)
  trio.sip(owner, callee.flow, response(callee, sentTo(trio, 'INVITE '), 200))
  trio.pass(20)
  return { trio, session: asked.view.id, owner, others: trio.ids.filter((id) => id !== owner) }
}

function sentTo(trio: Trio, start: string): string {
  return must(
    trio.sent.findLast(({ data }) => data.startsWith(start)),
    start,
  ).data
}

function last(trio: Trio): AskedBy {
  return must(trio.calls.at(-1), 'somebody was asked')
}

function note(value: string): Op {
  return { kind: 'set-attribute', of: '', name: 'note', value }
}

function noteOf(asked: AskedBy): unknown {
  return asked.view.attributes.find(({ name }) => name === 'note')?.value
}

let asked = 0

function ask(trio: Trio, at: ReplicaId, given: Partial<HttpInput> = {}): number {
  const id = ++asked
  const web = { method: 'GET', url: 'http://h/pages/', headers: [], body: new Uint8Array() }
  trio.step(at, {
    kind: 'http',
    id,
    application: 'pages',
    request: web,
    prefix: '/pages',
    cookie: '',
    session: '',
    ...given,
  })
  trio.settle()
  trio.pass(20)
  return id
}

/** The handler that was asked last says this. */
function says(trio: Trio, result: HttpResult | unknown, ...ops: readonly Op[]): void {
  const { by, id } = last(trio)
  trio.step(by, { kind: 'answered', id, answer: { kind: 'done', ops, result } })
  trio.settle()
  trio.pass(50)
}

const page: HttpResult = {
  kind: 'response',
  response: { status: 200, headers: [], body: new Uint8Array([1]) },
  keeps: null,
}
const wants = (wanted: SessionWanted): HttpResult => ({ kind: 'wants', wanted })

function answerTo(trio: Trio, id: number): HttpAnswer | null {
  return trio.pages.find((one) => one.id === id)?.answer ?? null
}

function cookieIn(answer: HttpAnswer | null): string {
  return answer?.kind === 'response' && answer.cookie?.kind === 'set' ? answer.cookie.value : ''
}

/** The browser has the session by a cookie. */
function withCookie(trio: Trio, at: ReplicaId, session: string): string {
  const id = ask(trio, at)
  says(trio, wants({ kind: 'id', id: session }))
  says(trio, page)
  return must(cookieIn(answerTo(trio, id)) || null, 'a cookie')
}

describe('a request', () => {
  test('without a session is handled where it comes, and nothing is committed for it', () => {
    const { trio, others } = setWithCall()
    const { appliedIndex } = trio.replica(trio.leader()).store
    for (const at of others) {
      const id = ask(trio, at)
      expect([last(trio).by, last(trio).handler, last(trio).view.id]).toEqual([at, 'doHttp', ''])
      says(trio, page)
      expect(answerTo(trio, id)).toEqual({
        kind: 'response',
        response: page.kind === 'response' && page.response,
        cookie: null,
      })
    }
    expect(trio.replica(trio.leader()).store.appliedIndex).toBe(appliedIndex)
  })

  test('that names a session by a URL sees it at every replica, and a forged one is nobody’s [JSR 11] [JSR 27]', () => {
    const { trio, session } = setWithCall()
    for (const at of trio.ids) {
      ask(trio, at, { session })
      expect([last(trio).by, noteOf(last(trio)), last(trio).http?.hasCookie]).toEqual([at, 'begun', false])
      says(trio, page)
      ask(trio, at, { session: session.replace(/[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0')) })
      expect(last(trio).view.id).toBe('')
      says(trio, page)
    }
  })

  test('changes its session by an order to the owner; its response leaves when that is in the log [JSR 27]', () => {
    const { trio, session, others } = setWithCall()
    const [at = trio.leader()] = others
    const id = ask(trio, at, { session })
    const { by, id: run } = last(trio)
    trio.frames = (_from, _to, frame) => frame.kind !== 'raft'
    trio.step(by, { kind: 'answered', id: run, answer: { kind: 'done', ops: [note('by http')], result: page } })
    trio.settle()
    expect(answerTo(trio, id)).toBeNull()
    trio.frames = () => true
    trio.pass(400)
    expect(answerTo(trio, id)).toMatchObject({ kind: 'response', cookie: null })
  })

  test('an HTTP update of a SIP session is seen by the next SIP message, at whatever replica either comes [JSR question 2.2]', () => {
    const { trio, session } = setWithCall()
    const leg = calleeLeg(callee, sentTo(trio, 'INVITE '))
    let cseq = 0
    for (const web of trio.ids) {
      for (const sip of trio.ids) {
        ask(trio, web, { session })
        says(trio, page, note(`${web} ${sip}`))
        trio.sip(sip, callee.flow, inDialog(callee, leg, 'INFO', ++cseq))
        trio.pass(20)
        expect([last(trio).handler, noteOf(last(trio))]).toEqual(['doInfo', `${web} ${sip}`])
        trio.answer(last(trio))
      }
    }
  })
})

describe('the cookie', () => {
  test('says what its client was shown, and a replica that is behind waits until it has that [JSR question 2.1] [JSR 27]', () => {
    const { trio, session, owner } = setWithCall()
    const followers = trio.ids.filter((id) => !trio.replica(id).raft.isLeader && id !== owner)
    const behind = must(followers[0] ?? trio.ids.find((id) => !trio.replica(id).raft.isLeader), 'a follower')
    const ahead = must(trio.ids.find((id) => id !== behind && id !== owner) ?? owner, 'another one')
    const before = withCookie(trio, ahead, session)
    trio.frames = (_from, to, frame) => !(to === behind && frame.kind === 'raft')
    const id = ask(trio, ahead, { cookie: before })
    says(trio, page, note('newer'))
    const cookie = cookieIn(answerTo(trio, id))
    expect(cookie).not.toBe('')
    const runs = trio.calls.length
    ask(trio, behind, { cookie })
    expect(trio.calls).toHaveLength(runs)
    trio.frames = () => true
    trio.pass(300)
    expect([last(trio).by, noteOf(last(trio))]).toEqual([behind, 'newer'])
  })

  test('is renewed with each change, and left as it is by a look [JSR 27]', () => {
    const { trio, session } = setWithCall()
    const cookie = withCookie(trio, trio.leader(), session)
    const look = ask(trio, trio.leader(), { cookie })
    expect(last(trio).http?.hasCookie).toBe(true)
    says(trio, page)
    expect(answerTo(trio, look)).toMatchObject({ cookie: null })
    const change = ask(trio, trio.leader(), { cookie })
    says(trio, page, note('other'))
    expect(cookieIn(answerTo(trio, change))).not.toBe(cookie)
  })

  test('outlasts the key that signed it by one more, and a URL by all, at every replica: keys rotate [JSR 27]', () => {
    const { trio, session } = setWithCall({ keyAge: seconds(30) })
    const cookie = withCookie(trio, trio.leader(), session)
    trio.pass(45_000)
    for (const at of trio.ids) {
      expect(trio.replica(at).store.keyGeneration).toBe(2)
      ask(trio, at, { session })
      expect([last(trio).view.id, noteOf(last(trio))]).toEqual([session, 'begun'])
      says(trio, page)
      const look = ask(trio, at, { cookie })
      expect(last(trio).view.id).toBe(session)
      says(trio, page)
      const renewed = cookieIn(answerTo(trio, look))
      expect(renewed).not.toBe('')
      ask(trio, at, { cookie: renewed })
      expect(last(trio).view.id).toBe(session)
      says(trio, page)
    }
    trio.pass(30_000)
    for (const at of trio.ids) {
      ask(trio, at, { cookie })
      expect(last(trio).view.id).toBe('')
      says(trio, page)
      ask(trio, at, { session })
      expect(last(trio).view.id).toBe(session)
      says(trio, page)
    }
    const keys = trio.ids.map((at) => trio.replica(at).store.key(3))
    expect(keys[0]).not.toBeNull()
    expect(keys.every((key) => JSON.stringify(key) === JSON.stringify(keys[0]))).toBe(true)
  })

  test('is taken back when its session is over, when the application says so, and when nobody made it [JSR 27]', () => {
    const { trio, session } = setWithCall()
    const cookie = withCookie(trio, trio.leader(), session)
    const forged = ask(trio, trio.leader(), { cookie: `${cookie.slice(0, -1)}${cookie.endsWith('0') ? '1' : '0'}` })
    expect(last(trio).view.id).toBe('')
    says(trio, page)
    expect(answerTo(trio, forged)).toMatchObject({ cookie: { kind: 'clear' } })
    const left = ask(trio, trio.leader(), { cookie })
    says(trio, { ...page, keeps: 'no' })
    expect(answerTo(trio, left)).toMatchObject({ cookie: { kind: 'clear' } })
    const ended = ask(trio, trio.leader(), { cookie })
    says(trio, page, { kind: 'invalidate', of: '' })
    expect(answerTo(trio, ended)).toMatchObject({ kind: 'response', cookie: { kind: 'clear' } })
    for (const at of trio.ids) {
      const after = ask(trio, at, { cookie })
      expect(last(trio).view.id).toBe('')
      says(trio, page)
      expect(answerTo(trio, after)).toMatchObject({ cookie: { kind: 'clear' } })
    }
  })
})

describe('the handler runs again', () => {
  test('on the newer view, when the session changed while it ran', () => {
    const { trio, session, others } = setWithCall()
    const [first = trio.leader(), second = trio.leader()] = others
    const slow = ask(trio, first, { session })
    const waiting = last(trio)
    ask(trio, second, { session })
    says(trio, page, note('second'))
    trio.step(waiting.by, {
      kind: 'answered',
      id: waiting.id,
      answer: { kind: 'done', ops: [note('first')], result: page },
    })
    trio.settle()
    trio.pass(50)
    expect(answerTo(trio, slow)).toBeNull()
    expect([last(trio).by, noteOf(last(trio))]).toEqual([first, 'second'])
    says(trio, page, note('first'))
    expect(answerTo(trio, slow)).toMatchObject({ kind: 'response' })
  })

  test('with the session that it wanted: begun, by its key, or null', () => {
    const { trio } = setWithCall()
    const id = ask(trio, trio.leader())
    says(trio, wants({ kind: 'key', key: 'alice', create: false }))
    expect([last(trio).view.id, last(trio).http?.found.none]).toEqual([
      '',
      { kind: 'key', key: 'alice', create: false },
    ])
    says(trio, wants({ kind: 'key', key: 'alice', create: true }))
    expect([last(trio).view.key, last(trio).http?.isNew]).toEqual(['alice', true])
    says(trio, page, note('hers'))
    expect(cookieIn(answerTo(trio, id))).not.toBe('')
    ask(trio, must(trio.ids.at(-1), 'a replica'))
    says(trio, wants({ kind: 'key', key: 'alice', create: true }))
    expect([noteOf(last(trio)), last(trio).http?.isNew]).toEqual(['hers', false])
  })

  test('with a page of the application’s sessions', () => {
    const { trio, session } = setWithCall()
    for (const at of trio.ids) {
      ask(trio, at)
      says(trio, { kind: 'wants', wanted: { kind: 'list', from: 0 } })
      const { list } = must(last(trio).http, 'a request').found
      expect(list?.page.next).toBeNull()
      expect(list?.page.sessions.map(({ id, sessions }) => [id, sessions.map(({ callId }) => callId)])).toEqual([
        [session, ['call-1']],
      ])
      says(trio, page)
    }
  })
})

describe('nobody waits for ever', () => {
  test('without a quorum the client is told to ask again', () => {
    const { trio, session } = setWithCall()
    trio.frames = () => false
    const id = ask(trio, trio.leader(), { session })
    trio.pass(2_000)
    expect(answerTo(trio, id)).toMatchObject({ kind: 'failed', status: 503, again: 1 })
  })

  test('whose change may have been done, since its owner has not answered, is told to look and to ask again, and not that nothing was done', () => {
    const { trio, session, others } = setWithCall()
    const at = must(others[0], 'not the owner')
    trio.frames = (_from, _to, { kind }) => kind !== 'ordered'
    const id = ask(trio, at, { session })
    says(trio, page, note('changed'))
    expect(answerTo(trio, id)).toBeNull()
    trio.pass(2_000)
    expect(answerTo(trio, id)).toMatchObject({
      kind: 'failed',
      status: 503,
      again: 1,
      reason: expect.stringContaining('may have been done'),
    })
    // As here: it was.
    ask(trio, at, { session })
    expect(noteOf(last(trio))).toBe('changed')
  })

  test('a handler that fails, hangs, or says what is no response is a 500, and its reason is not the client’s', () => {
    const { trio, session } = setWithCall()
    const hangs = ask(trio, trio.leader(), { session })
    trio.pass(5_100)
    const odd = ask(trio, trio.leader(), { session })
    says(trio, { kind: 'response' }, note('never'))
    const fails = ask(trio, trio.leader(), { session })
    const { by, id } = last(trio)
    trio.step(by, { kind: 'answered', id, answer: { kind: 'failed', reason: 'a secret' } })
    for (const one of [hangs, odd, fails]) {
      expect(answerTo(trio, one)).toEqual({
        kind: 'failed',
        status: 500,
        reason: 'the application failed',
        again: null,
      })
    }
    ask(trio, trio.leader(), { session })
    expect(noteOf(last(trio))).toBe('begun')
  })

  test('more requests than may wait are told to ask again', () => {
    const { trio } = setWithCall()
    const ids = Array.from({ length: limits.httpRequests + 1 }, () => ++asked)
    const web = { method: 'GET', url: 'http://h/', headers: [], body: new Uint8Array() }
    const given = { application: 'pages', request: web, prefix: '', cookie: '', session: '' }
    for (const id of ids) trio.step(trio.leader(), { kind: 'http', id, ...given })
    expect(trio.pages.map(({ id }) => id)).toEqual([ids.at(-1)])
    expect(trio.pages[0]?.answer).toMatchObject({ kind: 'failed', status: 503 })
  })
})
