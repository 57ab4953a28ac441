// Starting, ending, and what goes wrong with processes, addresses and disks: real processes, no phones.

import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { exitOf, isAlive, signalPid } from './programs.ts'
import { until } from './poll.ts'
import { holdfast, launchSet, place } from './replica-set.ts'
import { inScene } from './scene.ts'
import type { Scene } from './scene.ts'

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** The last segment of a replica's log. */
function lastSegment(data: string, replica: number): string {
  const folder = join(data, `replica-${replica}`)
  const name = readdirSync(folder)
    .filter((file) => file.endsWith('.wal'))
    .sort()
    .at(-1)
  if (name === undefined) throw new Error(`no log in ${folder}`)
  return join(folder, name)
}

/** A set that ran once in `data` and ended as it should. */
async function ranOnce(scene: Scene, data: string): Promise<void> {
  const set = await scene.set({ data })
  await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
  expect(await set.stop()).toEqual({ code: 0, signal: null })
}

/** Starts a set that cannot start; its exit code and what it said. */
async function refused(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const program = holdfast(args)
  const exit = await exitOf(program, `holdfast ${args.join(' ')}`, 20_000)
  return { code: exit.code, said: program.stderr() }
}

function upArgs(slot: number, data: string): string[] {
  const { sip, admin, peer, callee } = place(slot)
  return ['up', '--json', '--sip', sip, '--admin', admin, '--peer', peer, '--next-hop', callee, '--data', data]
}

describe('ending', () => {
  test('SIGTERM ends all replicas, exits 0 and removes the temporary folder', async () => {
    await inScene(1, async (scene) => {
      const set = await scene.set()
      const pids = set.ids.map((id) => set.pid(id))
      expect(await set.stop()).toEqual({ code: 0, signal: null })
      expect(pids.filter(isAlive)).toEqual([])
      expect(set.events.filter(({ event }) => event === 'exit')).toHaveLength(3)
    })
  })

  test('up is killed with -9: its replicas end by themselves and free the address', async () => {
    await inScene(2, async (scene) => {
      const set = await scene.set()
      const pids = set.ids.map((id) => set.pid(id))
      signalPid(set.upPid, 'SIGKILL')
      await until('the replicas have ended', 5_000, () => (pids.some(isAlive) ? null : true))
      // The guard is free again: a new set starts on the same addresses.
      await scene.set()
    })
  })

  test('a replica that is killed is told, and starts again from its disk', async () => {
    await inScene(3, async (scene) => {
      const set = await scene.set({ restart: '1' })
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const before = set.events.length
      const killed = set.leader
      set.kill(killed)
      const exit = await set.event('exit', 5_000, (event) => event.event === 'exit', before)
      expect(exit).toEqual({ event: 'exit', id: killed, signal: 'SIGKILL' })
      const leader = await set.event('another leader', 5_000, (event) => event.event === 'leader', before)
      expect(leader).not.toMatchObject({ id: killed })
      await set.event('it starts again', 5_000, (event) => event.event === 'replica' && event.id === killed, before)
      const all = await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      expect(all.map(({ voters }) => voters)).toEqual([
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ])
      await set.converged(5_000)
    })
  })
})

describe('what cannot start says why', () => {
  test('a second set on the same address is told who holds it', async () => {
    await inScene(4, async (scene) => {
      const set = await scene.set()
      const { code, said } = await refused([...upArgs(4, join(scratch, 'second'))])
      expect(code).toBe(1)
      expect(said).toContain(scene.place.sip)
      expect(said).toMatch(new RegExp(`in use by .*set [0-9a-f]{16}, pid ${set.upPid}\\b`))
      await set.statuses('the first set lives on', 5_000, ({ detached }) => !detached)
    })
  })

  test('a data folder that cannot be written', async () => {
    const file = join(scratch, 'a-file')
    writeFileSync(file, 'not a folder')
    const { code, said } = await refused(upArgs(5, join(file, 'data')))
    expect(code).toBe(1)
    expect(said).toContain(join(file, 'data'))
    expect(said).toContain('--data')
  })

  test.each([
    ['an unknown option', ['up', '--replica', '3'], /unknown option --replica; did you mean --replicas\?/],
    ['a bad value', ['up', '--replicas', 'three'], /--replicas.*three/],
    ['an address that others can reach', ['up', '--sip', '192.0.2.1:5060'], /loopback/],
    ['an unknown command', ['down'], /down/],
  ])('%s: exit 64 and what would be right', async (_what, args, said) => {
    const answer = await refused(args)
    expect(answer.code).toBe(64)
    expect(answer.said).toMatch(said)
  })
})

