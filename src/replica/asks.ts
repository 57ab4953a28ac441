// What applications are being asked (decision 0031): one question for each group at a time, each with the time after which nobody
// waits for its answer any more.

import type { GroupKey } from '../base/brand.ts'
import { between, plus, seconds } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { appLimits } from '../app/limits.ts'

const TOLD_EVERY = seconds(1)

interface Asked {
  readonly group: GroupKey
  readonly until: Instant
}

export class Asks {
  /** By id, which rises: the first is the oldest. */
  readonly #open = new Map<number, Asked>()
  /** When a failure of an application was told last. */
  readonly #told = new Map<string, Instant>()
  #last = 0

  begin(group: GroupKey, now: Instant): number {
    const id = ++this.#last
    this.#open.set(id, { group, until: plus(now, appLimits.handler) })
    return id
  }

  /** Whose question that was; null = nobody waits for its answer. */
  take(id: number): GroupKey | null {
    const asked = this.#open.get(id)
    this.#open.delete(id)
    return asked?.group ?? null
  }

  /** Whose question's time is up; null = nobody's. */
  expired(now: Instant): GroupKey | null {
    const first = this.#open.values().next()
    return first.done === true || first.value.until > now ? null : first.value.group
  }

  /** A log has each application's failures at most once a second. */
  isToBeTold(application: string, now: Instant): boolean {
    const last = this.#told.get(application)
    if (last !== undefined && between(last, now) < TOLD_EVERY) return false
    this.#told.set(application, now)
    return true
  }

  deadline(): Instant | null {
    const first = this.#open.values().next()
    return first.done === true ? null : first.value.until
  }
}
