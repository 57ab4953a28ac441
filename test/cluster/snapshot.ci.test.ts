// The log is compacted under load, a replica that was away for too long gets a snapshot, and all of them restart from theirs.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { until } from './poll.ts'
import type { ReplicaSet } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const compaction = { every: 200_000, kept: 100 }

/** Bytes of a replica's files: of its log, and how many snapshots there are. */
function filesOf(folder: string): { readonly log: number; readonly snapshots: readonly string[] } {
  const names = readdirSync(folder)
  const sizes = names
    .filter((name) => name.endsWith('.wal'))
    // It may go while it is looked at.
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
  return {
    log: sizes.reduce((sum, size) => sum + size, 0),
    snapshots: names.filter((name) => name.endsWith('.snap')).sort(),
  }
}

async function again(set: ReplicaSet, ids: readonly number[], from: number): Promise<void> {
  for (const id of ids) {
    await set.event(`replica ${id} again`, 15_000, (event) => event.event === 'replica' && event.id === id, from)
  }
}

describe.skipIf(missing !== null)('snapshots', () => {
  test('a log that is compacted again and again loses no call, whoever is away and whoever dies', async () => {
    await inScene(97, async (scene) => {
      const data = join(scene.folder, 'data')
      const set = await scene.set({ data, restart: '3', compaction })
      const folders = set.ids.map((id) => join(data, `replica-${id}`))
      const names = folders.map(() => new Set<string>())
      // While it is replaced, the log is that from the rotation before on, and what came since: on a busy machine that was 801,685 bytes.
      const look = (): void => {
        for (const [i, folder] of folders.entries()) {
          const { log, snapshots } = filesOf(folder)
          expect(log).toBeLessThan(5 * compaction.every)
          expect(snapshots.length).toBeLessThanOrEqual(2)
          for (const name of snapshots) names[i]?.add(name)
        }
      }
      // None ends before all are up: a callee of SIPp answers no BYE twice, and one may be under way when all die.
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 700, holdMs: 25_000 })
      const begun = (count: number): Promise<unknown> =>
        load.caller.reaches(`${count} calls begun`, 30_000, ({ created }) => (look(), created >= count))

      await begun(100)
      const away = set.ids.find((id) => id !== set.leader) as number
      const before = set.events.length
      set.kill(away)
      await again(set, [away], before)
      await until(
        'it gets a snapshot',
        10_000,
        async () => (await set.counter(away, 'snapshots_installed')) > 0 || null,
      )
      await set.statuses('all serve', 15_000, ({ serving }) => serving.length === 3)
      expect(load.caller.stats().created).toBeLessThan(700)

      await set.statuses('700 calls are up', 30_000, ({ calls }) => (look(), calls.confirmed === 700))
      for (const written of names) expect(written.size).toBeGreaterThan(3)
      const atTheEnd = set.events.length
      for (const id of set.ids) set.kill(id)
      await until('all are dead', 5_000, () => set.ids.every((id) => exits(set, id, atTheEnd)) || null)
      for (const folder of folders) expect(filesOf(folder).snapshots).not.toEqual([])
      await again(set, set.ids, atTheEnd)
      await expectAllCalls(load, 700, { deadlineMs: 60_000, retransmissions: 'allowed' })
      look()
      await set.statuses('no call and no open intent', 2_000, ({ calls, intents }) => {
        return calls.early === 0 && calls.confirmed === 0 && intents.open === 0
      })
      await set.converged(5_000)
    })
  })
})

function exits(set: ReplicaSet, id: number, from: number): boolean {
  return set.events.slice(from).some((event) => event.event === 'exit' && event.id === id)
}
