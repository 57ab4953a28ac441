// One replica of a test: a Raft core with a disk that can lose its unsynced tail, checked after every call. Bytes cross
// between replicas as copies: a shared entry would make replication work by accident.

import type { ReplicaId, Term } from '../../base/brand.ts'
import { index, term } from '../../base/brand.ts'
import type { Instant } from '../../base/instant.ts'
import type { RaftConfig, Restored } from '../config.ts'
import { checkState, checkStep, observe } from '../invariants.ts'
import type { HardState, RaftEntry, RaftMessage } from '../message.ts'
import { Raft } from '../raft.ts'
import type { Ready } from '../ready.ts'
import type { Oracle } from './oracle.ts'

interface Write {
  readonly number: number
  readonly records: readonly (HardState | RaftEntry)[]
  readonly then: readonly RaftMessage[]
}

export class Machine {
  readonly id: ReplicaId
  readonly #config: RaftConfig
  readonly #oracle: Oracle
  #state: HardState = { term: term(0), vote: null, commit: index(0) }
  #entries: RaftEntry[] = []
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
    return { state: this.#state, entries: this.#entries }
  }

  get unsynced(): number {
    return this.#writes.length
  }

  /** Puts a log on the disk of a replica that isn't running. */
  write(restored: Restored): void {
    this.#state = restored.state
    this.#entries = [...restored.entries]
  }

  start(now: Instant, config: RaftConfig = this.#config): void {
    this.life++
    this.raft = new Raft(config, { state: this.#state, entries: this.#entries }, now)
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
      const records = [...(ready.state === null ? [] : [ready.state]), ...ready.entries.map(copyEntry)]
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

  durableTermAt(at: number): Term | null {
    return this.#entries[at - 1]?.term ?? null
  }

  #put(record: HardState | RaftEntry): void {
    if ('vote' in record) {
      this.#state = record
      return
    }
    this.#oracle.check(this.id, record.index > this.#entries.length + 1 ? 'a gap in the written log' : null)
    // The durable term is at least the last durable entry's, wherever a crash cuts (invariant 2).
    this.#oracle.check(
      this.id,
      record.term > this.#state.term ? `entry ${record.index} is on disk before its term` : null,
    )
    this.#entries.length = record.index - 1
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
