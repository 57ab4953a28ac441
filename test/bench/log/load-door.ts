// A replica's door with a second one for the load: who writes there gets a commit proposed by this replica, for a group that it
// owns, and an answer once the commit is applied here. What the call room does between a message and its commit is left out;
// all that lies under it is the product's: frames, links, Raft, log, store.
//
// A proposal leaves with the turn's `time` input, as the replica's own do (replica/log-port.ts): at a follower as a frame to
// the leader, at the leader as the same frame into its own door.

import { randomBytes } from 'node:crypto'
import { groupKey, replicaOf } from '../../../src/base/brand.ts'
import type { GroupKey, Life, ReplicaId } from '../../../src/base/brand.ts'
import type { Instant } from '../../../src/base/instant.ts'
import type { Door } from '../../../src/host/host.ts'
import type { Effect } from '../../../src/replica/effect.ts'
import type { Input } from '../../../src/replica/input.ts'
import type { Replica } from '../../../src/replica/replica.ts'
import { encodeBody, encodeFrame } from '../../../src/wire/codec.ts'
import { propose, putting } from '../proposal.ts'

/** A writer's own group: it has one commit open at most. */
export interface Slot {
  readonly group: GroupKey
  version: number
}

interface Open {
  readonly slot: Slot
  answer(): void
}

export class LoadDoor implements Door {
  readonly #replica: Replica
  readonly #life: Life
  #asked: (Open & { readonly value: Uint8Array })[] = []
  /** Proposed, in the order of their serials, which is that of their entries. */
  #open: Open[] = []
  #serial = 0

  constructor(replica: Replica, life: Life) {
    this.#replica = replica
    this.#life = life
  }

  /** Whether all of `count` replicas serve, so that no group moves any more. */
  isReady(count: number): boolean {
    return this.#replica.store.serving().members.length === count && this.#replica.raft.leader !== null
  }

  get leader(): ReplicaId | null {
    return this.#replica.raft.leader
  }

  /** A group that this replica owns. */
  slot(): Slot {
    for (;;) {
      const group = groupKey(randomBytes(8).toString('hex'))
      if (this.#replica.store.ownerOf(group) === this.#life) return { group, version: 0 }
    }
  }

  /** Is proposed with the end of the turn. */
  write(slot: Slot, value: Uint8Array, answer: () => void): void {
    this.#asked.push({ slot, value, answer })
  }

  step(input: Input): readonly Effect[] {
    if (input.kind !== 'time') return this.#replica.step(input)
    const proposed = this.#propose(input)
    const effects = this.#replica.step(input)
    this.#answer()
    return proposed.length > 0 ? [...proposed, ...effects] : effects
  }

  deadline(): Instant | null {
    return this.#replica.deadline()
  }

  #propose(input: Input): readonly Effect[] {
    const { leader } = this.#replica.raft
    if (this.#asked.length === 0 || leader === null) return []
    const bodies = this.#asked.map(({ slot, value }) => this.#body(slot, value))
    this.#open.push(...this.#asked)
    this.#asked = []
    if (leader === replicaOf(this.#life)) return propose(this.#replica, this.#life, bodies, input)
    return [{ kind: 'peer', to: leader, frame: encodeFrame({ kind: 'propose', bodies }) }]
  }

  #body(slot: Slot, value: Uint8Array): Uint8Array {
    const { store } = this.#replica
    this.#serial++
    const commit = putting(store, {
      group: slot.group,
      expected: slot.version,
      proposer: this.#life,
      serial: this.#serial,
      lowestOpen: this.#serial - this.#open.length,
      puts: [{ tree: 'Dialog', id: 'value', expected: slot.version, bytes: value }],
    })
    return encodeBody(commit)
  }

  /** A group's version rises by accepted commits alone: there are no timers here. */
  #answer(): void {
    let done = 0
    for (const { slot, answer } of this.#open) {
      if (this.#replica.store.groupVersion(slot.group) === slot.version) break
      slot.version++
      done++
      answer()
    }
    if (done > 0) this.#open = this.#open.slice(done)
  }
}
