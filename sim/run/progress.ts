// How far a long run is: on a terminal one line that is written over, elsewhere a line a minute.

import type { Tally } from './tally.ts'

const everyMs = 200
const elsewhereEveryMs = 60_000

/** A number of things to do, or a time to do them in. */
export type Goal = number | { readonly minutes: number }

export class Progress {
  readonly #started = performance.now()
  readonly #goal: Goal
  #last = performance.now()
  #shown = false

  constructor(goal: Goal) {
    this.#goal = goal
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1_000
  }

  show(label: string, done: number, tally: Tally | null): void {
    const now = performance.now()
    const { isTTY } = process.stderr
    if (now - this.#last < (isTTY ? everyMs : elsewhereEveryMs)) return
    this.#last = now
    const line = this.#line(label, done, tally)
    this.#shown = isTTY
    process.stderr.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`)
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K')
  }

  #line(label: string, done: number, tally: Tally | null): string {
    const goal = this.#goal
    const rate = done / Math.max(this.seconds, 0.001)
    const whole = typeof goal === 'number' ? goal / Math.max(rate, 0.001) : goal.minutes * 60
    const left = Math.max(0, Math.ceil(whole - this.seconds))
    const part = Math.min(1, typeof goal === 'number' ? done / Math.max(1, goal) : this.seconds / whole)
    const bar = '#'.repeat(Math.round(part * 20)).padEnd(20, '.')
    const of = typeof goal === 'number' ? `/${goal}` : ''
    const sums = tally === null ? '' : `  ${tally.calls} calls, ${tally.kills} kills`
    return `${label} [${bar}] ${done}${of}${sums}  ${rate.toFixed(1)}/s  ${left} s left`
  }
}
