// `npm run bench:overload [udp | tcp | tcp-many]`: the tables of the overload benchmark (overload-run.ts).

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { launchSet } from '../cluster/replica-set.ts'
import type { ReplicaSet } from '../cluster/replica-set.ts'
import { Scene } from '../cluster/scene.ts'
import { missingTools } from '../cluster/sipp.ts'
import { runOverload, spreadOf, timers } from './overload-run.ts'
import type { Findings, Wanted } from './overload-run.ts'
import type { ResponseTime } from '../cluster/sipp.ts'

const USAGE = `npm run bench:overload -- [udp | tcp | tcp-many] [--borne RATE] [--log FILE] [--smoke]

  --borne RATE  calls a second that it bears, instead of looking for it
  --log FILE    what the replicas logged goes there
  --smoke       a short run, which says only that the benchmark runs
`

const ways = {
  udp: ['un', 'UDP, a socket for each call'],
  tcp: ['t1', 'TCP, one connection for all calls'],
  'tcp-many': ['tn', 'TCP, a connection for each call'],
} as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean' },
    borne: { type: 'string' },
    log: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help === true) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const [way = 'udp'] = positionals
const chosen = ways[way as keyof typeof ways]
const missing = missingTools()
if (missing !== null) fail(missing)
if (chosen === undefined) fail(`"${way}" is none of ${Object.keys(ways).join(', ')}`)
const [transport, name] = chosen

const long = { tried: 8, before: 20, overload: 60, after: 30, talkers: 100, leavers: 100 }
const quick = { tried: 2, before: 4, overload: 6, after: 12, talkers: 10, leavers: 10 }
const wanted: Wanted = {
  ...(values.smoke === true ? quick : long),
  borne: values.borne === undefined ? null : Number(values.borne),
  transport,
  least: 20,
  most: 1_000,
  calm: 0.5,
  times: 3,
  say: (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`),
}

const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim()
const before = loadavg()[0]?.toFixed(1)
const scene = new Scene(97)
let set: ReplicaSet | null = null
try {
  set = scene.adopt(launchSet({ place: scene.place, restart: 'never' }))
  await set.event('ready', 120_000, ({ event }) => event === 'ready')
  await set.statuses('all three serve', 120_000, ({ serving }) => serving.length === 3)
  print(await runOverload(scene, set, wanted))
} catch (error) {
  console.error(scene.story())
  throw error
} finally {
  if (values.log !== undefined) writeFileSync(values.log, set?.stderr() ?? '')
  await scene.end()
}

function print(found: Findings): void {
  const { sustained, tried, calm, overload, again, talkers, leavers } = found
  console.log(
    `${name}; ${cpus().length} x ${cpus()[0]?.model}, Node.js ${process.version}, commit ${commit}, load ${before} before, ${loadavg()[0]?.toFixed(1)} after\n`,
  )
  console.log(`Borne: ${sustained} calls a second (tried ${tried.map(({ rate }) => rate).join(', ')}).`)
  console.log(`${tried.at(-1)?.rate}: ${tried.at(-1)?.why ?? 'borne'}.\n`)
  console.log(
    '| calls | begun | served | 503 with Retry-After | neither | of these, by an unexpected message | messages repeated |',
  )
  console.log('|---|---|---|---|---|---|---|')
  for (const [what, { stats }] of [
    ['up all the while', talkers],
    ['up, ending in the overload', leavers],
    [`new, ${wanted.calm} times what is borne, before`, calm],
    [`new, ${wanted.times} times`, overload],
    [`new, ${wanted.calm} times again`, again],
  ] as const) {
    const { created, successful, refused, failed, unexpected, retransmissions } = stats
    console.log(
      `| ${what} | ${created} | ${successful - refused} | ${refused} | ${failed} | ${unexpected} | ${retransmissions} |`,
    )
  }
  printTimes(found)
  printMemory(found)
}

function printTimes({ from, overloadAt, fellAt, calm, overload, again, talkers, leavers }: Findings): void {
  const spans = [
    ['before', from, overloadAt],
    ['overload', overloadAt, fellAt],
    ['the first 10 s after', fellAt, fellAt + 10_000],
    ['then', fellAt + 10_000, Infinity],
  ] as const
  const up = [...talkers.times, ...leavers.times]
  const fresh = [...calm.times, ...overload.times, ...again.times]
  const rows: readonly (readonly [string, readonly ResponseTime[], number])[] = [
    ['INFO and BYE of calls that were up', up, timers.inDialog],
    ['BYE of new calls', fresh, timers.inDialog],
    ['INVITE to 200', fresh, timers.invite],
    ['INVITE to 503', fresh, timers.refused],
  ]
  console.log(`\n| p50 / p99 / most, ms (count) | ${spans.map(([span]) => span).join(' | ')} |`)
  console.log(`|${'---|'.repeat(spans.length + 1)}`)
  for (const [what, times, timer] of rows) {
    const cells = spans.map(([, start, end]) => cell(spreadOf(times, timer, start, end)))
    console.log(`| ${what} | ${cells.join(' | ')} |`)
  }
}

function cell(spread: ReturnType<typeof spreadOf>): string {
  if (spread === null) return '-'
  const [p50, p99, most] = [spread.p50, spread.p99, spread.most].map(Math.round)
  return `${p50} / ${p99} / ${most} (${spread.count})`
}

function printMemory({ memory, overloadAt, fellAt, shares }: Findings): void {
  console.log('\n| s from the beginning of the overload | resident memory of the replicas, MB |')
  console.log('|---|---|')
  for (const [i, { at, resident }] of memory.entries()) {
    if (i % 10 !== 0 && i !== memory.length - 1) continue
    const when = at < overloadAt ? ', before' : at < fellAt ? '' : ', after'
    console.log(`| ${Math.round((at - overloadAt) / 1_000)}${when} | ${resident.join(', ')} |`)
  }
  const most = Math.max(...memory.flatMap(({ resident }) => resident))
  console.log(`\nThe most: ${most} MB. Lines that said that it was too much, or no more: ${shares.length}.`)
  for (const line of shares) console.error(line)
}

function fail(reason: string): never {
  console.error(reason)
  process.exit(1)
}
