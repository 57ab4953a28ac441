// design.md 10: "disk full: the leader steps down and says so". Each replica has a small file system of its own, which the
// test fills. That takes the right to mount one: where it is missing, src/replica/disk-full.test.ts (replicas in memory) and
// src/host/wal.test.ts (files that say ENOSPC) stand alone.

import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from './poll.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Scene } from './scene.ts'
import type { Sipp } from './sipp.ts'

const MB = 1_024 * 1_024
/** More than the 64 MB that a replica wants free before it takes new calls. */
const DISK_MB = 80

/** Why no small file system can be made here; null if one can. */
function unmountable(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mount-'))
  try {
    mount(folder)
    unmount(folder)
    return null
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string
  } finally {
    rmdirSync(folder)
  }
}

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder], { stdio: 'pipe' })
}

function unmount(folder: string): void {
  execFileSync('umount', [folder], { stdio: 'pipe' })
}

/** Writes until the file system takes nothing more. */
function fill(file: string): void {
  const handle = openSync(file, 'w')
  try {
    for (const piece of [Buffer.alloc(MB), Buffer.alloc(1_024)]) {
      for (let bytes = 0; bytes < DISK_MB * MB; bytes += piece.length) writeSync(handle, piece)
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(handle)
  }
}

/** A set whose replicas have disks of their own, as `DATA/replica-N`. */
async function inSceneWithDisks(slot: number, play: (scene: Scene, data: string) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'holdfast-disks-'))
  const disks = [1, 2, 3].map((id) => join(data, `replica-${id}`))
  const mounted: string[] = []
  try {
    for (const disk of disks) {
      mkdirSync(disk)
      mount(disk)
      mounted.push(disk)
    }
    await inScene(slot, (scene) => play(scene, data))
  } finally {
    mounted.forEach(unmount)
    rmSync(data, { recursive: true, force: true })
  }
}

/** All calls end as they should on both sides, and the phones with them. */
async function allEnd({ caller, callee }: { caller: Sipp; callee: Sipp }, calls: number): Promise<void> {
  for (const phone of [caller, callee]) {
    const stats = await phone.reaches(
      `${calls} calls end`,
      40_000,
      ({ successful, failed }) => successful + failed >= calls,
    )
    expect(stats).toMatchObject({ created: calls, successful: calls, failed: 0 })
  }
  await Promise.all([caller.destroy(), callee.destroy()])
}

const missing = missingTools() ?? unmountable()
if (missing !== null) console.warn(`skipped, disks that are full: ${missing}`)

describe.skipIf(missing !== null)('a full disk', () => {
  test("the leader's: another leads, calls that are up end well, new ones are taken; with room it serves again", async () => {
    await inSceneWithDisks(62, async (scene, data) => {
      const set = await scene.set({ data, restart: 'never' })
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const pids = set.ids.map((id) => set.pid(id))
      const up = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 50, holdMs: 5_000 })
      await set.statuses('50 calls are up', 10_000, ({ calls }) => calls.confirmed === 50)

      const full = set.leader
      const from = set.events.length
      const ballast = join(data, `replica-${full}`, 'ballast')
      fill(ballast)
      await until('new calls are refused at once', 5_000, () => /"code":"disk-reserve"/.test(set.stderr()) || null)
      // What calls write when they end finds no room.
      await set.event('another leads', 15_000, (event) => event.event === 'leader' && event.id !== full, from)
      expect(set.stderr()).toMatch(/"code":"disk-full".*the log's disk is full: this replica gives up leading term \d+/)
      await until('its /health says 503', 5_000, async () => ((await set.healthy(full)) ? null : true))
      await allEnd(up, 50)

      const others = set.ids.filter((id) => id !== full)
      await until('it is out', 5_000, async () => {
        const all = await Promise.all(others.map((id) => set.status(id)))
        return all.every(({ serving }) => serving.every(({ id }) => id !== full)) || null
      })
      await allEnd(await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 50, holdMs: 500 }), 50)

      rmSync(ballast)
      await set.statuses('all three serve again', 30_000, ({ serving }) => serving.length === 3)
      await until('its /health says 200', 5_000, async () => ((await set.healthy(full)) ? true : null))
      expect(set.stderr()).toMatch(/"code":"disk-room"/)
      expect(set.ids.map((id) => set.pid(id))).toEqual(pids)
    })
  })
})