describe('disks', () => {
  test('a data folder of another set is refused: one, and the others go on; most of them, and up ends', async () => {
    const [ours, other] = [join(scratch, 'ours'), join(scratch, 'other')]
    await inScene(6, async (scene) => {
      await ranOnce(scene, ours)
      await ranOnce(scene, other)
      swap(join(ours, 'replica-1'), join(other, 'replica-1'))
      const set = await scene.set({ data: ours })
      await until('the stranger is named', 5_000, () => (/replica-1.* belongs to set/.test(set.stderr()) ? true : null))
      expect(set.ids).toEqual([2, 3])
      await set.stop()
      swap(join(ours, 'replica-2'), join(other, 'replica-2'))
      const { code, said } = await refused(upArgs(6, ours))
      expect(code).toBe(1)
      expect(said).toMatch(/replica-1.* belongs to set [0-9a-f]{16}, not to set [0-9a-f]{16}/)
    })
  })

  test('a torn record at the end of a log is cut off, and the replica starts', async () => {
    const data = join(scratch, 'torn')
    await inScene(7, async (scene) => {
      await ranOnce(scene, data)
      const log = lastSegment(data, 1)
      const size = readFileSync(log).length
      appendFileSync(log, Buffer.from([9, 0, 0, 0, 7]))
      const set = await scene.set({ data })
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      expect(set.stderr()).toMatch(/torn/)
      expect(set.stderr()).toContain(`"offset":${size}`)
      await set.converged(5_000)
    })
  })

  test('a flipped bit in the middle of a log stops that replica with file and offset, and changes nothing', async () => {
    const data = join(scratch, 'flipped')
    await inScene(8, async (scene) => {
      await ranOnce(scene, data)
      const log = lastSegment(data, 2)
      const bytes = readFileSync(log)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 4
      writeFileSync(log, bytes)
      const set = await scene.set({ data })
      await until('the damage is named', 5_000, () => (/damaged at offset \d+/.test(set.stderr()) ? true : null))
      expect(set.stderr()).toContain(log)
      expect(set.ids).toEqual([1, 3])
      expect(readFileSync(log).equals(bytes)).toBe(true)
    })
  })

  test('a replica whose log is gone is not the one that it was, which could vote twice: it joins as another', async () => {
    const data = join(scratch, 'gone')
    await inScene(9, async (scene) => {
      await ranOnce(scene, data)
      rmSync(join(data, 'replica-3'), { recursive: true })
      const set = await scene.set({ data })
      const all = await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      for (const { voters, serving } of all) {
        expect([...voters].sort()).toEqual([1, 2, 3])
        expect(serving.find(({ id }) => id === 3)?.life).toMatch(/^1003\./)
      }
    })
  })

  test('a set that is started without --data leaves nothing behind', async () => {
    await inScene(10, async (scene) => {
      const set = launchSet({ place: scene.place })
      scene.adopt(set)
      await set.ready()
      const folder = await until(
        'its folder is told',
        2_000,
        () => /(\/\S*holdfast-\w+)/.exec(set.stderr())?.[1] ?? null,
      )
      expect(existsSync(folder)).toBe(true)
      await set.stop()
      expect(existsSync(folder)).toBe(false)
    })
  })
})

function swap(a: string, b: string): void {
  renameSync(a, `${a}.swapped`)
  renameSync(b, a)
  renameSync(`${a}.swapped`, b)
}
