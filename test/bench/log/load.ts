// The load: so many writers, each writing again as soon as it is answered. Latencies are the writers' own.

import type { Writer } from './system.ts'

export interface Figures {
  readonly ops: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface Period {
  readonly warmUpMs: number
  readonly ms: number
}

/** `begun` and `ended` are called around what is counted. Rejects if nothing is answered for ten seconds. */
export function drive(
  writer: Writer,
  slots: number,
  { warmUpMs, ms }: Period,
  begun: () => void,
  ended: () => void,
): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const times: number[] = []
    const start = performance.now()
    let from = 0
    let answered = 0
    let isOver = false
    let seen = -1
    const watch = setInterval(() => {
      if (answered === seen) stop(() => reject(new Error(`no answer for ten seconds, after ${answered}`)))
      seen = answered
    }, 10_000)

    function stop(then: () => void): void {
      isOver = true
      clearInterval(watch)
      then()
    }

    function write(slot: number): void {
      const at = performance.now()
      writer.write(slot, () => {
        if (isOver) return
        const now = performance.now()
        answered++
        if (from > 0) times.push(now - at)
        else if (now - start >= warmUpMs) {
          from = now
          begun()
        }
        if (from > 0 && now - from >= ms) return finish(now)
        write(slot)
      })
    }

    function finish(now: number): void {
      stop(() => {
        ended()
        const sorted = Float64Array.from(times).sort()
        const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
        resolve({ ops: times.length, seconds: (now - from) / 1_000, p50: at(0.5), p99: at(0.99) })
      })
    }

    for (let slot = 0; slot < slots; slot++) write(slot)
  })
}
