// `npm run moments`: the moments that break today's systems, staged with real processes, and what came of their calls.

import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { root } from '../cluster/replica-set.ts'
import { MOST_CALLS } from './crowd.ts'
import { moments } from './list.ts'
import { notStaged } from './not-staged.ts'
import type { Moment } from './moment.ts'
import { House } from './house.ts'
import { isClean, play } from './play.ts'
import type { Order, Outcome } from './play.ts'
import { printOutcomes } from './table.ts'
import { wayOf, ways } from './ways.ts'
import type { Way } from './ways.ts'

const USAGE = `npm run moments -- [--only 4,glare] [--ways udp,tcp] [--calls 100] [--at-once 2] [--list]

  --only       numbers of moments, or words of their names
  --ways       what the phones speak: ${ways.map(({ name }) => name).join(', ')}, or all; the set listens to that alone,
               but for UDP and TCP over IPv4 (udp, tcp) and over IPv6 (udp6, tcp6), which it speaks both
  --calls      calls that stand at the moment, side by side
  --at-once    moments played side by side, each on another set
  --list       what there is, and what can't be staged
`

const FIRST_SLOT = 241

interface Wish {
  readonly moments: readonly Moment[]
  readonly ways: readonly Way[]
  readonly calls: number
  readonly lanes: number
}

function wishOf(args: readonly string[]): Wish | 'help' | 'list' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, ways: text, calls: text, 'at-once': text, list: flag, help: flag },
  })
  if (values.help === true) return 'help'
  if (values.list === true) return 'list'
  const only = values.only?.split(',')
  const chosen = moments.filter(
    ({ nth, name }) =>
      only === undefined || only.some((word) => word === String(nth) || (!/^\d+$/.test(word) && name.includes(word))),
  )
  if (chosen.length === 0) throw new Error(`--only ${values.only}: no such moment; --list shows them`)
  return {
    moments: chosen,
    ways: values.ways === 'all' ? ways : (values.ways ?? 'udp,tcp').split(',').map(wayOf),
    calls: countOf('calls', values.calls ?? '100', MOST_CALLS),
    lanes: countOf('at-once', values['at-once'] ?? '2', 8),
  }
}

function countOf(name: string, text: string, most: number): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new Error(`--${name} ${text}: a number from 1 to ${most}`)
}

async function playAll({ moments: chosen, ways: asked, calls, lanes }: Wish): Promise<readonly (Outcome | Failed)[]> {
  // Those that can have the same set come one after another.
  const kinds = [...new Set(asked.map(({ listens }) => listens))]
  const pairs = kinds.flatMap((kind) => {
    const alike = asked.filter(({ listens }) => listens === kind)
    return chosen.flatMap((moment) => alike.map((way) => ({ moment, way })))
  })
  const orders = pairs.map((pair, nth): Order => ({ ...pair, calls, nth }))
  const outcomes: (Outcome | Failed)[] = []
  let next = 0
  let done = 0
  const lane = async (slot: number): Promise<void> => {
    const house = new House(slot)
    while (next < orders.length) {
      const at = next++
      const outcome = await playOne(house, orders[at] as Order)
      outcomes[at] = outcome
      process.stderr.write(`${++done} of ${orders.length}: ${lineOf(outcome)}\n`)
    }
    await house.close()
  }
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(FIRST_SLOT + i)))
  const place = ({ moment, way }: Outcome | Failed): number =>
    chosen.indexOf(moment) * asked.length + asked.indexOf(way)
  return outcomes.toSorted((a, b) => place(a) - place(b))
}

/** It could not be staged. */
export interface Failed {
  readonly moment: Moment
  readonly way: Way
  readonly failure: string
}

async function playOne(house: House, order: Order): Promise<Outcome | Failed> {
  try {
    return await play(house, order)
  } catch (error) {
    return { moment: order.moment, way: order.way, failure: (error as Error).message }
  }
}

function lineOf(outcome: Outcome | Failed): string {
  const name = `${outcome.moment.nth}, ${outcome.moment.name}, ${outcome.way.name}`
  if ('failure' in outcome) return `${name}: NOT STAGED: ${outcome.failure}`
  const { lost, doubled, seconds, findings, unexplained } = outcome
  const wrong = [...findings, ...unexplained.map((one) => `a reset that no death explains: ${one}`)]
  return [`${name}: ${lost} lost, ${doubled} doubled, ${seconds} s`, ...wrong.slice(0, 30)].join('\n  ')
}

function listed(): string {
  const staged = moments.map(({ nth, name }) => `${nth}. ${name}`)
  const others = notStaged.map(([nth, what, why, where]) => `${nth}. ${what}\n    not here: ${why}; see ${where}`)
  return [...staged, '', ...others, ''].join('\n')
}

async function main(): Promise<number> {
  let wish: Wish | 'help' | 'list'
  try {
    wish = wishOf(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 64
  }
  if (wish === 'help' || wish === 'list') {
    process.stdout.write(wish === 'help' ? USAGE : listed())
    return 0
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim()
  const before = loadavg()[0] ?? 0
  const outcomes = await playAll(wish)
  const load = `${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`
  process.stdout.write(
    printOutcomes(outcomes, `${new Date().toISOString().slice(0, 16)} UTC, commit ${commit}, load ${load}`),
  )
  return outcomes.every((outcome) => !('failure' in outcome) && isClean(outcome)) ? 0 : 1
}

// What it started ends with it (programs.ts).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
