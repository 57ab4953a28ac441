// One line that is written over, on a terminal only.

import type { Tally } from './tally.ts'

const everyMs = 200

export class Progress {
  readonly #started = performance.now()
  readonly #total: number
  #last = 0
  #shown = false

  constructor(total: number) {
    this.#total = total
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1_000
  }

  show(label: string, done: number, tally: Tally | null): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#last < everyMs) return
    this.#last = now
    this.#shown = true
    const rate = done / Math.max(this.seconds, 0.001)
    const left = rate > 0 ? `${Math.ceil((this.#total - done) / rate)} s left` : ''
    const filled = Math.round((done / Math.max(1, this.#total)) * 20)
    const bar = '#'.repeat(filled).padEnd(20, '.')
    const sums = tally === null ? '' : `  ${tally.calls} calls, ${tally.kills} kills`
    process.stderr.write(`\r\u001b[K${label} [${bar}] ${done}/${this.#total}${sums}  ${rate.toFixed(1)}/s  ${left}`)
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K')
  }
}
