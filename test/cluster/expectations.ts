// What the tests with real processes expect, in one place.

import { expect } from 'vitest'
import { checkWire } from './wire-check.ts'
import { peerFault } from './sip-peer.ts'
import type { Capture } from './capture.ts'
import type { ReplicaSet } from './replica-set.ts'
import type { Place } from './replica-set.ts'
import type { Sipp } from './sipp.ts'

/** The end of a caller and its callee: every call as it should be, on both sides. */
export async function expectAllCalls(
  { caller, callee }: { caller: Sipp; callee: Sipp },
  calls: number,
  options: { readonly deadlineMs: number; readonly retransmissions: 'none' | 'allowed' },
): Promise<void> {
  const ofCaller = await caller.finished(options.deadlineMs)
  const ofCallee = await callee.reaches(
    `${calls} calls end`,
    // One whose ACK died with a replica repeats its 200 for up to 32 s.
    45_000,
    ({ successful, failed }) => successful + failed >= calls,
  )
  for (const stats of [ofCaller, ofCallee]) {
    expect(stats).toMatchObject({ created: calls, successful: calls, failed: 0, unexpected: 0 })
    if (options.retransmissions === 'none') expect(stats).toMatchObject({ retransmissions: 0, stray: 0 })
  }
  // An answer may come again once its call is over (a new owner repeats a BYE's, design.md 4). An INVITE would ring again.
  expect(callee.errors()).not.toMatch(/(?:Dead call|Discarding)[^\n]*(?:received|call:\n+)\s*'?INVITE/)
}

/** After the last call: nothing is left at once that a call owned, and nothing at all once the transactions are forgotten. */
export async function expectNothingLeft(set: ReplicaSet): Promise<void> {
  await set.statuses('no call and no open intent', 2_000, ({ calls, intents }) => {
    return calls.early === 0 && calls.confirmed === 0 && intents.open === 0
  })
  await set.statuses('no timer, no group, no entity after 64*T1', 40_000, ({ timers, groups, entities }) => {
    return timers.pending === 0 && groups === 0 && entities === 0
  })
  await set.converged(2_000)
}

/** Every message of the capture, read by two readers that share no code with the product. `relayed`: how many of each. */
export async function expectCleanWire(
  capture: Capture,
  { sip, caller, callee }: Place,
  relayed: Readonly<Record<string, number>> | 'repeats allowed',
): Promise<void> {
  const messages = await capture.stop()
  const phones = [caller, callee].map((address) => address.slice(0, address.lastIndexOf(':')))
  const report = checkWire(messages, sip, phones)
  expect(report.faults).toEqual([])
  if (relayed === 'repeats allowed') {
    expect(report.relayed).toMatchObject({ BYE: expect.any(Number) })
    // A few milliseconds of 180s, in the sockets of those who were killed.
    expect(report.lostProvisionals.length, report.lostProvisionals.join('\n')).toBeLessThanOrEqual(5)
  } else expect(report).toMatchObject({ relayed, repeated: 0, lostProvisionals: [] })
  const unread = messages.flatMap(({ text }) => {
    const fault = peerFault(text)
    return fault === null ? [] : [`${fault}: ${text}`]
  })
  expect(unread).toEqual([])
}
