import { describe, expect, test } from 'vitest'
import { between, millis, seconds, stamp } from '../base/instant.ts'
import { EPOCH, Stage, every, newTimer } from './testing/stage.ts'
import type { SessionView } from './contract.ts'
import { appLimits } from './limits.ts'

/** Seconds of the stage's time. */
const at = (time: number): number => (time - EPOCH) / 1_000_000
const due = ({ timers }: SessionView): readonly (readonly [string, number])[] =>
  timers.map(({ id, due: when }) => [id, at(when)] as const)

/** A session that doesn't expire. */
function open(): Stage {
  const stage = Stage.open()
  stage.answer({ kind: 'set-expires', after: null })
  return stage
}

describe('a timer fires', () => {
  test('[JSR 20] once, when it is due, and is gone', () => {
    const stage = open()
    expect(stage.answer(newTimer('t1', 5))).toBeNull()
    stage.pass(4)
    expect(stage.called).toEqual([])
    stage.pass(20)
    expect(stage.called).toEqual(['5 timeout t1'])
    expect(stage.view.timers).toEqual([])
  })

  test('[JSR 20] with a fixed delay: that long after the callback before', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5, every(10, true)))
    stage.pass(5)
    stage.sleep(3)
    stage.pass(30)
    expect(stage.called.slice(0, 3)).toEqual(['5 timeout t1', '15 timeout t1', '25 timeout t1'])
  })

  test('[JSR 20] at a fixed rate: at the times that were said, however late it was performed', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5, every(10, false)))
    stage.sleep(8)
    stage.pass(30)
    expect(stage.called).toEqual(['8 timeout t1', '15 timeout t1', '25 timeout t1', '35 timeout t1'])
  })
})

describe('after a gap', () => {
  test.each([
    ['once', {}],
    ['with a fixed delay', every(1_000, true)],
  ])('[JSR 20] a timer that fires %s does so once, late', (_, period) => {
    const stage = open()
    stage.answer(newTimer('t1', 5, period))
    stage.sleep(600)
    stage.pass(1)
    expect(stage.called).toEqual(['600 timeout t1'])
  })

  test('[JSR 20] one of fixed rate catches up, with the newest of the times that it missed, and then keeps its rate', () => {
    const stage = open()
    const planned: number[] = []
    stage.handle = ({ due: when }) => {
      planned.push(at(when ?? stamp(0)))
      return []
    }
    stage.answer(newTimer('t1', 1, every(1, false)))
    stage.sleep(60.5)
    stage.pass(0)
    expect(stage.called).toHaveLength(1 + appLimits.catchUp)
    // scheduledExecutionTime: what they should have been, not when they were.
    expect(planned).toEqual([1, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60])
    stage.pass(2)
    expect(planned.slice(-2)).toEqual([61, 62])
  })
})

describe('cancel', () => {
  test('[JSR 22] before it is due: it never fires; once more: nothing', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5), newTimer('t2', 5))
    expect(stage.answer({ kind: 'cancel-timer', id: 't1' })).toBeNull()
    expect(stage.answer({ kind: 'cancel-timer', id: 't1' }, { kind: 'cancel-timer', id: 't77' })).toBeNull()
    stage.pass(10)
    expect(stage.called).toEqual(['5 timeout t2'])
  })

  test.each([
    ['fixed delay', true],
    ['fixed rate', false],
  ])('[JSR 22] inside timeout(): no more of them (%s)', (_, isFixedDelay) => {
    const stage = open()
    stage.answer(newTimer('t1', 5, every(10, isFixedDelay)))
    stage.handle = ({ timer }) => (stage.called.length === 2 ? [{ kind: 'cancel-timer', id: timer }] : [])
    stage.pass(100)
    expect(stage.called).toEqual(['5 timeout t1', '15 timeout t1'])
    expect(stage.store.counts()).toMatchObject({ timersPending: 0, intentsOpen: 0 })
  })

  test('[JSR 22] after the log fired it, before its callback ran: the callback is not run', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5))
    stage.sleep(6)
    expect(stage.pulse()).toEqual(['t1'].map((id) => `t.${id}`))
    stage.answer({ kind: 'cancel-timer', id: 't1' })
    stage.perform('t.t1')
    stage.pass(10)
    expect(stage.called).toEqual([])
    expect(stage.store.counts().intentsOpen).toBe(0)
  })

  test('[JSR 22] a refused answer cancels nothing', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5, every(5, true)))
    stage.handle = ({ timer }) => [
      { kind: 'cancel-timer', id: timer },
      { kind: 'set-attribute', of: '', name: '', value: 1 },
    ]
    stage.pass(11)
    expect(stage.fault).toBe('IllegalArgument: the name of an attribute has 1 to 256 characters')
    expect(stage.called).toEqual(['5 timeout t1', '10 timeout t1'])
  })
})

