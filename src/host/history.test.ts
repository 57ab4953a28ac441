import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { erasOf, History, HISTORY } from './history.ts'

let data = ''

beforeEach(() => (data = mkdtempSync(join(tmpdir(), 'holdfast-history-'))))
afterEach(() => rmSync(data, { recursive: true, force: true }))

const kept = (): readonly string[] => (existsSync(join(data, HISTORY)) ? readdirSync(join(data, HISTORY)).sort() : [])

async function take(history: History, name: string, bytes: number): Promise<void> {
  const path = join(data, name)
  writeFileSync(path, 'x'.repeat(bytes))
  await history.take(path)
  expect(existsSync(path)).toBe(false)
}

const second = 'snapshot-000000000100-000003.snap'
const third = 'snapshot-000000000200-000004.snap'

test('an era is a snapshot and the segments that followed it; the first has no snapshot', () => {
  const names = ['log-000004.wal', second, 'log-000001.wal', 'log-000003.wal', 'log-000002.wal', third, 'other']
  expect(erasOf(names)).toEqual([
    { snapshot: null, segment: 1, files: ['log-000001.wal', 'log-000002.wal'] },
    { snapshot: second, segment: 3, files: [second, 'log-000003.wal'] },
    { snapshot: third, segment: 4, files: [third, 'log-000004.wal'] },
  ])
})

test('the oldest eras go, whole, until no more than the bound is kept', async () => {
  const history = new History(data, 250)
  for (const name of ['log-000001.wal', 'log-000002.wal']) await take(history, name, 100)
  await history.trim()
  expect(kept()).toEqual(['log-000001.wal', 'log-000002.wal'])
  await take(history, second, 10)
  await take(history, 'log-000003.wal', 100)
  await history.trim()
  expect(kept()).toEqual(['log-000003.wal', second])
})

test('an era larger than the bound is not kept at all', async () => {
  const history = new History(data, 50)
  await take(history, 'log-000001.wal', 51)
  await history.trim()
  expect(kept()).toEqual([])
})

test('with 0 nothing is kept; without room on the disk all of it goes', async () => {
  await take(new History(data, 0), 'log-000001.wal', 10)
  expect(kept()).toEqual([])
  const history = new History(data, 1_000)
  await take(history, 'log-000001.wal', 10)
  await history.clear()
  expect(kept()).toEqual([])
  await history.trim()
})
