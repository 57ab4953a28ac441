// Golden scripts in testdata/: what the core does, move by move. HOLDFAST_REWRITE=1 writes the outputs anew; commit only what
// you understand.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runScript } from './testing/script.ts'

const folder = new URL('testdata/', import.meta.url)

describe('golden scripts', () => {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.txt')).sort()) {
    it(name, () => {
      const file = new URL(name, folder)
      const text = readFileSync(file, 'utf8')
      const result = runScript(text)
      if (process.env['HOLDFAST_REWRITE'] === '1') writeFileSync(file, result)
      else expect(result).toBe(text)
    })
  }
})