describe('what a handler sees of its timers', () => {
  test('[JSR 9] all of them in order of their names, at whatever replica: the log has them', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5), newTimer('t2', 7, { info: { about: 'x' } }), newTimer('t10', 9))
    expect(due(stage.view)).toEqual([
      ['t1', 5],
      ['t2', 7],
      ['t10', 9],
    ])
    expect(stage.view.timers[1]).toEqual({
      id: 't2',
      due: stamp(EPOCH + 7_000_000),
      period: null,
      isFixedDelay: false,
      isPersistent: true,
      info: { about: 'x' },
    })
    expect(stage.view.nextTimer).toBe(11)
  })

  test('[JSR 23] in timeout() when this one was due, and when the next one is; its time remaining is negative once it is late', () => {
    const stage = open()
    const seen: unknown[] = []
    stage.handle = ({ due: was }, view) => {
      seen.push(at(was ?? stamp(0)), due(view), between(stage.cluster, was ?? stamp(0)))
      return []
    }
    stage.answer(newTimer('t1', 5, every(10, false)))
    stage.sleep(7)
    stage.pass(0)
    expect(seen).toEqual([5, [['t1', 15]], -2_000_000])
  })

  test('[JSR 23] the deadline of the log is the one that is shown, to the microsecond', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5))
    stage.sleep(1)
    expect(stage.group?.timers.map(({ deadline }) => deadline)).toContain(stage.view.timers[0]?.due)
  })

  test('[JSR 21] whether it is persistent is kept; one that is not is in the log all the same', () => {
    const stage = open()
    stage.answer(newTimer('t1', 5, { isPersistent: false }))
    expect(stage.view.timers[0]?.isPersistent).toBe(false)
    stage.pass(5)
    expect(stage.called).toEqual(['5 timeout t1'])
  })
})

describe('a timer that is refused, with the reason', () => {
  test.each([
    [
      'a name that was had before',
      newTimer('t1', 1),
      'IllegalArgument: a new timer is called t2 or a later number, not t1',
    ],
    ['another kind of name', newTimer('x', 1), 'IllegalArgument: a new timer is called t2 or a later number, not x'],
    ['a delay below zero', newTimer('t2', -1), 'IllegalArgument: the delay of a timer is from 0 to'],
    [
      'a period that floods the log',
      newTimer('t2', 1, { period: millis(1) }),
      'IllegalArgument: the period of a timer is from',
    ],
    ['a delay beyond time', newTimer('t2', 1e15), 'IllegalArgument: the delay'],
  ])('%s', (_, op, reason) => {
    const stage = open()
    stage.answer(newTimer('t1', 1))
    expect(stage.answer(op)).toContain(reason)
  })

  test('one too many', () => {
    const stage = open()
    const all = Array.from({ length: appLimits.timers }, (_, i) => newTimer(`t${i + 1}`, 60))
    expect(stage.answer(...all)).toBeNull()
    expect(stage.answer(newTimer('t101', 60))).toBe('limit: an application session has at most 100 timers: cancel some')
    expect(stage.answer({ kind: 'cancel-timer', id: 't1' }, newTimer('t101', 60))).toBeNull()
  })

  test('a name never comes again, also once its timer is gone', () => {
    const stage = open()
    stage.answer({ kind: 'set-invalidate-when-ready', of: '', value: false })
    stage.answer(newTimer('t1', 1))
    stage.pass(2)
    expect(stage.answer(newTimer('t1', 1))).toContain('t2 or a later number')
    expect(stage.answer(newTimer('t2', 1, { period: seconds(1) }))).toBeNull()
  })
})
