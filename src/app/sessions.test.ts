import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { seconds, stamp } from '../base/instant.ts'
import { Turn } from '../call/turn.ts'
import { EPOCH, Stage, newTimer } from './testing/stage.ts'
import type { AttributeValue, SessionView } from './contract.ts'
import { appLimits } from './limits.ts'
import { packValue, unpackValue } from './packed.ts'
import type { SessionOp } from './operations.ts'
import { makeSessionId, readSessionId } from './session-id.ts'
import { openApplicationSession, touch } from './sessions.ts'

const at = (time: number | null): number | null => (time === null ? null : (time - EPOCH) / 1_000_000)
const set = (name: string, value: AttributeValue, of = ''): SessionOp => ({ kind: 'set-attribute', of, name, value })
const expires = (after: number | null): SessionOp => ({
  kind: 'set-expires',
  after: after === null ? null : seconds(after),
})
const invalidate = (of = ''): SessionOp => ({ kind: 'invalidate', of })
const keep = (of = ''): SessionOp => ({ kind: 'set-invalidate-when-ready', of, value: false })
const ALL = ['timeout', 'sessionExpired', 'sessionReadyToInvalidate', 'sessionDestroyed'] as const
const sessionOf = (view: SessionView, id: string): SessionView['sessions'][number] | undefined =>
  view.sessions.find((one) => one.id === id)

describe('a SipApplicationSession', () => {
  test('[JSR 1] has an id that stays, is its own, and says which group it is of to the set alone', () => {
    const stage = Stage.open()
    const { id } = stage.view
    stage.call('1')
    stage.answer(set('a', 1))
    stage.pass(60)
    expect(stage.view.id).toBe(id)
    expect(readSessionId(stage.ctx.keys, id)).toEqual({ group: stage.view.group, created: stage.view.created })
    const last = id.at(-1) === '0' ? '1' : '0'
    for (const forged of ['', 'x', stage.view.group, id.slice(0, -1) + last, `1${id}`, `${id}-1`]) {
      expect(readSessionId(stage.ctx.keys, forged)).toBeNull()
    }
    const later = makeSessionId(stage.ctx.keys, { group: stage.view.group, created: stamp(EPOCH + 5) })
    expect(later).not.toBe(id)
  })

  test('[JSR 3] knows when it was created, and when a message was last in a commit of it; nothing else counts', () => {
    const stage = Stage.open()
    stage.answer(expires(null))
    stage.sleep(10)
    stage.answer(set('a', 1))
    expect([stage.view.created, stage.view.lastAccessed].map(at)).toEqual([0, 0])
    stage.sleep(5)
    const { version } = stage.view
    stage.turn((turn) => {
      turn.intentDone('of a message')
      touch(turn)
    })
    expect([stage.view.created, stage.view.lastAccessed].map(at)).toEqual([0, 15])
    // No version that an application compares rises by it.
    expect(stage.view.version).toBe(version)
  })

  test('[JSR 3] no commit is made for the last access alone', () => {
    const stage = Stage.open()
    stage.turn(touch)
    const turn = new Turn(stage.load(), stage.ctx)
    touch(turn)
    expect(turn.commits).toBe(false)
  })

  test('[JSR 10] lists its SipSessions, those of other replicas too: the log has them', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.call('2')
    expect(stage.view.sessions.map(({ id, state, role }) => [id, state, role])).toEqual([
      ['1', 'CONFIRMED', 'proxy'],
      ['2', 'CONFIRMED', 'proxy'],
    ])
    expect(stage.view.nextSession).toBe(3)
  })

  test('[JSR 17] a SipSession has its Call-ID, its parties and tags, and the handler that it was given', () => {
    const stage = Stage.open()
    stage.call('1')
    expect(stage.answer({ kind: 'set-handler', session: '1', handler: 'charge' })).toBeNull()
    expect(sessionOf(stage.view, '1')).toMatchObject({
      callId: 'call-1',
      local: '<sip:a@x>',
      remote: '<sip:b@x>',
      localTag: '1',
      remoteTag: '1-callee',
      handler: 'charge',
    })
    expect(stage.answer({ kind: 'set-handler', session: '2', handler: 'x' })).toBe(
      'IllegalArgument: the application session has no SipSession 2',
    )
  })
})

