// `npm run bench:logs`: what several logs side by side cost and gain (docs/decisions/0053-several-logs.md). Three processes on one machine,
// each with a replica of every log; groups are dealt out to the logs, leaders to the processes. One number of logs runs at a time, all in
// turn, and the other way round every other time.

import { fork, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { must } from '../../../src/base/assert.ts'
import { cpuOf } from '../log/cpu.ts'
import { connectTo } from '../log/holdfast.ts'
import { drive } from '../log/load.ts'
import { endAll, freePorts } from '../log/system.ts'
import { median } from '../peers/section.ts'
import type { PlaceOrder } from './place.ts'

const USAGE = `npm run bench:logs -- [--logs 1,2,4,8] [--in-flight 64,1024] [--rounds 5] [--seconds 4] [--together]

  --logs      how many logs, side by side
  --together  all logs have one leader, too: what is gained by spreading them shows beside it
`

const PROGRAM = new URL('place.ts', import.meta.url)
const PLACES = 3
const SETTLE_SLOTS = 256
/** A just-in-time compiler needs some ten thousand commits. */
const SETTLE_MS = 5_000
const WARM_UP_MS = 500

interface Case {
  readonly logs: number
  readonly isSpread: boolean
}

interface Measured {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Microseconds of processor time a commit, by place. */
  readonly cpu: readonly number[]
}

type Row = Measured & Case & { readonly slots: number }

interface Rest extends Case {
  /** Share of a core, of all places together. */
  readonly atRest: number
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: { logs: text, 'in-flight': text, rounds: text, seconds: text, together: flag, help: flag },
  })
  if (values.help === true) {
    process.stdout.write(USAGE)
    return 0
  }
  const numbers = (list: string): number[] => list.split(',').map(Number)
  const logs = numbers(values.logs ?? '1,2,4,8')
  const spread = logs.map((count): Case => ({ logs: count, isSpread: true }))
  const together = values.together === true ? logs.filter((count) => count > 1) : []
  const cases = [...spread, ...together.map((count): Case => ({ logs: count, isSpread: false }))]
  const inFlight = numbers(values['in-flight'] ?? '64,1024')
  const seconds = Number(values.seconds ?? '4')
  if (![...logs, ...inFlight, seconds, Number(values.rounds ?? '5')].every((number) => number > 0)) {
    process.stderr.write(`every option but --together wants numbers above 0\n${USAGE}`)
    return 2
  }
  const rows: Row[] = []
  const rests: Rest[] = []
  const rounds = Number(values.rounds ?? '5')
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD']).stdout.toString().trim()
  process.stdout.write(
    `${new Date().toISOString().slice(0, 16)}Z, commit ${commit}, ${availableParallelism()} x ${cpus()[0]?.model.trim()}, ` +
      `Node.js ${process.versions.node}; load ${loadavg()[0]?.toFixed(1)} before; medians of ${rounds}\n\n`,
  )
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of (round % 2 === 0 ? cases : cases.toReversed()).entries()) {
      process.stderr.write(`round ${round + 1} of ${rounds}, case ${i + 1} of ${cases.length}: ${nameOf(one)}\n`)
      try {
        await measure(one, inFlight, seconds * 1_000, rows, rests)
      } catch (error) {
        // A group has moved to another owner, say: writers here know none but the first.
        process.stderr.write(`${nameOf(one)}: ${(error as Error).message}; this round is left out\n`)
      }
    }
  }
  process.stdout.write(tableOf(cases, rows, rests))
  return 0
}

async function measure(one: Case, inFlight: readonly number[], ms: number, rows: Row[], rests: Rest[]): Promise<void> {
  const ports = await freePorts(2 * PLACES)
  const children = Array.from({ length: PLACES }, () => fork(PROGRAM, { stdio: 'inherit' }))
  const pids = children.map(({ pid }) => must(pid, 'a process'))
  try {
    const leaders = Array.from({ length: one.logs }, (_, log) => (one.isSpread ? 1 + (log % PLACES) : 1))
    const loadPorts = ports.slice(PLACES)
    await Promise.all(
      children.map((child, i) =>
        begun(child, { place: i + 1, leaders, ports: ports.slice(0, PLACES), loadPort: must(loadPorts[i], 'a port') }),
      ),
    )
    await load(loadPorts, pids, SETTLE_SLOTS, { warmUpMs: 0, ms: SETTLE_MS })
    for (const slots of inFlight)
      rows.push({ ...one, slots, ...(await load(loadPorts, pids, slots, { warmUpMs: WARM_UP_MS, ms })) })
    await pause(1_000)
    const before = cpuOf(pids)
    const at = performance.now()
    await pause(ms)
    rests.push({ ...one, atRest: (cpuOf(pids) - before) / (performance.now() - at) / 10 })
  } finally {
    await endAll(children)
  }
}

function begun(child: ChildProcess, order: PlaceOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`a place ended with ${code ?? 'a signal'}`)))
    child.send(order)
  })
}

async function load(
  ports: readonly number[],
  pids: readonly number[],
  slots: number,
  period: { readonly warmUpMs: number; readonly ms: number },
): Promise<Measured> {
  const writer = await connectTo(ports)
  const look = (): number[] => pids.map((pid) => cpuOf([pid]))
  let [from, to]: number[][] = [[], []]
  try {
    const { ops, seconds, p50, p99 } = await drive(
      writer,
      slots,
      period,
      () => (from = look()),
      () => (to = look()),
    )
    return { perSecond: ops / seconds, p50, p99, cpu: pids.map((_, i) => ((to?.[i] ?? 0) - (from?.[i] ?? 0)) / ops) }
  } finally {
    writer.close()
  }
}

function nameOf({ logs, isSpread }: Case): string {
  return logs === 1 ? 'one log' : `${logs} logs, ${isSpread ? 'leaders spread' : 'one leader of all'}`
}

function tableOf(cases: readonly Case[], rows: readonly Row[], rests: readonly Rest[]): string {
  const slots = [...new Set(rows.map((row) => row.slots))]
  const lines = slots.flatMap((count) =>
    cases.map((one) => {
      const same = rows.filter((row) => row.slots === count && row.logs === one.logs && row.isSpread === one.isSpread)
      const of = (pick: (row: Row) => number): number => median(same.map(pick))
      const all = of(({ cpu }) => cpu.reduce((sum, us) => sum + us, 0))
      const cells = [
        ...[`${count}`, nameOf(one), Math.round(of(({ perSecond }) => perSecond)).toLocaleString('en-US')],
        ...[of(({ p50 }) => p50).toFixed(2), of(({ p99 }) => p99).toFixed(2), all.toFixed(1)],
        [0, 1, 2].map((i) => of(({ cpu }) => cpu[i] ?? 0).toFixed(1)).join(', '),
      ]
      return `| ${cells.join(' | ')} |`
    }),
  )
  const still = cases.map((one) => {
    const same = rests.filter((rest) => rest.logs === one.logs && rest.isSpread === one.isSpread)
    return `| ${nameOf(one)} | ${median(same.map(({ atRest }) => atRest)).toFixed(2)} |`
  })
  return [
    '| in flight | | commits a second | p50, ms | p99, ms | µs of CPU a commit, three places | each place; the first leads one log |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
    '| at rest | % of a core, three places |',
    '|---|---|',
    ...still,
    '',
  ].join('\n')
}

process.exitCode = await main()
