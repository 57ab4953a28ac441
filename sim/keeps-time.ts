// The application `keeps-time` of simulated sets: timers of each kind and an expiry that is put off, several of them due at the same
// moments, so that what is cancelled or extended races with what fires (JSR 289 8, 6.1.2). What must come of it, checkers/app-timers.ts
// says.
//
//   doInvite         expires in 2.5 s; t1 at a rate of 0.4 s, t2 once after 1.2 s, t3 every 0.6 s: all of them are due about then
//   timeout          t1 is cancelled in its fourth callback, t3 by t2
//   doInfo           puts the expiry off by 2.5 s
//   sessionExpired   puts it off by 1.5 s, twice, with a timer that will not be due before the third time
//   doBye            a last timer, which is due when what is left of the call is gone

import { millis, seconds } from '../src/base/instant.ts'
import type { Duration } from '../src/base/instant.ts'
import type { AppCall, HandlerName, Op } from '../src/app/contract.ts'

export const KEEPS_TIME: readonly HandlerName[] = [
  'doInvite',
  'doInfo',
  'doBye',
  'timeout',
  'sessionExpired',
  'sessionReadyToInvalidate',
  'sessionDestroyed',
]

/** `before`: the marks of what was heard before this. */
export function timeOps({ handler, subject, view }: AppCall, before: readonly string[]): readonly Op[] {
  const next = (after: number): Op => timer(`t${view.nextTimer}`, after, null, false)
  const heard = (what: string): number => before.filter((mark) => mark.startsWith(`${what} `)).length
  switch (handler) {
    case 'doInvite':
      return [
        expires(millis(2_500)),
        timer('t1', 300, RATE, false),
        timer('t2', 1_200, null, false),
        timer('t3', 600, millis(600), true),
      ]
    case 'timeout':
      if (subject === 't2') return [cancel('t3')]
      return subject === 't1' && heard('timeout t1') === 3 ? [cancel('t1')] : []
    case 'doInfo':
      return [expires(millis(2_500))]
    case 'sessionExpired':
      return heard('sessionExpired') < PUT_OFF ? [expires(millis(1_500)), next(20_000)] : []
    case 'doBye':
      return [expires(seconds(40)), next(LAST_TIMER)]
    default:
      return []
  }
}

/** How often. */
export const PUT_OFF = 2
/** Milliseconds: more than 64*T1. */
const LAST_TIMER = 34_000
/** The rate of t1. */
export const RATE = millis(400)

function expires(after: Duration): Op {
  return { kind: 'set-expires', after }
}

function cancel(id: string): Op {
  return { kind: 'cancel-timer', id }
}

function timer(id: string, after: number, period: Duration | null, isFixedDelay: boolean): Op {
  return {
    kind: 'create-timer',
    timer: { id, after: millis(after), period, isFixedDelay, isPersistent: true, info: null },
  }
}
