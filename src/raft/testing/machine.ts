// One replica of a test: a Raft core with a disk that can lose its unsynced tail, checked after every call. Bytes cross
// between replicas as copies: a shared entry would make replication work by accident.

import type { Index, ReplicaId, Term } from '../../base/brand.ts'
import { index, term } from '../../base/brand.ts'
import type { Instant } from '../../base/instant.ts'
import type { RaftConfig, Restored } from '../config.ts'
import { checkState, checkStep, observe } from '../invariants.ts'
import type { HardState, RaftEntry, RaftMessage, SnapshotMetadata } from '../message.ts'
import { Raft } from '../raft.ts'
import type { Ready } from '../ready.ts'
import type { Oracle } from './oracle.ts'

type DiskRecord = HardState | RaftEntry | { readonly installed: SnapshotMetadata }

interface Write {
  readonly number: number
  readonly records: readonly DiskRecord[]
  readonly then: readonly RaftMessage[]
}

export class Machine {
  readonly id: ReplicaId
  readonly #config: RaftConfig
  readonly #oracle: Oracle
  #state: HardState = { term: term(0), vote: null, commit: index(0) }
  /** They follow the snapshot. */
  #entries: RaftEntry[] = []
  #snapshot: SnapshotMetadata | null = null
  #writes: Write[] = []
  /** Null = crashed. */
  raft: Raft | null = null
  /** Counts its starts. */
  life = 0

  constructor(config: RaftConfig, oracle: Oracle) {
    this.id = config.id
    this.#config = config
    this.#oracle = oracle
  }

  /** What a crash now would leave, if it leaves no unsynced write. */
  get durable(): Restored {
    return { state: this.#state, entries: this.#entries, snapshot: this.#snapshot }
  }

  get unsynced(): number {
    return this.#writes.length
  }

  /** Puts a log on the disk of a replica that isn't running. */
  write(restored: Restored): void {
    this.#state = restored.state
    this.#entries = [...restored.entries]
    this.#snapshot = restored.snapshot ?? null
  }

  start(now: Instant, config: RaftConfig = this.#config): void {
    this.life++
    this.raft = new Raft(config, this.durable, now)
    this.#oracle.check(this.id, checkState(this.raft))
    this.#oracle.started(this)
  }

  /** Dies; of the unsynced records the first `survivors` reach the disk. */
  crash(survivors: number): void {
    let left = survivors
    for (const write of this.#writes) {
      for (const record of write.records) if (left-- > 0) this.#put(record)
    }
    this.#writes = []
    this.raft = null
  }

  /** Does one thing with the running core, and checks what came of it. */
  do<T>(act: (raft: Raft) => T): T | null {
    const { raft } = this
    if (raft === null) return null
    const before = observe(raft)
    const result = act(raft)
    this.#oracle.check(this.id, checkState(raft) ?? checkStep(before, observe(raft)))
    this.#oracle.looked(this, raft)
    return result
  }

  /** Takes a Ready, gives its writes to the disk, and returns it; its `messages` are for the caller to carry. */
  take(now: Instant): Ready | null {
    const ready = this.do((raft) => raft.takeReady(now))
    if (ready === null) return null
    if (ready.mustPersist) {
      const { state, snapshot } = ready
      const before = [...(state === null ? [] : [state]), ...(snapshot === null ? [] : [{ installed: snapshot }])]
      const records = [...before, ...ready.entries.map(copyEntry)]
      this.#writes.push({ number: ready.number, records, then: ready.afterPersist.map(copyMessage) })
    } else this.#oracle.check(this.id, ready.afterPersist.length > 0 ? 'messages wait for no write' : null)
    this.#oracle.tookReady(this, ready)
    for (const message of ready.messages) this.#oracle.leaves(this, message)
    return { ...ready, messages: ready.messages.map(copyMessage) }
  }

  /** The first `count` unsynced writes become durable; what waited for them leaves. */
  sync(count: number): readonly RaftMessage[] {
    const done = this.#writes.splice(0, count)
    const last = done.at(-1)
    if (last === undefined) return []
    for (const write of done) for (const record of write.records) this.#put(record)
    const messages = done.flatMap((write) => write.then)
    for (const message of messages) this.#oracle.leaves(this, message)
    this.do((raft) => raft.persisted(last.number))
    return messages
  }

  /** The state machine's state at `at` is durable at once, and takes the place of the log up to there. Whether it could be taken. */
  snapshot(at: Index): boolean {
    const snapshot = this.do((raft) => raft.snapshot(at))
    if (snapshot === null) return false
    this.#oracle.snapshotTaken(this.id, snapshot)
    this.#entries = this.#entries.slice(Math.max(0, at - this.#start))
    this.#snapshot = snapshot
    return true
  }

  /** With `asyncStorage`: all that was handed out, or up to `at`, is applied. */
  apply(at: Index | null = null): void {
    this.do((raft) => raft.applied(at ?? raft.inspect().log.handedOut))
  }

  /** Whether the disk has that entry, or a snapshot that has it. */
  holds(at: number, of: Term | null): boolean {
    if (at < this.#start) return true
    if (at === this.#start) return of === (this.#snapshot?.term ?? 0)
    return of !== null && this.#entries[at - this.#start - 1]?.term === of
  }

  /** Last index and term on disk. */
  get durableLast(): readonly [Index, Term] {
    const last = this.#entries.at(-1) ?? this.#snapshot
    return [index(last?.index ?? 0), term(last?.term ?? 0)]
  }

  get #start(): number {
    return this.#snapshot?.index ?? 0
  }

  #put(record: DiskRecord): void {
    if ('vote' in record) {
      this.#state = record
      return
    }
    if ('installed' in record) {
      this.#snapshot = record.installed
      this.#entries = []
      return
    }
    const place = record.index - this.#start
    const misplaced = place < 1 || place > this.#entries.length + 1
    this.#oracle.check(this.id, misplaced ? `entry ${record.index} is written after ${this.#entries.length}` : null)
    // The durable term is at least the last durable entry's, wherever a crash cuts (invariant 2).
    this.#oracle.check(
      this.id,
      record.term > this.#state.term ? `entry ${record.index} is on disk before its term` : null,
    )
    this.#entries.length = place - 1
    this.#entries.push(record)
  }
}

function copyEntry(entry: RaftEntry): RaftEntry {
  return { ...entry, data: entry.data.slice() }
}

export function copyMessage(message: RaftMessage): RaftMessage {
  if (message.kind !== 'append') return { ...message }
  return { ...message, entries: message.entries.map(copyEntry) }
}