describe('attributes', () => {
  test('[JSR 2] those of one turn are one commit; each session has its own', () => {
    const stage = Stage.open()
    stage.call('1')
    const before = stage.store.groupVersion(stage.view.group)
    expect(stage.answer(set('b', [1, 'x']), set('a', { n: null }), set('a', true, '1'), set('b', 2))).toBeNull()
    expect(stage.store.groupVersion(stage.view.group)).toBe(before + 1)
    expect(stage.view.attributes).toEqual([
      { name: 'a', value: { n: null } },
      { name: 'b', value: 2 },
    ])
    expect(sessionOf(stage.view, '1')?.attributes).toEqual([{ name: 'a', value: true }])
    expect(stage.answer({ kind: 'remove-attribute', of: '', name: 'a' })).toBeNull()
    expect(stage.view.attributes.map(({ name }) => name)).toEqual(['b'])
  })

  test('[JSR 2] an answer of which one operation is not allowed changes nothing at all', () => {
    const stage = Stage.open()
    const before = stage.store.hash()
    expect(stage.answer(set('a', 1), newTimer('t1', 5), set('x', 1, '9'))).toBe(
      'IllegalArgument: the application session has no SipSession 9',
    )
    expect(stage.store.hash()).toBe(before)
  })

  test('what was packed is what is read, whatever JSON can say, and bytes', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n))
    const text = fc.string({ unit: 'binary' })
    const leaf = fc.oneof(number, fc.integer(), text, fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 20 }))
    const keys = text.filter((key) => !key.startsWith('__proto__'))
    const value = fc.record({
      list: fc.array(leaf),
      object: fc.dictionary(keys, fc.array(leaf, { maxLength: 2 })),
      leaf,
    })
    fc.assert(
      fc.property(value, (one) => {
        const packed = packValue(one)
        expect(packed.ok && unpackValue(packed.value)).toEqual(one)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    ['a number that JSON has not', { a: [1, Number.NaN] }, 'it has NaN at .a[1]: use a finite number'],
    ['nothing', { a: undefined }, 'it has a value of type undefined at .a: use null, booleans, numbers'],
    ['a function', () => 1, 'it has a value of type function: use null'],
    ['a big integer', 1n, 'it has a value of type bigint: use null'],
    ['an object of a class', { when: new Map() }, 'it has an object of a class at .when: use null'],
    ['half a character', 'a\ud800', 'it has half a character: use well-formed Unicode'],
    ['a key of an object that is not one', JSON.parse('{"__proto__":1}'), 'it has a key __proto__: name it otherwise'],
    ['a circle', circle(), 'it is nested more than 16 deep: keep it flatter'],
    ['what is too large', 'x'.repeat(40_000), 'it has more than 32768 bytes: keep what is large elsewhere'],
    ['what is too wide', Array.from({ length: 1_000_000 }, () => 0), 'it has more than 32768 bytes'],
  ])('refused, with where it is and what would be right: %s', (_, value, reason) => {
    expect(packValue(value)).toMatchObject({ ok: false, error: expect.stringContaining(reason) })
  })

  test('more than a group may have is refused as a whole', () => {
    const stage = Stage.open()
    const text = 'x'.repeat(32_000)
    expect(stage.answer(...['a', 'b', 'c', 'd'].map((name) => set(name, text)))).toBeNull()
    const reason = stage.answer(set('e', text))
    expect(reason).toContain(`limit: an application keeps at most ${appLimits.groupBytes} bytes in one session`)
    expect(stage.answer({ kind: 'remove-attribute', of: '', name: 'a' }, set('e', text))).toBeNull()
  })
})

