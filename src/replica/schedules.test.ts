// Schedules that broke earlier versions of this room, driven through whole replicas.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { phone, request, response } from '../call/testing/phone.ts'
import { Trio } from './testing/trio.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)

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

test("3: a serving entry that an old leader left behind is not the new one's verdict about it", () => {
  const trio = new Trio(5).begin()
  const old = trio.leader()
  const dead = notLeading(trio)
  // The old leader's last entry reaches all, its commit nobody; and nothing tells its death but its silence.
  trio.frames = (_from, to, frame) =>
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

function startLines(trio: Trio, to: typeof caller): readonly string[] {
  return trio.sent
    .splice(0)
    .filter(({ flow }) => flow.host === to.flow.host)
    .map(({ data }) => data.slice(0, data.indexOf('\r\n')))
}

test('RFC 3261 17.2.1: a repeated INVITE of a call that rings gets its 180 again, not a 100', () => {
  const trio = new Trio().begin()
  const [at] = trio.ids as [ReplicaId]
  const invite = request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060')
  trio.sip(at, caller.flow, invite)
  const forwarded = must(
    trio.sent.find(({ data }) => data.startsWith('INVITE ')),
    'the INVITE at the callee',
  )
  trio.sip(at, callee.flow, response(callee, forwarded.data, 180))
  trio.pass(1_000)
  trio.sent.splice(0)
  trio.sip(at, caller.flow, invite)
  trio.pass(50)
  expect(startLines(trio, caller)).toEqual(['SIP/2.0 180 Ringing'])
})

test('3, passing on: what was lost on its way by the leader is passed again when a link or the leader is new', () => {
  const trio = new Trio().begin()
  const leader = trio.leader()
  const [one, two] = trio.ids.filter((id) => id !== leader) as [ReplicaId, ReplicaId]
  for (const [at, to] of [
    [one, two],
    [two, one],
  ] as const) {
    trio.link(at, to, 'closed')
  }
  // A call that the other follower owns.
  const mine = (callId: string): boolean => {
    trio.sip(two, caller.flow, request(caller, 'MESSAGE', 'sip:callee@example.com', { callId }))
    return trio.sent.splice(0).some(({ by, data }) => by === two && data.startsWith('MESSAGE '))
  }
  const callId = must(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find((name) => mine(name)),
    'a call of that follower',
  )
  const asked = request(caller, 'MESSAGE', 'sip:callee@example.com', { callId, branch: 'z9hG4bK-third' })
  trio.frames = (_from, to, frame) => frame.kind !== 'relay' || to !== leader
  trio.sip(one, caller.flow, asked)
  expect(startLines(trio, callee)).toEqual([])
  trio.frames = () => true
  trio.link(one, leader, 'closed')
  trio.link(one, leader, 'up')
  trio.settle()
  expect(startLines(trio, callee)).toHaveLength(1)
})
