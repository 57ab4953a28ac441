// The highest rate at which not more than one call or message in a thousand fails or is repeated. One system runs at a time.

import { setTimeout as pause } from 'node:timers/promises'
import { barChart } from './svg.ts'
import { isClean, lostOf } from './load.ts'
import { median, ratio, spread, warmUp, withSystems } from './section.ts'
import type { Slice } from './load.ts'
import type { Bench, Result } from './section.ts'
import type { Running, System } from './systems.ts'

const FIRST = 200
const MOST = 16_000
const LEAST = 10
/** As near as this part of the rate. */
const NEAR = 0.1
/** After an overload, what was refused comes again for a while. */
const REST_MS = 3_000

interface Found {
  readonly system: System
  readonly best: number[]
  readonly tried: { readonly rate: number; readonly clean: boolean; readonly slice: Slice }[]
}

export async function rate(bench: Bench): Promise<Result> {
  const { systems, wish, progress } = bench
  const found = systems.map((system): Found => ({ system, best: [], tried: [] }))
  progress.expect(systems.length * wish.pairs * 9)
  for (let pair = 0; pair < wish.pairs; pair++) {
    for (const one of pair % 2 === 0 ? found : [...found].reverse()) {
      await withSystems(bench, [one.system], async (running) => {
        await warmUp(bench, running)
        one.best.push(await highest(bench, running[0] as Running, one, one.best.at(-1) ?? FIRST))
      })
    }
  }
  const of = (name: string): number[] | undefined => found.find(({ system }) => system.name === name)?.best
  return {
    title: 'The highest clean rate',
    tables: [
      {
        head: ['', 'calls a second: median (least to most)', '/ K1', '/ K3-3'],
        rows: found.map(({ system, best }) => [
          system.title,
          spread(best),
          ratio(best, of('k1')),
          ratio(best, of('k3-3')),
        ]),
      },
    ],
    notes: [
      `${wish.seconds} s at each rate, doubled and then halved between the last that was clean and the first that was not, to a tenth; each rate has a second chance. Callers, callees and the system share the machine.`,
    ],
    pictures: {
      rate: barChart({
        title: 'The highest clean rate',
        unit: 'calls/s',
        bars: found.map(({ system, best }) => ({ label: system.title, parts: [median(best)] })),
      }),
    },
    raw: found.map((one) => ({ ...one, system: one.system.name })),
  }
}

async function highest(
  { wish, phones, progress }: Bench,
  running: Running,
  { tried, system }: Found,
  from: number,
): Promise<number> {
  const bears = async (rate: number): Promise<boolean> => {
    for (const isLast of [false, true]) {
      progress.step(`${system.title}: ${rate} calls/s`)
      const slice = await phones.load(running, { rate, seconds: wish.seconds })
      const clean = isClean(slice)
      tried.push({ rate, clean, slice })
      // Far from it: no chance would help.
      if (clean || isLast || lostOf(slice) * 5 > slice.stats.created) return clean
      await pause(REST_MS)
    }
    return false
  }
  return search(from, bears)
}

/** The highest rate that is borne, by doubling or halving from `from`, then halving between; 0 = not even the least. */
export async function search(from: number, bears: (rate: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, Infinity]
  for (let rate = Math.round(from); rate >= LEAST && rate <= MOST;) {
    if (await bears(rate)) low = rate
    else high = rate
    if (low > 0 && high < Infinity) break
    rate = high < Infinity ? Math.round(rate / 2) : rate * 2
  }
  while (low > 0 && high < Infinity && high - low > NEAR * low) {
    const middle = Math.round((low + high) / 2)
    if (await bears(middle)) low = middle
    else high = middle
  }
  return low
}
