// The overload benchmark (issue 6, "done when" 8): what rate of calls the set bears on this machine, then three times that for a while,
// beside calls that are up and talk, then the first rate again. The phones are SIPp's; everything shares one machine.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import type { Scene } from '../cluster/scene.ts'
import { until } from '../cluster/poll.ts'
import { startCallee, startCaller } from '../cluster/sipp.ts'
import type { ResponseTime, Sipp, SippStats, SippTransport } from '../cluster/sipp.ts'
import type { ReplicaSet } from '../cluster/replica-set.ts'

export interface Wanted {
  readonly transport: Extract<SippTransport, 'un' | 't1' | 'tn'>
  /** Calls a second: the least that is tried, and the most. */
  readonly least: number
  readonly most: number
  /** How long a rate is tried, in seconds. */
  readonly tried: number
  /** How much of the rate that the set bears comes when it has no overload. */
  readonly calm: number
  readonly times: number
  /** The calm before, the overload, the calm after it: seconds. */
  readonly before: number
  readonly overload: number
  readonly after: number
  /** Calls that are up all the while, and those that end in the overload. */
  readonly talkers: number
  readonly leavers: number
  /** The rate that it bears, if that is known already; null = it is looked for. */
  readonly borne: number | null
  readonly say: (line: string) => void
}

/** A load that has ended: what became of its calls. Times of SIPp's wall clock. */
export interface Ended {
  readonly stats: SippStats
  readonly times: readonly ResponseTime[]
}

export interface Findings {
  readonly sustained: number
  readonly tried: readonly { readonly rate: number; readonly why: string | null }[]
  readonly from: number
  /** When the overload began, and when it fell. */
  readonly overloadAt: number
  readonly fellAt: number
  readonly calm: Ended
  readonly overload: Ended
  readonly again: Ended
  readonly talkers: Ended
  readonly leavers: Ended
  /** Resident memory of all replicas in megabytes, each second. */
  readonly memory: readonly { readonly at: number; readonly resident: readonly number[] }[]
  /** What the replicas said of their load. */
  readonly shares: readonly string[]
}

/** INVITE to 200, INFO or BYE to 200, INVITE to 503. */
export const timers = { invite: 1, inDialog: 2, refused: 3 } as const

const scenario = (name: string): { readonly file: string } => ({
  file: fileURLToPath(new URL(`../cluster/scenarios/${name}.xml`, import.meta.url)),
})

/** Connections a second from one address: each keeps its port for a minute after its end (TIME-WAIT), and there are 28,000. */
const CONNECTIONS = 300

const HOLD_MS = 1_000
const TALK_MS = 2_000
/** A rate is borne if all calls are served and no more than this part of the messages has to be repeated: who waits for longer than T1,
 * half a second, repeats. */
const repeatedMost = 0.02
/** Shares rise again within this (hostLimits.shareRise). */
const restMs = 12_000

export async function runOverload(scene: Scene, set: ReplicaSet, wanted: Wanted): Promise<Findings> {
  const bench = new Bench(scene, wanted)
  await bench.startCallee()
  const { rate: sustained, tried } =
    wanted.borne === null ? await bench.findRate() : { rate: wanted.borne, tried: await bench.warmUp() }
  const calmRate = Math.max(1, Math.floor(sustained * wanted.calm))
  const { before, overload, after } = wanted
  await pause(restMs)

  const memory: { at: number; resident: number[] }[] = []
  const look = (): number =>
    memory.push({ at: Date.now(), resident: set.ids.map((id) => residentMegabytes(set.pid(id))) })
  const watch = setInterval(look, 1_000)
  try {
    const from = Date.now()
    const rounds = (seconds: number): number => Math.ceil((seconds * 1_000) / TALK_MS)
    wanted.say(`${wanted.talkers} calls that go on, ${wanted.leavers} that end in the overload`)
    const talkers = await bench.talk(wanted.talkers, rounds(before + overload + after + 5), before / 2)
    const leavers = await bench.talk(wanted.leavers, rounds(before + overload / 3), before)
    wanted.say(`${calmRate} calls a second for ${before} s`)
    const calm = await bench.load(calmRate, before)
    wanted.say(`${wanted.times} times ${sustained} calls a second for ${overload} s`)
    const overloadAt = Date.now()
    const flood = await bench.begin(wanted.times * sustained, overload)
    await flood.begun((overload + 120) * 1_000)
    const fellAt = Date.now()
    wanted.say(`${calmRate} calls a second again, for ${after} s`)
    const again = await bench.load(calmRate, after)
    const findings = {
      sustained,
      tried,
      from,
      overloadAt,
      fellAt,
      calm,
      overload: await flood.ended(),
      again,
      talkers: await talkers.ended(),
      leavers: await leavers.ended(),
      memory,
      shares: sharesOf(set.stderr()),
    }
    return findings
  } finally {
    clearInterval(watch)
  }
}

class Bench {
  readonly #scene: Scene
  readonly #wanted: Wanted
  #loads = 0

  constructor(scene: Scene, wanted: Wanted) {
    this.#scene = scene
    this.#wanted = wanted
  }

