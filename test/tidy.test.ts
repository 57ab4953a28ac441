// Style as a test: what design.md's rooms and the style rules say, checked on the source text. The linter and the core's
// types (no Node, no DOM) are the other two nets under the same promises.

import { describe, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { basename, dirname, join } from 'node:path'
import { listFiles, readSource, scanSource } from './source-text.ts'
import type { SourceFile } from './source-text.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The rooms of src/ by floor, the ground floor first. A room imports from itself and from lower floors. */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['sip', 'timer', 'raft'],
  ['session', 'wire'],
  ['transaction', 'proxy', 'store'],
  ['call'],
  ['app'],
  ['servlet'],
  ['replica'],
  ['host'],
]

/** Which packages a room may import; rooms that are not named: none. */
const packages: Readonly<Record<string, readonly string[]>> = {
  wire: ['msgpackr/pack'],
  host: ['pino', 'prom-client', 'ws', 'hono', 'hono/cookie', '@hono/node-server'],
}

/** Those of sim/, which shrinks plans and offers arbitraries. */
const simPackages: readonly string[] = ['fast-check']

/** What of host/ a user's application runs in, and who of sim/ runs those: neither a clock nor a socket is behind it. */
const hostDoors: Readonly<Record<string, RegExp>> = {
  'src/host/http-turn.ts': /^sim\/own\//,
  'src/host/own-modules.ts': /^sim\/run\//,
}

