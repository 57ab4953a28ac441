// Everything observable goes through here: into a hash that two runs of one seed must share, and, if somebody listens, into
// one readable line an event. Listening draws nothing and changes nothing.

import { mixText } from '../src/base/hash.ts'

/** A hash every so many events, to find the first difference between two runs. */
const hashEvery = 1_000

/** `content` is what of the event went into the hash, besides its time. */
export type Listener = (line: string, content: number) => void

export class Trace {
  readonly #clock: () => number
  readonly #listen: Listener | null
  #a = 0x243f6a88
  #b = 0x85a308d3
  #events = 0
  readonly #hashes: string[] = []

  constructor(clock: () => number, listen: Listener | null) {
    this.#clock = clock
    this.#listen = listen
  }

  /** One event: `number` stands for its content in the hash, `line` tells it to a reader. */
  event(number: number, line: () => string): void {
    const now = this.#clock()
    let a = Math.imul(this.#a ^ number, 0x9e3779b1)
    a = Math.imul(a ^ (now >>> 0) ^ (a >>> 15), 0x85ebca77)
    this.#b = (Math.imul(this.#b, 31) + (a ^ Math.floor(now / 0x1_0000_0000))) | 0
    this.#a = a ^ (a >>> 13)
    this.#events++
    if (this.#events % hashEvery === 0) this.#hashes.push(this.hash())
    if (this.#listen !== null) this.#listen(`${formatTime(now)} ${line()}`, number)
  }

  /** An event whose line is its content. */
  tell(line: string): void {
    this.event(mixText(0, line).low, () => line)
  }

  get events(): number {
    return this.#events
  }

  /** The hash so far, 16 hexadecimal digits. */
  hash(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0')
  }

  /** The hash after each thousand events. */
  hashes(): readonly string[] {
    return this.#hashes
  }
}

/** True time in seconds, to the microsecond. */
export function formatTime(us: number): string {
  return `${String(Math.floor(us / 1_000_000)).padStart(4, ' ')}.${String(us % 1_000_000).padStart(6, '0')}`
}

/** What the hash of a whole run of seeds is made of: each seed's hash, in the order of the seeds. */
export function combineHashes(hashes: readonly string[]): string {
  const { high, low } = mixText(hashes.length, hashes.join(' '))
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
