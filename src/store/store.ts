// The replicated state machine: applies the log's entries in order, one result for each, the same at every replica
// (design.md 2 to 5). It knows versions, lives, timers, holds and intents; it knows no SIP and no clock.
//
// What callers guarantee: entries are decoded (wire/codec.ts checks their shape) and come in the order of their index, none
// left out. What the store guarantees: no entry, whatever is in it, makes apply throw; equal logs make equal stores.

import { assert, unreachable } from '../base/assert.ts'
import { type GroupKey, type Index, type Life, index as indexOf, replicaOf } from '../base/brand.ts'
import type { HashKey } from '../base/hash.ts'
import { type Duration, type Stamp, micros, stamp as stampOf } from '../base/instant.ts'
import type { BookChange, Commit, EntityRef, Entry, Pulse, Raise, ServingChange, SetKey } from '../wire/entry.ts'
import { knownFormat, OLDEST_FORMAT } from '../wire/formats.ts'
import type { FormatNumber } from '../wire/formats.ts'
import type { SnapshotHead, SnapshotPart } from '../wire/snapshot.ts'
import { Book } from './book.ts'
import { Digest } from './digest.ts'
import { Groups } from './groups.ts'
import type { EntityIndex } from './index-contract.ts'
import { SlabIndex } from './slab-index.ts'
import { Ownership, ownerUnder } from './ownership.ts'
import { Serials } from './serials.ts'
import { SetKeyring } from './set-keys.ts'
import type { SnapshotCursor } from './snapshot.ts'
import { Tail } from './tail.ts'
import type { Follow } from './tail.ts'
import type { Applied, CommitOutcome, Entity, FiredTimer, GroupView, OpenIntent, Serving, StoreCounts } from './view.ts'

export interface StoreOptions {
  /** How much later than its deadline a `delete` timer may want its pulse. Not replicated: it only says when to ask. */
  readonly deleteSlack: Duration
  /** How many serving entries commits may be judged by. All replicas must have the same. */
  readonly history: number
  /** Who tells what was committed, and how many of those texts are kept; absent = nobody does. */
  readonly follow?: { readonly by: Follow; readonly keep: number } | undefined
}

const DEFAULTS: StoreOptions = { deleteSlack: micros(0), history: 64 }

export class Store {
  #digest = new Digest()
  #serials = new Serials(this.#digest)
  #keyring = new SetKeyring(this.#digest)
  #book = new Book(this.#digest)
  #ownership: Ownership
  #groups: Groups
  #tail: Tail | null
  #appliedIndex = indexOf(0)
  #lastStamp = stampOf(0)
  #format: FormatNumber = OLDEST_FORMAT

  constructor(index: EntityIndex = new SlabIndex(), options: StoreOptions = DEFAULTS) {
    this.#ownership = new Ownership(this.#digest, this.#serials, options.history)
    this.#groups = new Groups(index, this.#digest, options.deleteSlack)
    this.#tail = options.follow === undefined ? null : new Tail(options.follow.by, options.follow.keep)
  }

