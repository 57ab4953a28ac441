// The groups and all that lives and dies with them: entities, timers, holds, intents (design.md 2, 4, 5).
// Invariant: a group exists exactly as long as it has an entity.

import { assert, must } from '../base/assert.ts'
import type { GroupKey, Index } from '../base/brand.ts'
import { type Duration, type Stamp, plus } from '../base/instant.ts'
import type { Commit, Delete, EntityRef, Pulse, Put } from '../wire/entry.ts'
import type { SnapshotGroup } from '../wire/snapshot.ts'
import { hashOf } from './digest.ts'
import type { Digest, Fact } from './digest.ts'
import { Holds } from './holds.ts'
import type { EntityIndex, GroupRecord } from './index-contract.ts'
import { Intents } from './intents.ts'
import { refKey } from './order.ts'
import { SnapshotCursor } from './snapshot.ts'
import type { SnapshotFront } from './snapshot.ts'
import { Timers } from './timers.ts'
import type { Entity, FiredTimer, GroupView, OpenIntent, StoreCounts } from './view.ts'

const NO_BYTES = new Uint8Array(0)

export class Groups {
  readonly #digest: Digest
  readonly #index: EntityIndex
  readonly #timers: Timers
  readonly #holds: Holds
  readonly #intents: Intents
  #fired = 0
  #cursor: SnapshotCursor | null = null

  constructor(index: EntityIndex, digest: Digest, deleteSlack: Duration) {
    this.#index = index
    this.#digest = digest
    this.#timers = new Timers(digest, deleteSlack)
    this.#holds = new Holds(digest)
    this.#intents = new Intents(digest)
  }