/** What would bring a clock, chance, the network or the order of the outside world into the core. */
const banned: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Date', /\bDate\b/],
  ['performance', /\bperformance\s*\./],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['Math functions that may differ between engines', /\bMath\s*\.\s*(?:log|exp|pow|sin|cos|tan|cbrt|hypot)\w*\b/],
  ['timers', /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame)\b/],
  ['promises', /\b(?:Promise|async|await)\b/],
  ['process', /\bprocess\s*\./],
  ['Buffer', /\bBuffer\b/],
  ['console', /\bconsole\s*\./],
  ['crypto', /\b(?:crypto\s*\.|randomUUID)/],
  ['fetch', /(?<![.#\w])fetch\s*\(/],
  ['globalThis', /\bglobalThis\b/],
  ['collector-dependent state', /\b(?:WeakRef|FinalizationRegistry)\b/],
  ['locales', /\b(?:localeCompare|toLocale\w+|Intl)\b/],
  ['windows-1252 (latin1 is base/bytes.ts)', /\bTextDecoder\b/],
  ['code from text', /(?<![.\w])(?:eval\s*\(|new\s+Function\b)/],
]

/** What would let one run leave something behind for the next, or take an order from arrival (the simulator's runs share a
 * thread): all state is in objects that a run makes. */
const sharedState: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a variable of the module', /^(?:export\s+)?(?:let|var)\b/m],
  [
    'an empty collection of the module, which somebody fills',
    /^(?:export\s+)?const\s+\w+(?:\s*:(?!\s*Readonly)[^=\n]+)?\s*=\s*(?:new\s+(?:Map|Set|WeakMap|WeakSet)\b[^(\n]*\(\s*\)|\[\s*\]|\{\s*\})/m,
  ],
  ['for ... in, whose order depends on what the keys look like', /\bfor\s*\(\s*(?:const|let|var)\s+\w+\s+in\b/],
  [
    'a plain object as a map: numbers come first in it, and __proto__ is no key (a Map is)',
    /\bRecord<(?:string|\w+(?:Id|Key|Name)),[^=\n]*>\s*=\s*\{\s*\}/,
  ],
  ['memory that was not cleared', /\ballocUnsafe/],
]

/** Keys of these come from the source, not from messages. */
const keysOfOurOwn: ReadonlySet<string> = new Set(['src/wire/shape.ts'])

const forbiddenSyntax: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['default export', /\bexport\s+default\b/],
  ['enum', /^\s*(?:export\s+)?(?:const\s+)?enum\s+\w/m],
  ['namespace', /^\s*(?:export\s+)?(?:declare\s+)?namespace\s+\w/m],
  ['parameter property', /\bconstructor\s*\((?:[^)]*,)?\s*(?:(?:private|public|protected)\s|readonly\s+\w+\s*[?:])/],
  ['`any`', /(?::|\bas|<)\s*any\b/],
]

const files = listFiles(root)
const sources = files
  .filter((path) => path.endsWith('.ts') && /^(?:src|sim|test|docs)\//.test(path))
  .map((path) => readSource(root, path))
const byPath = new Map(sources.map((file) => [file.path, file]))

function isTest(file: SourceFile): boolean {
  return file.path.endsWith('.test.ts')
}

/** `src/raft/log.ts` is of room `raft`, `src/main.ts` of `main.ts`. */
function roomOf(path: string): string {
  return (path.split('/')[1] as string) ?? path
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room))
}

function isCore(file: SourceFile): boolean {
  const floor = floorOf(roomOf(file.path))
  return file.path.startsWith('src/') && floor >= 0 && floor < floorOf('host')
}

/** Why `file` may not import `target`; null if it may. */
function wrongWay(file: SourceFile, target: string): string | null {
  const place = file.path.split('/')[0]
  if (place === 'test') return null
  if (place === 'docs') return dirname(target) === dirname(file.path) ? null : 'an example imports what its reader can'
  if (place === 'sim') {
    if (target.startsWith('sim/run/') && !file.path.startsWith('sim/run/') && !isTest(file))
      return 'sim/run is the top of sim/'
    if (target.startsWith('src/') && !isCoreRoom(target) && hostDoors[target]?.test(file.path) !== true)
      return 'sim/ imports src/ below host only'
    return target.startsWith('test/') ? 'sim/ does not import test/' : null
  }
  const [from, to] = [roomOf(file.path), roomOf(target)]
  if (from === 'main.ts' || from === 'index.ts') return target.startsWith('test/') ? 'not from test/' : null
  if (!target.startsWith('src/')) return 'src/ imports src/ only'
  if (floorOf(from) < 0) return `the room ${from} has no floor`
  if (from === to) return null
  return floorOf(to) >= 0 && floorOf(to) < floorOf(from)
    ? null
    : `${from} may not import ${to}: it is not on a lower floor`
}

function isCoreRoom(path: string): boolean {
  const floor = floorOf(roomOf(path))
  return floor >= 0 && floor < floorOf('host')
}

/** Why `file` may not import the package or Node module; null if it may. */
function wrongPackage(file: SourceFile, specifier: string): string | null {
  if (isTest(file) || file.path.startsWith('test/')) return null
  const room = roomOf(file.path)
  if (specifier.startsWith('node:')) {
    const ok = file.path === 'src/main.ts' || file.path.startsWith('src/host/') || file.path.startsWith('sim/run/')
    return ok ? null : 'node:* only in src/host, src/main.ts and sim/run'
  }
  if (file.path.startsWith('docs/')) return /^(?:fast-check|holdfast(?:\/\w+)?)$/.test(specifier) ? null : 'not public'
  const allowed = file.path.startsWith('src/') ? (packages[room] ?? []) : simPackages
  return allowed.includes(specifier) ? null : `the package ${specifier} is not ${room}'s`
}

function importFaults(file: SourceFile): string[] {
  const faults: string[] = []
  for (const { specifier, target } of file.imports) {
    const why = target === null ? wrongPackage(file, specifier) : wrongWay(file, target)
    if (why !== null) faults.push(`${file.path}: ${specifier}: ${why}`)
    if (target !== null && !/\.(?:ts|json|cjs|mjs)$/.test(target))
      faults.push(`${file.path}: ${specifier}: no extension`)
  }
  return faults
}

function patternFaults(file: SourceFile, patterns: readonly (readonly [string, RegExp])[]): string[] {
  return patterns.filter(([, pattern]) => pattern.test(file.code)).map(([name]) => `${file.path}: ${name}`)
}

describe('the rooms', () => {
  test('imports go down the floors, and packages and Node stay in their rooms', () => {
    expect(sources.flatMap(importFaults)).toEqual([])
  })

  test('every import names a file that exists', () => {
    const missing = sources.flatMap((file) =>
      file.imports
        .filter(({ target }) => target !== null && target.endsWith('.ts') && !byPath.has(target))
        .map(({ specifier }) => `${file.path}: ${specifier}`),
    )
    expect(missing).toEqual([])
  })

  test('below host/ there is no clock, chance, socket, promise or locale', () => {
    const core = sources.filter((file) => isCore(file) && !isTest(file))
    expect(core.flatMap((file) => patternFaults(file, banned))).toEqual([])
  })

  test('the simulator below sim/run/ draws its time and chance from its seed', () => {
    const virtual = sources.filter((file) => /^sim\/(?!run\/)/.test(file.path) && !isTest(file))
    // What sim/sessions/ tests is a user's store, and what sim/own/ runs are his handlers: both may answer later.
    const waits = (file: SourceFile): boolean => /^sim\/(?:sessions|own)\//.test(file.path)
    const faults = (file: SourceFile): string[] =>
      patternFaults(file, waits(file) ? banned.filter(([name]) => name !== 'promises') : banned)
    expect(virtual.flatMap(faults)).toEqual([])
  })

  test('no run of a replica or of the simulator leaves anything behind for the next, or takes an order from arrival', () => {
    const isVirtual = ({ path }: SourceFile): boolean => /^sim\/(?!run\/)/.test(path)
    const pure = sources.filter(
      (file) => (isCore(file) || isVirtual(file)) && !/\.test\.ts$|\/testing\//.test(file.path),
    )
    const guilty = pure.filter(({ path }) => !keysOfOurOwn.has(path))
    expect(guilty.flatMap((file) => patternFaults(file, sharedState))).toEqual([])
  })

  test('no regular expression meets network input in sip/', () => {
    const guilty = sources.filter((file) => file.path.startsWith('src/sip/') && !isTest(file) && file.hasRegExp)
    expect(guilty.map(({ path }) => path)).toEqual([])
  })
})

describe('the files', () => {
  test('are neither much too long nor dead', () => {
    const sizes = sources.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    const long = sizes.filter(({ lines }) => lines > 400).sort((a, b) => b.lines - a.lines)
    if (long.length > 0) {
      console.warn(`over 400 lines, want a second look:\n${long.map((one) => `  ${one.lines} ${one.path}`).join('\n')}`)
    }
    expect(sizes.filter(({ lines }) => lines > 600)).toEqual([])
  })

  test('are all reached from an entry: nothing is dead', () => {
    const entries = sources.filter(
      ({ path }) =>
        /^src\/(?:main|index)\.ts$|^src\/\w+\/index\.ts$|^src\/host\/page\/main\.ts$|^sim\/index\.ts$|^sim\/run\/[\w-]+\.ts$/.test(
          path,
        ) ||
        /\.test\.ts$|\.config\.ts$|^docs\/examples\/(?:applications\/)?[\w-]+\.ts$|^test\/(?:from-source|ci|bench\/(?:snapshot(?:-replica)?|overload|peers\/main|log\/(?:main|replica)|logs\/(?:main|place)|failover\/main|timers\/(?:main|ticker))|moments\/main|app-deaths\/(?:main|preload|proxied|two-legs)|fuzz\/(?:main|worker)|(?:models|sessions|versions)\/bug-worker|(?:interop|site)\/main|cluster\/srv-phones)\.ts$/.test(
          path,
        ),
    )
    const reached = reach(entries)
    // Declarations are found by the compiler alone.
    const dead = sources.filter(({ path }) => !reached.has(path) && !path.endsWith('.d.ts'))
    expect(dead.map(({ path }) => path)).toEqual([])
  })

  test('of the product are reached from the product, not from tests alone', () => {
    const entries = sources.filter(({ path }) =>
      /^src\/(?:main|index)\.ts$|^src\/\w+\/index\.ts$|^src\/host\/page\/main\.ts$|^sim\/index\.ts$|^sim\/run\/[\w-]+\.ts$/.test(
        path,
      ),
    )
    const reached = reach(entries)
    const unused = sources.filter(
      (file) =>
        file.path.startsWith('src/') && !/\.test\.ts$|\.d\.ts$|\/testing\//.test(file.path) && !reached.has(file.path),
    )
    expect(unused.map(({ path }) => path)).toEqual([])
  })

  test('have kebab-case names', () => {
    const wrong = files.filter(
      (path) =>
        /^(?:src|sim|test)\//.test(path) &&
        !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/.test(basename(path)) &&
        !/\.(?:dat|txt)$/.test(path),
    )
    expect(wrong).toEqual([])
  })

  test('use no default exports, enums, namespaces, parameter properties or any', () => {
    const inspected = sources.filter(({ path }) => !path.endsWith('.config.ts'))
    expect(inspected.flatMap((file) => patternFaults(file, forbiddenSyntax))).toEqual([])
  })

  test('name no path of a machine and no registry host', () => {
    // Put together here, so that this file does not name them itself.
    const marks = [
      ['/wo', 'rk/'],
      ['/ro', 'ot/'],
      ['/ho', 'me/'],
      ['registry.', 'npmjs'],
      ['deb.', 'debian'],
      ['../sha', 'red'],
    ]
    const text = files.filter((path) => /\.(?:ts|json|md|xml|txt|yml|sh)$|^\.(?:ci\/run|npmrc)$/.test(path))
    const guilty = text.flatMap((path) => {
      const content = readFileSync(join(root, path), 'utf8')
      return marks
        .map((mark) => mark.join(''))
        .filter((mark) => content.includes(mark))
        .map((mark) => `${path}: ${mark}`)
    })
    expect(guilty).toEqual([])
  })
})

describe('the net itself catches', () => {
  const fault = (path: string, text: string): string[] => {
    const file = scanSource(path, text)
    const patterns = [...banned, ...sharedState, ...forbiddenSyntax]
    return [...importFaults(file), ...patternFaults(file, patterns)]
  }

  test.each([
    ['a room that imports from above', 'src/raft/a.ts', "import { x } from '../store/b.ts'"],
    ['a room that imports its neighbour', 'src/proxy/a.ts', "import type { X } from '../store/b.ts'"],
    ['a core file that imports the simulator', 'src/call/a.ts', "export { x } from '../../sim/b.ts'"],
    ['Node below host/', 'src/replica/a.ts', "import { readFileSync } from 'node:fs'"],
    ['Node in the simulator', 'sim/a.ts', "import { readFileSync } from 'node:fs'"],
    ['a lazy import of Node', 'src/store/a.ts', "const fs = import('node:fs')"],
    ["another room's package", 'src/store/a.ts', "import { pack } from 'msgpackr'"],
    ['the clock', 'src/timer/a.ts', 'const now = Date.now()'],
    ['chance', 'src/raft/a.ts', 'const x = `${Math.random()}`'],
    ['a promise', 'src/call/a.ts', 'export async function x() {}'],
    ['a variable of the module', 'src/call/a.ts', 'let last = 0'],
    ['a cache of the module', 'src/call/a.ts', 'const seen: Map<string, number> = new Map<string, number>()'],
    ['a list of the module', 'sim/a.ts', 'export const all: string[] = []'],
    ['for ... in', 'src/store/a.ts', 'for (const key in table) go(key)'],
    ['a plain object as a map', 'src/store/a.ts', '  const calls: Record<string, number> = {}'],
    ['memory with old contents', 'sim/a.ts', 'const bytes = B.allocUnsafe(3)'],
    ['an enum', 'src/call/a.ts', 'export const enum X { A }'],
    ['a default export', 'src/call/a.ts', 'export default 1'],
    ['any', 'src/call/a.ts', 'const x = y as any'],
  ])('%s', (_what, path, text) => {
    expect(fault(path, text)).not.toEqual([])
  })

  test.each([
    ['a word in a comment', 'src/raft/a.ts', '// Date.now() is not used here\n/* nor Math.random */'],
    ['a word in a string', 'src/raft/a.ts', "const header = 'Date: today, setTimeout'"],
    ['a word in a template', 'src/raft/a.ts', 'const x = `Date ${f({ a: `await ${1}` })} Promise`'],
    ['a property of that name', 'src/raft/a.ts', 'this.fetch()\nentry.fetch(1)'],
    ['an import down the floors', 'src/replica/a.ts', "import { x } from '../raft/b.ts'"],
    ['an import inside the room', 'src/raft/a.ts', "import { x } from './b.ts'"],
    ['a variable of a function', 'src/raft/a.ts', 'function f() {\n  let x = 0\n  const all = []\n}'],
    ['a table of the module', 'src/raft/a.ts', "const names: ReadonlyMap<string, string> = new Map([['a', 'b']])"],
  ])('but not %s', (_what, path, text) => {
    expect(fault(path, text)).toEqual([])
  })

  test('a regular expression, but not a division', () => {
    expect(scanSource('src/sip/a.ts', 'const x = a / b / c').hasRegExp).toBe(false)
    expect(scanSource('src/sip/a.ts', 'return /[/"]+/.test(a)').hasRegExp).toBe(true)
    expect(scanSource('src/sip/a.ts', 'x = /[/\'"]/\nconst y = Date').code).toContain('Date')
  })
})

function reach(entries: readonly SourceFile[]): Set<string> {
  const reached = new Set<string>()
  const waiting = [...entries]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file.path)) continue
    reached.add(file.path)
    for (const { target } of file.imports) {
      const next = target === null ? undefined : byPath.get(target)
      if (next !== undefined) waiting.push(next)
    }
  }
  return reached
}
