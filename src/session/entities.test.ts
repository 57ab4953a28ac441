import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { micros, stamp } from '../base/instant.ts'
import {
  applicationSessionFields,
  lastAccessFields,
  newApplicationSession,
  readApplicationSession,
} from './application-session.ts'
import { withAttribute, withoutAttribute } from './attributes.ts'
import type { PackedAttribute } from './attributes.ts'
import { readServletTimer, servletTimerFields } from './servlet-timer.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import {
  dialogFields,
  enterConfirmedDialog,
  enterEnded,
  otherSide,
  readDialog,
  refreshedBy,
  senderOf,
  withParty,
} from './dialog.ts'
import type { Dialog, Party } from './dialog.ts'
import {
  enterConfirmed,
  enterEarly,
  enterInitial,
  enterTerminated,
  readSipSession,
  sipSessionFields,
} from './sip-session.ts'
import type { SipSession, SipSessionState } from './sip-session.ts'

const party = (tag: string): Party => ({
  tag,
  target: `sip:${tag}@127.0.0.1`,
  transport: 'udp',
  cseq: 5,
  refreshed: 0,
  stream: '',
  routes: [],
})
const dialog: Dialog = {
  kind: 'dialog',
  state: 'early',
  session: '1',
  transaction: '1',
  callId: 'c',
  caller: party('a'),
  callee: party('b'),
  watch: null,
}
const session: SipSession = {
  kind: 'session',
  state: 'INITIAL',
  callId: 'c',
  callerTag: 'a',
  caller: 'sip:a@x',
  callee: 'sip:b@x',
  created: stamp(7),
  hosted: null,
  began: stamp(7),
  answered: null,
}

describe('SipSession (JSR 289 6.2.1)', () => {
  const inState = (state: SipSessionState): SipSession => ({ ...session, state })

  test.each([
    ['INITIAL', 'early', enterEarly, 'EARLY'],
    ['EARLY', 'early', enterEarly, 'EARLY'],
    ['CONFIRMED', 'early', enterEarly, 'CONFIRMED'],
    ['TERMINATED', 'early', enterEarly, 'TERMINATED'],
    ['INITIAL', 'confirmed', enterConfirmed, 'CONFIRMED'],
    ['EARLY', 'confirmed', enterConfirmed, 'CONFIRMED'],
    ['CONFIRMED', 'terminated', enterTerminated, 'TERMINATED'],
    ['EARLY', 'terminated', enterTerminated, 'TERMINATED'],
    ['TERMINATED', 'initial', enterInitial, 'INITIAL'],
    ['CONFIRMED', 'initial', enterInitial, 'CONFIRMED'],
  ] as const)('%s, enter %s', (from, _name, change, to) => {
    expect(change(inState(from), stamp(9)).state).toBe(to)
  })

  test('what does not change is the same value, so that nothing is put', () => {
    const early = inState('EARLY')
    expect(enterEarly(early)).toBe(early)
    expect(enterInitial(early, stamp(9))).toBe(early)
    const confirmed = inState('CONFIRMED')
    expect(enterConfirmed(confirmed, stamp(9))).toBe(confirmed)
  })

  test('it knows when its last call began and was answered', () => {
    const answered = enterConfirmed(session, stamp(9))
    expect([answered.began, answered.answered]).toEqual([7, 9])
    const again = enterInitial(enterTerminated(answered), stamp(20))
    expect([again.began, again.answered, again.created]).toEqual([20, null, 7])
    const late = enterConfirmed(enterTerminated(answered), stamp(30))
    expect([late.began, late.answered]).toEqual([30, 30])
  })
})

