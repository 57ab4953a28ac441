// The log's own word: each firing is one event of the set (decision 0032), at one place in it.

import { follow } from '../../../src/host/event-follower.ts'

export class Firings {
  readonly #stop = new AbortController()
  readonly #seen = new Set<string>()
  #lastDeadline = 0
  /** ServletTimers that fired. */
  count = 0
  /** Of one timer more than one. */
  twice = 0
  /** Due before one that fired before it. */
  outOfOrder = 0
  /** Events that were not kept until they were read. */
  gaps = 0

  /** Reads those of the set from now on. */
  async follow(urls: readonly string[]): Promise<void> {
    for await (const followed of follow({ urls: () => urls, after: 'start', signal: this.#stop.signal })) {
      if (followed.kind !== 'event') continue
      if (followed.event === 'gap') this.gaps++
      if (followed.event === 'timer-fired') this.#take(JSON.parse(followed.data) as Fired)
    }
  }

  end(): void {
    this.#stop.abort()
  }

  #take({ group, timer, deadline }: Fired): void {
    if (!timer.startsWith('t.')) return
    const key = `${group} ${timer}`
    this.count++
    if (this.#seen.has(key)) this.twice++
    this.#seen.add(key)
    if (deadline < this.#lastDeadline) this.outOfOrder++
    this.#lastDeadline = deadline
  }
}

interface Fired {
  readonly group: string
  readonly timer: string
  readonly deadline: number
}
