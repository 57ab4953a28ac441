// The set changes, and its replicas are restarted, while calls run at 100 a second: none is lost (decisions/0018 and 0023). All of it
// by the commands that an operator has.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { exitOf, signalPid } from './programs.ts'
import { holdfast } from './replica-set.ts'
import type { ReplicaSet, SetOptions } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import type { Scene } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Sipp } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

interface Load {
  readonly caller: Sipp
  readonly callee: Sipp
}

/** A set whose replicas all serve, and calls at 100 a second of which the first 100 have begun. */
async function underLoad(scene: Scene, calls: number, options: Omit<SetOptions, 'place'> = {}) {
  const set = await scene.set({ restart: '1', ...options })
  await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
  // Long enough that an ACK that is late on a busy machine comes before the BYE: SIPp's callee can't take them the other way round.
  const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 100, calls, holdMs: 5_000 })
  await load.caller.reaches('100 calls have begun', 15_000, ({ created }) => created >= 100)
  return { set, load }
}

/** An operator's command at the set's admin address: it is done with exit code 0, while calls begin. What it said. */
async function operate(scene: Scene, load: Load, calls: number, args: readonly string[]): Promise<string> {
  const began = performance.now()
  expect(load.caller.stats().created).toBeLessThan(calls)
  const program = holdfast([...args, '--admin', scene.place.admin])
  const exit = await exitOf(program, `holdfast ${args.join(' ')}`, 120_000)
  expect({ exit, said: program.stderr() }).toEqual({ exit: { code: 0, signal: null }, said: '' })
  console.log(`holdfast ${args.join(' ')}: ${Math.round(performance.now() - began)} ms`)
  return program.stdout()
}

/** Every call as it should be, and nothing of them left; says what it cost. */
async function expectNoneLost(set: ReplicaSet, load: Load, calls: number): Promise<void> {
  await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
  await set.statuses('no call and no open intent is left', 5_000, ({ calls: left, intents }) => {
    return left.early === 0 && left.confirmed === 0 && intents.open === 0
  })
  await set.converged(5_000)
  const { successful, retransmissions } = load.caller.stats()
  console.log(`${successful} of ${calls} calls, ${retransmissions} retransmissions of the caller`)
}

const sorted = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => a - b)

/** All of them vote and serve, and know it. */
async function made(set: ReplicaSet, replicas: readonly number[]): Promise<void> {
  await set.statuses(`${replicas.join(', ')} vote and serve`, 15_000, ({ voters, serving }) => {
    const serve = sorted(serving.map(({ id }) => id))
    return [sorted(voters), serve].every((ids) => ids.join() === replicas.join())
  })
}

describe.skipIf(missing !== null)('the set changes', () => {
  test('a fourth replica is added', async () => {
    await inScene(202, async (scene) => {
      const { set, load } = await underLoad(scene, 2_000)
      const said = await operate(scene, load, 2_000, ['members', 'add'])
      expect(said.trimEnd().split('\n').at(-1)).toBe('done')
      expect(set.ids).toEqual([1, 2, 3, 4])
      await made(set, [1, 2, 3, 4])
      await expectNoneLost(set, load, 2_000)
    })
  })

  test('the first replica is removed while it leads, and its process ends', async () => {
    await inScene(203, async (scene) => {
      const { set, load } = await underLoad(scene, 2_000)
      await operate(scene, load, 2_000, ['members', 'transfer', '1'])
      expect((await set.status(1)).role).toBe('leader')
      const before = set.events.length
      await operate(scene, load, 2_000, ['members', 'remove', '1'])
      await set.event('its process ends', 5_000, (event) => event.event === 'exit' && event.id === 1, before)
      set.forget(1)
      await made(set, [2, 3])
      await expectNoneLost(set, load, 2_000)
      // It is none of the set's any more, and is not started again.
      expect(set.events.slice(before).filter((event) => event.event === 'replica')).toEqual([])
    })
  })

  test('leadership goes round', async () => {
    await inScene(204, async (scene) => {
      const { set, load } = await underLoad(scene, 2_000)
      for (const id of set.ids) {
        await operate(scene, load, 2_000, ['members', 'transfer', String(id)])
        expect((await set.status(id)).role).toBe('leader')
      }
      await expectNoneLost(set, load, 2_000)
    })
  })

  test('a replica is killed with -9 and its disk is lost: a fresh one takes its place', async () => {
    await inScene(205, async (scene) => {
      const data = join(scene.folder, 'data')
      const { set, load } = await underLoad(scene, 2_000, { data, restart: 'never' })
      const lost = set.ids.find((id) => id !== set.leader) as number
      const before = set.events.length
      set.kill(lost)
      await set.event('it dies', 5_000, (event) => event.event === 'exit' && event.id === lost, before)
      rmSync(join(data, `replica-${lost}`), { recursive: true })
      await operate(scene, load, 2_000, ['members', 'replace', String(lost)])
      await made(set, [1, 2, 3])
      const served = (await set.status(lost)).serving.find(({ id }) => id === lost)
      // Another incarnation of the same place.
      expect(Number(served?.life.split('.')[0])).toBe(lost + 1_000)
      await expectNoneLost(set, load, 2_000)
    })
  })
})

describe.skipIf(missing !== null)('a rolling restart', () => {
  test('each replica in turn is told to end by SIGTERM, hands over, and is started again', async () => {
    await inScene(201, async (scene) => {
      const { set, load } = await underLoad(scene, 3_000)
      for (const id of set.ids) {
        expect(load.caller.stats().created).toBeLessThan(3_000)
        const before = set.events.length
        const asked = performance.now()
        signalPid(set.pid(id), 'SIGTERM')
        const exit = await set.event('it ends', 25_000, (event) => event.event === 'exit' && event.id === id, before)
        expect(exit).toEqual({ event: 'exit', id, code: 0 })
        console.log(`replica ${id} ended after ${Math.round(performance.now() - asked)} ms`)
        await set.whole(15_000, [id], before)
      }
      await expectNoneLost(set, load, 3_000)
    })
  })

  test('holdfast restart --rolling does it for all, and says how far it is', async () => {
    await inScene(206, async (scene) => {
      const { set, load } = await underLoad(scene, 2_000)
      const pids = set.ids.map((id) => set.pid(id))
      const said = await operate(scene, load, 2_000, ['restart', '--rolling'])
      expect(said.match(/^replica \d serves$/gm)).toHaveLength(3)
      for (const [at, id] of set.ids.entries()) expect(set.pid(id)).not.toBe(pids[at])
      await made(set, [1, 2, 3])
      await expectNoneLost(set, load, 2_000)
    })
  })
})
