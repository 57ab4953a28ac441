// Log lines, as JSON on standard error. Nothing here may make the loop wait: what standard error doesn't take is dropped.

import { pino } from 'pino'
import type { Logger } from 'pino'
import { hostLimits } from './limits.ts'

export type { Logger } from 'pino'

/** The process's log; `name` says which replica speaks. */
export function makeLog(name: string, level: string): Logger {
  const destination = pino.destination({ fd: 2, sync: false, maxLength: hostLimits.logQueueBytes })
  // A closed standard error must not end a replica that carries calls.
  destination.on('error', () => undefined)
  return pino({ name, level, base: { name, pid: process.pid } }, destination)
}

/** Says one cause at most once per `logEveryMs`, and then how many were left out: what strangers cause must not fill a
 * disk with lines. */
export class SparseLog {
  readonly #log: Logger
  readonly #causes = new Map<string, { at: number; skipped: number }>()

  constructor(log: Logger) {
    this.#log = log
  }

  warn(code: string, message: string, fields: Record<string, unknown> = {}): void {
    const now = performance.now()
    const known = this.#causes.get(code)
    if (known !== undefined && now - known.at < hostLimits.logEveryMs) {
      known.skipped++
      return
    }
    const skipped = known?.skipped ?? 0
    this.#causes.set(code, { at: now, skipped: 0 })
    this.#log.warn({ code, ...fields, ...(skipped > 0 ? { skipped } : {}) }, message)
  }
}