describe('Dialog (RFC 3261 12)', () => {
  test('it knows the sender by both tags and the Call-ID', () => {
    expect(senderOf(dialog, 'c', 'a', 'b')).toBe('caller')
    expect(senderOf(dialog, 'c', 'b', 'a')).toBe('callee')
    expect(senderOf(dialog, 'c', 'a', 'x')).toBeNull()
    expect(senderOf(dialog, 'd', 'a', 'b')).toBeNull()
    expect(otherSide('caller')).toBe('callee')
  })

  test('the CSeq high-water never falls (12.2.2)', () => {
    expect(withParty(dialog, 'caller', { cseq: 4 })).toBe(dialog)
    expect(withParty(dialog, 'caller', { cseq: 9 }).caller.cseq).toBe(9)
    expect(withParty(dialog, 'callee', { target: 'sip:new@x' }).callee).toMatchObject({ target: 'sip:new@x', cseq: 5 })
  })

  test('12.2.1.2: the targets are those of the 2xx to the latest request of a side, in whatever order 2xx come', () => {
    const to = (asked: string | null, answered: string | null) => ({ asked, answered })
    const fifth = refreshedBy(dialog, 'caller', 5, to('sip:a5@x', 'sip:b5@x')) ?? dialog
    expect([fifth.caller, fifth.callee]).toMatchObject([{ target: 'sip:a5@x' }, { target: 'sip:b5@x' }])
    expect(refreshedBy(fifth, 'caller', 4, to('sip:a4@x', 'sip:b4@x'))).toBeNull()
    // The same one again says nothing new, whatever the other side has said since.
    expect(refreshedBy(fifth, 'caller', 5, to('sip:a5@x', 'sip:b5@x'))).toBeNull()
    // Each side counts for itself.
    const theirs = refreshedBy(fifth, 'callee', 1, to('sip:b1@x', null))
    expect([theirs?.caller.target, theirs?.callee.target]).toEqual(['sip:a5@x', 'sip:b1@x'])
    expect(theirs === null ? null : refreshedBy(theirs, 'caller', 4, to('sip:a4@x', 'sip:b4@x'))).toBeNull()
    expect(theirs === null ? null : refreshedBy(theirs, 'caller', 6, to(null, null))?.callee.target).toBe('sip:b1@x')
  })

  test('a tombstone is never confirmed again', () => {
    const ended = enterEnded(dialog)
    expect(enterConfirmedDialog(ended)).toBe(ended)
    expect(enterEnded(ended)).toBe(ended)
    expect(enterConfirmedDialog(dialog).state).toBe('confirmed')
  })
})

