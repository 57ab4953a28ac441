// The docs hold together: their links lead somewhere, the index names them all, their commands are there, and the site has them.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { wrongCommands } from './site/command-lines.ts'
import { buildSite, pathOf } from './site/build.ts'
import { deadLink, readPage, readPages } from './site/pages.ts'
import { configurationsOf, configurationTroubles, kindOf, missingFiles, pastPictures } from './site/snippets.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = readPages(root)
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts,
)
const commands = readFileSync(join(root, 'docs/COMMANDS.md'), 'utf8')

describe('the docs', () => {
  test('have no dead link', () => {
    const dead = [...pages.values()].flatMap((page) =>
      page.links.flatMap((link) => deadLink(root, pages, link) ?? []).map((why) => `${page.path}: ${why}`),
    )
    expect(dead).toEqual([])
  })

  test('are all in the index', () => {
    const named = pages.get('docs/README.md')?.links.map(({ target }) => target) ?? []
    const chapters = [...pages.keys()].filter((path) => /^docs\/[^/]+\.md$/.test(path) && path !== 'docs/README.md')
    expect(chapters.filter((path) => !named.includes(path))).toEqual([])
  })

  test('show commands, options and scripts that are there', () => {
    // What the changelog names may be gone since; COMMANDS.md is what the commands say.
    const shown = [...pages.values()].filter(({ path }) => !['CHANGELOG.md', 'docs/COMMANDS.md'].includes(path))
    expect(shown.flatMap((page) => wrongCommands(page, commands, scripts))).toEqual([])
  })

  test('have no block that nothing holds: each is of a kind', () => {
    const blocks = [...pages.values()].flatMap((page) => page.snippets.map((snippet) => [page, snippet] as const))
    const strange = blocks.filter(([page, snippet]) => kindOf(page, snippet) === null)
    expect(strange.map(([{ path }, { text }]) => `${path}: ${text}`)).toEqual([])
    expect(pastPictures(pages)).toEqual([])
    const named = blocks.flatMap(([{ path }, { text }]) => missingFiles(root, text).map((file) => `${path}: ${file}`))
    expect(named).toEqual([])
  })

  test('show parts of config files that are right', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-docs-'))
    const parts = [...pages.values()].flatMap(({ path, snippets }) =>
      path === 'docs/COMMANDS.md' ? [] : snippets.flatMap(configurationsOf),
    )
    try {
      writeFileSync(join(folder, 'token'), 'a'.repeat(64), { mode: 0o600 })
      const troubles = (part: string): readonly string[] =>
        configurationTroubles(part.replace('/etc/holdfast', folder), folder).map((trouble) => `${part}: ${trouble}`)
      expect(parts.flatMap(troubles)).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(parts.length).toBeGreaterThan(5)
  })

  test('become a site whose links lead to its files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-site-'))
    try {
      buildSite(root, folder)
      const dead: string[] = []
      for (const page of pages.values()) {
        const path = pathOf(root, page.path)
        for (const [, href = ''] of readFileSync(join(folder, path), 'utf8').matchAll(/ (?:href|src)="([^"]+)"/g)) {
          const [file = '', anchor] = href.split('#')
          if (href.startsWith('https:')) continue
          const target = file === '' ? path : posix.join(posix.dirname(path), file)
          const isThere =
            existsSync(join(folder, target)) &&
            (anchor === undefined || readFileSync(join(folder, target), 'utf8').includes(`id="${anchor}"`))
          if (!isThere) dead.push(`${path}: ${href}`)
        }
      }
      expect(dead).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('what checks them', () => {
  test('finds dead links', () => {
    const readme = readPage(
      'README.md',
      '# A `b` & c\n\n[one](#a-b--c) [two](#nothing) [old](http://x.example) [three](NOWHERE.md) [four](../etc)\n',
    )
    expect(readme.links.map((link) => deadLink(root, new Map([['README.md', readme]]), link))).toEqual([
      null,
      '#nothing: no such heading',
      'http://x.example: other sites are https://',
      'NOWHERE.md: no such file',
      '../etc: outside the repository',
    ])
  })

  test('finds commands, options and scripts that are not there', () => {
    const text = [
      'Say `holdfast up --sip X`, `holdfast begin`, `npm run nothing`.\n',
      '    $ npm run -s holdfast -- members add 4 --fast   # soon',
      '    npm run -s holdfast -- up --config   what it needs',
      '    holdfast status now\n',
    ].join('\n')
    expect(wrongCommands(readPage('docs/X.md', text), commands, scripts)).toEqual([
      'docs/X.md: holdfast begin: no such command',
      'docs/X.md: npm run nothing: no such script',
      'docs/X.md: npm run -s holdfast -- members add 4 --fast: unknown option --fast',
      'docs/X.md: npm run -s holdfast -- up --config: --config needs a value: --config FILE',
      'docs/X.md: holdfast status now: status takes options alone',
    ])
  })

  test('finds blocks that nothing holds, and parts of config files that are wrong', () => {
    const kinds = (text: string): readonly unknown[] => {
      const page = readPage('docs/X.md', text)
      return page.snippets.map((snippet) => kindOf(page, snippet))
    }
    expect(kinds('    holdfast status   # all\n    curl http://127.0.0.1:8060/status\n')).toEqual(['commands'])
    expect(kinds('    rm -r data\n')).toEqual([null])
    expect(kinds('    "sip": "x:1"\n')).toEqual(['configuration'])
    expect(kinds('```yaml\na: b\n```\n')).toEqual([null])
    expect(configurationTroubles('"formats": { "least": 1 }', '.').join()).toContain('unknown "least"')
  })
})