describe('versions', () => {
  test('[JSR question 1] compare-and-put: of two that read one version, the second is told, and changes nothing', () => {
    const stage = Stage.open()
    const { version } = stage.view
    const write = (value: number): readonly SessionOp[] => [
      { kind: 'expect-version', of: '', version },
      set('n', value),
    ]
    expect(stage.answer(...write(1))).toBeNull()
    expect(stage.answer(...write(2))).toBe(
      `conflict: the application session has version ${version + 1}, not ${version}: read it again`,
    )
    expect(stage.view.attributes).toEqual([{ name: 'n', value: 1 }])
  })

  test('[JSR question 1] each entity has its own version: +1 with each commit that changes it', () => {
    const stage = Stage.open()
    stage.call('1')
    const { version } = stage.view
    const session = sessionOf(stage.view, '1')?.version ?? 0
    stage.answer(set('a', 1, '1'), set('b', 1, '1'))
    stage.answer(set('a', 2, '1'))
    expect([stage.view.version, sessionOf(stage.view, '1')?.version]).toEqual([version, session + 2])
    expect(stage.answer({ kind: 'expect-version', of: '1', version: session })).toContain(
      'conflict: SipSession 1 has version',
    )
  })
})

describe('expiry', () => {
  test('[JSR 4] after three minutes, unless somebody says otherwise', () => {
    const stage = Stage.open()
    stage.pass(179)
    expect(stage.called).toEqual([])
    stage.pass(1)
    expect(stage.called).toEqual(['180 sessionExpired'])
    expect(stage.view.isValid).toBe(false)
  })

  test('[JSR 4] [JSR 6] extended inside sessionExpired(), it goes on, and expires later', () => {
    const stage = Stage.open()
    stage.handle = ({ handler }) => (handler === 'sessionExpired' && stage.called.length === 1 ? [expires(60)] : [])
    stage.pass(200)
    expect([stage.called, stage.view.isValid, at(stage.view.expires)]).toEqual([['180 sessionExpired'], true, 240])
    stage.pass(60)
    expect([stage.called, stage.view.isValid]).toEqual([['180 sessionExpired', '240 sessionExpired'], false])
  })

  test('[JSR 4] [JSR 6] extended after the log said that it expired, before anybody heard of that: it is not expired', () => {
    const stage = Stage.open()
    stage.sleep(181)
    expect(stage.pulse()).toEqual(['a'])
    stage.answer(expires(60))
    stage.performAll()
    expect([stage.called, stage.view.isValid, at(stage.view.expires)]).toEqual([[], true, 241])
  })

  test('[JSR 4] never', () => {
    const stage = Stage.open()
    stage.answer(expires(null))
    stage.pass(100_000)
    expect([stage.called, stage.view.isValid, stage.view.expires]).toEqual([[], true, null])
  })

  test('[JSR 5] its time is that of the log, to the microsecond, and what else changes does not move it', () => {
    const stage = Stage.open()
    stage.sleep(7)
    stage.answer(expires(60))
    stage.sleep(1)
    stage.answer(set('a', 1))
    const deadline = stage.group?.timers.find(({ id }) => id === 'a')?.deadline
    expect([at(stage.view.expires), stage.view.expires]).toEqual([67, deadline])
  })

  test('[JSR 6] a sessionExpired() that is refused extends nothing', () => {
    const stage = Stage.open()
    stage.handle = () => [expires(60), set('', 1)]
    stage.pass(181)
    expect([stage.called, stage.view.isValid]).toEqual([['180 sessionExpired'], false])
  })

  test('of a session with a call that is up: the call goes on, without an application', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.pass(400)
    expect([stage.view.isValid, stage.store.counts().groups]).toEqual([false, 1])
    stage.end('1')
    stage.pass(40)
    expect(stage.group).toBeNull()
  })
})

