// Processor time of a call, all replicas together. The systems run at once and are loaded in turn, round after round: a pair is two
// slices of the same round. What a call leaves for later (a set deletes it half a minute after its end) is none of a slice's: all that a system
// uses outside of its slices, less what it uses at rest, is shared out among its calls.

import { setTimeout as pause } from 'node:timers/promises'
import { barChart } from './svg.ts'
import { lostOf } from './load.ts'
import { REST_MS, median, ratio, spread, warmUp, whole, withSystems } from './section.ts'
import type { Slice } from './load.ts'
import type { Bench, Result, Table } from './section.ts'
import type { Running, System } from './systems.ts'

/** Dialogs replicated by Kamailio are not borne above this on two cores. */
const REPLICATED_PEER_MOST = 500
const IDLE_MS = 6_000
const MEGABYTE = 1 << 20

interface Cost {
  readonly system: System
  readonly slices: readonly Slice[]
  /** Microseconds a call, outside of slices. */
  readonly later: number
  /** Of a core, at rest. */
  readonly idle: number
  /** Bytes, after the last slice. */
  readonly memory: number
}

export async function cpu(bench: Bench): Promise<Result> {
  const { rates, pairs } = bench.wish
  const tables: Table[] = []
  const raw: object[] = []
  const pictures: Record<string, string> = {}
  const notes: string[] = []
  const chosen = rates.map((rate) => {
    const systems = bench.systems.filter(({ name }) => rate <= REPLICATED_PEER_MOST || !name.startsWith('k3'))
    bench.progress.expect(systems.length * (pairs + 1) + 2)
    return { rate, systems }
  })
  for (const { rate, systems } of chosen) {
    const costs = await withSystems(bench, systems, (running) => measure(bench, rate, running))
    tables.push(tableOf(rate, costs))
    pictures[`cpu-${rate}`] = pictureOf(rate, costs)
    raw.push(...costs.map((cost) => ({ rate, ...cost, system: cost.system.name })))
    if (systems.length < bench.systems.length)
      notes.push(`K3-3 is left out at ${rate} calls a second, which are more than it bears on two cores.`)
    notes.push(...costs.flatMap((cost) => overloadOf(rate, cost)))
  }
  return { title: 'Processor time of a call', tables, notes, pictures, raw }
}

async function measure(bench: Bench, rate: number, running: readonly Running[]): Promise<Cost[]> {
  const { wish, phones, progress } = bench
  const warmCalls = new Map<Running, number>()
  const from = new Map<Running, { cpu: number; at: number }>()
  for (const one of running) {
    warmCalls.set(one, (await warmUp(bench, [one], rate))[0] ?? 0)
    from.set(one, { cpu: one.cpu(), at: performance.now() })
  }
  const slices = new Map<Running, Slice[]>(running.map((one) => [one, []]))
  for (let pair = 0; pair < wish.pairs; pair++) {
    for (const one of pair % 2 === 0 ? running : [...running].reverse()) {
      progress.step(`${rate} calls/s, pair ${pair + 1} of ${wish.pairs}: ${one.system.title}`)
      slices.get(one)?.push(await phones.load(one, { rate, seconds: wish.seconds }))
    }
  }
  const memory = new Map(running.map((one) => [one, one.memory()]))
  progress.step('what is left of the calls')
  await pause(REST_MS)
  const rested = new Map(running.map((one) => [one, { cpu: one.cpu(), at: performance.now() }]))
  progress.step('at rest')
  await pause(IDLE_MS)
  return running.map((one) => {
    const [start, rest] = [from.get(one), rested.get(one)]
    if (start === undefined || rest === undefined) throw new Error('not measured')
    const all = slices.get(one) ?? []
    const idle = (one.cpu() - rest.cpu) / ((performance.now() - rest.at) * 1_000)
    const inSlices = all.reduce((sum, { cpu }) => sum + cpu, 0)
    const seconds = all.reduce((sum, slice) => sum + slice.seconds, 0)
    const outside = rest.cpu - start.cpu - inSlices - idle * (rest.at - start.at - seconds * 1_000) * 1_000
    const calls = all.reduce((sum, { stats }) => sum + stats.created, warmCalls.get(one) ?? 0)
    return { system: one.system, slices: all, later: Math.max(0, outside / calls), idle, memory: memory.get(one) ?? 0 }
  })
}

/** Microseconds of each slice's call, with what comes later; of calls that were carried through. */
function costs({ slices, later }: Cost): number[] {
  return slices.map(({ cpu, stats }) => (stats.successful === 0 ? Number.NaN : cpu / stats.successful + later))
}

function tableOf(rate: number, all: readonly Cost[]): Table {
  const of = (name: string): number[] | undefined => {
    const found = all.find(({ system }) => system.name === name)
    return found === undefined ? undefined : costs(found)
  }
  const ours = of('ours')
  return {
    head: [
      `${rate} calls/s`,
      'CPU of a call, µs: median (least to most)',
      'of that after its end',
      '/ K1',
      '/ K3-3',
      '/ ours in memory',
      'calls, failed, messages repeated',
      'begun a second',
      'memory, MB',
    ],
    rows: all.map((cost) => {
      const each = costs(cost).filter((value) => !Number.isNaN(value))
      const sum = (of: (slice: Slice) => number): number => cost.slices.reduce((total, one) => total + of(one), 0)
      return [
        cost.system.title,
        spread(each),
        whole(cost.later),
        ratio(costs(cost), of('k1')),
        ratio(costs(cost), of('k3-3')),
        ratio(costs(cost), ours),
        [sum(({ stats }) => stats.created), sum(lostOf), sum(({ stats }) => stats.retransmissions)]
          .map(whole)
          .join(', '),
        whole(median(cost.slices.map(({ achieved }) => achieved))),
        whole(cost.memory / MEGABYTE),
      ]
    }),
  }
}

function overloadOf(rate: number, { system, slices }: Cost): string[] {
  const [lost, made] = [
    slices.reduce((sum, one) => sum + lostOf(one), 0),
    slices.reduce((sum, { stats }) => sum + stats.created, 0),
  ]
  if (lost * 100 < made) return []
  const refused = slices.reduce((sum, { stats }) => sum + stats.refused, 0)
  const how = refused > 0 ? `, ${refused} of them refused with 503` : ''
  return [
    `**${system.title} is overloaded at ${rate} calls a second: ${lost} of ${made} failed${how}.** Its cost is no figure to compare.`,
  ]
}

function pictureOf(rate: number, all: readonly Cost[]): string {
  const bars = all.map((cost) => {
    const later = cost.later
    return { label: cost.system.title, parts: [Math.max(0, median(costs(cost)) - later), later] }
  })
  return barChart({
    title: `Processor time of a call at ${rate} calls/s, all replicas together`,
    unit: 'µs',
    parts: ['while it goes on', 'after its end'],
    bars,
  })
}
