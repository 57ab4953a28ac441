// The clocks of one machine: monotonic, with its own zero in each life and its own rate; and the wall clock, which may be wrong.

import { instant, stamp } from '../src/base/instant.ts'
import type { Instant, Stamp } from '../src/base/instant.ts'
import type { Agenda } from './agenda.ts'
import type { Plan } from './plan.ts'

/** True time zero is this wall clock time. */
export const wallAtStart = 1_800_000_000_000_000

export class Clock {
  readonly #agenda: Agenda
  readonly #driftPpm: number
  #skew: number
  #zero = 0

  constructor(agenda: Agenda, clock: Plan['clock'], id: number) {
    this.#agenda = agenda
    this.#driftPpm = clock.driftPpm[id - 1] ?? 0
    this.#skew = clock.wallSkew[id - 1] ?? 0
  }

  /** A new life has another zero. */
  restart(zero: number): void {
    this.#zero = zero
  }

  /** The wall clock jumps; the monotonic one never does. */
  step(us: number): void {
    this.#skew += us
  }

  now(): Instant {
    return instant(this.#zero + this.#passed)
  }

  wall(): Stamp {
    return stamp(wallAtStart + this.#skew + this.#passed)
  }

  get #passed(): number {
    const { now } = this.#agenda
    return now + Math.floor((now * this.#driftPpm) / 1_000_000)
  }
}