describe('invalidate()', () => {
  test('[JSR 7] is one commit that ends timers and SipSessions; afterwards nothing of it can be changed', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.answer(newTimer('t1', 5), newTimer('t2', 5, { period: seconds(5) }), set('a', 1))
    const before = stage.store.groupVersion(stage.view.group)
    expect(stage.answer(invalidate())).toBeNull()
    expect(stage.store.groupVersion(stage.view.group)).toBe(before + 1)
    expect(stage.view).toMatchObject({
      isValid: false,
      timers: [],
      expires: null,
      sessions: [{ id: '1', isValid: false }],
    })
    for (const op of [set('b', 1), newTimer('t3', 1), expires(5), invalidate(), set('b', 1, '1'), keep()]) {
      expect(stage.answer(op)).toBe(
        `IllegalState: ${op.kind}: the application session is invalid: nothing of it can be changed`,
      )
    }
    stage.pass(100)
    expect(stage.called).toEqual([])
  })

  test('[JSR 7] a timer that fired before it, and that nobody has heard of, loses', () => {
    const stage = Stage.open()
    stage.answer(newTimer('t1', 5))
    stage.sleep(200)
    expect(stage.pulse()).toEqual(['t.t1', 'a'])
    stage.answer(invalidate())
    stage.performAll()
    expect([stage.called, stage.store.counts().intentsOpen]).toEqual([[], 0])
  })

  test('[JSR 6] [JSR 7] sessionDestroyed() is called once, after it', () => {
    const stage = Stage.open(ALL)
    stage.answer(invalidate())
    stage.performAll()
    stage.performAll()
    expect(stage.called).toEqual(['0 sessionDestroyed'])
    stage.pass(40)
    expect(stage.group).toBeNull()
  })

  test('[JSR 6] what is invalid stays until its application has heard of it, however long that takes', () => {
    const stage = Stage.open(ALL)
    stage.answer(invalidate())
    stage.sleep(1_000)
    stage.pulse()
    stage.performAll()
    expect(stage.called).toEqual(['1000 sessionDestroyed'])
    stage.pass(33)
    expect(stage.group).toBeNull()
  })

  test('[JSR 6] sessionCreated() is called once, after the commit that made it', () => {
    const stage = Stage.open(['sessionCreated'])
    expect(stage.called).toEqual([])
    stage.performAll()
    stage.answer(set('a', 1))
    stage.performAll()
    expect(stage.called).toEqual(['0 sessionCreated'])
  })

  test('[JSR 15] of a SipSession is refused while it has a dialog; once that is over it is not', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.answer(keep('1'))
    expect(stage.answer(invalidate('1'))).toContain(
      'IllegalState: SipSession 1 has a dialog or an open transaction: end those',
    )
    stage.end('1')
    stage.answer(keep())
    expect(stage.answer(invalidate('1'))).toContain('is invalid')
  })

  test('[JSR 15] one that is kept though it is ready is invalidated by its application, and goes; the others stay', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.call('2')
    stage.answer(keep('1'))
    stage.end('1')
    stage.pass(60)
    expect(sessionOf(stage.view, '1')).toMatchObject({ isValid: true, state: 'TERMINATED' })
    expect(stage.answer(invalidate('1'))).toBeNull()
    expect(sessionOf(stage.view, '1')?.isValid).toBe(false)
    stage.pass(33)
    expect(stage.view.sessions.map(({ id }) => id)).toEqual(['2'])
    expect(stage.view.nextSession).toBe(3)
  })
})

