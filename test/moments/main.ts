// `npm run moments`: the moments that break today's systems, staged with real processes, and what came of their calls.

import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Transport } from '../../sim/ladder.ts'
import { root } from '../cluster/replica-set.ts'
import { MOST_CALLS } from './crowd.ts'
import { moments } from './list.ts'
import { notStaged } from './not-staged.ts'
import type { Moment } from './moment.ts'
import { House } from './house.ts'
import { isClean, play } from './play.ts'
import type { Order, Outcome } from './play.ts'
import { printOutcomes } from './table.ts'

const USAGE = `npm run moments -- [--only 4,glare] [--transport udp,tcp] [--calls 100] [--at-once 2] [--list]

  --only       numbers of moments, or words of their names
  --transport  what the phones speak
  --calls      calls that stand at the moment, side by side
  --at-once    moments played side by side, each on another set
  --list       what there is, and what can't be staged
`

const FIRST_SLOT = 241

interface Wish {
  readonly moments: readonly Moment[]
  readonly transports: readonly Transport[]
  readonly calls: number
  readonly lanes: number
}

function wishOf(args: readonly string[]): Wish | 'help' | 'list' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, transport: text, calls: text, 'at-once': text, list: flag, help: flag },
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
    transports: (values.transport ?? 'udp,tcp').split(',').map(transportOf),
    calls: countOf('calls', values.calls ?? '100', MOST_CALLS),
    lanes: countOf('at-once', values['at-once'] ?? '2', 8),
  }
}

function transportOf(word: string): Transport {
  if (word === 'udp' || word === 'tcp') return word
  throw new Error(`--transport ${word}: udp or tcp, or both with a comma`)
}

function countOf(name: string, text: string, most: number): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new Error(`--${name} ${text}: a number from 1 to ${most}`)
}

async function playAll({ moments: chosen, transports, calls, lanes }: Wish): Promise<readonly (Outcome | Failed)[]> {
  const pairs = chosen.flatMap((moment) => transports.map((transport) => ({ moment, transport })))
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
  return outcomes
}

/** It could not be staged. */
export interface Failed {
  readonly moment: Moment
  readonly transport: Transport
  readonly failure: string
}

async function playOne(house: House, order: Order): Promise<Outcome | Failed> {
  try {
    return await play(house, order)
  } catch (error) {
    return { moment: order.moment, transport: order.transport, failure: (error as Error).message }
  }
}

function lineOf(outcome: Outcome | Failed): string {
  const name = `${outcome.moment.nth}, ${outcome.moment.name}, ${outcome.transport}`
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
