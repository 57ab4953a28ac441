import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { drawPlan } from '../plan.ts'
import { outputTrouble } from './output-file.ts'
import { readPlan } from './plan-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const plan = drawPlan(1)

function read(content: unknown): ReturnType<typeof readPlan> {
  const file = join(folder, 'plan.json')
  writeFileSync(file, JSON.stringify(content))
  return readPlan(file)
}

test('a plan that was written is read', async () => {
  expect(await read({ plan })).toMatchObject({ plan, mutant: null })
})

test.each([
  null,
  [],
  { plan: null },
  { plan: { calls: [], faults: [] } },
  { plan: { ...plan, udp: undefined } },
  { plan: { ...plan, calls: [null] } },
  { plan: { ...plan, faults: ['kill'] } },
])('other JSON is told: %j', async (content) => {
  expect(await read(content)).toContain('has no plan in it; it wants the file that a failing run wrote')
})

test('where nothing can be written is told before anything runs', async () => {
  const file = join(folder, 'page.html')
  expect(await outputTrouble('html', file)).toBe(null)
  expect(await outputTrouble('trace', folder)).toContain('is a folder; name a file')
  expect(await outputTrouble('html', join(folder, 'none', 'page.html'))).toContain("can't be written: ENOENT")
  writeFileSync(file, '')
  expect(await outputTrouble('html', file)).toBe(null)
  expect(await outputTrouble('html', join(file, 'page.html'))).toContain("can't be written: ENOTDIR")
})
