// What the page is drawn from, at a whole replica.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { seconds } from '../base/instant.ts'
import { phone, request, response } from '../call/testing/phone.ts'
import type { Metric } from './admin.ts'
import { limits } from './limits.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', nextHop.host, nextHop.port)

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

interface Glance {
  readonly status: { readonly timers: { readonly pending: number }; readonly calls: { readonly confirmed: number } }
  readonly upcoming: readonly { readonly deadline: number; readonly calls: readonly string[]; readonly owner: string }[]
  readonly commitTimes: readonly number[]
}

/** Calls of that replica, answered. */
function withCalls(bench: Bench, callIds: readonly string[]): void {
  const [owner] = bench.followers()
  for (const callId of callIds) {
    const invite = request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, {
      callId,
      branch: `z9hG4bK-${callId}`,
    })
    bench.step(must(owner, 'a follower'), { kind: 'sip', flow: caller.flow, data: invite })
    bench.pass(seconds(1))
    const forwarded = must(
      bench.takeSent().find(({ data }) => data.startsWith('INVITE ')),
      'an INVITE that was forwarded',
    )
    bench.step(must(owner, 'a follower'), {
      kind: 'sip',
      flow: callee.flow,
      data: response(callee, forwarded.data, 200),
    })
    bench.pass(seconds(1))
  }
}

test('GET /glance: the status, the timers that fire next with their calls, and how long the maker of a commit waited', () => {
  const bench = new Bench().begin()
  const [owner] = bench.followers()
  const at = must(owner, 'a follower')
  const callIds = bench.callIds(at, limits.upcomingTimers + 2)
  withCalls(bench, callIds)
  const { status, upcoming, commitTimes } = bench.ask(at, { kind: 'glance' }).body as Glance
  expect(status.calls.confirmed).toBe(callIds.length)
  expect(status.timers.pending).toBe(callIds.length)
  expect(upcoming).toHaveLength(limits.upcomingTimers)
  expect(upcoming.map(({ calls }) => calls)).toEqual(callIds.slice(0, limits.upcomingTimers).map((one) => [one]))
  expect(upcoming.map(({ deadline }) => deadline)).toEqual(upcoming.map(({ deadline }) => deadline).toSorted())
  expect(new Set(upcoming.map(({ owner }) => owner))).toEqual(new Set([bench.lifeOf(at)]))
  // Two of each call, all of its owner's making: another one measured nothing.
  expect(sum(commitTimes)).toBe(2 * callIds.length)
  const [, other] = bench.followers()
  const theirs = bench.ask(must(other, 'another follower'), { kind: 'glance' }).body as Glance
  expect(sum(theirs.commitTimes)).toBe(0)
  const metrics = bench.ask(at, { kind: 'metrics' }).body as readonly Metric[]
  const told = metrics.find(({ name }) => name === 'commit_seconds')
  expect(told?.buckets?.at(-1)?.[0]).toBeNull()
  expect(sum(told?.buckets?.map(([, count]) => count) ?? [])).toBe(2 * callIds.length)
})
