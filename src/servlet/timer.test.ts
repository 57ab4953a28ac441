import { expect, test } from 'vitest'
import { seconds, stamp } from '../base/instant.ts'
import { NOW, onRequest, onTimeout, timerView } from './testing/turn.ts'

test('[JSR 20] createTimer makes timers that fire once, with a fixed delay, or at a fixed rate', () => {
  const ops = onRequest(({ applicationSession: session }, { timers }) => {
    timers.createTimer(session, 60_000, true, { why: 'credit' })
    timers.createTimer(session, 1_000, 2_000, true, false)
    timers.createTimer(session, 0, 500, false, true, 'beat')
  })
  expect(ops.map((op) => (op.kind === 'create-timer' ? op.timer : op))).toEqual([
    { id: 't1', after: 60_000_000, period: null, isFixedDelay: false, isPersistent: true, info: { why: 'credit' } },
    { id: 't2', after: 1_000_000, period: 2_000_000, isFixedDelay: true, isPersistent: false, info: null },
    { id: 't3', after: 0, period: 500_000, isFixedDelay: false, isPersistent: true, info: 'beat' },
  ])
})

test('[JSR 9] timers are listed and found by id, those that this turn made among them and those that it cancelled not', () => {
  onRequest(
    ({ applicationSession: session }, { timers }) => {
      const made = timers.createTimer(session, 1_000, true)
      expect(made.id).toBe('t5')
      expect(session.timers.map(({ id }) => id)).toEqual(['t1', 't4', 't5'])
      session.getTimer('t4')?.cancel()
      expect(session.timers.map(({ id }) => id)).toEqual(['t1', 't5'])
      expect(session.getTimer('t4')).toBeNull()
    },
    {},
    { timers: [timerView(), timerView({ id: 't4' })], nextTimer: 5 },
  )
})

test('[JSR 21] isPersistent and [JSR 23] info, id, period, session and times are what the timer was made with', () => {
  onRequest(({ applicationSession: session }, { timers }) => {
    const timer = timers.createTimer(session, 60_000, 10_000, true, false, ['a'])
    expect(timer).toMatchObject({ id: 't1', isPersistent: false, period: 10_000, info: ['a'], timeRemaining: 60_000 })
    expect(timer.scheduledExecutionTime).toBe(NOW + 60_000)
    expect(timer.applicationSession).toBe(session)
  })
})

test('[JSR 23] in timeout() the time that was due is told, and how late it is: negative', () => {
  const seen: unknown[] = []
  onTimeout({
    timeout: ({ scheduledExecutionTime, timeRemaining }) => void seen.push(scheduledExecutionTime, timeRemaining),
  })
  expect(seen).toEqual([NOW - 1_000, -1_000])
})

test('[JSR 23] of a periodic one the time that fired is told, and how long it is to the next', () => {
  const timers = [timerView({ due: stamp((NOW + 9_000) * 1_000), period: seconds(10) })]
  onTimeout(
    {
      timeout({ scheduledExecutionTime, timeRemaining }) {
        expect([scheduledExecutionTime, timeRemaining]).toEqual([NOW - 1_000, 9_000])
      },
    },
    { timers },
  )
  expect.assertions(1)
})

test('[JSR 22] cancel() in timeout() of a periodic timer is one operation, however often it is called', () => {
  const cancelTwice = (timer: { cancel(): void }): void => {
    timer.cancel()
    timer.cancel()
  }
  expect(onTimeout({ timeout: cancelTwice }, { timers: [timerView({ period: seconds(10) })] })).toEqual([
    { kind: 'cancel-timer', id: 't1' },
  ])
  expect(onTimeout({ timeout: cancelTwice })).toEqual([])
})

test('a timer made in timeout() has a name of its own', () => {
  const ops = onTimeout({
    timeout: ({ applicationSession }, { timers }) => void timers.createTimer(applicationSession, 1_000, true),
  })
  expect(ops.map((op) => op.kind === 'create-timer' && op.timer.id)).toEqual(['t2'])
})

test.each([
  ['a negative delay', -1, true, 'delay'],
  ['a delay that is no number', Number.NaN, true, 'delay'],
  ['a period below 100 ms', 1, 99, 'at least 100 ms'],
])('%s is refused', (_what, delay, second, complaint) => {
  expect(() =>
    onRequest(({ applicationSession: session }, { timers }) =>
      typeof second === 'number'
        ? timers.createTimer(session, delay, second, true, true)
        : timers.createTimer(session, delay, second),
    ),
  ).toThrow(complaint)
})

test('arguments in the wrong places are told the right ones', () => {
  expect(() =>
    onRequest(({ applicationSession: session }, { timers }) =>
      timers.createTimer(session, 1_000, 'info' as unknown as boolean),
    ),
  ).toThrow('createTimer takes (session, delay, isPersistent, info)')
})
