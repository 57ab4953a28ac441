// A full disk under the log (design.md 10): without room no call is taken, and a leader that can't write steps down and says so.
// With a full disk nothing is acknowledged, so the leader sends no more entries, and this replica can't catch up: what phones send
// to it would wait in vain, and the leader judges in its place.

import type { Instant } from '../base/instant.ts'
import type { Raft } from '../raft/raft.ts'
import type { DiskInput } from './input.ts'
import type { Outbox } from './outbox.ts'

export class DiskRoom {
  readonly #raft: Raft
  readonly #outbox: Outbox
  /** Why the disk has no room, while it has none. */
  readonly #full = new Set<DiskInput['reason']>()

  constructor(raft: Raft, outbox: Outbox) {
    this.#raft = raft
    this.#outbox = outbox
  }

  get isFull(): boolean {
    return this.#full.size > 0
  }

  /** Nothing becomes durable any more. */
  get takesNothing(): boolean {
    return this.#full.has('no-space')
  }

  /** Null: there is room. */
  get full(): DiskInput['reason'] | null {
    return this.takesNothing ? 'no-space' : this.#full.has('limit') ? 'limit' : null
  }

  change({ reason, full }: DiskInput, now: Instant): void {
    if (full) this.#full.add(reason)
    else this.#full.delete(reason)
    if (reason === 'limit') {
      if (full) this.#outbox.log('error', 'log-full', 'the log on disk has reached its limit: new calls get 503')
      else this.#outbox.log('info', 'log-room', 'the log on disk has room again: new calls are taken')
      return
    }
    if (!full) {
      this.#raft.standAgain(now)
      this.#outbox.log('info', 'disk-room', "the log's disk takes writes again: this replica may lead again")
      return
    }
    const term = this.#raft.term
    const said = this.#raft.isLeader ? `this replica gives up leading term ${term}` : 'this replica will not lead'
    this.#raft.stepDown(now)
    this.#outbox.log('error', 'disk-full', `the log's disk is full: ${said}, new calls get 503`, { term })
  }
}
