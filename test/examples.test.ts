// What the docs show is what happens: their code is in the examples, their output is theirs.

import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readPages } from './site/pages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = [...readPages(root).values()]
const examples = readdirSync(`${root}docs/examples`).filter((name) => name.endsWith('.ts'))

function blocks(language: string): readonly string[] {
  return pages
    .flatMap(({ snippets }) => snippets.filter((snippet) => snippet.language === language))
    .map(({ text }) => `${text}\n`)
}

test.each(examples)('%s prints what its doc says', async (name) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', './test/from-source.ts', `docs/examples/${name}`],
    { cwd: root },
  )
  expect(blocks('text')).toContain(`$ node ${name}\n${stdout}`)
})

test('the code in the docs is in an example, word by word', () => {
  const applications = readdirSync(`${root}docs/examples/applications`).map((name) => `applications/${name}`)
  const sources = [...examples, ...applications].map((name) => readFileSync(`${root}docs/examples/${name}`, 'utf8'))
  const strangers = blocks('ts').filter((block) => !sources.some((source) => source.includes(block)))
  expect(blocks('ts').length).toBeGreaterThan(0)
  expect(strangers).toEqual([])
})
