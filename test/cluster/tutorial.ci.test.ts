// docs/TUTORIAL.md: its commands as they stand, in their order, and what it says of them. While its set runs, also what other pages show
// of a set: the commands of docs/EVENTS.md, the paths that are named, and answers.

import { expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { readPages } from '../site/pages.ts'
import { kindOf } from '../site/snippets.ts'
import { exitOf, startProgram } from './programs.ts'
import { until } from './poll.ts'
import { root } from './replica-set.ts'
import { missingTools } from './sipp.ts'
import type { Program } from './programs.ts'

const pages = readPages(root)
const page = must(pages.get('docs/TUTORIAL.md'), 'the tutorial')
const commands = page.snippets.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'))
/** What the docs show of answers: a record of a call, and a member of the status. */
const answers = [...pages.values()].flatMap((one) =>
  one.snippets.filter((snippet) => kindOf(one, snippet) === 'answer').map(({ text }) => text),
)
/** The paths that the docs name. */
const paths = new Set(
  [...pages.values()].flatMap(({ tokens }) => JSON.stringify(tokens).match(/(?<=`GET )\/[^` ]*(?=`)/g) ?? []),
)
const statusAddress = 'http://127.0.0.1:8060/status'

interface Row {
  readonly replica: number
  readonly role?: string
  readonly calls?: { readonly confirmed: number }
}

/** As a user would type it; SIPp must not read the test's keyboard. */
function typed(line: string): Program {
  const [command = '', ...args] = line.split(' ')
  return startProgram(command, [...args, ...(command === 'sipp' ? ['-nostdin'] : [])], { cwd: root })
}

async function printedBy(line: string): Promise<string> {
  const program = typed(line)
  expect(await exitOf(program, line, 60_000), program.stderr()).toEqual({ code: 0, signal: null })
  return program.stdout()
}

const fieldsOf = (text: string): readonly string[] =>
  Object.keys(JSON.parse(text.startsWith('{') ? text : `{ ${text} }`) as object).sort()

/** docs/EVENTS.md: those that follow go on until they are interrupted. */
async function typeEvents(others: Program[]): Promise<void> {
  const events = must(pages.get('docs/EVENTS.md'), 'the page of events')
  const block = events.snippets.find((snippet) => kindOf(events, snippet) === 'typed')
  const lines = must(block, 'commands')
    .text.split('\n')
    .map((line) => line.split(/ {2,}/)[0] as string)
  expect(lines).toHaveLength(5)
  const record = must(
    answers.find((text) => text.startsWith('{')),
    'a record',
  )
  for (const line of lines) {
    // As if it were the number of an event of this set.
    const program = typed(line.replace('4711.1', '1.0'))
    others.push(program)
    if (!/--follow|-N/.test(line)) {
      expect(await exitOf(program, line, 20_000)).toEqual({ code: 0, signal: null })
      continue
    }
    // Only who asks for what was hears of it; the others are told that they are up to date.
    const expected = line.startsWith('curl') ? ': caught up' : '127.0.0.1:5080'
    await until(`${line} says ${expected}`, 20_000, () => (program.stdout().includes(expected) ? true : null))
    if (line.includes('cdr'))
      expect(fieldsOf(must(program.stdout().split('\n')[0], 'a line'))).toEqual(fieldsOf(record))
    program.signal('SIGINT')
    await exitOf(program, line, 10_000)
  }
}

/** Each path that the docs name answers at a replica, with what they show. */
async function askPaths(): Promise<void> {
  const callId = /"callId":"([^"]+)"/.exec(await printedBy('npm run -s holdfast -- cdr --json'))?.[1] ?? ''
  expect(paths.size).toBeGreaterThan(8)
  for (const path of paths) {
    // What is streamed has no end: its head is enough.
    const asked = new AbortController()
    const { status } = await fetch(`http://127.0.0.1:8061${path.replace('CALL-ID', callId)}`, { signal: asked.signal })
    asked.abort()
    // A call that is over is known to its history alone.
    expect([path, status]).toEqual([path, path === '/calls/CALL-ID' ? 404 : 200])
  }
  const shown = must(
    answers.find((text) => text.startsWith('"formats"')),
    'a member of the status',
  )
  const { formats } = (await (await fetch('http://127.0.0.1:8061/status')).json()) as { readonly formats: object }
  const { formats: told } = JSON.parse(`{ ${shown} }`) as { readonly formats: object }
  expect(Object.keys(formats).sort()).toEqual(Object.keys(told).sort())
}

test.skipIf(missingTools() !== null)('the tutorial, command by command', async () => {
  const [start, callee, caller, status, kill, statusAgain, cdr, sim, mutant, ...more] = commands as [
    string,
    ...string[],
  ]
  expect([start, kill, more]).toEqual(['npm start', 'kill -9 PID', []])
  const set = typed(start)
  const others: Program[] = []
  const rows = async (): Promise<readonly Row[]> => (await (await fetch(statusAddress)).json()) as Row[]
  const up = async (count: number): Promise<true> =>
    until(`the call at ${count} replicas`, 15_000, async () =>
      (await rows()).filter(({ calls }) => calls?.confirmed === 1).length >= count ? true : null,
    )
  try {
    await until('ready', 20_000, () =>
      set.stdout().includes('ready: SIP on 127.0.0.10:5060, UDP and TCP') ? true : null,
    )
    others.push(typed(String(callee)))
    const call = typed(String(caller))
    others.push(call)
    await up(3)
    expect(await printedBy(String(status))).toMatch(/^replica .* confirmed /)
    const leader = (await rows()).find(({ role }) => role === 'leader')?.replica
    const pid = new RegExp(`kill -9 (\\d+)\\s+\\(replica ${leader}\\)`).exec(set.stdout())?.[1]
    await printedBy(kill?.replace('PID', String(pid)) ?? '')
    await until('another leads', 10_000, async () =>
      (await rows()).some(({ role, replica }) => role === 'leader' && replica !== leader) ? true : null,
    )
    await up(2)
    await printedBy(String(statusAgain))
    expect(await exitOf(call, 'the call', 40_000)).toEqual({ code: 0, signal: null })
    expect(await printedBy(String(cdr))).toMatch(
      /^\S+ {2}sip:\S+ -> sip:\S+ {2}2\d\.\d s {2}bye by caller \(200\) {2}\S+\n$/,
    )
    await typeEvents(others)
    await askPaths()
    set.signal('SIGINT')
    expect(await exitOf(set, 'npm start', 20_000)).toEqual({ code: 0, signal: null })
    await printedBy(String(sim))
    expect(await printedBy(String(mutant))).toContain('1 of 1 mutants found')
  } finally {
    for (const program of others) program.signal('SIGKILL')
    set.signal('SIGTERM')
    await exitOf(set, 'npm start', 20_000)
  }
})
