// The simulator's agenda by the clock of this machine: the phones' timers run in real time.

import { Agenda } from '../../sim/agenda.ts'

/** Phones' timers are hundreds of milliseconds long. */
const TICK_MS = 10

export class LiveAgenda {
  readonly agenda = new Agenda()
  readonly #began = performance.now()
  #ticking: NodeJS.Timeout | null = null

  start(): void {
    this.#ticking ??= setInterval(() => this.pass(), TICK_MS)
  }

  /** What is due happens now. */
  pass(): void {
    this.agenda.runUntil(Math.round((performance.now() - this.#began) * 1_000), () => false)
  }

  end(): void {
    if (this.#ticking !== null) clearInterval(this.#ticking)
    this.#ticking = null
  }
}
