// docs/TUTORIAL.md: its commands as they stand, in their order, and what it says of them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPage } from '../site/pages.ts'
import { exitOf, startProgram } from './programs.ts'
import { until } from './poll.ts'
import { root } from './replica-set.ts'
import { missingTools } from './sipp.ts'
import type { Program } from './programs.ts'

const page = readPage('docs/TUTORIAL.md', readFileSync(join(root, 'docs/TUTORIAL.md'), 'utf8'))
const commands = page.snippets.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'))
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
