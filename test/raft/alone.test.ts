// `holdfast/raft` alone, as its user has it: one import, memory for a disk, arrays for a network. It is what docs/RAFT.md calls a turn.

import { expect, it } from 'vitest'
import type { RaftMessage, Restored, SnapshotMetadata } from '../../src/raft/index.ts'
import { formatStatus, index, instant, millis, Raft, random, replicaId, term } from '../../src/raft/index.ts'

const timing = { electionTimeout: millis(500), electionSpread: millis(500), heartbeat: millis(100), prompt: millis(30) }
const bounds = { maxAppendEntries: 64, maxAppendBytes: 65_536, maxInflight: 16, maxUncommittedBytes: 1 << 20 }

/** A counter of bytes: the state machine of this test. */
class Member {
  readonly raft: Raft
  count = 0

  constructor(id: number, voters: readonly number[], restored: Restored) {
    const config = { id: replicaId(id), voters: voters.map(replicaId), random: random(id), ...timing, ...bounds }
    this.raft = new Raft(config, restored, instant(0))
  }

  turn(now: number, send: (message: RaftMessage) => void, install: (snapshot: SnapshotMetadata) => number): void {
    this.raft.tick(instant(now))
    for (let ready = this.raft.takeReady(instant(now)); ready !== null; ready = this.raft.takeReady(instant(now))) {
      ready.messages.forEach(send)
      if (ready.snapshot !== null) this.count = install(ready.snapshot)
      for (const entry of ready.committed) if (entry.kind === 'normal') this.count += entry.data.length
      if (!ready.mustPersist) continue
      // Here a disk would write ready.state, ready.snapshot, ready.entries, and sync.
      ready.afterPersist.forEach(send)
      this.raft.persisted(ready.number)
    }
  }
}

it('three elect, commit, compact, and take in a fourth by a snapshot', () => {
  const empty: Restored = { state: { term: term(0), vote: null, commit: index(0) }, entries: [] }
  const members = new Map([1, 2, 3].map((id) => [id, new Member(id, [1, 2, 3], empty)]))
  const snapshots = new Map<number, number>()
  let now = 0
  const run = (ms: number): void => {
    for (const end = now + ms * 1_000; now < end; now += 1_000) {
      const sent: RaftMessage[] = []
      const install = (snapshot: SnapshotMetadata): number => snapshots.get(snapshot.index) ?? -1
      for (const member of members.values()) member.turn(now, (message) => sent.push(message), install)
      for (const message of sent) members.get(message.to)?.raft.step(message, instant(now))
    }
  }
  const leader = (): Member => [...members.values()].find(({ raft }) => raft.isLeader) as Member
  run(2_000)
  for (let size = 1; size <= 10; size++) {
    expect(leader().raft.propose(new Uint8Array(size), instant(now)).ok).toBe(true)
    run(10)
  }
  expect([...members.values()].map(({ count }) => count)).toEqual([55, 55, 55])

  const { raft, count } = leader()
  const at = raft.status().applied
  snapshots.set(at, count)
  expect(raft.snapshot(at)?.configuration.voters.incoming).toEqual([1, 2, 3])
  raft.purge(at)
  members.set(4, new Member(4, [], empty))
  const change = { changes: [{ kind: 'add-voter', replica: replicaId(4) }], transition: 'auto' } as const
  expect(raft.proposeConfChange(change, instant(now)).ok).toBe(true)
  run(500)
  expect(members.get(4)?.count).toBe(55)
  expect(formatStatus(raft.status())).toContain(`voters=1,2,3,4 snapshot=${at} purged=${at}`)

  expect(raft.transferLeadership(replicaId(4), instant(now)).ok).toBe(true)
  run(20)
  expect(members.get(4)?.raft.isLeader).toBe(true)
})
