import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { mutants } from './list.ts'
import { plant } from './mutant.ts'

it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s still applies to its file', (_name, mutant) => {
  const source = readFileSync(new URL(`../../${mutant.file}`, import.meta.url), 'utf8')
  const planted = plant(mutant, source)
  expect(planted).toMatchObject({ ok: true })
  expect(planted.text).not.toBe(source)
})

it('a patch whose text is gone, or is there twice, says so with its name', () => {
  const mutant = { name: 'm', room: 'r', file: 'f.ts', find: 'x', replace: 'y', story: '', promise: '' }
  expect(plant(mutant, 'a')).toEqual({ ok: false, text: 'mutant m: its text is not in f.ts: mend its patch' })
  expect(plant(mutant, 'x x')).toEqual({ ok: false, text: 'mutant m: its text is 2 times in f.ts: mend its patch' })
})