  /** Why the commit doesn't fit what is; null = it does. Changes nothing. */
  refusal(commit: Commit): 'version' | 'limit' | null {
    if (!this.#fits(commit)) return 'version'
    if (commit.holds === null || this.#leavesNothing(commit)) return null
    return this.#holds.allows(commit.group, commit.holds) ? null : 'limit'
  }

  /** Applies a commit that fits. Within one commit, what ends comes before what begins: deletes before puts, cancels before
   * timers, done before opened. */
  accept(commit: Commit, at: Index, stamp: Stamp): void {
    const { group } = commit
    this.#cursor?.before(group)
    this.#setRecord(group, { version: commit.expected + 1, by: commit.proposer, serial: commit.serial })
    for (const ref of commit.deletes) this.#delete(group, ref)
    for (const { tree, id, expected, bytes } of commit.puts) {
      this.#put(group, { tree, id, version: expected + 1, stamp, bytes })
    }
    if (commit.puts.length === 0 && this.#dropIfEmpty(group)) return
    for (const id of commit.cancels) this.#timers.cancel(group, id)
    for (const { id, after, action } of commit.timers) {
      this.#timers.set(group, { id, deadline: plus(stamp, after), action })
    }
    for (const id of commit.done) this.#intents.done(group, id)
    for (const { id, bytes } of commit.opened) this.#intents.open(group, id, bytes, at)
    if (commit.holds !== null) this.#holds.set(group, commit.holds)
  }

  /** Fires what is due at this stamp, in (deadline, group, id) order. A group's version rises by one, however many of its
   * timers fire; a timer whose group went with an earlier one of the same pulse doesn't fire. */
  fire({ limit }: Pulse, at: Index, stamp: Stamp): { readonly fired: readonly FiredTimer[]; readonly more: boolean } {
    const fired: FiredTimer[] = []
    const touched = new Set<GroupKey>()
    while (fired.length < limit) {
      if (this.#cursor !== null) this.#beforeDue(stamp, this.#cursor)
      const timer = this.#timers.takeDue(stamp)
      if (timer === null) break
      const { group, action } = timer
      fired.push(timer)
      touched.add(group)
      // Firing writes the intent in the same apply (design.md 5); its end is a commit of the owner.
      if (action.kind === 'callback') this.#intents.open(group, timer.id, NO_BYTES, at)
      else for (const ref of action.targets) this.#delete(group, ref)
      if (this.#dropIfEmpty(group)) touched.delete(group)
    }
    for (const group of touched) {
      const record = must(this.#index.group(group), 'a group that a timer left alive')
      this.#setRecord(group, { ...record, version: record.version + 1 })
    }
    this.#fired += fired.length
    return { fired, more: this.#timers.due(stamp) }
  }

  view(key: GroupKey): GroupView | null {
    const record = this.#index.group(key)
    if (record === null) return null
    return {
      key,
      version: record.version,
      entities: this.#index.entities(key),
      timers: this.#timers.of(key),
      intents: this.#intents.of(key),
      holds: this.#holds.of(key),
    }
  }

  entity(key: GroupKey, ref: EntityRef): Entity | null {
    return this.#index.entity(key, ref)
  }

  intent(key: GroupKey, id: string): OpenIntent | null {
    return this.#intents.get(key, id)
  }

  get cutting(): boolean {
    return this.#cursor !== null
  }

  /** A walk over all groups as they are now; one at a time. */
  snapshot(front: SnapshotFront, hash: string, mostAside: number): SnapshotCursor {
    assert(this.#cursor === null, 'one snapshot at a time')
    const source = {
      parts: this.#index.parts,
      partOf: (key: GroupKey) => this.#index.partOf(key),
      groupsIn: (part: number) => this.#index.groupsIn(part),
      take: (key: GroupKey) => this.#whole(key),
    }
    this.#cursor = new SnapshotCursor(source, front, hash, mostAside, () => {
      this.#cursor = null
    })
    return this.#cursor
  }

  /** A group as a snapshot has it, into a store that doesn't have it. */
  restore({ key, version, by, serial, entities, timers, intents, holds }: SnapshotGroup): void {
    this.#setRecord(key, { version, by, serial })
    for (const entity of entities) this.#put(key, entity)
    for (const timer of timers) this.#timers.set(key, timer)
    for (const { id, bytes, opened } of intents) this.#intents.open(key, id, bytes, opened)
    this.#holds.set(key, holds)
  }

  /** What was fired before the snapshot. */
  restoreFired(fired: number): void {
    this.#fired = fired
  }

  version(key: GroupKey): number {
    return this.#index.group(key)?.version ?? 0
  }

  keys(): Iterable<GroupKey> {
    return this.#index.groups()
  }

  get parts(): number {
    return this.#index.parts
  }

  partOf(key: GroupKey): number {
    return this.#index.partOf(key)
  }

  keysIn(part: number): readonly GroupKey[] {
    return this.#index.groupsIn(part)
  }

  nextDeadline(): Stamp | null {
    return this.#timers.nextDeadline()
  }

  upcomingTimers(most: number): readonly FiredTimer[] {
    return this.#timers.upcoming(most)
  }

  counter(name: string): number {
    return this.#holds.counter(name)
  }

  counts(): StoreCounts {
    return {
      groups: this.#index.groupCount,
      entities: this.#index.entityCount,
      timersPending: this.#timers.size,
      timersFired: this.#fired,
      intentsOpen: this.#intents.size,
    }
  }

  #beforeDue(stamp: Stamp, cursor: SnapshotCursor): void {
    const group = this.#timers.dueGroup(stamp)
    if (group !== null) cursor.before(group)
  }

  #whole(key: GroupKey): SnapshotGroup | null {
    const record = this.#index.group(key)
    if (record === null) return null
    const { version, by, serial } = record
    return {
      kind: 'group',
      key,
      version,
      by,
      serial,
      entities: this.#index.borrow(key),
      timers: this.#timers.of(key),
      intents: this.#intents.of(key),
      holds: this.#holds.of(key),
    }
  }

  #fits({ group, expected, proposer, onto, puts, deletes }: Commit): boolean {
    const record = this.#index.group(group)
    if ((record?.version ?? 0) !== expected) return false
    // A pulse's +1 must not stand in for the +1 of a fallen commit: see `onto`.
    if (onto !== 0 && (record === null || record.by !== proposer || record.serial !== onto)) return false
    const fits = (change: Put | Delete): boolean => this.#versionOf(group, change) === change.expected
    if (!deletes.every(fits) || !puts.every(fits)) return false
    // Named twice, an entity can't be at both versions.
    const count = deletes.length + puts.length
    return count === 1 || new Set([...deletes, ...puts].map(refKey)).size === count
  }

  #versionOf(group: GroupKey, ref: EntityRef): number {
    return this.#index.fact(group, ref)?.version ?? 0
  }

  /** Whether a commit that fits ends its group, whose holds go with it. */
  #leavesNothing({ group, puts, deletes }: Commit): boolean {
    const gone = deletes.filter(({ expected }) => expected > 0).length
    return puts.length === 0 && this.#index.entitiesIn(group) === gone
  }

  #setRecord(group: GroupKey, record: GroupRecord): void {
    const before = this.#index.group(group)
    if (before !== null) this.#digest.remove(groupFact(group, before))
    this.#digest.add(groupFact(group, record))
    this.#index.setGroup(group, record)
  }

  #put(group: GroupKey, entity: Entity): void {
    const before = this.#index.fact(group, entity)
    if (before !== null) this.#digest.removeHash(before.hash)
    const hash = hashOf(entityFact(group, entity), entity.bytes)
    this.#digest.addHash(hash)
    this.#index.put(group, entity, hash)
  }

  #delete(group: GroupKey, ref: EntityRef): void {
    const before = this.#index.fact(group, ref)
    if (before === null) return
    this.#digest.removeHash(before.hash)
    this.#index.delete(group, ref)
  }

  #dropIfEmpty(group: GroupKey): boolean {
    if (this.#index.entitiesIn(group) > 0) return false
    this.#timers.drop(group)
    this.#intents.drop(group)
    this.#holds.drop(group)
    this.#digest.remove(groupFact(group, must(this.#index.group(group), 'a group that has just lost its last entity')))
    this.#index.dropGroup(group)
    return true
  }
}

function groupFact(group: GroupKey, { version, by, serial }: GroupRecord): Fact {
  return ['group', group, version, by, serial]
}

function entityFact(group: GroupKey, { tree, id, version, stamp }: Entity): Fact {
  return ['entity', group, tree, id, version, stamp]
}
