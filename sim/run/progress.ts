// How far a long run is: on a terminal one line that is written over, elsewhere a line a tenth, or a minute.

import type { Tally } from './tally.ts'

const everyMs = 200
/** Elsewhere: at least that long between two tenths, and at most that long without a line. */
const elsewhereLeastMs = 2_000
const elsewhereMostMs = 60_000

/** A number of things to do, or a time to do them in. */
export type Goal = number | { readonly minutes: number }

export class Progress {
  readonly #started = performance.now()
  readonly #goal: Goal
  #last = performance.now()
  #shown = false
  #tenth = 0

  constructor(goal: Goal) {
    this.#goal = goal
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1_000
  }

  show(label: string, done: number, tally: Tally | null): void {
    const now = performance.now()
    const { isTTY } = process.stderr
    const tenth = Math.floor(this.#part(done) * 10)
    const least = isTTY ? everyMs : tenth > this.#tenth ? elsewhereLeastMs : elsewhereMostMs
    if (now - this.#last < least) return
    this.#last = now
    this.#tenth = tenth
    const line = this.#line(label, done, tally)
    this.#shown = isTTY
    process.stderr.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`)
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K')
  }

  #part(done: number): number {
    const goal = this.#goal
    return Math.min(1, typeof goal === 'number' ? done / Math.max(1, goal) : this.seconds / (goal.minutes * 60))
  }

  #line(label: string, done: number, tally: Tally | null): string {
    const goal = this.#goal
    const rate = done / Math.max(this.seconds, 0.001)
    const whole = typeof goal === 'number' ? goal / Math.max(rate, 0.001) : goal.minutes * 60
    const left = Math.max(0, Math.ceil(whole - this.seconds))
    const bar = '#'.repeat(Math.round(this.#part(done) * 20)).padEnd(20, '.')
    const of = typeof goal === 'number' ? `/${goal}` : ''
    const sums = tally === null ? '' : `  ${tally.calls} calls, ${tally.kills} kills`
    return `${label} [${bar}] ${done}${of}${sums}  ${rate.toFixed(1)}/s  ${left} s left`
  }
}
