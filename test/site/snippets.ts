// Every block of the docs is of a kind, and each kind is held by something that fails when it is wrong. A block of no kind is a fault.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { reachTroubles, readText } from '../../src/host/config.ts'
import type { Page, Snippet } from './pages.ts'

export type Kind =
  /** docs/COMMANDS.md is what the source makes of it: test/reference.test.ts. */
  | 'help'
  /** The code of an example, word by word, or what that prints: test/examples.test.ts; tsc compiles it. */
  | 'example'
  /** Typed as they stand, in their order, into a shell with a set: test/cluster/tutorial.ci.test.ts. */
  | 'typed'
  /** Command lines: read as the program reads them (command-lines.ts), for they take minutes, root, or machines with the names in them. */
  | 'commands'
  /** A part of a config file, or a router's table: what `holdfast check` says of it, below. */
  | 'configuration'
  /** A part of what the program answers: test/cluster/tutorial.ci.test.ts asks a set for it, and compares the names of its fields. */
  | 'answer'
  /** Drawings, and the output of a run that is told of as it was: nothing in it can be run. Listed below, one by one. */
  | 'picture'

/** Pages with blocks that are typed, and what those begin with. */
const TYPED: Readonly<Record<string, RegExp>> = {
  'docs/TUTORIAL.md': /^(?:npm|sipp|kill) /,
  'docs/EVENTS.md': /^npm run -s holdfast -- cdr /,
}

/** By their first words: what nobody can run, and why. */
const PICTURES: Readonly<Record<string, readonly string[]>> = {
  // The README's session is typed by start.ci.test.ts and tutorial.ci.test.ts; here is what it once printed.
  'README.md': ['ready: SIP on', 'phone   '],
  'docs/ARCHITECTURE.md': [
    'bytes -> Replica.step',
    'src/main.ts  src/index.ts',
    '0 ms      kill -9',
    '0 ms      SIGTERM',
  ],
  'docs/LOCKING.md': ['input 1 --> step'],
  'docs/RAFT.md': ['raft.step(message, now)'],
  // Runs of a commit and a seed, told of in the text around them.
  'docs/SIMULATION.md': [
    'plan (drawn from the seed',
    '{\n    name: ',
    'seed 3, call 11',
    'seconds  fails if',
    '3.734168 replica 2',
    'seed 3 broke determinism',
    'mark     ',
    'vote-not-persisted ',
    'npm run -s holdfast -- sim --speed\n\nseeds',
    '182 seeds ran',
    '23.307985 ',
    'seconds  caller ',
    '18.590613 begins',
    '18.344481 cut',
  ],
  'docs/UPGRADING.md': ['its log has records of format 2'],
  'docs/decisions/0011-commits-built-on-commits.md': ['owner proposes p1'],
  'docs/decisions/0031-applications.md': ['input -> app/group.ts'],
  'docs/decisions/0035-targeting.md': ['keeper --message--> owner'],
  'docs/decisions/0037-composition.md': ['<sip:SET;lr;hf='],
}

/** Programs of others that blocks show, and where those lines are run. */
const FOREIGN: readonly string[] = [
  // test/cluster/address.ci.test.ts gives machines of its own the address in the same way.
  'ip',
  'sysctl',
  // Any file of 16 letters does for a token, as src/host/admin-token.test.ts has it.
  'openssl',
  'chmod',
  'export',
  // test/cluster/tutorial.ci.test.ts asks a set by the paths that the docs name.
  'curl',
  // CI itself, and who looks at CI.
  '.ci/run',
  'npm',
  'holdfast',
]

