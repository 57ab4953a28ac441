// What the timers' benchmark prints: tables, and a picture of how late callbacks ran.

import { spreadOf } from '../overload-run.ts'
import type { Findings } from './phase.ts'
import type { Tick } from './ticks.ts'

/** What a death may change: from a second before it to five after. */
const AROUND_MS = [-1_000, 5_000] as const

interface Lateness {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly most: number
}

type Part = (tick: Tick) => number

/** Until its handler ran; `part`: of that, how long something else took. */
function latenessOf(ticks: readonly Tick[], part: Part = ({ ran, due }) => ran - due): Lateness {
  const late = ticks.map(part).sort((a, b) => a - b)
  const at = (share: number): number => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0
  return { count: late.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) }
}

/** Its pulse was committed, and there was room among the callbacks that are performed. */
const untilAsked: Part = ({ asked, due }) => asked - due

function around({ ticks, killedAt }: Findings): readonly Tick[] {
  if (killedAt === null) return []
  return ticks.filter(({ due }) => due >= killedAt + AROUND_MS[0] && due < killedAt + AROUND_MS[1])
}

/** In words, what was not as it is promised; nothing of how long things took. */
export function faultsOf({
  phase,
  timers,
  ticks,
  again,
  committed,
  different,
  firings,
  calls,
}: Findings): readonly string[] {
  const faults: [isSo: boolean, what: string][] = [
    [ticks.length !== timers, `${ticks.length} of ${timers} callbacks ran`],
    [firings.count !== timers || firings.twice > 0, `the log fired ${firings.count}, ${firings.twice} of them again`],
    [firings.gaps > 0, `${firings.gaps} gaps in the events`],
    [firings.outOfOrder > 0, `the log fired ${firings.outOfOrder} after others that were due later`],
    [again > 0, `${again} callbacks found their own work done`],
    [
      committed !== timers || different !== timers,
      `${committed} callbacks were committed, ${different} different ones`,
    ],
    [calls !== null && calls.successful !== calls.created, `calls: ${JSON.stringify(calls)}`],
  ]
  return faults.filter(([isSo]) => isSo).map(([, what]) => `${phase.name}: ${what}`)
}

export function tableOf(all: readonly Findings[]): string {
  const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0)
  const spread = ({ p50, p99, p999, most }: Lateness): string => [p50, p99, p999, most].map(ms).join(' / ')
  const lines = [
    '| timers due | fired in the log: once, twice, out of order | callbacks: committed, run again | late, ms: p50 / p99 / p99.9 / most | of that until its owner asked | callbacks/s | swapped at one worker, by at most | processor time, log entries a callback |',
    '|---|---|---|---|---|---|---|---|',
  ]
  for (const one of all) {
    const { phase, timers, ticks, firings, committed, reruns, swapped, beganAt, processorSeconds, entries } = one
    const last = Math.max(...tail(ticks))
    lines.push(
      `| ${timers} ${phase.name} | ${firings.count}, ${firings.twice}, ${firings.outOfOrder} | ${committed}, ${reruns} | ${spread(latenessOf(ticks))} | ` +
        `${spread(latenessOf(ticks, untilAsked))} | ${Math.round(timers / ((last - beganAt) / 1_000))} | ${swapped.count}, ${ms(swapped.mostMs)} ms | ${((processorSeconds * 1_000) / timers).toFixed(2)} ms, ${(entries / timers).toFixed(2)} |`,
    )
    const near = latenessOf(around(one))
    if (near.count > 0)
      lines.push(
        `| of those ${near.count}, due around the death | | | ${spread(near)} | ${spread(latenessOf(around(one), untilAsked))} | | | |`,
      )
  }
  lines.push(
    '',
    '| calls beside | begun, answered and ended, failed, repeated | INVITE to 200, ms: p50 / p99 / most | BYE to 200 |',
    '|---|---|---|---|',
  )
  for (const { phase, calls, times } of all) {
    if (calls === null) continue
    const [invite, bye] = [1, 2].map((timer) => {
      const found = spreadOf(times, timer)
      return found === null ? '-' : `${found.p50} / ${found.p99} / ${found.most}`
    })
    const { created, successful, failed, retransmissions } = calls
    lines.push(`| ${phase.name} | ${created}, ${successful}, ${failed}, ${retransmissions} | ${invite} | ${bye} |`)
  }
  return `${lines.join('\n')}\n`
}

function* tail(ticks: readonly Tick[]): Generator<number> {
  for (const { ran } of ticks.slice(-1_000)) yield ran
}

const WIDTH = 900
const HEIGHT = 220
const LEFT = 60

/** How late callbacks ran, by when they were due: median, p99 and the latest of each hundredth of the phase, on a logarithmic scale. */
export function pictureOf(all: readonly Findings[]): string {
  const parts = all.map((one, row) => `<g transform="translate(0 ${row * (HEIGHT + 50)})">${plot(one)}</g>`)
  const height = all.length * (HEIGHT + 50)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`
}

const SCALE = [1, 10, 100, 1_000, 10_000, 100_000]

function plot({ phase, ticks, timers, beganAt, killedAt }: Findings): string {
  const x = (at: number): number => LEFT + ((at - beganAt) / (phase.seconds * 1_000)) * (WIDTH - LEFT - 20)
  const y = (ms: number): number => 30 + (HEIGHT - 50) * (1 - Math.log10(Math.max(1, ms)) / 5)
  const slots = Array.from({ length: 100 }, (_, i) => {
    const from = beganAt + (i * phase.seconds * 1_000) / 100
    return { from, ...latenessOf(ticks.filter(({ due }) => due >= from && due < from + phase.seconds * 10)) }
  }).filter(({ count }) => count > 0)
  const line = (of: 'p50' | 'p99' | 'most', colour: string): string =>
    `<polyline fill="none" stroke="${colour}" points="${slots.map((slot) => `${x(slot.from).toFixed(1)},${y(slot[of]).toFixed(1)}`).join(' ')}"/>`
  const grid = SCALE.map(
    (ms) =>
      `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(ms)}" y2="${y(ms)}" stroke="#ddd"/><text x="4" y="${y(ms) + 4}">${ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}</text>`,
  )
  const death =
    killedAt === null
      ? ''
      : `<line x1="${x(killedAt)}" x2="${x(killedAt)}" y1="30" y2="${HEIGHT - 20}" stroke="black" stroke-dasharray="4"/>`
  const title = `<text x="${LEFT}" y="18">${timers} timers ${phase.name}: how late callbacks ran, by when they were due; median green, p99 orange, latest red</text>`
  return [title, ...grid, death, line('p50', 'green'), line('p99', 'darkorange'), line('most', 'red')].join('')
}
