// A load of calls, the same for every system: SIPp's caller, the system, SIPp's callee, over UDP. A call is INVITE, 100, 180 at once, 200
// after 20 ms, ACK, BYE after the hold, 200.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startCallee, startCaller } from '../../cluster/sipp.ts'
import type { Sipp, SippStats } from '../../cluster/sipp.ts'
import type { Site } from './systems.ts'

export interface Order {
  /** Calls a second. */
  readonly rate: number
  readonly seconds: number
  /** Between the ACK and the BYE; default 20. */
  readonly holdMs?: number
  /** The caller writes down its response times. */
  readonly responseTimes?: boolean
}

/** What calls go through. */
export interface Place {
  readonly site: Site
}

export interface Loaded extends Place {
  cpu(): number
}

export interface Slice {
  readonly rate: number
  readonly stats: SippStats
  /** Calls a second that were begun. */
  readonly achieved: number
  /** Seconds from the first call to the end of the last. */
  readonly seconds: number
  /** Microseconds of processor time, all processes of the system. */
  readonly cpu: number
}

const RING_MS = 20
/** How long calls may go on after they should have ended. */
const PATIENCE_MS = 8_000
/** What makes calls leave evenly, and calls that were given up not linger. */
const EVENLY = ['-timer_resol', '2', '-deadcall_wait', '0', '-s', 'callee']

/** SIPp's scenarios: the harness's, or our own where it isn't there. */
export interface Scenarios {
  readonly caller: string
  readonly callee: string
}

export function scenariosOf(harness: string | null): Scenarios {
  if (harness !== null)
    return { caller: join(harness, 'sipp', 'uac.xml'), callee: join(harness, 'sipp', 'uas-ring.xml') }
  const own = (name: string): string => fileURLToPath(new URL(`../../cluster/scenarios/${name}.xml`, import.meta.url))
  return { caller: own('caller-timed'), callee: own('callee') }
}

export class Phones {
  readonly #folder: string
  readonly #scenarios: Scenarios
  readonly #living = new Set<Sipp>()
  #loads = 0

  constructor(folder: string, scenarios: Scenarios) {
    this.#folder = folder
    this.#scenarios = scenarios
  }

  /** Calls until the last has ended, or has had its time. Each load has phones of its own, with ports that were not used before.
   * `callee`: one that is there; its own otherwise. */
  async load(running: Loaded, order: Order, callee?: Sipp): Promise<Slice> {
    const folder = this.#fresh()
    const own = callee === undefined ? await this.callee(running) : null
    const cpu = running.cpu()
    const from = performance.now()
    const caller = await this.caller(running, order, folder)
    const most = order.seconds * 1_000 + (order.holdMs ?? RING_MS) + PATIENCE_MS
    await caller.finished(most).catch(() => null)
    const took = (performance.now() - from) / 1_000
    // What the last call leaves to do.
    await pause(200)
    const used = running.cpu() - cpu
    await this.drop(caller, ...(own === null ? [] : [own]))
    const { rate } = order
    const slice = { rate, stats: caller.stats(), achieved: rateOf(caller.begun()), seconds: took, cpu: used }
    rmSync(folder, { recursive: true, force: true })
    return slice
  }

  /** A caller that has begun. */
  async caller({ site }: Place, order: Order, folder = this.#fresh()): Promise<Sipp> {
    const { rate, seconds, holdMs = RING_MS, responseTimes = false } = order
    return this.#adopt(
      await startCaller({
        ...{ rate, calls: Math.max(1, Math.round(rate * seconds)), holdMs, responseTimes, remote: site.sip },
        ...{ local: `${site.caller}:${10_000 + this.#loads}`, folder, lifeSeconds: 3_600, more: EVENLY },
        scenario: { file: this.#scenarios.caller },
        transport: 'u1',
      }),
    )
  }

  async callee({ site }: Place): Promise<Sipp> {
    return this.#adopt(
      await startCallee({
        ...{ local: site.callee, folder: this.#fresh(), transport: 'u1', holdMs: RING_MS, lifeSeconds: 3_600 },
        scenario: { file: this.#scenarios.callee },
        more: EVENLY,
      }),
    )
  }

  /** Ends them at once, whatever they do. */
  async drop(...phones: readonly Sipp[]): Promise<void> {
    await Promise.all(phones.map((phone) => phone.destroy()))
    for (const phone of phones) this.#living.delete(phone)
  }

  async end(): Promise<void> {
    await this.drop(...this.#living)
  }

  #adopt(phone: Sipp): Sipp {
    this.#living.add(phone)
    return phone
  }

  #fresh(): string {
    return join(this.#folder, `phone-${++this.#loads}`)
  }
}

/** Whether the rate was borne: at most one call or message in a thousand failed or was repeated, and the calls began in time. */
export function isClean({ rate, stats, achieved }: Slice): boolean {
  const { created, failed, retransmissions, successful } = stats
  return successful > 0 && failed + retransmissions < created / 1_000 && achieved >= 0.97 * rate
}

/** Calls that were not carried through. */
export function lostOf({ stats: { created, successful } }: Slice): number {
  return created - successful
}

// From the first row of SIPp's statistics to that of the last call.
function rateOf(begun: readonly (readonly [at: number, count: number])[]): number {
  const last = begun.findIndex(([, count]) => count === begun.at(-1)?.[1])
  const [first, end] = [begun[0], begun[Math.max(1, last - 1)]]
  if (first === undefined || end === undefined || end[0] === first[0]) return 0
  return (end[1] - first[1]) / ((end[0] - first[0]) / 1_000)
}
