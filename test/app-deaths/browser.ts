// A browser that wants a page's turn done once: when its replica dies under it, it looks elsewhere whether that was done, and asks again
// only if it wasn't.

import { until } from '../cluster/poll.ts'

const PATIENCE_MS = 120_000
const ANSWER_MS = 10_000

export class Browser {
  readonly #base: (replica: number) => string

  /** `base`: of a replica, where the application's pages are. */
  constructor(base: (replica: number) => string) {
    this.#base = base
  }

  /** At that replica first, then at others; throws if it isn't done in time. */
  async turn(session: string, first: number, others: readonly number[]): Promise<void> {
    if (await this.#post(first, session)) return
    let at = 0
    await until('the page has had its turn', PATIENCE_MS, async () => {
      const replica = others[at++ % others.length] ?? first
      const isDone = await this.#isDone(replica, session)
      return isDone === true || (isDone === false && (await this.#post(replica, session))) ? true : null
    })
  }

  async #post(replica: number, session: string): Promise<boolean> {
    return (await this.#fetch(replica, session, 'POST')) !== null
  }

  /** Null: nobody says. */
  async #isDone(replica: number, session: string): Promise<boolean | null> {
    const text = await this.#fetch(replica, session, 'GET')
    return text === null ? null : text.includes('doHttp')
  }

  async #fetch(replica: number, session: string, method: string): Promise<string | null> {
    const url = `${this.#base(replica)}?hfsession=${encodeURIComponent(session)}`
    try {
      const response = await fetch(url, { method, signal: AbortSignal.timeout(ANSWER_MS) })
      const text = await response.text()
      return response.status === 200 ? text : null
    } catch {
      return null
    }
  }
}
