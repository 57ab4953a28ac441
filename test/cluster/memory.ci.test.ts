// A set without disks: a replica that dies comes back as another incarnation of its place, gets the set's state and counts again,
// while calls run. When the majority dies, an operator has to say what becomes of the rest.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { expectAllCalls } from './expectations.ts'
import { exitOf } from './programs.ts'
import { until } from './poll.ts'
import { root } from './replica-set.ts'
import type { ReplicaSet } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

/** All serve and vote; then who each of them is. */
async function whole(set: ReplicaSet): Promise<string[]> {
  const all = await set.statuses('all three serve and vote', 30_000, ({ serving, voters }) => {
    return serving.length === 3 && voters.length === 3
  })
  return all.map(({ incarnation }) => incarnation)
}

describe.skipIf(missing !== null)('a set in memory', () => {
  test('kill -9 of each replica in turn, more of them than a majority: no call is lost, and each comes back as another', async () => {
    await inScene(221, async (scene) => {
      const set = await scene.set({ durability: 'memory', restart: '1' })
      const founders = await whole(set)
      const calls = 1_200
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 40, calls, holdMs: 3_000 })
      await load.caller.reaches('100 calls begun', 20_000, ({ created }) => created >= 100)
      for (const id of [set.leader, ...set.ids.filter((other) => other !== set.leader)]) {
        expect(load.caller.stats().created).toBeLessThan(calls)
        const before = set.events.length
        set.kill(id)
        await set.whole(30_000, [id], before)
        await whole(set)
      }
      await expectAllCalls(load, calls, { deadlineMs: 90_000, retransmissions: 'allowed' })
      const successors = await whole(set)
      for (const incarnation of founders) expect(successors).not.toContain(incarnation)
      await set.statuses('no call and no intent is left', 10_000, ({ calls: { early, confirmed }, intents }) => {
        return early === 0 && confirmed === 0 && intents.open === 0
      })
      await set.converged(10_000)
    })
  })

  test('the majority dies: the survivor decides nothing until an operator gives the others up; its calls are still there', async () => {
    await inScene(222, async (scene) => {
      const set = await scene.set({ durability: 'memory', restart: '1' })
      await whole(set)
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 50, holdMs: 45_000 })
      await set.statuses('50 calls are up', 20_000, ({ calls }) => calls.confirmed === 50)
      const [survivor, ...lost] = set.ids.filter((id) => id !== set.leader).concat(set.leader)
      const left = must(survivor, 'one is left')
      const before = set.events.length
      for (const id of lost) set.kill(id)
      await until('it has no leader', 10_000, async () => !(await set.healthy(left)) || null)
      const order = (...args: string[]): string => {
        const named = ['members', 'rebootstrap', String(left), '--admin', set.admin(left), ...args]
        const { stdout, stderr } = spawnSync('npm', ['run', '-s', 'holdfast', '--', ...named], { cwd: root })
        return `${stdout.toString()}${stderr.toString()}`
      }
      expect(order()).toContain(`say so, --i-lose ${[...lost].sort().join()}`)
      expect(await set.healthy(left)).toBe(false)
      expect(order('--i-lose', lost.join())).toContain(`replica ${left} goes on alone`)
      await set.whole(30_000, lost, before)
      await whole(set)
      await set.statuses('the calls are still up', 5_000, ({ calls }) => calls.confirmed === 50)
      await expectAllCalls(load, 50, { deadlineMs: 90_000, retransmissions: 'allowed' })
    })
  })

  test('all die: what the set remembered is gone, and up says so', async () => {
    await inScene(223, async (scene) => {
      const set = await scene.set({ durability: 'memory', restart: '3' })
      await whole(set)
      for (const id of set.ids) set.kill(id)
      expect(await exitOf(set.program, 'up', 15_000)).toMatchObject({ code: 1 })
      expect(set.stderr()).toContain('what the set remembered is gone')
    })
  })
})
