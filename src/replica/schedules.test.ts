// Schedules that broke earlier versions of this room, driven through whole replicas.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { Trio } from './testing/trio.ts'

function notLeading(trio: Trio): ReplicaId {
  const leader = trio.leader()
  return must(
    trio.ids.find((id) => id !== leader),
    'a follower',
  )
}

test('3: who is known dead is out of serving one round trip later, not with the next heartbeat', () => {
  const trio = new Trio().begin()
  const dead = notLeading(trio)
  const leader = trio.replica(trio.leader())
  trio.pass(37)
  trio.kill(dead)
  trio.link(trio.leader(), dead, 'refused')
  trio.settle()
  expect(leader.store.serving().members.map(({ life }) => life)).not.toContain(trio.lifeOf(dead))
})

test('3: a serving entry that an old leader left behind is not the new one\'s verdict about it', () => {
  const trio = new Trio(5).begin()
  const old = trio.leader()
  const dead = notLeading(trio)
  // The old leader's last entry reaches all, its commit nobody; and nothing tells its death but its silence.
  trio.frames = (from, to, frame) =>
    frame.kind !== 'raft' || to !== old || frame.messages.every(({ kind }) => kind !== 'append-response')
  trio.kill(dead)
  trio.link(old, dead, 'refused')
  trio.settle()
  trio.kill(old)
  for (let i = 0; i < 2_000 && !trio.ids.some((id) => id !== old && trio.replica(id).raft.isLeader); i++) trio.pass(1)
  const { store } = trio.replica(trio.leader())
  expect(store.serving().members.map(({ life }) => life)).not.toContain(trio.lifeOf(dead))
  expect(store.serving().members.map(({ life }) => life)).not.toContain(trio.lifeOf(old))
})