  async startCallee(): Promise<void> {
    const { place, folder } = this.#scene
    const transport = this.#wanted.transport === 'un' ? 'u1' : 't1'
    const local = place.callee
    this.#scene.adoptPhone(
      await startCallee({
        local,
        folder: join(folder, 'callee'),
        transport,
        scenario: scenario('callee-listens'),
        lifeSeconds: 3_600,
      }),
    )
  }

  /** The highest rate that it bears, half a step exact. */
  async findRate(): Promise<{ rate: number; tried: { rate: number; why: string | null }[] }> {
    const tried: { rate: number; why: string | null }[] = []
    const bears = async (rate: number): Promise<boolean> => {
      // A second try: something else on the machine is no reason.
      for (const isLast of [false, true]) {
        const why = whyNot(await this.load(rate, this.#wanted.tried))
        this.#wanted.say(`${rate} calls a second: ${why ?? 'borne'}`)
        tried.push({ rate, why })
        if (why === null || isLast) return why === null
        await pause(restMs)
      }
      return false
    }
    const { least, most } = this.#wanted
    // Code that has not run yet is slow: the first one doesn't count.
    await this.load(least, this.#wanted.tried)
    let [borne, failed] = [0, most * 2]
    for (let rate = least; rate <= most; rate = Math.round(rate * 1.4)) {
      if (!(await bears(rate))) {
        failed = rate
        break
      }
      borne = rate
    }
    if (borne === 0) throw new Error(`not even ${least} calls a second are borne: the machine is too busy`)
    if (failed <= most) {
      await pause(restMs)
      const middle = Math.round((borne + failed) / 2)
      if (await bears(middle)) borne = middle
    }
    return { rate: borne, tried }
  }

  /** Code that has not run yet is slow. */
  async warmUp(): Promise<[]> {
    for (const part of [0.1, 0.5, 1]) {
      await this.load(Math.ceil((this.#wanted.borne ?? 0) * part), this.#wanted.tried)
    }
    return []
  }

  async load(rate: number, seconds: number): Promise<Ended> {
    return (await this.begin(rate, seconds)).ended()
  }

  async begin(rate: number, seconds: number): Promise<Load> {
    const many = this.#wanted.transport === 'tn' ? Math.ceil(rate / CONNECTIONS) : 1
    const callers = Array.from({ length: many }, (_, i) => {
      const part = Math.floor((rate + i) / many)
      return this.#caller('caller-may-be-refused', { rate: part, calls: part * seconds, holdMs: HOLD_MS })
    })
    return new Load(await Promise.all(callers), rate * seconds)
  }

  /** Calls that begin within `seconds`. */
  async talk(calls: number, rounds: number, seconds: number): Promise<Load> {
    const rate = Math.max(1, Math.ceil(calls / seconds))
    const order = { rate, calls, holdMs: TALK_MS, variables: { rounds } }
    return new Load([await this.#caller('caller-talks', order)], calls)
  }

  async #caller(
    name: string,
    order: { rate: number; calls: number; holdMs: number; variables?: Readonly<Record<string, number>> },
  ): Promise<Sipp> {
    const { place, folder } = this.#scene
    const at = ++this.#loads
    // Each with an address of its own: those before it are still spoken to.
    const host = place.caller.slice(0, place.caller.lastIndexOf('.'))
    const caller = await startCaller({
      ...order,
      local: `${host}.${100 + (at % 100)}:5060`,
      folder: join(folder, `caller-${at}`),
      transport: this.#wanted.transport,
      scenario: scenario(name),
      remote: place.sip,
      responseTimes: true,
    })
    this.#scene.adoptPhone(caller)
    return caller
  }
}

/** Callers that make one load together. */
class Load {
  readonly #callers: readonly Sipp[]
  readonly #calls: number

  constructor(callers: readonly Sipp[], calls: number) {
    this.#callers = callers
    this.#calls = calls
  }

  /** Until its last call has begun. */
  async begun(deadlineMs: number): Promise<void> {
    await until(`${this.#calls} calls have begun`, deadlineMs, () => {
      const { created } = sum(this.#callers.map((caller) => caller.stats()))
      return created >= this.#calls ? true : null
    })
  }

  async ended(): Promise<Ended> {
    const stats = await Promise.all(this.#callers.map((caller) => caller.finished(240_000)))
    return {
      stats: sum(stats),
      times: this.#callers.flatMap((caller) => (caller.stats().successful > 0 ? caller.responseTimes() : [])),
    }
  }
}

function sum(all: readonly SippStats[]): SippStats {
  const of = (name: keyof SippStats): number => all.reduce((total, stats) => total + stats[name], 0)
  return {
    created: of('created'),
    successful: of('successful'),
    failed: of('failed'),
    unsent: of('unsent'),
    retransmissions: of('retransmissions'),
    unexpected: of('unexpected'),
    refused: of('refused'),
    stray: of('stray'),
  }
}

/** Why that was too much; null = it was not. */
function whyNot({ stats }: Ended): string | null {
  const { created, successful, refused, retransmissions } = stats
  if (refused > 0) return `${refused} of ${created} refused`
  if (successful < created) return `${created - successful} of ${created} failed`
  // Seven messages a call, without 100 and 180 five that may come again.
  return retransmissions > created * 5 * repeatedMost
    ? `${retransmissions} messages of ${created} calls repeated`
    : null
}

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** Of the answers to what was sent in a span of time. */
export function spreadOf(times: readonly ResponseTime[], timer: number, from = 0, to = Infinity): Spread | null {
  const sorted = times
    .filter((one) => one.timer === timer && one.sentAt >= from && one.sentAt < to)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return sorted.length === 0 ? null : { count: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) }
}

function residentMegabytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Math.round(Number(kilobytes ?? 0) / 1_024)
  } catch {
    return 0
  }
}

function sharesOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line.includes('new requests'))
}
