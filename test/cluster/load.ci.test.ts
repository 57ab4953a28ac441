// 50 calls a second for 20 s, each 5 s long: a thousand calls, without one retransmission or unexpected message.

import { describe, test } from 'vitest'
import { expectAllCalls, expectCleanWire } from './expectations.ts'
import { foreignPhones, inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Phones } from './scene.ts'
import type { SippTransport } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const ways: readonly (readonly [name: string, transport: SippTransport])[] = [
  ['UDP, one socket', 'u1'],
  ['UDP, a socket for each call, so that every replica is an ingress', 'un'],
  ['TCP', 't1'],
]
const pairs: readonly Phones[] = [phones.builtIn, phones.routed, ...foreignPhones]
const runs = pairs.flatMap((pair) =>
  ways.map(([name, transport]) => ({ pair, name, transport, title: `${pair.name}, ${name}` })),
)

describe.skipIf(missing !== null)('a thousand calls, none sent twice', () => {
  test.each(runs.map((run, at) => ({ ...run, slot: 31 + at })))('$title', async ({ pair, transport, slot }) => {
    await inScene(slot, async (scene) => {
      const set = await scene.set()
      const capture = await scene.capture()
      const calls = 1_000
      const load = await scene.load({ phones: pair, transport, rate: 50, calls, holdMs: 5_000 })
      await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'none' })
      await set.statuses('no call and no open intent', 2_000, (status) => {
        return status.calls.early === 0 && status.calls.confirmed === 0 && status.intents.open === 0
      })
      await expectCleanWire(capture, scene.place, {
        INVITE: calls,
        '180 INVITE': calls,
        '200 INVITE': calls,
        ACK: calls,
        BYE: calls,
        '200 BYE': calls,
      })
    })
  })
})
