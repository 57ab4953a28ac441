// The write-ahead log of one life, as src/host/wal.ts keeps it: one write and one sync at a time; what comes meanwhile gathers
// and goes with the next. A write that finds the disk full is tried again until there is room.

import type { Persist } from '../src/replica/effect.ts'
import type { Agenda } from './agenda.ts'
import type { Disk } from './disk.ts'
import type { Work } from './machine-watch.ts'

/** As in src/host/limits.ts. */
const retryFull = 1_000_000

export interface Written {
  readonly effect: Persist
  readonly work: Work
}

export interface LogWriterParts {
  readonly agenda: Agenda
  readonly disk: Disk
  /** How long the sync takes that begins now. */
  syncTime(): number
  /** Whatever is done next is done by a process, which may be stopped. */
  whenAwake(go: () => void): void
  /** These records are durable. */
  durable(batch: readonly Written[]): void
  /** The disk took nothing, or takes it again. */
  full(full: boolean): void
}

export class LogWriter {
  readonly #parts: LogWriterParts
  #waiting: Written[] = []
  #busy = false
  #full = false
  #over = false

  constructor(parts: LogWriterParts) {
    this.#parts = parts
  }

  append(effect: Persist, work: Work): void {
    this.#waiting.push({ effect, work })
    if (!this.#busy) this.#next()
  }

  /** The process is dead: nothing more is written or told. */
  close(): void {
    this.#over = true
    this.#waiting = []
  }

  #next(): void {
    const { disk, agenda, syncTime, whenAwake } = this.#parts
    this.#busy = true
    if (disk.isFull) {
      this.#setFull(true)
      agenda.after(retryFull, () => this.#unlessOver(() => whenAwake(() => this.#next())))
      return
    }
    const batch = this.#takeBatch()
    disk.write(
      batch.flatMap(({ effect }) => effect.records),
      batch[0]?.effect.rotate === true,
    )
    agenda.after(syncTime(), () =>
      this.#unlessOver(() => {
        disk.sync()
        whenAwake(() => this.#synced(batch))
      }),
    )
  }

  /** What waits, up to the next rotation. */
  #takeBatch(): readonly Written[] {
    const next = this.#waiting.findIndex(({ effect }, i) => i > 0 && effect.rotate === true)
    return this.#waiting.splice(0, next < 0 ? this.#waiting.length : next)
  }

  #synced(batch: readonly Written[]): void {
    const { whenAwake, durable } = this.#parts
    this.#setFull(false)
    durable(batch)
    this.#unlessOver(() =>
      whenAwake(() => {
        this.#busy = false
        if (this.#waiting.length > 0) this.#next()
      }),
    )
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return
    this.#full = full
    this.#parts.full(full)
  }

  #unlessOver(go: () => void): void {
    if (!this.#over) go()
  }
}
