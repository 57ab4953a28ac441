// `npm run bench:timers`: a hundred thousand ServletTimers of an application, spread over a minute or two, across the leader's death, and all
// due within one second, with calls beside them.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { root } from '../../cluster/replica-set.ts'
import { missingTools } from '../../cluster/sipp.ts'
import { runPhase } from './phase.ts'
import type { Findings, Phase } from './phase.ts'
import { faultsOf, pictureOf, tableOf } from './report.ts'

const USAGE = `npm run bench:timers -- [--timers 100000] [--per-session 10] [--seconds 120] [--calls 50] [--setup 100] [--only spread,death,burst] [--svg FILE]

  --timers       ServletTimers in each phase
  --per-session  how many one application session has (100 at most)
  --seconds      those that are spread are due within so many seconds
  --calls        calls a second beside them; 0 = none
  --setup        sessions that are surely set up in a second: they all are before the first timer is due
  --only         phases; a fresh set for each
  --svg          a picture goes there
`

function countOf(name: string, text: string, most: number, least = 1): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= least && count <= most) return count
  throw new Error(`--${name} ${text}: a number from ${least} to ${most}`)
}

interface Wish {
  readonly phases: readonly Phase[]
  readonly timers: number
  readonly perSession: number
  readonly calls: number
  readonly setup: number
  readonly svg: string | null
}

function wishOf(args: readonly string[]): Wish | 'help' {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ timers: text, 'per-session': text, seconds: text, calls: text, setup: text, only: text, svg: text },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return 'help'
  const seconds = countOf('seconds', values.seconds ?? '120', 600, 5)
  const known: Readonly<Record<string, Phase>> = {
    spread: { name: `within ${seconds} s`, seconds, kills: false },
    death: { name: `within ${seconds} s, the leader dies`, seconds, kills: true },
    burst: { name: 'within one second', seconds: 1, kills: false },
  }
  const phases = (values.only ?? Object.keys(known).join(',')).split(',').map((word) => {
    const phase = known[word]
    if (phase === undefined) throw new Error(`--only ${word}: ${Object.keys(known).join(', ')}`)
    return phase
  })
  return {
    phases,
    timers: countOf('timers', values.timers ?? '100000', 1_000_000),
    perSession: countOf('per-session', values['per-session'] ?? '10', 100),
    calls: countOf('calls', values.calls ?? '50', 500, 0),
    setup: countOf('setup', values.setup ?? '100', 10_000),
    svg: values.svg ?? null,
  }
}

async function main(): Promise<number> {
  let wish: Wish | 'help'
  try {
    wish = wishOf(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 64
  }
  if (wish === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  const missing = wish.calls > 0 ? missingTools() : null
  if (missing !== null) {
    process.stderr.write(`${missing}; --calls 0 goes without\n`)
    return 1
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim()
  const before = loadavg()[0] ?? 0
  const all: Findings[] = []
  for (const [nth, phase] of wish.phases.entries()) {
    const say = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
    const found = await runPhase(phase, nth, { ...wish, say })
    all.push(found)
    say(`${phase.name}: done\n${tableOf([found])}`)
  }
  const load = `${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`
  process.stdout.write(
    `${new Date().toISOString().slice(0, 16)} UTC, commit ${commit}, load ${load}\n\n${tableOf(all)}`,
  )
  if (wish.svg !== null) writeFileSync(wish.svg, pictureOf(all))
  const faults = all.flatMap(faultsOf)
  for (const fault of faults) process.stdout.write(`NOT AS PROMISED: ${fault}\n`)
  return faults.length === 0 ? 0 : 1
}

// What it started ends with it (programs.ts).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
