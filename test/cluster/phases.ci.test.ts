// A death in every phase of a call: 100 calls stand in one phase, a replica is killed, each of the three in turn, and what
// comes next in those calls comes for 100 of 100.

import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Load } from './scene.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const CALLS = 100
// All calls begin within a second; what comes after the kill begins this long after a call's own beginning.
const HOLD_MS = 2_500

type Phase = 'early' | 'confirmed'

const flows: readonly {
  readonly title: string
  readonly phase: Phase
  readonly load: Pick<Load, 'phones' | 'holdMs' | 'calleeHoldMs'>
}[] = [
  {
    title: 'ringing, then answered',
    phase: 'early',
    load: { phones: phones.answeredLate, holdMs: 300, calleeHoldMs: HOLD_MS },
  },
  {
    title: 'ringing, then cancelled: the caller gets its 487, the callee its CANCEL',
    phase: 'early',
    load: { phones: phones.cancelled, holdMs: HOLD_MS },
  },
  {
    title: 'ringing, then refused with 486',
    phase: 'early',
    load: { phones: phones.refusedLate, holdMs: HOLD_MS },
  },
  {
    title: 'answered, then re-INVITE',
    phase: 'confirmed',
    load: { phones: phones.reinvited, holdMs: HOLD_MS },
  },
  {
    title: 'answered, then the BYE of the callee',
    phase: 'confirmed',
    load: { phones: phones.calleeHangsUp, holdMs: HOLD_MS },
  },
]

const kills = flows.flatMap((flow, at) => [1, 2, 3].map((id) => ({ ...flow, id, slot: 71 + at * 3 + id - 1 })))

describe.skipIf(missing !== null)(
  '100 calls in one phase, then one replica is killed: each of the three in turn',
  () => {
    test.concurrent.each(kills)('$title: replica $id', async ({ title, id, slot, phase, load }) => {
      await inScene(slot, async (scene) => {
        // It starts again, and takes part in the calls again, while they are still going on.
        const set = await scene.set({ restart: '1' })
        await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
        const running = await scene.load({ ...load, transport: 'un', rate: 100, calls: CALLS })
        await set.statuses(`${CALLS} calls are ${phase}`, 10_000, ({ calls }) => calls[phase] === CALLS)
        const role = set.leader === id ? 'the leader' : 'a follower'
        const owned = (await set.owned(id)).get(id) ?? 0
        const before = set.events.length
        set.kill(id)
        await set.event(`replica ${id} exits`, 5_000, (event) => event.event === 'exit' && event.id === id, before)
        const survivor = set.ids.find((other) => other !== id) as number
        const then = { early: 0, confirmed: 0, [phase]: CALLS }
        expect((await set.status(survivor)).calls, 'the kill came before the next phase').toEqual(then)
        await expectAllCalls(running, CALLS, { deadlineMs: 45_000, retransmissions: 'allowed' })
        const { successful, retransmissions } = running.caller.stats()
        console.log(
          `${title}: killed replica ${id} (${role}, owned ${owned} of ${CALLS} calls): ` +
            `${successful} of ${CALLS}, ${retransmissions} retransmissions`,
        )
        await set.whole(15_000, [id], before)
        await set.statuses('no call and no open intent is left', 5_000, ({ calls, intents }) => {
          return calls.early === 0 && calls.confirmed === 0 && intents.open === 0
        })
        await set.converged(5_000)
      })
    })
  },
)
