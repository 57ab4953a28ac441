// The effects of one step, in order, and the counters that /metrics shows.

import { Histogram } from '../base/histogram.ts'
import type { Duration } from '../base/instant.ts'
import type { CommitOutcome } from '../store/view.ts'
import type { Effect, LogLine, Reply } from './effect.ts'

/** A counter for each: every commit is counted at every replica. */
export const OUTCOME_COUNTERS: Readonly<Record<CommitOutcome, string>> = {
  accepted: 'commits_accepted',
  duplicate: 'commits_duplicate',
  'not-owner': 'commits_not_owner',
  version: 'commits_version',
  limit: 'commits_limit',
}

/** Replies from this number on are to questions of a room of this replica, not of its host. */
export const FIRST_INSIDE = 2 ** 48

export class Outbox {
  #effects: Effect[] = []
  #inside: Reply[] = []
  readonly #counters = new Map<string, number>()
  /** From the making of a commit of this replica until it was applied here: what a phone waits for the log. */
  readonly commitTimes = new Histogram()

  push(effect: Effect): void {
    if (effect.kind === 'reply' && effect.id >= FIRST_INSIDE) this.#inside.push(effect)
    else this.#effects.push(effect)
  }

  /** Whether `takeInside` has something. */
  get hasInside(): boolean {
    return this.#inside.length > 0
  }

  /** Replies to rooms of this replica, in order. */
  takeInside(): readonly Reply[] {
    return this.#inside.splice(0)
  }

  log(level: LogLine['level'], code: string, message: string, fields: LogLine['fields'] = {}): void {
    this.#effects.push({ kind: 'log', level, code, message, fields })
  }

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by)
  }

  committed(took: Duration): void {
    this.commitTimes.add(took)
  }

  /** Names and totals, in name order. */
  counters(): readonly (readonly [string, number])[] {
    return [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** What has gathered since the last call. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
