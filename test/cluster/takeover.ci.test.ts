// Death during a takeover: the leader is killed, and shortly after it one of the two that take its calls over. Until the first
// is back there is no quorum. Ringing calls, established ones and new ones meet it; none is lost.

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const CALLS = 300

describe.skipIf(missing !== null)('the replica that takes over is killed too', () => {
  test.each([
    [50, 86],
    [100, 87],
    [200, 88],
    [400, 89],
  ])('%i ms after the first', async (delayMs, slot) => {
    await inScene(slot, async (scene) => {
      const set = await scene.set({ restart: '1' })
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const load = await scene.load({
        phones: phones.answeredLate,
        transport: 'un',
        rate: 50,
        calls: CALLS,
        holdMs: 1_500,
        calleeHoldMs: 1_500,
      })
      await set.statuses('calls ring and calls are up', 15_000, ({ calls }) => calls.early > 50 && calls.confirmed > 50)
      const first = set.leader
      const owned = await set.owned(first)
      const before = set.events.length
      const killed = performance.now()
      set.kill(first)
      // The delay is the schedule itself: nothing is waited for.
      await pause(delayMs)
      const others = set.ids.filter((id) => id !== first)
      // If another leads already, that one: its death costs the most.
      const second = others.includes(set.leader) ? set.leader : (others[0] as number)
      const apart = Math.round(performance.now() - killed)
      set.kill(second)
      await expectAllCalls(load, CALLS, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await set.whole(15_000, [first, second], before)
      await set.statuses('no call and no open intent is left', 5_000, ({ calls, intents }) => {
        return calls.early === 0 && calls.confirmed === 0 && intents.open === 0
      })
      await set.converged(5_000)
      expect(set.events.filter(({ event }) => event === 'exit')).toHaveLength(2)
      const { successful, retransmissions } = load.caller.stats()
      console.log(
        `killed replica ${first} (owned ${owned.get(first)}) and ${apart} ms later replica ${second} ` +
          `(owned ${owned.get(second)}): ${successful} of ${CALLS}, ${retransmissions} retransmissions`,
      )
    })
  })
})
