// Golden scripts in scripts/: what the core does, move by move. HOLDFAST_REWRITE=1 writes the outputs anew; commit only what
// you understand.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runScript } from './script.ts'

const folder = new URL('scripts/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('golden scripts', () => {
  it.each(names)('%s', (name) => {
    const file = new URL(name, folder)
    const result = runScript(readFileSync(file, 'utf8'))
    if (process.env['HOLDFAST_REWRITE'] === '1') writeFileSync(file, result)
    expect(result).toBe(readFileSync(file, 'utf8'))
  })
})
