import { describe, expect, test } from 'vitest'
import { millis, seconds } from '../base/instant.ts'
import { startSuccess, stepSuccess, successDeadline } from './success-repeats.ts'
import type { SuccessEvent, SuccessRepeats } from './success-repeats.ts'
import { T0, tableFaults } from './testing/table.ts'
import type { Subject } from './testing/table.ts'

describe('13.3.1.4: a UAS repeats its 2xx until the ACK', () => {
  const subject: Subject<SuccessRepeats, SuccessEvent> = {
    start: () => startSuccess(millis(0), T0),
    step: stepSuccess,
    events: new Map([['ACK', { kind: 'ack' } as const]]),
    timers: new Map([
      ['next', ({ next }) => next?.at ?? null],
      ['64*T1', ({ end }) => end],
    ]),
  }

  test.each([false, true])('every state and event; reliable: %s', (reliable) => {
    const faults = tableFaults(
      subject,
      reliable,
      [
        ['13.3.1.4', 'repeating', { next: 500, '64*T1': 32_000 }],
        ['13.3.1.4', 'over', {}],
      ],
      [
        ['13.3.1.4', 'repeating', 'ACK', 'over', []],
        ['13.3.1.4', 'repeating', 'next', 'repeating', ['send-final']],
        ['13.3.1.4', 'repeating', '64*T1', 'over', []],
      ],
    )
    expect(faults).toEqual([])
  })

  test('T1, twice the time, T2 at most, for 64*T1', () => {
    let machine = startSuccess(millis(0), T0)
    const sent: number[] = []
    for (let at = successDeadline(machine); at !== null; at = successDeadline(machine)) {
      const step = stepSuccess(machine, { kind: 'time' }, at)
      machine = step.machine
      if (step.actions.length > 0) sent.push((at - T0) / 1_000)
    }
    expect(sent).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
  })

  test('design.md 4: at a new owner it ends by the committed stamp', () => {
    expect(startSuccess(seconds(30), T0).end).toBe(T0 + seconds(2))
  })
})
