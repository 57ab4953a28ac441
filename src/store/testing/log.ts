// A log of one store for tests: entries by what matters in them, everything else as an honest owner would fill it in.

import { assert } from '../../base/assert.ts'
import { type GroupKey, type Index, type Life, groupKey, index, life, replicaId } from '../../base/brand.ts'
import { type Stamp, micros, stamp } from '../../base/instant.ts'
import type { Commit, EntityRef, Entry, EntryBody, Put, TimerSet } from '../../wire/entry.ts'
import { checkApplied, checkStore, observeStore } from '../invariants.ts'
import { Store, type StoreOptions } from '../store.ts'
import type { Applied, CommitOutcome, FiredTimer } from '../view.ts'

/** The n-th start of a replica. */
export function start(replica: number, n = 1): Life {
  return life(replicaId(replica), 'a', n)
}

export function group(n: number): GroupKey {
  return groupKey(n.toString(16).padStart(16, '0'))
}

export function dialog(id = 'd'): EntityRef {
  return { tree: 'Dialog', id }
}

export function put(expected: number, id = 'd', bytes: readonly number[] = [expected]): Put {
  return { ...dialog(id), expected, bytes: Uint8Array.from(bytes) }
}

export function deletion(id: string, after: number, ...targets: readonly EntityRef[]): TimerSet {
  return { id, after: micros(after), action: { kind: 'delete', targets } }
}

export function callback(id: string, after: number): TimerSet {
  return { id, after: micros(after), action: { kind: 'callback' } }
}

/** Applies the next entry, and checks the store's invariants. */
export function applyChecked(store: Store, entry: Entry): Applied {
  const before = observeStore(store, entry.body)
  const applied = store.apply(index(store.appliedIndex + 1), entry)
  const wrong = checkApplied(before, applied, store) ?? checkStore(store)
  assert(wrong === null, `the store's invariants: ${wrong ?? ''}`)
  return applied
}

export class TestLog {
  readonly store: Store
  readonly entries: Entry[] = []
  /** The stamp of the next entry. */
  now: Stamp = stamp(1_000)
  readonly #serials = new Map<Life, number>()

  constructor(options?: StoreOptions) {
    this.store = new Store(undefined, options)
  }

  append(body: EntryBody): Applied {
    const entry = { stamp: this.now, body }
    this.entries.push(entry)
    return applyChecked(this.store, entry)
  }

  serving(admit: readonly Life[], remove: readonly Life[] = [], replaces?: Index): boolean {
    const body = { kind: 'serving' as const, replaces: replaces ?? this.store.serving().version, admit, remove }
    const applied = this.append(body)
    return applied.kind === 'serving' && applied.accepted
  }

  /** A commit by the group's owner on applied state, unless `parts` says otherwise. */
  prepare(key: GroupKey, parts: Partial<Commit> = {}): Commit {
    const proposer = parts.proposer ?? this.store.ownerOf(key) ?? start(1)
    const serial = parts.serial ?? (this.#serials.get(proposer) ?? 0) + 1
    if (parts.serial === undefined) this.#serials.set(proposer, serial)
    return {
      kind: 'commit',
      group: key,
      expected: this.store.groupVersion(key),
      proposer,
      since: this.store.sinceOf(proposer) ?? index(0),
      judged: this.store.serving().version,
      serial,
      lowestOpen: 1,
      onto: 0,
      puts: [],
      deletes: [],
      timers: [],
      cancels: [],
      holds: null,
      opened: [],
      done: [],
      ...parts,
    }
  }

  commit(key: GroupKey, parts: Partial<Commit> = {}): CommitOutcome | null {
    return this.give(this.prepare(key, parts))
  }

  give(commit: Commit): CommitOutcome | null {
    const applied = this.append(commit)
    return applied.kind === 'commit' ? applied.outcome : null
  }

  pulse(at: number, limit = 1_000): readonly FiredTimer[] {
    this.now = stamp(at)
    const applied = this.append({ kind: 'pulse', limit, audit: null })
    return applied.kind === 'pulse' ? applied.fired : []
  }
}

/** A log whose three replicas serve since index 1. */
export function served(options?: StoreOptions): TestLog {
  const log = new TestLog(options)
  log.serving([start(1), start(2), start(3)])
  return log
}

/** A group that this life owns among those serving. */
export function groupOf(log: TestLog, owner: Life): GroupKey {
  for (let n = 1; ; n++) if (log.store.ownerOf(group(n)) === owner) return group(n)
}
