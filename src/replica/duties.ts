// A leader's duties: who serves, the set key, the format, pulses, and what becomes of the set itself. One entry of each kind is in the log
// unapplied at a time.

import type { Index, Term } from '../base/brand.ts'
import { between, micros, plus } from '../base/instant.ts'
import type { Duration, Instant } from '../base/instant.ts'
import { must } from '../base/assert.ts'
import { hashKey, sipHashText } from '../base/hash.ts'
import { membersOf } from '../raft/configuration.ts'
import type { Raft } from '../raft/raft.ts'
import type { Store } from '../store/store.ts'
import type { Stamp } from '../base/instant.ts'
import { encodeBody } from '../wire/codec.ts'
import type { EntryBody } from '../wire/entry.ts'
import type { Audit } from './audit.ts'
import type { Judge } from './judge.ts'
import { limits } from './limits.ts'
import type { LogPort } from './log-port.ts'
import type { Members } from './members.ts'
import type { Upgrade } from './upgrade.ts'

export interface DutyPorts {
  readonly raft: Raft
  readonly store: Store
  readonly log: LogPort
  readonly judge: Judge
  readonly members: Members
  readonly upgrade: Upgrade
  readonly audit: Audit
  /** The set's key, if this is the first leader of a new set. */
  readonly freshKey: Uint8Array
  /** The seed of the generations that this leader makes after the first; null = it makes none. */
  readonly laterKeys: Uint8Array | null
  /** The age at which the set key has a successor; null = never. */
  keyAge(): Duration | null
  now(): Instant
  /** Cluster time. */
  time(): Stamp
}

export class Duties {
  readonly #ports: DutyPorts
  #serving: Index | null = null
  #pulse: Index | null = null
  #key: Index | null = null
  #raise: Index | null = null
  /** The term whose no-op is applied: everything older is, too. */
  #settled: Term | null = null

  constructor(ports: DutyPorts) {
    this.#ports = ports
  }

  roleChanged(): void {
    this.#serving = null
    this.#pulse = null
    this.#key = null
    this.#raise = null
  }

  /** The no-op of that term is applied. */
  noOp(term: Term): void {
    this.#settled = term
  }

  /** Whether this replica leads and has applied its no-op: only then does its store show all that was committed before
   * (Raft 5.4.2). */
  get isSettled(): boolean {
    const { raft } = this.#ports
    return raft.isLeader && this.#settled === raft.term
  }

  /** Whether it appended any. */
  perform(): boolean {
    if (!this.isSettled) return false
    const { raft, store, judge, members, upgrade, audit, freshKey, now, time } = this.#ports
    const before = raft.lastIndex()
    const applied = store.appliedIndex
    members.lead()
    if (this.#serving === null || this.#serving <= applied) {
      const change = judge.verdict(store.serving(), raft.commitIndex, applied, now())
      this.#serving = change === null ? null : this.append(change)
    }
    if (this.#key === null || this.#key <= applied) {
      const generation = store.keyGeneration + 1
      if (generation === 1) this.#key = this.append({ kind: 'key', generation, key: freshKey })
      else
        this.#key = this.#isKeyOld() ? this.append({ kind: 'key', generation, key: this.#laterKey(generation) }) : null
    }
    if (this.#raise === null || this.#raise <= applied) {
      const raise = upgrade.due(now())
      this.#raise = raise === null ? null : this.append(raise)
    }
    const next = store.nextDeadline()
    if (next !== null && next <= time() && (this.#pulse === null || this.#pulse <= applied)) {
      this.#pulse = this.append({ kind: 'pulse', limit: limits.pulse, audit: audit.mark })
    }
    return raft.lastIndex() > before
  }

  /** Decision 0050. Format 1 can't say how old a key is. */
  #isKeyOld(): boolean {
    const { store, laterKeys, keyAge, time } = this.#ports
    const age = keyAge()
    const since = store.keySince
    if (age === null || since === null || laterKeys === null) return false
    return store.format >= 2 && store.keyGeneration < limits.keyGenerations && between(since, time()) >= age
  }

  /** Tells nothing of the other generations. */
  #laterKey(generation: number): Uint8Array {
    const seed = hashKey(must(this.#ports.laterKeys, 'a seed'))
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    for (const [i, half] of ['a', 'b'].entries()) {
      const { high, low } = sipHashText(seed, `set key ${generation} ${half}`)
      view.setUint32(8 * i, low, true)
      view.setUint32(8 * i + 4, high, true)
    }
    return bytes
  }

  append(body: EntryBody): Index | null {
    const { raft, log, store } = this.#ports
    const at = log.append(encodeBody(body, store.format))
    // Owners wait for it, all of them.
    if (at !== null) for (const id of membersOf(raft.configuration)) raft.tellCommit(id, at)
    return at
  }

  /** When the next pulse is due. */
  deadline(): Instant | null {
    const { store, now, time } = this.#ports
    const next = this.isSettled ? store.nextDeadline() : null
    if (next === null || (this.#pulse !== null && this.#pulse > store.appliedIndex)) return null
    return plus(now(), micros(Math.max(between(time(), next), limits.grain)))
  }
}
