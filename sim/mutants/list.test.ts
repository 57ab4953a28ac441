import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scheduleNamed } from '../schedules.ts'
import { mutants } from './list.ts'
import { filesOf, plant } from './mutant.ts'

const patched = mutants.flatMap((mutant) => filesOf(mutant).map((file) => [mutant.name, file, mutant] as const))

it.each(patched)('%s still applies to %s', (_name, file, mutant) => {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const planted = plant(mutant, file, source)
  expect(planted).toMatchObject({ ok: true })
  expect(planted.text).not.toBe(source)
})

it('a patch whose text is gone, or is there twice, says so with its name', () => {
  const mutant = { name: 'm', room: 'r', file: 'f.ts', find: 'x', replace: 'y', story: '', promise: '' }
  expect(plant(mutant, 'f.ts', 'a')).toEqual({ ok: false, text: 'mutant m: its text is not in f.ts: mend its patch' })
  expect(plant(mutant, 'f.ts', 'x x')).toEqual({
    ok: false,
    text: 'mutant m: its text is 2 times in f.ts: mend its patch',
  })
})

it('a patch may be of several files, each gets its own part', () => {
  const also = [{ file: 'g.ts', find: 'b', replace: 'c' }]
  const mutant = { name: 'm', room: 'r', file: 'f.ts', find: 'x', replace: 'y', also, story: '', promise: '' }
  expect(filesOf(mutant)).toEqual(['f.ts', 'g.ts'])
  expect(plant(mutant, 'f.ts', 'x b')).toEqual({ ok: true, text: 'y b' })
  expect(plant(mutant, 'g.ts', 'x b')).toEqual({ ok: true, text: 'x c' })
})

it('names are used once, and every schedule that is named exists', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  for (const { schedule } of mutants) if (schedule !== undefined) expect(scheduleNamed(schedule)).toBeDefined()
})
