// docs/SESSIONS.md is what the tests make it (issue 7).

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { marked, page, rows } from './sessions/table.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = new URL('../docs/SESSIONS.md', import.meta.url)
const shown = marked(root)

test('docs/SESSIONS.md names the tests that have its marks; HOLDFAST_REWRITE=1 writes it anew', () => {
  if (process.env['HOLDFAST_REWRITE'] === '1') writeFileSync(file, page(shown))
  expect(readFileSync(file, 'utf8')).toBe(page(shown))
})

test('a mark names a row that there is', () => {
  const known = new Set(rows().map(({ id }) => id))
  expect(shown.filter(({ marks }) => marks.some((mark) => !known.has(mark)))).toEqual([])
})
