import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { stamp } from '../base/instant.ts'
import { applicationSessionFields, newApplicationSession, readApplicationSession } from './application-session.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import { dialogFields, enterConfirmedDialog, enterEnded, otherSide, readDialog, senderOf, withParty } from './dialog.ts'
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
    expect(change(inState(from)).state).toBe(to)
  })

  test('what does not change is the same value, so that nothing is put', () => {
    const early = inState('EARLY')
    expect(enterEarly(early)).toBe(early)
    expect(enterInitial(early)).toBe(early)
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

  test('sessions', () => {
    const app = newApplicationSession('proxy', stamp(99))
    expect(readApplicationSession(applicationSessionFields(app))).toEqual(app)
    for (const state of ['INITIAL', 'EARLY', 'CONFIRMED', 'TERMINATED'] as const) {
      const value = { ...session, state }
      expect(readSipSession(sipSessionFields(value))).toEqual(value)
    }
  })

  test('a tuple of another shape is a bug that stops us', () => {
    expect(() => readDialog(['x'])).toThrow('shape')
    expect(() => readDialog([1, 0])).toThrow('too short')
    expect(() => readDialog([1, 9, '', '', '', [], []])).toThrow('no name')
  })
})
