// The effects of one step, in order, and the counters that /metrics shows.

import { Histogram } from '../base/histogram.ts'
import type { Duration } from '../base/instant.ts'
import type { CommitOutcome } from '../store/view.ts'
import type { Effect, LogLine } from './effect.ts'

/** A counter for each: every commit is counted at every replica. */
export const OUTCOME_COUNTERS: Readonly<Record<CommitOutcome, string>> = {
  accepted: 'commits_accepted',
  duplicate: 'commits_duplicate',
  'not-owner': 'commits_not_owner',
  version: 'commits_version',
  limit: 'commits_limit',
}

export class Outbox {
  #effects: Effect[] = []
  readonly #counters = new Map<string, number>()
  /** From the making of a commit of this replica until it was applied here: what a phone waits for the log. */
  readonly commitTimes = new Histogram()

  push(effect: Effect): void {
    this.#effects.push(effect)
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
