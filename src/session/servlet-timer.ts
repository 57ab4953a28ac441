// JSR 289's ServletTimer (8): when it is due, and what its application keeps with it. Its deadline is a timer of the log, set by the
// commit that puts this entity: so the entity's stamp and `after` make that very deadline, at every replica.
//
//   put, timer set --pulse fires--> intent --timeout() ran--> once: deleted;  with a period: put again, timer set again
//         '-----------------------cancel------------------------^ deleted, and the intent is done

import { micros, plus, stamp } from '../base/instant.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import { readFields } from './fields.ts'

export interface ServletTimer {
  readonly kind: 'timer'
  /** From the stamp of the commit that put it. */
  readonly after: Duration
  /** Of a fixed rate, from its second time on: when it should be due, to which `after` comes as near as estimates do; null = then. */
  readonly nominal: Stamp | null
  /** Between two times; null = once. */
  readonly period: Duration | null
  /** The next time is counted from the end of this one; else from when this one was due. */
  readonly isFixedDelay: boolean
  readonly isPersistent: boolean
  /** How often it fired. */
  readonly fired: number
  /** The application's, packed. */
  readonly info: Uint8Array
}

/** When it is due: of a fixed rate without what its commits took. `put`: its entity's stamp. */
export function dueOf(timer: ServletTimer, put: Stamp): Stamp {
  return timer.nominal ?? plus(put, timer.after)
}

export function servletTimerFields(timer: ServletTimer): readonly unknown[] {
  const { after, nominal, period, isFixedDelay, isPersistent, fired, info } = timer
  return [1, after, nominal ?? 0, period ?? 0, isFixedDelay ? 1 : 0, isPersistent ? 1 : 0, fired, info]
}

export function readServletTimer(value: unknown): ServletTimer {
  const fields = readFields(value, 1)
  const [after, nominal, period] = [fields.number(), fields.number(), fields.number()]
  return {
    kind: 'timer',
    after: micros(after),
    nominal: nominal === 0 ? null : stamp(nominal),
    period: period === 0 ? null : micros(period),
    isFixedDelay: fields.flag(),
    isPersistent: fields.flag(),
    fired: fields.number(),
    info: fields.bytes(),
  }
}
