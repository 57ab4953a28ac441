// Backup and restore, and a majority that is lost for good, with calls that go on through it (decision 0045, docs/OPERATIONS.md).

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { command, Machines, writeConfig } from './machines.ts'
import { inScene, phones } from './scene.ts'
import type { Scene } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const HELD = 100

/** Three replicas that serve, with snapshots every 100 kB, and calls that are held for so long. */
async function withCalls(scene: Scene, machines: Machines, holdMs: number) {
  for (const id of [1, 2, 3]) machines.start(id)
  await machines.serve([1, 2, 3])
  const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: HELD, holdMs })
  await machines.confirmed([1, 2, 3], HELD)
  return load
}

async function inMachines(slot: number, work: (scene: Scene, config: string, machines: Machines) => Promise<void>) {
  await inScene(slot, async (scene) => {
    const config = join(scene.folder, 'set.json')
    writeConfig(config, join(scene.folder, 'data'), scene.place, { compaction: { every: 100_000, kept: 100 } })
    const machines = new Machines(config)
    try {
      await work(scene, config, machines)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${machines.story()}`, { cause: error })
    } finally {
      await machines.destroy()
    }
  })
}

describe.skipIf(missing !== null)('a set that is lost', () => {
  test('whole: calls go on in a new set that was restored from a backup, and the old replicas are not let in', async () => {
    await inMachines(151, async (scene, config, machines) => {
      const load = await withCalls(scene, machines, 25_000)
      const file = join(scene.folder, 'set.backup')
      const taken = await command(['backup', '--config', config, '--replica', '2', '--to', file])
      expect(taken).toMatchObject({ code: 0, stderr: '' })
      expect(taken.stdout).toContain('all that the set had committed')
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const again = await command(['backup', '--config', config, '--replica', '2', '--to', file])
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already') as string })

      // All machines burn.
      await machines.kill(1, 2, 3)
      const old = join(scene.folder, 'data', 'replica-2')
      const inPlace = await command(['restore', '--from', file, '--config', join(scene.folder, 'other.json')])
      expect(inPlace).toMatchObject({ code: 1, stderr: expect.stringContaining(`${old} is not empty`) as string })
      const same = await command(['restore', '--from', file, '--config', config])
      expect(same).toMatchObject({ code: 1, stderr: expect.stringContaining('has the id of the old set') as string })
      for (const id of [1, 2, 3]) machines.lose(id)

      const began = performance.now()
      const fresh = join(scene.folder, 'new.json')
      const restored = await command(['restore', '--from', file, '--config', fresh])
      expect(restored).toMatchObject({ code: 0, stderr: '' })
      expect(restored.stdout).toContain(`${HELD} calls answered and 0 not yet`)
      const [was, is] = [config, fresh].map((path) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)
      expect(is?.['set']).not.toBe(was?.['set'])
      expect(is?.['secret']).not.toBe(was?.['secret'])
      const next = new Machines(fresh)
      try {
        next.start(2)
        await next.serve([2])
        console.log(`the first replica of the new set serves ${Math.round(performance.now() - began)} ms after`)
        for (const id of [1, 3]) next.start(id, '--join')
        await next.serve([1, 2, 3])
        console.log(`all three ${Math.round(performance.now() - began)} ms after`)
        expect(load.caller.stats().successful).toBeLessThan(HELD)
        await expectAllCalls(load, HELD, { deadlineMs: 60_000, retransmissions: 'allowed' })
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${next.story()}`, { cause: error })
      } finally {
        await next.destroy()
      }
    })
  })

  test('but for one replica: that one goes on alone, and two fresh ones join', async () => {
    await inMachines(152, async (scene, _config, machines) => {
      const load = await withCalls(scene, machines, 25_000)
      await machines.kill(1, 3)
      for (const id of [1, 3]) machines.lose(id)
      const began = performance.now()
      const alone = await command(['members', 'rebootstrap', '2', '--i-lose', '1,3', '--admin', machines.admin(2)])
      expect(alone).toMatchObject({ code: 0, stderr: '' })
      await machines.serve([2])
      console.log(`the survivor serves ${Math.round(performance.now() - began)} ms after it is asked to`)
      for (const id of [1, 3]) machines.start(id, '--join')
      await machines.serve([1, 2, 3])
      console.log(`all three ${Math.round(performance.now() - began)} ms after`)
      await expectAllCalls(load, HELD, { deadlineMs: 60_000, retransmissions: 'allowed' })
    })
  })
})

describe.skipIf(missing !== null)('a backup', () => {
  test('disturbs no call that runs meanwhile, and is whole while the log is compacted', async () => {
    await inMachines(153, async (scene, config, machines) => {
      for (const id of [1, 2, 3]) machines.start(id)
      await machines.serve([1, 2, 3])
      const calls = 500
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls, holdMs: 1_000 })
      await load.caller.reaches('some have begun', 15_000, ({ created }) => created >= 50)
      let taken = 0
      while (load.caller.stats().created < calls - 50) {
        const to = join(scene.folder, `${taken}.backup`)
        const replica = String(1 + (taken % 3))
        const exit = await command(['backup', '--config', config, '--replica', replica, '--to', to])
        expect(exit).toMatchObject({ code: 0, stderr: '' })
        taken++
      }
      console.log(`${taken} backups`)
      expect(taken).toBeGreaterThan(1)
      await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
    })
  })
})