describe('what is written is read back', () => {
  const text = fc.string({ unit: 'binary' })
  const anyParty = fc.record({
    tag: text,
    target: text,
    transport: fc.constantFrom(...TRANSPORTS),
    cseq: fc.nat(),
    refreshed: fc.nat(),
    stream: text,
    routes: fc.array(text, { maxLength: 3 }),
  })

  test('the code of a transport never changes', () => {
    const codeIn = (transport: Party['transport']): unknown =>
      (dialogFields({ ...dialog, caller: { ...party('a'), transport } }, 2)[5] as readonly unknown[])[3]
    expect((['udp', 'tcp', 'tls', 'ws', 'wss'] as const).map(codeIn)).toEqual([0, 1, 2, 3, 4])
  })

  test('dialogs', () => {
    const any = fc.record({
      kind: fc.constant('dialog' as const),
      state: fc.constantFrom('early' as const, 'confirmed' as const, 'ended' as const),
      session: text,
      transaction: text,
      callId: text,
      caller: anyParty,
      callee: anyParty,
      watch: fc.option(
        fc.record({
          acknowledged: fc.boolean(),
          expires: fc.nat(),
          doubted: fc.subarray(['caller' as const, 'callee' as const]),
        }),
      ),
    })
    fc.assert(
      fc.property(any, (value) => {
        expect(readDialog(dialogFields(value, 2))).toEqual(value)
      }),
    )
  })

  const bytes = fc.uint8Array({ maxLength: 20 })
  const attributes = fc
    .uniqueArray(fc.record({ name: text, bytes }), { maxLength: 4, selector: ({ name }) => name })
    .map((list) => list.reduce<readonly PackedAttribute[]>((all, one) => withAttribute(all, one.name, one.bytes), []))

  const anyApplicationSession = fc.record({
    kind: fc.constant('application-session' as const),
    applicationName: text,
    created: fc.nat().map(stamp),
    hosted: fc.option(
      fc.record({
        applicationVersion: text,
        isValid: fc.boolean(),
        invalidateWhenReady: fc.boolean(),
        key: fc.option(text),
        stateInfo: bytes,
        nextSession: fc.nat(),
        nextTimer: fc.nat(),
        wasUsed: fc.boolean(),
        awaitsEnd: fc.boolean(),
        attributes,
      }),
    ),
  })
  const anySession = fc.record({
    kind: fc.constant('session' as const),
    state: fc.constantFrom('INITIAL' as const, 'EARLY' as const, 'CONFIRMED' as const, 'TERMINATED' as const),
    callId: text,
    callerTag: text,
    caller: text,
    callee: text,
    created: fc.nat().map(stamp),
    began: fc.nat().map(stamp),
    answered: fc.option(fc.integer({ min: 1 }).map(stamp)),
    hosted: fc.option(
      fc.record({
        role: fc.constantFrom('proxy' as const, 'uas' as const, 'uac' as const),
        isValid: fc.boolean(),
        invalidateWhenReady: fc.boolean(),
        handler: text,
        linked: text,
        attributes,
      }),
    ),
  })
  const anyTimer = fc.record({
    kind: fc.constant('timer' as const),
    after: fc.nat().map(micros),
    nominal: fc.option(fc.integer({ min: 1 }).map(stamp)),
    period: fc.option(fc.integer({ min: 1 }).map(micros)),
    isFixedDelay: fc.boolean(),
    isPersistent: fc.boolean(),
    fired: fc.nat(),
    info: bytes,
  })

  test('sessions, of applications and of none', () => {
    fc.assert(
      fc.property(anyApplicationSession, (value) => {
        expect(readApplicationSession(applicationSessionFields(value, 2))).toEqual(value)
        expect(readApplicationSession(applicationSessionFields(value, 1))).toEqual({ ...value, hosted: null })
      }),
    )
    fc.assert(
      fc.property(anySession, (value) => {
        expect(readSipSession(sipSessionFields(value, 2))).toEqual(value)
        const first = { ...value, hosted: null, began: value.created, answered: null }
        expect(readSipSession(sipSessionFields(value, 1))).toEqual(first)
      }),
    )
    expect(readApplicationSession(lastAccessFields())).toEqual({ kind: 'access' })
  })

  test('timers', () => {
    fc.assert(
      fc.property(anyTimer, (value) => {
        expect(readServletTimer(servletTimerFields(value))).toEqual(value)
      }),
    )
  })

  test('what no application has is of the shape that it always was', () => {
    expect(applicationSessionFields(newApplicationSession('proxy', stamp(99)), 2)).toEqual([1, 'proxy', 99])
    expect(sipSessionFields(session, 1)).toEqual([1, 0, 'c', 'a', 'sip:a@x', 'sip:b@x', 7])
    expect(sipSessionFields(session, 2)).toEqual([3, 0, 'c', 'a', 'sip:a@x', 'sip:b@x', 7, 7, 0])
  })

  test('attributes have one order, whatever the order in which they came', () => {
    const named = (...names: string[]): readonly string[] =>
      names
        .reduce<readonly PackedAttribute[]>((all, name) => withAttribute(all, name, Uint8Array.of(1)), [])
        .map(({ name }) => name)
    expect(named('b', 'a', 'c', 'b')).toEqual(['a', 'b', 'c'])
    const one = withAttribute([], 'a', Uint8Array.of(1))
    expect(withoutAttribute(one, 'x')).toBe(one)
    expect(withoutAttribute(one, 'a')).toEqual([])
  })

  test('a tuple of another shape is a bug that stops us', () => {
    expect(() => readDialog(['x'])).toThrow('shape')
    expect(() => readDialog([1, 0])).toThrow('too short')
    expect(() => readDialog([1, 9, '', '', '', [], []])).toThrow('no name')
  })
})