describe('readiness', () => {
  test('[JSR 8] a session all of whose calls are over is invalidated in the commit that ends the last one', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.call('2')
    stage.end('1')
    expect(stage.view.isValid).toBe(true)
    stage.end('2')
    expect(stage.view).toMatchObject({ isValid: false, expires: null })
    stage.pass(33)
    expect(stage.group).toBeNull()
  })

  test('[JSR 8] [JSR 24] not while a timer is active: the session outlives its calls, and goes with the timer', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.answer(newTimer('t1', 100))
    stage.end('1')
    stage.pass(99)
    expect([stage.view.isValid, stage.view.timers.length, stage.view.sessions.length]).toEqual([true, 1, 0])
    stage.pass(1)
    expect([stage.called, stage.view.isValid]).toEqual([['100 timeout t1'], false])
    stage.pass(33)
    expect(stage.group).toBeNull()
  })

  test('[JSR 8] [JSR 24] a periodic timer keeps it until it is cancelled, or until it expires', () => {
    const stage = Stage.open()
    stage.answer(newTimer('t1', 10, { period: seconds(10) }))
    stage.pass(179)
    expect([stage.called.length, stage.view.isValid]).toEqual([17, true])
    stage.pass(50)
    expect([stage.called.slice(17), stage.view.isValid]).toEqual([['180 sessionExpired'], false])
  })

  test('[JSR 8] not if it is told not to; then it waits for its expiry', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.answer(keep())
    stage.end('1')
    stage.pass(100)
    expect(stage.view.isValid).toBe(true)
    stage.pass(100)
    expect([stage.called, stage.view.isValid]).toEqual([['180 sessionExpired'], false])
  })

  test('[JSR 6] [JSR 8] who listens is asked first, once, and may keep it', () => {
    const stage = Stage.open(ALL)
    stage.handle = ({ handler }) => (handler === 'sessionReadyToInvalidate' ? [keep()] : [])
    stage.call('1')
    stage.end('1')
    stage.performAll()
    expect([stage.called, stage.view.isValid]).toEqual([['0 sessionReadyToInvalidate'], true])
    stage.pass(200)
    expect(stage.called).toEqual(['0 sessionReadyToInvalidate', '180 sessionExpired', '180 sessionDestroyed'])
  })

  test('[JSR 6] [JSR 8] or lets it go', () => {
    const stage = Stage.open(ALL)
    stage.call('1')
    stage.end('1')
    stage.performAll()
    stage.performAll()
    expect([stage.called, stage.view.isValid]).toEqual([['0 sessionReadyToInvalidate', '0 sessionDestroyed'], false])
  })

  test('[JSR 8] a call that begins before the listener ran keeps it', () => {
    const stage = Stage.open(ALL)
    stage.call('1')
    stage.end('1')
    stage.call('2')
    stage.performAll()
    expect([stage.called, stage.view.isValid]).toEqual([[], true])
    stage.end('2')
    stage.performAll()
    expect(stage.called).toEqual(['0 sessionReadyToInvalidate'])
  })

  test('[JSR 13] a SipSession whose call begins again is valid again, and stays', () => {
    const stage = Stage.open()
    stage.answer(newTimer('t1', 170))
    stage.call('1')
    stage.answer(set('a', 1, '1'))
    stage.end('1')
    expect(sessionOf(stage.view, '1')?.isValid).toBe(false)
    stage.pass(10)
    stage.call('1')
    stage.pass(40)
    expect(sessionOf(stage.view, '1')).toMatchObject({ isValid: true, state: 'CONFIRMED', attributes: [] })
  })

  test('a session that never had anything waits for what is to come', () => {
    const stage = Stage.open()
    stage.answer(set('a', 1))
    expect(stage.view.isValid).toBe(true)
  })

  test('another session takes the place of an invalid one; its numbers go on, and nothing else of it', () => {
    const stage = Stage.open()
    stage.answer(newTimer('t4', 5), set('a', 1))
    const { id } = stage.view
    stage.answer(invalidate())
    stage.sleep(1)
    stage.turn((turn) => openApplicationSession(turn, { application: 'test', version: '1', key: 'k' }))
    expect(stage.view).toMatchObject({ isValid: true, attributes: [], timers: [], nextTimer: 5, key: 'k' })
    expect(stage.view.id).not.toBe(id)
    stage.pass(60)
    expect([stage.called, stage.view.isValid]).toEqual([[], true])
  })
})

describe('links', () => {
  test('[JSR 28] both legs change in one commit; a third is refused; unlink undoes both', () => {
    const stage = Stage.open()
    for (const id of ['1', '2', '3']) stage.call(id)
    const before = stage.store.groupVersion(stage.view.group)
    expect(stage.answer({ kind: 'link', a: '1', b: '2' })).toBeNull()
    expect(stage.store.groupVersion(stage.view.group)).toBe(before + 1)
    expect(stage.view.sessions.map(({ linked }) => linked)).toEqual(['2', '1', ''])
    expect(stage.answer({ kind: 'link', a: '3', b: '1' })).toContain(
      'SipSession 1 is linked to another one: unlink it first',
    )
    expect(stage.answer({ kind: 'link', a: '3', b: '3' })).toContain("can't be linked to itself")
    expect(stage.answer({ kind: 'unlink', session: '2' })).toBeNull()
    expect(stage.view.sessions.map(({ linked }) => linked)).toEqual(['', '', ''])
  })

  test('[JSR 28] a session that becomes invalid is linked to none', () => {
    const stage = Stage.open()
    stage.call('1')
    stage.call('2')
    stage.answer({ kind: 'link', a: '1', b: '2' })
    stage.end('1')
    expect(stage.view.sessions.map(({ linked }) => linked)).toEqual(['', ''])
  })
})

function circle(): unknown {
  const list: unknown[] = []
  list.push(list)
  return list
}
