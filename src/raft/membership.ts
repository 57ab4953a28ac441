// The configurations that the log holds, each in force from its entry on (thesis 4.1: a replica uses the newest configuration
// in its log, committed or not). It follows the log: appended, cut, compacted and replaced with it.

import { must } from '../base/assert.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import type { Configuration } from './configuration.ts'
import { decodeConfiguration, membersOf } from './configuration.ts'
import type { RaftEntry } from './message.ts'
import { sortedIds } from './quorum.ts'

interface Since {
  readonly index: Index
  readonly configuration: Configuration
}

export class Membership {
  /** Invariant: not empty, indexes rise. */
  #history: Since[]

  constructor(at: Index, configuration: Configuration) {
    this.#history = [{ index: at, configuration }]
  }

  get latest(): Configuration {
    return this.#last.configuration
  }

  /** The index of the latest configuration's entry; 0, or a snapshot's index, if the log has none. */
  get latestIndex(): Index {
    return this.#last.index
  }

  /** In force at `at`: a snapshot taken there must have it. */
  at(at: Index): Configuration {
    return must(
      this.#history.findLast((since) => since.index <= at),
      'a configuration at every index that the log may be cut to',
    ).configuration
  }

  /** Everyone who is a member at `from`, or by a newer configuration. Sorted. */
  membersSince(from: Index): readonly ReplicaId[] {
    const inForce = this.#history.findLastIndex((since) => since.index <= from)
    const configurations = this.#history.slice(Math.max(0, inForce))
    return sortedIds(configurations.flatMap(({ configuration }) => membersOf(configuration)))
  }

  /** Entries were appended. Whether the configuration changed. */
  append(entries: readonly RaftEntry[]): boolean {
    const before = this.#history.length
    for (const entry of entries) {
      if (entry.kind !== 'configuration') continue
      const decoded = decodeConfiguration(entry.data)
      const known = must(decoded.ok ? decoded.value : null, 'entries are checked before they are appended')
      this.#history.push({ index: entry.index, configuration: known })
    }
    return this.#history.length > before
  }

  /** The log was cut from `from` on: the configuration before it is in force again. */
  truncate(from: Index): void {
    while (this.#last.index >= from && this.#history.length > 1) this.#history.pop()
  }

  /** The log was compacted up to `to`, where nothing is ever cut. */
  compact(to: Index): void {
    const inForce = this.#history.findLastIndex((since) => since.index <= to)
    this.#history = this.#history.slice(Math.max(0, inForce))
  }

  /** A snapshot took the log's place. */
  restore(at: Index, configuration: Configuration): void {
    this.#history = [{ index: at, configuration }]
  }

  get #last(): Since {
    return must(this.#history.at(-1), 'there is always a configuration')
  }
}

/** What is wrong with the entry, or null: a `configuration` entry must hold one. */
export function entryFault(entry: RaftEntry): string | null {
  if (entry.kind !== 'configuration') return null
  const decoded = decodeConfiguration(entry.data)
  return decoded.ok ? null : `entry ${entry.index} holds ${decoded.error}`
}
