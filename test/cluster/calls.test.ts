// Real calls through real replicas, short: each transport, with every message captured and checked. The full load is in
// load.ci.test.ts.

import { describe, expect, test } from 'vitest'
import { expectAllCalls, expectCleanWire } from './expectations.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

describe.skipIf(missing !== null)('calls through three replicas', () => {
  test.each([
    ['UDP, a socket for each call', 'un', 21],
    ['TCP', 't1', 22],
  ] as const)('RFC 3261 16: each message is relayed as a proxy may, over %s', async (_name, transport, slot) => {
    await inScene(slot, async (scene) => {
      const set = await scene.set()
      const capture = await scene.capture()
      const calls = 100
      const load = await scene.load({ phones: phones.routed, transport, rate: 50, calls, holdMs: 1_000 })
      await expectAllCalls(load, calls, { deadlineMs: 20_000, retransmissions: 'none' })
      await expectCleanWire(capture, scene.place, {
        INVITE: calls,
        '180 INVITE': calls,
        '200 INVITE': calls,
        ACK: calls,
        BYE: calls,
        '200 BYE': calls,
      })
      await set.statuses('no call is left', 2_000, (status) => status.calls.confirmed === 0 && status.calls.early === 0)
    })
  })

  test('RFC 3261 12.2.1.1, 16.12: a callee hangs up', async () => {
    await inScene(23, async (scene) => {
      await scene.set()
      const capture = await scene.capture()
      const load = await scene.load({ phones: phones.calleeHangsUp, transport: 'un', rate: 50, calls: 50, holdMs: 500 })
      await expectAllCalls(load, 50, { deadlineMs: 20_000, retransmissions: 'none' })
      await expectCleanWire(capture, scene.place, { INVITE: 50, '200 INVITE': 50, ACK: 50, BYE: 50, '200 BYE': 50 })
    })
  })

  test('RFC 3261 9, 16.10: a ringing call is cancelled', async () => {
    await inScene(24, async (scene) => {
      const set = await scene.set()
      const load = await scene.load({ phones: phones.cancelled, transport: 'un', rate: 50, calls: 50, holdMs: 500 })
      await expectAllCalls(load, 50, { deadlineMs: 20_000, retransmissions: 'none' })
      await set.statuses('no call is left', 2_000, (status) => status.calls.confirmed === 0 && status.calls.early === 0)
    })
  })

  test('a call outlives its proxy: kill -9 of the leader under load loses none', async () => {
    await inScene(25, async (scene) => {
      const set = await scene.set()
      const calls = 300
      const load = await scene.load({ phones: phones.routed, transport: 'u1', rate: 50, calls, holdMs: 2_000 })
      await load.caller.reaches('100 calls begun', 20_000, ({ created }) => created >= 100)
      const killed = set.leader
      set.kill(killed)
      await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
      expect(set.events).toContainEqual(expect.objectContaining({ event: 'exit', id: killed, signal: 'SIGKILL' }))
      await set.statuses('no call and no intent is left', 10_000, ({ calls: { early, confirmed }, intents }) => {
        return early === 0 && confirmed === 0 && intents.open === 0
      })
    })
  })
})
