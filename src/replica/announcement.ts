// `ready` is said once in a life: when all replicas serve, or one does and some seconds have passed (design.md 3).

import type { ReplicaId } from '../base/brand.ts'
import { plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { limits } from './limits.ts'
import type { Outbox } from './outbox.ts'

export class Announcement {
  readonly #outbox: Outbox
  /** Then it waits for nobody who doesn't serve. */
  readonly #waitsUntil: Instant
  #isMade = false

  constructor(started: Instant, outbox: Outbox) {
    this.#outbox = outbox
    this.#waitsUntil = plus(started, limits.readyWait)
  }

  /** At the end of a turn of a replica that is fresh. */
  look(leader: ReplicaId | null, serving: number, voters: number, now: Instant): void {
    if (this.#isMade || leader === null) return
    if (serving < voters && (serving === 0 || now < this.#waitsUntil)) return
    this.#isMade = true
    this.#outbox.push({ kind: 'notice', notice: { kind: 'ready', leader } })
  }

  /** When waiting alone may make it ready; once that has passed, only another input can. */
  deadline(now: Instant): Instant | null {
    return this.#isMade || this.#waitsUntil <= now ? null : this.#waitsUntil
  }
}
