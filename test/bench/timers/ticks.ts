// What the workers wrote (ticker.ts), read while they write.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** A callback as its handler saw it; times in milliseconds. */
export interface Tick {
  readonly worker: string
  readonly timer: string
  /** Cluster time. */
  readonly due: number
  /** Cluster time as its owner had it when it asked. */
  readonly asked: number
  /** The machine's clock when the handler ran. */
  readonly ran: number
  /** An earlier commit has it already. */
  readonly again: boolean
}

export class Ticks {
  readonly #folder: string
  readonly #read = new Map<string, { at: number; rest: string }>()
  readonly all: Tick[] = []
  readonly #timers = new Set<string>()
  /** Sessions that are over, with how many of their timers committed something, and how many of those are different. */
  readonly over = new Map<string, { readonly committed: number; readonly different: number }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** How many timers' callbacks have run. */
  get timers(): number {
    return this.#timers.size
  }

  /** Reads what is new. */
  look(): void {
    for (const name of readdirSync(this.#folder)) {
      const known = this.#read.get(name) ?? { at: 0, rest: '' }
      this.#read.set(name, known)
      const file = openSync(join(this.#folder, name), 'r')
      const buffer = Buffer.alloc(1 << 20)
      for (;;) {
        const count = readSync(file, buffer, 0, buffer.length, known.at)
        if (count === 0) break
        known.at += count
        const lines = (known.rest + buffer.toString('latin1', 0, count)).split('\n')
        known.rest = lines.pop() ?? ''
        for (const line of lines) this.#take(name, line.split(' '))
      }
      closeSync(file)
    }
  }

  #take(worker: string, [kind, session = '', ...words]: readonly string[]): void {
    if (kind === 'over') {
      this.over.set(session, { committed: Number(words[0]), different: Number(words[1]) })
      return
    }
    const [nth, due, asked, ran, again] = words
    const timer = `${session} ${nth}`
    this.#timers.add(timer)
    this.all.push({
      worker,
      timer,
      due: Number(due),
      asked: Number(asked),
      ran: Number(ran),
      again: again === 'again',
    })
  }
}
