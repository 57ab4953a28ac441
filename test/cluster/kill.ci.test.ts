// A call outlives its proxy: replicas are killed with -9 under load, and no call notices.

import { describe, expect, test } from 'vitest'
import { expectAllCalls, expectCleanWire, expectNothingLeft } from './expectations.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { ReplicaSet } from './replica-set.ts'
import type { Phones, Scene } from './scene.ts'
import type { SippTransport } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const rounds: readonly (readonly [round: number, phones: Phones, transport: SippTransport])[] = [
  [1, phones.builtInCaller, 'u1'],
  [2, phones.builtInCaller, 'un'],
  [3, phones.routed, 'u1'],
  [4, phones.routed, 'un'],
  [5, phones.routed, 'un'],
]

/** The round whose every relayed message is captured and checked. */
const CAPTURED = 4

/** Kills a replica and waits until it was started again; its id. */
async function killAndRestart(set: ReplicaSet, id: number): Promise<number> {
  const before = set.events.length
  set.kill(id)
  await set.event(`replica ${id} exits`, 5_000, (event) => event.event === 'exit' && event.id === id, before)
  await set.event(`replica ${id} starts again`, 10_000, (event) => event.event === 'replica' && event.id === id, before)
  return id
}

let last: Promise<unknown> = Promise.resolve()

/** Runs that after what was given before it has ended. */
async function oneAtATime<T>(run: () => Promise<T>): Promise<T> {
  const before = last
  const own = (async () => {
    await before.catch(() => {})
    return await run()
  })()
  last = own
  return await own
}

/** The set, all of it started again. */
async function callsWithTwoKills(
  scene: Scene,
  round: number,
  pair: Phones,
  transport: SippTransport,
): Promise<ReplicaSet> {
  const set = await scene.set()
  const capture = round === CAPTURED ? await scene.capture() : null
  const load = await scene.load({ phones: pair, transport, rate: 50, calls: 1_000, holdMs: 5_000 })
  // 50 calls a second: the 400th begins at 8 s, the 800th at 16 s.
  await load.caller.reaches('400 calls begun', 30_000, ({ created }) => created >= 400)
  const first = await killAndRestart(set, set.leader)
  await load.caller.reaches('800 calls begun', 30_000, ({ created }) => created >= 800)
  const other = set.ids.find((id) => id !== first) as number
  set.kill(other)
  await expectAllCalls(load, 1_000, { deadlineMs: 90_000, retransmissions: 'allowed' })
  if (capture !== null) await expectCleanWire(capture, scene.place, 'repeats allowed')
  await set.event(`replica ${other} starts again`, 15_000, (event) => event.event === 'replica' && event.id === other)
  return set
}

describe.skipIf(missing !== null)('1000 of 1000 with two kills', () => {
  // Most of a round is a wait until all is forgotten: the next one's calls begin meanwhile, with a set of its own.
  test.concurrent.each(rounds)(
    'round %i: the leader at 8 s, another replica at 16 s',
    async (round, pair, transport) => {
      await inScene(50 + round, async (scene) => {
        const set = await oneAtATime(() => callsWithTwoKills(scene, round, pair, transport))
        await expectNothingLeft(set)
      })
    },
  )
})

describe.skipIf(missing !== null)('all at once', () => {
  test('100 calls are up, all three replicas are killed and start from disk: every BYE gets its 200', async () => {
    await inScene(56, async (scene) => {
      const set = await scene.set({ restart: '1' })
      const capture = await scene.capture()
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 100, holdMs: 10_000 })
      await set.statuses('100 calls are up', 10_000, ({ calls }) => calls.confirmed === 100)
      const before = set.events.length
      for (const id of set.ids) set.kill(id)
      for (const id of set.ids) {
        await set.event(`replica ${id} again`, 10_000, (event) => event.event === 'replica' && event.id === id, before)
      }
      await set.statuses('all serve, and know the calls', 15_000, ({ serving, calls }) => {
        return serving.length === 3 && calls.confirmed === 100
      })
      await expectAllCalls(load, 100, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await expectCleanWire(capture, scene.place, 'repeats allowed')
      await expectNothingLeft(set)
    })
  })
})

describe.skipIf(missing !== null)('calls that are not answered yet, or end from the other side', () => {
  test('ringing calls are cancelled after the leader was killed', async () => {
    await inScene(57, async (scene) => {
      const set = await scene.set()
      const load = await scene.load({ phones: phones.cancelled, transport: 'un', rate: 50, calls: 200, holdMs: 3_000 })
      await set.statuses('100 calls ring', 20_000, ({ calls }) => calls.early >= 100)
      set.kill(set.leader)
      await expectAllCalls(load, 200, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await set.statuses('no call is left', 10_000, ({ calls }) => calls.early === 0 && calls.confirmed === 0)
    })
  })

  test('callees hang up after the leader was killed', async () => {
    await inScene(58, async (scene) => {
      const set = await scene.set()
      const load = await scene.load({
        phones: phones.calleeHangsUp,
        transport: 'un',
        rate: 50,
        calls: 200,
        holdMs: 3_000,
      })
      await set.statuses('100 calls are up', 20_000, ({ calls }) => calls.confirmed >= 100)
      set.kill(set.leader)
      await expectAllCalls(load, 200, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await set.statuses('no call is left', 10_000, ({ calls }) => calls.early === 0 && calls.confirmed === 0)
    })
  })

  test('each replica in turn: calls go on whoever dies', async () => {
    await inScene(59, async (scene) => {
      const set = await scene.set({ restart: '2' })
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 20, calls: 500, holdMs: 4_000 })
      for (const [at, id] of set.ids.entries()) {
        const begun = 100 + at * 130
        await load.caller.reaches(`${begun} calls begun`, 40_000, ({ created }) => created >= begun)
        await killAndRestart(set, id)
      }
      await expectAllCalls(load, 500, { deadlineMs: 90_000, retransmissions: 'allowed' })
      expect(set.events.filter((event) => event.event === 'exit')).toHaveLength(3)
    })
  })
})
