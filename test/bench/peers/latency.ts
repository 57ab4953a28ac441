// How long the caller waits, from the packets' own times. The 180 of a replicated call waits for one commit, in our set and nowhere else:
// that of the INVITE, before this goes to the callee. So does the 200 to its BYE.

import { join } from 'node:path'
import { barChart } from './svg.ts'
import { lostOf } from './load.ts'
import { median, quantile, ratio, spread, warmUp, withSystems } from './section.ts'
import { tap } from './wire.ts'
import type { Packet } from '../../cluster/capture.ts'
import type { Bench, Result } from './section.ts'
import type { Running, System } from './systems.ts'

const RATE = 200
/** Milliseconds, each of all calls of a slice. */
interface Waits {
  readonly ringing: readonly number[]
  /** Of that, until the INVITE was at the callee. */
  readonly forwarded: readonly number[]
  readonly bye: readonly number[]
  readonly lost: number
}

export async function latency(bench: Bench): Promise<Result> {
  const { wish, systems, progress } = bench
  progress.expect(systems.length * (wish.pairs + 1))
  const waits = new Map<System, Waits[]>(systems.map((system) => [system, []]))
  await withSystems(bench, systems, async (running) => {
    await warmUp(bench, running)
    for (let pair = 0; pair < wish.pairs; pair++) {
      for (const one of pair % 2 === 0 ? running : [...running].reverse()) {
        progress.step(`pair ${pair + 1} of ${wish.pairs}: ${one.system.title}`)
        waits.get(one.system)?.push(await waitsOf(bench, one))
      }
    }
  })
  const all = systems.map((system) => ({ system, slices: waits.get(system) ?? [] }))
  const each = (name: string, of: (one: Waits) => number): number[] | undefined =>
    all.find(({ system }) => system.name === name)?.slices.map(of)
  const rows = all.map(({ system, slices }) => {
    const [p50, p99] = [(one: Waits) => quantile(one.ringing, 0.5), (one: Waits) => quantile(one.ringing, 0.99)]
    return [
      system.title,
      ...[spread(slices.map(p50), ms), ratio(slices.map(p50), each('k1', p50))],
      ...[spread(slices.map(p99), ms), ratio(slices.map(p99), each('k3-3', p99))],
      ms(median(slices.map((one) => quantile(one.forwarded, 0.5)))),
      ...[0.5, 0.99].map((share) => ms(median(slices.map((one) => quantile(one.bye, share))))),
      `${slices.reduce((sum, { ringing }) => sum + ringing.length, 0)}, ${slices.reduce((sum, { lost }) => sum + lost, 0)}`,
    ]
  })
  const head = [
    `${RATE} calls/s`,
    ...['INVITE to 180, ms: p50', '/ K1', 'p99', '/ K3-3', 'of p50, until the INVITE is at the callee'],
    ...['BYE to 200: p50', 'p99', 'calls answered, lost'],
  ]
  const bars = all.map(({ system, slices }) => {
    const forwarded = median(slices.map((one) => quantile(one.forwarded, 0.5)))
    return {
      label: system.title,
      parts: [forwarded, median(slices.map((one) => quantile(one.ringing, 0.5))) - forwarded],
    }
  })
  const title = `INVITE to 180 at ${RATE} calls/s, median`
  const parts = ['until the INVITE is at the callee', 'until the 180 is at the caller']
  return {
    title: 'How long a caller waits',
    tables: [{ head, rows }],
    notes: [
      `Each figure is the median of ${wish.pairs} slices of ${wish.seconds} s, in brackets the least and the most of them.`,
    ],
    pictures: { latency: barChart({ title, unit: 'ms', parts, bars }) },
    raw: all.map(({ system, slices }) => ({ system: system.name, slices: slices.map(summary) })),
  }
}

async function waitsOf({ wish, phones, folder }: Bench, running: Running): Promise<Waits> {
  const { caller, callee } = running.site
  const hosts = [caller, callee.slice(0, callee.lastIndexOf(':'))]
  const filter = `udp and (${hosts.map((host) => `host ${host}`).join(' or ')})`
  const capture = await tap(filter, join(folder, 'latency.pcap'))
  const slice = await phones.load(running, { rate: RATE, seconds: wish.seconds })
  return { ...waitsIn(await capture.messages(), caller, callee), lost: lostOf(slice) }
}

/** Of each call in these packets: from the first time that something left to the first time that its answer came. */
export function waitsIn(packets: readonly Packet[], caller: string, callee: string): Omit<Waits, 'lost'> {
  const [invited, ended] = [new Map<string, number>(), new Map<string, number>()]
  const forwarded = new Map<string, number>()
  const [ringing, bye] = [new Map<string, number>(), new Map<string, number>()]
  const first = (times: Map<string, number>, call: string, at: number): void => {
    if (!times.has(call)) times.set(call, at)
  }
  for (const { from, to, at, payload } of packets) {
    const call = /\r\nCall-ID: *(\S+)/i.exec(payload)?.[1] ?? ''
    const isAnswer = payload.startsWith('SIP/2.0 ')
    if (from.startsWith(`${caller}:`)) {
      if (payload.startsWith('INVITE ')) first(invited, call, at)
      if (payload.startsWith('BYE ')) first(ended, call, at)
    } else if (to === callee && payload.startsWith('INVITE ')) first(forwarded, call, at)
    else if (isAnswer && to.startsWith(`${caller}:`)) {
      if (payload.startsWith('SIP/2.0 180')) first(ringing, call, at)
      if (payload.startsWith('SIP/2.0 200') && /\r\nCSeq: *\d+ BYE/i.test(payload)) first(bye, call, at)
    }
  }
  const took = (begun: Map<string, number>, done: Map<string, number>): number[] =>
    [...begun].flatMap(([call, at]) => (done.has(call) ? [((done.get(call) as number) - at) / 1_000] : []))
  return { ringing: took(invited, ringing), forwarded: took(invited, forwarded), bye: took(ended, bye) }
}

function summary({ ringing, forwarded, bye, lost }: Waits): object {
  const of = (values: readonly number[]): object => ({
    count: values.length,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    most: Math.max(...values),
  })
  return { ringing: of(ringing), forwarded: of(forwarded), bye: of(bye), lost }
}

function ms(value: number): string {
  return Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 1) : '-'
}
