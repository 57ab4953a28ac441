// Calls that stand: what one takes in memory (hold), and what others cost beside many (grow).

import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../cluster/poll.ts'
import { lostOf } from './load.ts'
import { REST_MS, median, ratio, spread, warmUp, whole, withSystems } from './section.ts'
import { barChart, lineChart } from './svg.ts'
import type { Sipp } from '../../cluster/sipp.ts'
import type { Slice } from './load.ts'
import type { Bench, Result } from './section.ts'
import type { Running, System } from './systems.ts'

/** Calls a second at which they come. */
const RATE = 150
/** At which others come beside them. */
const BESIDE = 50
/** After the last has come. */
const SETTLE_MS = 3_000
const MEGABYTE = 1 << 20
const LIVE = { hold: [5_000], grow: [1_000, 10_000] }

interface Held {
  readonly system: System
  readonly asked: number
  /** Calls that are up. */
  readonly up: number
  /** Bytes: before the calls, and while they are up. */
  readonly before: number
  readonly memory: number
}

export async function hold(bench: Bench): Promise<Result> {
  const { systems, wish, progress } = bench
  const levels = wish.live ?? LIVE.hold
  progress.expect(systems.length * levels.length * 2)
  const found: Held[] = []
  for (const asked of levels) {
    for (const system of systems) {
      await withSystems(bench, [system], async ([one]) => {
        const running = one as Running
        await warmUp(bench, [running])
        const before = running.memory()
        progress.step(`${system.title}: ${asked} calls`)
        const { caller, callee } = await raise(bench, running, asked)
        const { successful, failed, created } = caller.stats()
        found.push({ system, asked, up: created - successful - failed, before, memory: running.memory() })
        await bench.phones.drop(caller, callee)
      })
    }
  }
  const perCall = ({ memory, up }: Held): number => memory / up
  const rows = found.map((one) => {
    const of = (name: string): number[] | undefined =>
      found.filter(({ system, asked }) => asked === one.asked && system.name === name).map(perCall)
    const [peer, plain] = [of('k3-3'), of('k1')]
    return [
      one.system.title,
      `${whole(one.up)} of ${whole(one.asked)}`,
      whole(one.memory / MEGABYTE),
      (perCall(one) / 1_024).toFixed(1),
      ((one.memory - one.before) / one.up / 1_024).toFixed(1),
      ratio([perCall(one)], peer),
      ratio([perCall(one)], plain),
    ]
  })
  const head = ['', 'calls up', 'memory, MB', 'a call, kB', 'of that more than before them', '/ K3-3', '/ K1']
  const bars = found.map((one) => ({ label: `${one.system.title}`, parts: [perCall(one) / 1_024] }))
  return {
    title: 'Memory of live calls',
    tables: [{ head, rows }],
    notes: [
      'Proportional set size of all processes. One measurement each; what a collector has not collected yet is in it.',
    ],
    pictures: { hold: barChart({ title: 'Memory of a live call, all replicas together', unit: 'kB', bars }) },
    raw: found.map((one) => ({ ...one, system: one.system.name })),
  }
}

/** Calls that begin, and stay for an hour. */
async function raise({ phones }: Bench, running: Running, calls: number): Promise<{ caller: Sipp; callee: Sipp }> {
  const callee = await phones.callee(running)
  const caller = await phones.caller(running, { rate: RATE, seconds: calls / RATE, holdMs: 3_600_000 })
  const deadline = (calls / RATE) * 2_000 + 20_000
  await until(`${calls} calls begin`, deadline, () => (caller.stats().created >= calls ? true : null))
  await pause(SETTLE_MS)
  return { caller, callee }
}

interface Level {
  readonly system: System
  readonly live: number
  readonly slices: readonly Slice[]
  /** Of a core, while the calls stand and nothing else happens. */
  readonly idle: number
}

export async function grow(bench: Bench): Promise<Result> {
  const { wish, progress } = bench
  const systems = bench.systems.filter(({ name }) => name === 'ours' || name === 'k1')
  const levels = wish.live ?? LIVE.grow
  progress.expect(systems.length * levels.length * (wish.pairs + 2))
  const found: Level[] = []
  for (const system of systems) {
    for (const live of levels) {
      await withSystems(bench, [system], async ([one]) => {
        found.push(await levelOf(bench, one as Running, live))
      })
    }
  }
  const first = (level: Level): Level | undefined => found.find(({ system }) => system === level.system)
  const rows = found.map((level) => [
    level.system.title,
    whole(level.live),
    spread(costsOf(level)),
    ratio([median(costsOf(level))], [median(costsOf(first(level) ?? level))]),
    (level.idle * 100).toFixed(2),
    `${level.slices.reduce((sum, slice) => sum + lostOf(slice), 0)}`,
  ])
  const least = levels[0]
  const head = ['', 'live calls', 'CPU of a call, µs', `/ at ${least}`, 'at rest, % of a core', 'calls lost']
  const lines = systems.map(({ name, title }) => ({
    name: title,
    points: found
      .filter(({ system }) => system.name === name)
      .map((level) => [level.live, median(costsOf(level))] as const),
  }))
  const title = `CPU of a call at ${BESIDE} calls/s beside live ones`
  return {
    title: 'Beside many calls',
    tables: [{ head, rows }],
    notes: [`${BESIDE} calls a second beside calls that stand; without what is left after a call's end.`],
    pictures: { grow: lineChart({ title, x: 'live calls', y: 'µs', lines, logarithmicX: true }) },
    raw: found.map((level) => ({ ...level, system: level.system.name })),
  }
}

async function levelOf(bench: Bench, running: Running, live: number): Promise<Level> {
  const { wish, phones, progress } = bench
  await warmUp(bench, [running])
  progress.step(`${running.system.title}: ${live} calls stand`)
  const { caller, callee } = await raise(bench, running, live)
  // Nothing of the calls that have ended is left.
  await pause(REST_MS)
  const before = running.cpu()
  await pause(SETTLE_MS)
  const idle = (running.cpu() - before) / (SETTLE_MS * 1_000)
  const slices: Slice[] = []
  for (let at = 0; at < wish.pairs; at++) {
    progress.step(`${running.system.title}: calls beside ${live}, ${at + 1} of ${wish.pairs}`)
    slices.push(await phones.load(running, { rate: BESIDE, seconds: wish.seconds }, callee))
  }
  await phones.drop(caller, callee)
  return { system: running.system, live, slices, idle }
}

function costsOf({ slices }: Level): number[] {
  return slices.map(({ cpu, stats }) => cpu / stats.successful)
}
