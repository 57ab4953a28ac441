import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSetFolder, peekSet, putAside } from './set-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-set-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function complaint(path: string, replicas = 3): Promise<string> {
  const result = await openSetFolder(path, replicas)
  return result.ok ? 'none' : result.error
}

test('a set keeps its id, and which replicas have run, however many say so at once', async () => {
  const first = await openSetFolder(folder, 3)
  if (!first.ok) throw new Error(first.error)
  await Promise.all([3, 1, 2, 3].map((replica) => first.value.markStarted(replica)))
  const second = await openSetFolder(folder, 3)
  if (!second.ok) throw new Error(second.error)
  expect(second.value.membership).toEqual(first.value.membership)
  expect([1, 2, 3, 4].map((replica) => second.value.hasRun(replica))).toEqual([true, true, true, false])
  expect(await peekSet(folder)).toEqual({ ...first.value.membership, replicas: [1, 2, 3] })
})

test('a temporary folder goes, one that was given stays', async () => {
  const temporary = await openSetFolder(null, 3)
  const given = await openSetFolder(folder, 3)
  if (!temporary.ok || !given.ok) throw new Error('not opened')
  await temporary.value.removeIfTemporary()
  await given.value.removeIfTemporary()
  expect(() => readFileSync(join(temporary.value.path, 'set.json'))).toThrow('ENOENT')
  expect(readFileSync(join(folder, 'set.json'), 'utf8')).toContain(given.value.membership.secret)
})

test('what cannot be used says why', async () => {
  await openSetFolder(folder, 3)
  expect(await complaint(folder, 5)).toContain('holds a set of 3 replicas, not of 5: leave --replicas out')
  writeFileSync(join(folder, 'set.json'), '{"holdfast":"s')
  expect(await complaint(folder)).toContain("set.json can't be read as a set of Holdfast")
  expect(await complaint('/proc/holdfast')).toContain("the data folder /proc/holdfast can't be used")
})

test('a set that was changed keeps its replicas; who is none of them any more has not run', async () => {
  const first = await openSetFolder(folder, 3)
  if (!first.ok) throw new Error(first.error)
  await first.value.setReplicas([1, 2, 3, 4])
  for (const replica of [1, 2, 3, 4]) await first.value.markStarted(replica)
  await first.value.setReplicas([2, 3, 4])
  const second = await openSetFolder(folder, null)
  if (!second.ok) throw new Error(second.error)
  expect(second.value.replicas).toEqual([2, 3, 4])
  expect([1, 2, 3, 4].map((replica) => second.value.hasRun(replica))).toEqual([false, true, true, true])
})

test('a folder is put aside under a name that is free, and one that is not there is none', async () => {
  for (let times = 0; times < 2; times++) {
    mkdirSync(join(folder, 'replica-3'))
    await putAside(join(folder, 'replica-3'))
  }
  await putAside(join(folder, 'replica-4'))
  expect(readdirSync(folder).sort()).toEqual(['replica-3.old-1', 'replica-3.old-2'])
})