/** Null: of none. */
export function kindOf(page: Page, snippet: Snippet): Kind | null {
  const { language, text } = snippet
  if (page.path === 'docs/COMMANDS.md') return 'help'
  if (language === 'ts' || (language === 'text' && /^\$ node \S+\.ts\n/.test(text))) return 'example'
  if (text.startsWith('import { sessionHistory, playConcurrently, checkHistory')) return 'example'
  if (TYPED[page.path]?.test(text) === true) return 'typed'
  if (language !== '' && language !== 'sh' && language !== 'json') return null
  if (PICTURES[page.path]?.some((first) => text.trimStart().startsWith(first)) === true) return 'picture'
  if (/^\{"id":|^"formats": \{ "active"/.test(text)) return 'answer'
  if (/^[{"]/.test(text)) return 'configuration'
  return programsOf(text).every((program) => FOREIGN.includes(program)) ? 'commands' : null
}

/** What begins each command of a block; a line of JSON belongs to the file that it is about. */
function programsOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('"'))
  const commands = lines.map((line) => line.trim().split(/ {2,}/)[0] as string)
  return commands.flatMap((line) => line.split(/; | && /)).map((line) => /^(?:\$ )?(\S+)/.exec(line)?.[1] ?? line)
}

/** The entries that pictures are listed by, and that no page has any more. */
export function pastPictures(pages: ReadonlyMap<string, Page>): readonly string[] {
  return Object.entries(PICTURES).flatMap(([path, firsts]) =>
    firsts
      .filter((first) => !pages.get(path)?.snippets.some(({ text }) => text.trimStart().startsWith(first)))
      .map((first) => `${path}: ${first}`),
  )
}

/** All that names a member of a config file, in blocks of any kind. */
export function configurationsOf(snippet: Snippet): readonly string[] {
  return snippet.text
    .split(/\n\n/)
    .flatMap((part) => (/^[{"]/.test(part) ? [part] : part.split('\n').filter((line) => line.startsWith('"'))))
    .filter((part) => !part.startsWith('{"id":') && !part.includes('"active"'))
    .map((part) => part.split(/ {4,}/)[0] as string)
}

/** What `holdfast check` says of such a part in a file that is right otherwise, but for files that it names; `...` stands for what is
 * there. */
export function configurationTroubles(part: string, folder: string): readonly string[] {
  const text = part.startsWith('"') ? `{ ${part} }` : part
  const value = JSON.parse(text.replaceAll(', ...', '')) as Readonly<Record<string, unknown>>
  const own = (value['replicas'] ?? []) as readonly { readonly id: number }[]
  const isTable = Object.keys(value).every((name) => /^(?:[A-Z]+|\*)$/.test(name))
  const names = ['screening', 'prepaid', 'calls'].filter((name) => part.includes(`"${name}"`))
  const modules: Readonly<Record<string, string>> = { calls: 'calls-page' }
  const applications = names.map((name) => ({ module: `./${modules[name] ?? name}.ts`, name }))
  const given = applications.length === 0 || Object.hasOwn(value, 'applications') ? {} : { applications }
  const file = {
    set: '0123456789abcdef',
    secret: '0123456789abcdef'.repeat(4),
    sip: '127.0.0.10:5060',
    nextHop: null,
    admin: '127.0.0.1:8060',
    // Off loopback no check goes without it.
    allow: ['192.0.2.0/24'],
    listen: ['127.0.0.10:5061;transport=tls'],
    tls: { certificates: [{ certificate: 'own.pem', key: 'own.key' }] },
    ...given,
    ...(isTable ? { router: value } : value),
    replicas: [1, 2, 3].map((id) => ({
      ...{ id, admin: `127.0.0.1:${8060 + id}`, peer: `127.0.0.1:${8160 + id}`, data: `data/replica-${id}` },
      ...own.find((one) => one.id === id),
    })),
  }
  const read = readText(JSON.stringify(file), folder)
  return read.ok ? reachTroubles(read.value) : read.error
}

/** Files of the repository that a block names and that are not there. */
export function missingFiles(root: string, text: string): readonly string[] {
  const words = text.split(/\s+/).map((word) => word.replace(/[,;:.]+$/, ''))
  return words.filter((word) => /^(?:docs|test|src)\//.test(word) && !existsSync(join(root, word)))
}
