// The list of banned sources that the replicas of a set share (decision 0030).

import { beforeEach, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { seconds } from '../base/instant.ts'
import { BANS } from '../call/bans.ts'
import { label, phone, request } from '../call/testing/phone.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const [good, bad] = [phone('good', '192.0.2.9', 5062), phone('bad', '198.51.100.7', 5062)]
let bench: Bench
let calls = 0

beforeEach(() => {
  bench = new Bench().begin()
})

/** Whether a call from there goes on to the next hop, from that replica. */
function isHeard(id: ReplicaId, who: typeof good): boolean {
  const callId = `ban-${++calls}`
  const target = `sip:callee@${sip.host}:${sip.port}`
  bench.sip(id, who.flow, request(who, 'INVITE', target, { callId, branch: `z9hG4bK-${callId}` }))
  bench.pass(seconds(1))
  const sent = bench.takeSent().filter(({ data }) => data.includes(`Call-ID: ${callId}\r\n`))
  if (sent.length === 0) return false
  expect(sent.some(({ flow, data }) => flow.host === nextHop.host && label(data) === 'INVITE')).toBe(true)
  return true
}

const heard = (who: typeof good): readonly boolean[] => running().map((id) => isHeard(id, who))
const running = (): readonly ReplicaId[] => bench.ids.filter((id) => bench.runs(id))

/** Who owns the list. */
const owner = (): ReplicaId =>
  must(
    bench.ids.find((id) => bench.lifeOf(id) === bench.replica(bench.leader()).store.ownerOf(BANS)),
    'an owner',
  )

test('whoever is asked, all replicas take nothing from a banned block, answer it nothing, and hear it again once it is removed', () => {
  for (const id of bench.ids) {
    const source = '198.51.100.0/24'
    expect(bench.ban(id, { kind: 'ban', source, seconds: null })).toEqual({
      status: 200,
      body: { ok: true, source, until: null },
    })
    expect([heard(bad), heard(good)]).toEqual([
      [false, false, false],
      [true, true, true],
    ])
    expect(bench.metric(id, 'sip_dropped_banned')).toBeGreaterThan(0)
    expect(bench.ban(id, { kind: 'unban', source })?.status).toBe(200)
    expect(heard(bad)).toEqual([true, true, true])
  }
})

test('a ban outlives its owner and the restart of all, and ends once, at one index, at every replica', () => {
  const [first] = bench.ids as [ReplicaId]
  const answer = bench.ban(first, { kind: 'ban', source: '198.51.100.7', seconds: 20 })
  expect(answer?.body).toMatchObject({ ok: true, until: expect.any(Number) })
  const gone = owner()
  bench.kill(gone)
  bench.pass(seconds(3))
  expect(heard(bad)).toEqual([false, false])
  bench.restart(gone)
  bench.pass(seconds(3))
  for (const id of bench.ids) bench.kill(id)
  for (const id of bench.ids) bench.restart(id)
  bench.begin()
  expect(heard(bad)).toEqual([false, false, false])
  bench.pass(seconds(20))
  for (const id of bench.ids) expect(bench.ask(id, { kind: 'bans' }).body).toEqual([])
  expect(new Set(bench.ids.map((id) => bench.replica(id).store.hash())).size).toBe(1)
  expect(heard(bad)).toEqual([true, true, true])
})

test('given again, its end is set anew; each replica shows the list', () => {
  const [first, second] = bench.ids as [ReplicaId, ReplicaId]
  bench.ban(first, { kind: 'ban', source: '198.51.100.7', seconds: 5 })
  bench.ban(second, { kind: 'ban', source: '198.51.100.7', seconds: null })
  bench.ban(second, { kind: 'ban', source: '192.0.2.128/25', seconds: 5 })
  bench.pass(seconds(10))
  expect(bench.ask(first, { kind: 'bans' }).body).toEqual([
    { source: '198.51.100.7', since: expect.any(Number), until: null },
  ])
  expect([isHeard(first, bad), isHeard(first, good)]).toEqual([false, true])
})

test('without a quorum nobody is banned, and that is said', () => {
  const [first] = bench.followers() as [ReplicaId]
  for (const id of bench.ids) if (id !== first) bench.stop(id)
  bench.pass(seconds(2))
  const refused = bench.ban(first, { kind: 'ban', source: '198.51.100.7', seconds: 5 })
  expect(refused).toEqual({ status: 503, body: { ok: false, error: expect.stringContaining('ask again') } })
})
