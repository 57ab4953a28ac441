// The set changes, and is restarted, while calls run at 100 a second: none is lost (issue of the operators: decisions/0023).

import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { signalPid } from './programs.ts'
import type { ReplicaSet } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import type { Scene } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Sipp, SippTransport } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

/** Twenty seconds of them. */
const CALLS = 2_000

/** A set whose replicas all serve, and calls at 100 a second of which the first 100 have begun. */
async function underLoad(scene: Scene, calls: number, transport: SippTransport = 'un') {
  const set = await scene.set({ restart: '1' })
  await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
  const load = await scene.load({ phones: phones.routed, transport, rate: 100, calls, holdMs: 2_000 })
  await load.caller.reaches('100 calls have begun', 15_000, ({ created }) => created >= 100)
  return { set, load }
}

/** Every call as it should be, and nothing of them left; says what it cost. */
async function expectNoneLost(set: ReplicaSet, load: { caller: Sipp; callee: Sipp }, calls: number): Promise<void> {
  await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
  await set.statuses('no call and no open intent is left', 5_000, ({ calls: left, intents }) => {
    return left.early === 0 && left.confirmed === 0 && intents.open === 0
  })
  await set.converged(5_000)
  const { successful, retransmissions } = load.caller.stats()
  console.log(`${successful} of ${calls} calls, ${retransmissions} retransmissions of the caller`)
}

describe.skipIf(missing !== null)('a rolling restart', () => {
  test('each replica in turn is told to end by SIGTERM, hands over, and is started again: no call is lost', async () => {
    await inScene(201, async (scene) => {
      const { set, load } = await underLoad(scene, CALLS)
      for (const id of set.ids) {
        expect(load.caller.stats().created).toBeLessThan(CALLS)
        const before = set.events.length
        const asked = performance.now()
        signalPid(set.pid(id), 'SIGTERM')
        const exit = await set.event('it ends', 25_000, (event) => event.event === 'exit' && event.id === id, before)
        expect(exit).toEqual({ event: 'exit', id, code: 0 })
        console.log(`replica ${id} ended after ${Math.round(performance.now() - asked)} ms`)
        await set.whole(15_000, [id], before)
      }
      await expectNoneLost(set, load, CALLS)
    })
  })
})
