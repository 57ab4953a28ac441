// Snapshots, a leader's side (paper section 7, thesis chapter 5): a follower whose next entry is purged gets the state machine's
// snapshot instead. The core knows a snapshot's last index and its configuration; its bytes are the caller's.
//
//     caller: snapshot(index)  the state machine's state at `index` is durable: it may be sent
//             purge(index)     the entries up to `index` go; keep some, so that a follower that is a little behind needs no snapshot
//     core:   Ready.messages has a `snapshot`: the caller carries its bytes, and hands the message over when all are there
//     caller: reportSnapshot(peer, arrived)  the way of the bytes ended

import { must } from '../base/assert.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Core } from './core.ts'
import { send } from './core.ts'
import type { SnapshotMetadata } from './message.ts'
import type { Progress } from './progress.ts'

/** What must be kept with a snapshot of the state machine at `at`. */
export function snapshotMetadata(core: Core, at: Index): SnapshotMetadata {
  const { log, membership } = core
  return {
    index: at,
    term: must(log.termAt(at), 'a snapshot is taken of what is applied'),
    configuration: membership.at(at),
  }
}

/** Whether the follower's next entry has none before it here, so that an append could not be made. */
export function needsSnapshot(core: Core, peer: Progress): boolean {
  return peer.next < core.log.first
}

/** Not to one that was silent for long: a snapshot is much work, and it may be gone. Appends in flight are not waited for: what comes
 * after them is purged, and if they are lost, nothing could be sent that tells. */
export function makeSnapshot(core: Core, to: ReplicaId, peer: Progress): void {
  const waits = peer.state !== 'replicate' && !peer.open
  if (waits || between(peer.heard, core.now) >= core.settings.electionTimeout) return
  const snapshot = must(core.log.snapshot, 'entries are purged only behind a snapshot')
  send(core, { kind: 'snapshot', from: core.id, to, term: core.term, snapshot })
  peer.sentSnapshot(snapshot.index)
}
