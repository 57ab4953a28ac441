// docs/SESSIONS.md, made from the tests: each row with the tests that have its mark in their names.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../source-text.ts'
import { chapters } from './rows.ts'
import type { Row } from './rows.ts'

export interface Shown {
  readonly file: string
  readonly test: string
  readonly marks: readonly string[]
}

/** A name with a mark in it, as the source has it: between its quotes. */
const NAME = /(['"`])((?:\\.|(?!\1)[^\\\n])*\[JSR (?:\\.|(?!\1)[^\\\n])*)\1/g
const MARK = /\[JSR ([^\]]+)\]/g

/** The tests with marks, in the order of files and lines. */
export function marked(root: string): readonly Shown[] {
  const files = listFiles(root).filter((path) => path.endsWith('.ts') && /^(?:src|sim|test)\//.test(path))
  return [...files].sort().flatMap((file) => {
    if (file.startsWith('test/sessions/') && !file.endsWith('properties.ts')) return []
    return [...readFileSync(join(root, file), 'utf8').matchAll(NAME)].map(([, , name = '']) => ({
      file,
      test: name.replaceAll(MARK, '').replaceAll(/\\(.)/g, '$1').replaceAll(/\s+/g, ' ').trim(),
      marks: [...name.matchAll(MARK)].map(([, mark = '']) => mark),
    }))
  })
}

export function rows(): readonly Row[] {
  return chapters.flatMap((chapter) => chapter.rows)
}

/** The rows that no test shows. */
function empty(shown: readonly Shown[]): readonly string[] {
  return rows().flatMap(({ id }) => (shown.some(({ marks }) => marks.includes(id)) ? [] : [id]))
}

export function page(shown: readonly Shown[]): string {
  const missing = empty(shown)
  const lines = [
    '# Sessions, row by row',
    '',
    'What a replicated session must do, how it is kept in a replica set, and the tests that show it. Made from the tests: one that shows',
    'a row has its mark in its name (`[JSR 8]`), the rows are in `test/sessions/rows.ts`, and',
    '`HOLDFAST_REWRITE=1 npx vitest run --config test/vitest.config.ts test/sessions-table.test.ts` writes this page anew.',
    '',
    missing.length === 0
      ? `Each of the ${rows().length} rows has a test.`
      : `${rows().length - missing.length} of ${rows().length} rows have a test. None has: ${missing.join(', ')}.`,
  ]
  for (const { title, rows: own } of chapters) {
    lines.push('', `## ${title}`, '', '| # | promise | here | shown by |', '|---|---|---|---|')
    for (const { id, promise, here } of own) {
      const tests = shown.filter(({ marks }) => marks.includes(id))
      // What nobody has shown isn't claimed.
      const cells = tests.length === 0 ? ['', '**no test yet**'] : [here, tests.map(cite).join('<br>')]
      lines.push(`| ${[id, promise, ...cells].join(' | ')} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

function cite({ file, test }: Shown): string {
  return `${test.replaceAll('|', '\\|')} ([${file.slice(file.lastIndexOf('/') + 1)}](../${file}))`
}
