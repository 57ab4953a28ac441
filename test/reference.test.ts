// What is made of the source: docs/CONFIG.md, docs/config.schema.json and docs/COMMANDS.md. HOLDFAST_REWRITE=1 writes them anew.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { configSchema } from '../src/host/config-options.ts'
import { commandsPage } from './reference/commands-page.ts'
import { configPage } from './reference/config-page.ts'

const docs = fileURLToPath(new URL('../docs/', import.meta.url))

test.each([
  ['config.schema.json', configSchema],
  ['CONFIG.md', configPage],
  ['COMMANDS.md', commandsPage],
])('docs/%s is what the source makes of it', (name, make) => {
  const text = make()
  if (process.env['HOLDFAST_REWRITE'] === '1') writeFileSync(`${docs}${name}`, text)
  expect(readFileSync(`${docs}${name}`, 'utf8')).toBe(text)
})
