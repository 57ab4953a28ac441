// `npm run bench:log`: what a commit of 512 bytes costs, ours beside etcd and Redis, on one machine in one run. One system runs at
// a time; all share the machine with the load, so rates are bounded by what servers and load compute together, and the
// processor time of the servers is the figure that carries over.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuOf } from './cpu.ts'
import { etcd } from './etcd.ts'
import { holdfast } from './holdfast.ts'
import { drive } from './load.ts'
import type { Period } from './load.ts'
import { redis } from './redis.ts'
import type { Keeping, Running, System } from './system.ts'
import { printTable } from './table.ts'
import type { Row } from './table.ts'

const USAGE = `npm run bench:log -- [--only holdfast,etcd,redis] [--keeping memory,disk] [--in-flight 1,64,1024]
                     [--rounds 3] [--seconds 4] [--dir DIR] [--cpu-prof DIR] [--smoke]

  --dir       where the disk is (${tmpdir()}); memory is /dev/shm
  --cpu-prof  profiles of our replicas go there
  --smoke     ours alone, a moment each: whether it works
`

/** Writes in flight while a system settles. */
const SETTLE_SLOTS = 256

/** Where a file system lies in memory. */
const IN_MEMORY = '/dev/shm'

interface Plan {
  readonly systems: readonly System[]
  readonly keepings: readonly Keeping[]
  readonly inFlight: readonly number[]
  readonly rounds: number
  /** How long each system runs under load before anything is measured. */
  readonly settleMs: number
  readonly period: Period
  readonly folder: string
}

function planOf(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ only: text, keeping: text, 'in-flight': text, rounds: text, seconds: text, dir: text, 'cpu-prof': text },
      ...{ smoke: flag, help: flag },
    },
  })
  if (values.help === true) return null
  const smoke = values.smoke === true
  const profile = values['cpu-prof']
  const ours = holdfast(profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile])
  const known: Readonly<Record<string, System>> = { holdfast: ours, etcd, redis }
  const names = values.only?.split(',') ?? (smoke ? ['holdfast'] : Object.keys(known))
  const ms = smoke ? 200 : Number(values.seconds ?? 4) * 1_000
  return {
    systems: names.flatMap((name) => known[name] ?? []),
    keepings: (values.keeping?.split(',') ?? ['memory', 'disk']).filter((it) => it === 'memory' || it === 'disk'),
    inFlight: values['in-flight']?.split(',').map(Number) ?? [1, 64, 1024],
    rounds: Number(values.rounds ?? (smoke ? 1 : 3)),
    // A just-in-time compiler needs some ten thousand commits, the others are treated alike: then each case has its own start.
    settleMs: smoke ? 0 : 6_000,
    period: { ms, warmUpMs: smoke ? 50 : 1_000 },
    folder: values.dir ?? tmpdir(),
  }
}

async function measure(plan: Plan): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let round = 0; round < plan.rounds; round++) {
    for (const keeping of plan.keepings) {
      for (const system of plan.systems) rows.push(...(await measureOne(plan, system, keeping)))
    }
    process.stderr.write(`round ${round + 1} of ${plan.rounds}, load ${loadOf()}\n`)
  }
  return rows
}

async function measureOne(plan: Plan, system: System, keeping: Keeping): Promise<readonly Row[]> {
  const rows: Row[] = []
  const base = keeping === 'memory' ? IN_MEMORY : plan.folder
  mkdirSync(base, { recursive: true })
  const folder = mkdtempSync(join(base, 'holdfast-bench-'))
  const running = await system.start(keeping, folder)
  try {
    if (plan.settleMs > 0) await measureLoad(running, SETTLE_SLOTS, { warmUpMs: 0, ms: plan.settleMs })
    for (const slots of plan.inFlight) {
      try {
        rows.push({ keeping, slots, system: system.name, ...(await measureLoad(running, slots, plan.period)) })
      } catch (error) {
        process.stderr.write(`${system.name}, ${keeping}, ${slots} in flight: ${(error as Error).message}\n`)
      }
    }
  } finally {
    await running.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return rows
}

async function measureLoad(
  running: Running,
  slots: number,
  period: Period,
): Promise<Omit<Row, 'keeping' | 'slots' | 'system'>> {
  const writer = await running.connect(slots)
  let servers = 0
  let load = 0
  const look = (): [number, number] => [cpuOf(running.pids) - servers, cpuOf([process.pid]) - load]
  try {
    const figures = await drive(
      writer,
      slots,
      period,
      () => ([servers, load] = look()),
      () => ([servers, load] = look()),
    )
    const { ops, seconds, p50, p99 } = figures
    return { perSecond: ops / seconds, p50, p99, servers: servers / ops, load: load / ops }
  } finally {
    writer.close()
  }
}

function loadOf(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
}

async function main(): Promise<number> {
  const plan = planOf(process.argv.slice(2))
  if (plan === null) {
    process.stdout.write(USAGE)
    return 0
  }
  const missing = plan.systems.flatMap((system) => system.missing() ?? [])
  if (missing.length > 0) process.stderr.write(`left out, not on this machine: ${missing.join('; ')}\n`)
  const systems = plan.systems.filter((system) => system.missing() === null)
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'])
  const versions = systems.map((system) => `${system.name} (${system.version()})`).join(', ')
  const commit = String(stdout).trim()
  process.stdout.write(`${new Date().toISOString().slice(0, 16)}Z, commit ${commit}, ${availableParallelism()} cores, `)
  process.stdout.write(`load ${loadOf()}; ${versions}\n\n`)
  const rows = await measure({ ...plan, systems })
  process.stdout.write(printTable(rows))
  process.stdout.write(`\nload at the end ${loadOf()}\n`)
  return 0
}

process.exitCode = await main()
