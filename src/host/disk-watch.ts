// Whether the log's disk has room for new calls. Three things can say no: the log's own limit, too little free space, and
// a write that found no room at all. The first two stop new calls; the third stops all that needs the disk.

import type { DiskInput } from '../replica/input.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'

type Cause = 'limit' | 'reserve' | 'write'

const WORDS: Readonly<Record<Cause, string>> = {
  limit: `the log has reached its limit of ${hostLimits.logBytes} bytes`,
  reserve: `less than ${hostLimits.diskReserveBytes} bytes are free on the log's disk`,
  write: "the log's disk is full, nothing more is acknowledged",
}

const REASONS: Readonly<Record<Cause, DiskInput['reason']>> = { limit: 'limit', reserve: 'limit', write: 'no-space' }

export interface DiskParts {
  readonly folder: string
  readonly log: Logger
  /** Bytes of the log. */
  total(): number
  /** Bytes free on the folder's disk; may reject. */
  free(): Promise<number>
  /** What the replica must know: a reason came, or its last cause went. */
  change(reason: DiskInput['reason'], full: boolean): void
}

export class DiskWatch {
  readonly #parts: DiskParts
  readonly #causes = new Set<Cause>()
  #timer: NodeJS.Timeout | null = null

  constructor(parts: DiskParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), hostLimits.diskCheckMs)
    this.#timer.unref()
    void this.look()
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** What the log's writes say. */
  write(full: boolean): void {
    this.#set('write', full)
  }

  async look(): Promise<void> {
    this.#set('limit', this.#parts.total() >= hostLimits.logBytes)
    try {
      this.#set('reserve', (await this.#parts.free()) < hostLimits.diskReserveBytes)
    } catch {
      // A folder that can't be asked fails where it is written.
    }
  }

  #set(cause: Cause, is: boolean): void {
    if (this.#causes.has(cause) === is) return
    const reason = REASONS[cause]
    const before = this.#has(reason)
    if (is) this.#causes.add(cause)
    else this.#causes.delete(cause)
    const { log, change, folder } = this.#parts
    const said = is ? `${WORDS[cause]}: new calls get 503` : `no longer: ${WORDS[cause]}`
    log[is ? 'error' : 'info']({ code: `disk-${cause}`, folder }, said)
    const after = this.#has(reason)
    if (after !== before) change(reason, after)
  }

  #has(reason: DiskInput['reason']): boolean {
    return [...this.#causes].some((cause) => REASONS[cause] === reason)
  }
}
