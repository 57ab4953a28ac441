// The README's first minute: `npm start`, and the lines that it prints, typed as they stand.

import { expect, test } from 'vitest'
import { exitOf, startProgram } from './programs.ts'
import { until } from './poll.ts'
import { root } from './replica-set.ts'
import { missingTools } from './sipp.ts'
import type { Program } from './programs.ts'

const missing = missingTools()

/** A printed command, as a user would type it; SIPp must not read the test's keyboard. */
function typed(line: string): Program {
  const words = line.trim().split(/\s+/)
  return startProgram(words[0] as string, [...words.slice(1), ...(words[0] === 'sipp' ? ['-nostdin'] : [])])
}

test.skipIf(missing !== null)('npm start is ready within 10 s, and each line that it prints works', async () => {
  const start = startProgram('npm', ['start'], { cwd: root })
  const others: Program[] = []
  const printed = (pattern: RegExp, what: string): Promise<string> =>
    until(`${what}: ${start.stdout()}${start.stderr()}`, 10_000, () => pattern.exec(start.stdout())?.[1] ?? null)
  try {
    await printed(/^(ready)/m, 'ready')
    const callee = typed(await printed(/(sipp -sn uas .*)$/m, 'how to start a callee'))
    others.push(callee)
    const status = await printed(/(http:\S+\/status)/, 'where the status is')
    const kill = await printed(/(kill -9 \d+)/, 'how to kill a replica')
    expect(start.stdout().match(/kill -9 \d+/g)).toHaveLength(3)
    const call = typed(await printed(/(sipp -sn uac .*)$/m, 'how to place a call'))
    others.push(call)
    const calls = async (): Promise<number[]> => {
      const all = (await (await fetch(status)).json()) as { calls?: { confirmed: number } }[]
      return all.map((one) => one.calls?.confirmed ?? 0)
    }
    await until('the call is up at each replica', 10_000, async () =>
      (await calls()).every((up) => up === 1) ? true : null,
    )
    await exitOf(typed(kill), kill, 5_000)
    expect(await exitOf(call, 'the call', 30_000)).toEqual({ code: 0, signal: null })
    start.signal('SIGINT')
    expect(await exitOf(start, 'npm start', 10_000)).toEqual({ code: 0, signal: null })
  } finally {
    for (const program of others) program.signal('SIGKILL')
    start.signal('SIGTERM')
    await exitOf(start, 'npm start', 10_000)
  }
})