  /** Applies the entry at `at`, which is the next. */
  apply(at: Index, { stamp, body }: Entry): Applied {
    this.applyNoOp(at)
    // Cluster time never falls: an entry with a lower stamp counts as if it had the last one.
    if (stamp > this.#lastStamp) this.#lastStamp = stamp
    switch (body.kind) {
      case 'commit':
        return { kind: 'commit', commit: body, outcome: this.#commit(at, body) }
      case 'serving':
        return this.#change(at, body)
      case 'pulse':
        return this.#pulse(at, body)
      case 'key':
        return this.#key(body)
      case 'raise':
        return this.#raise(body)
      case 'book':
        return this.#bookChange(at, body)
      default:
        return unreachable(body)
    }
  }

  /** Passes an entry that isn't the store's: Raft's no-op, a configuration. */
  applyNoOp(at: Index): void {
    assert(at === this.#appliedIndex + 1, 'entries are applied in order')
    this.#appliedIndex = at
  }

  get appliedIndex(): Index {
    return this.#appliedIndex
  }

  /** The highest stamp applied. */
  get lastStamp(): Stamp {
    return this.#lastStamp
  }

  /** The format that the set writes. */
  get format(): FormatNumber {
    return this.#format
  }

  /** Who is to be in the set, and where. */
  get book(): Book {
    return this.#book
  }

  /** What was committed, as it is told; null = nobody follows it. */
  get tail(): Tail | null {
    return this.#tail
  }

  group(key: GroupKey): GroupView | null {
    return this.#groups.view(key)
  }

  /** One of a group's entities, or of its intents: what one look needs, where a group may have a hundred of each. */
  entity(key: GroupKey, ref: EntityRef): Entity | null {
    return this.#groups.entity(key, ref)
  }

  intent(key: GroupKey, id: string): OpenIntent | null {
    return this.#groups.intent(key, id)
  }

  /** 0 = there is no such group. */
  groupVersion(key: GroupKey): number {
    return this.#groups.version(key)
  }

  /** All groups, in no particular order: sort them before the order can matter. */
  groups(): Iterable<GroupKey> {
    return this.#groups.keys()
  }

  /** The same in parts, numbered from 0, so that a walk may take its time: a key is in the same part for ever. */
  get parts(): number {
    return this.#groups.parts
  }

  partOf(key: GroupKey): number {
    return this.#groups.partOf(key)
  }

  groupsIn(part: number): readonly GroupKey[] {
    return this.#groups.keysIn(part)
  }

  serving(): Serving {
    return this.#ownership.serving
  }

  /** The owner of a group, which need not exist; null = nobody serves. */
  ownerOf(key: GroupKey): Life | null {
    return this.#ownership.ownerOf(key)
  }

  ownerUnder(serving: Serving, key: GroupKey): Life | null {
    return ownerUnder(serving, key)
  }

  /** Index of the entry that admitted a life which serves, else null. */
  sinceOf(life: Life): Index | null {
    return this.#ownership.sinceOf(life)
  }

  /** The newest generation of the set key; 0 = none yet. */
  get keyGeneration(): number {
    return this.#keyring.generation
  }

  key(generation: number): HashKey | null {
    return this.#keyring.key(generation)
  }

  /** The generation under which things are made at that cluster time. */
  keyAt(time: Stamp): number {
    return this.#keyring.at(time)
  }

  /** Cluster time of the newest generation's entry; null = there is none, or a snapshot of format 1 had it. */
  get keySince(): Stamp | null {
    return this.#keyring.since.at(-1) ?? null
  }

  /** When the leader is to propose a pulse; null = no timer is pending. */
  nextDeadline(): Stamp | null {
    return this.#groups.nextDeadline()
  }

  /** The timers that fire next, in the order that they will, at most so many. */
  upcomingTimers(most: number): readonly FiredTimer[] {
    return this.#groups.upcomingTimers(most)
  }

  /** How many holds of this counter living groups own. */
  counter(name: string): number {
    return this.#groups.counter(name)
  }

  counts(): StoreCounts {
    return this.#groups.counts()
  }

  /** Sixteen hexadecimal digits of all that is replicated: equal at equal index at every replica. */
  hash(): string {
    return this.#digest.hex(['stamp', this.#lastStamp], ['fired', this.#groups.counts().timersFired])
  }

  /** Begins a snapshot as of the applied index; the store goes on meanwhile. One at a time. `mostAside`: bytes of what changes
   * ahead of the cursor and is set aside for it; beyond that the snapshot is given up (`overrun`). */
  snapshot(mostAside: number): SnapshotCursor {
    const head: SnapshotHead = {
      kind: 'head',
      index: this.#appliedIndex,
      stamp: this.#lastStamp,
      fired: this.#groups.counts().timersFired,
      keys: this.#keyring.bytes,
      keysSince: this.#keyring.since,
      history: this.#ownership.history,
      serials: this.#serials.tables(),
      format: this.#format,
    }
    const events = this.#format === OLDEST_FORMAT ? [] : (this.#tail?.parts() ?? [])
    return this.#groups.snapshot([head, ...this.#book.parts(), ...events], this.hash(), mostAside)
  }

  /** Whether a snapshot is being cut. */
  get cutting(): boolean {
    return this.#groups.cutting
  }

  /** Becomes what `other` is, which is not used any more. */
  adopt(other: Store): void {
    this.#digest = other.#digest
    this.#serials = other.#serials
    this.#keyring = other.#keyring
    this.#book = other.#book
    this.#ownership = other.#ownership
    this.#groups = other.#groups
    this.#tail = other.#tail
    this.#appliedIndex = other.#appliedIndex
    this.#lastStamp = other.#lastStamp
    this.#format = other.#format
  }

  /** The next part of a snapshot, into a store that has applied nothing. What is wrong with it: null = nothing so far. After
   * the `end` the store is as the one was that was cut; after a fault it is good for nothing. */
  restore(part: SnapshotPart): string | null {
    switch (part.kind) {
      case 'head':
        return this.#restoreHead(part)
      case 'book':
        return this.#book.restore(part)
      case 'events':
        return this.#tail?.restore(part, this.#appliedIndex) ?? null
      case 'group':
        if (this.#groups.version(part.key) > 0) return `group ${part.key} is there twice`
        if (part.entities.length === 0) return `group ${part.key} is empty`
        this.#groups.restore(part)
        return null
      case 'end':
        if (part.groups !== this.#groups.counts().groups) return 'groups are missing'
        return part.hash === this.hash() ? null : `its hash is ${part.hash}, what came of it has ${this.hash()}`
      default:
        return unreachable(part)
    }
  }

  #restoreHead({ index: at, stamp, fired, keys, keysSince, history, serials, format }: SnapshotHead): string | null {
    if (this.#appliedIndex !== 0 || this.#groups.counts().groups > 0) return 'it has a second head'
    if (history.length === 0) return 'it has no serving entry'
    const known = knownFormat(format)
    if (known === null) return `its set writes format ${format}, which this release does not know`
    this.#appliedIndex = at
    this.#lastStamp = stamp
    this.#tail?.begin(at)
    this.#groups.restoreFired(fired)
    this.#keyring.restore(keys, keysSince)
    this.#ownership.restore(history)
    this.#serials.restore(serials)
    this.#writes(known)
    return null
  }

  #commit(at: Index, commit: Commit): CommitOutcome {
    const { proposer, since, judged, serial, lowestOpen, group } = commit
    // The order of these checks matters. A life without a table never served, or another life of its replica serves since:
    // nothing of it can ever be accepted, so nothing needs to be remembered.
    if (!this.#serials.knows(proposer)) return 'not-owner'
    // Then serials, before all that can change with time: a proposal that comes again is `duplicate`, whatever became of
    // the first. Rejected, it is consumed too: its proposer handles the input again under a new serial.
    if (!this.#serials.consume(proposer, serial, lowestOpen)) return 'duplicate'
    if (this.#ownership.sinceOf(proposer) !== since) return 'not-owner'
    if (!this.#ownership.ownedSince(proposer, judged, group)) return 'not-owner'
    const refusal = this.#groups.refusal(commit)
    if (refusal !== null) return refusal
    const told = this.#tail?.ofCommit(commit, this.#lastStamp, (tree, id) => this.#groups.entity(group, { tree, id }))
    this.#groups.accept(commit, at, this.#lastStamp)
    if (told !== undefined) this.#tail?.add(at, told)
    return 'accepted'
  }

  #change(at: Index, change: ServingChange): Applied {
    const before = this.#ownership.serving
    const accepted = this.#ownership.change(at, change)
    if (accepted) this.#dropOver()
    return { kind: 'serving', accepted, before, after: this.#ownership.serving }
  }

  #pulse(at: Index, pulse: Pulse): Applied {
    const { fired, more } = this.#groups.fire(pulse, at, this.#lastStamp)
    this.#tail?.add(at, this.#tail.ofPulse(fired, this.#lastStamp))
    return { kind: 'pulse', fired, more, audit: pulse.audit }
  }

  #bookChange(at: Index, change: BookChange): Applied {
    const accepted = this.#book.change(at, change)
    if (accepted) this.#dropOver()
    return { kind: 'book', accepted }
  }

  /** Who is out of the set for good, and serves no more, proposes nothing that counts. */
  #dropOver(): void {
    for (const life of [...this.#serials.lives()]) if (this.#isOver(life)) this.#serials.drop(life)
  }

  #isOver(life: Life): boolean {
    return this.#book.isGone(replicaOf(life)) && this.#ownership.sinceOf(life) === null
  }

  #key(setKey: SetKey): Applied {
    return { kind: 'key', accepted: this.#keyring.add(setKey, this.#lastStamp) }
  }

  /** Formats rise one by one, and never fall: the log may hold entries of the higher one from then on. */
  #raise({ format }: Raise): Applied {
    const known = knownFormat(format)
    if (known === null || format !== this.#format + 1) return { kind: 'raise', accepted: false }
    this.#writes(known)
    return { kind: 'raise', accepted: true }
  }

  /** The first format is no fact: a release that knows no other has the same hash. */
  #writes(format: FormatNumber): void {
    if (this.#format !== OLDEST_FORMAT) this.#digest.remove(['format', this.#format])
    if (format !== OLDEST_FORMAT) this.#digest.add(['format', format])
    this.#format = format
  }
}
