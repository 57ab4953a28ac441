// One phase of the timers' benchmark: a fresh set, sessions with timers, calls beside them, perhaps a death, and what came of it.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { Messenger } from '../../cluster/messenger.ts'
import { settled, until } from '../../cluster/poll.ts'
import { processorSeconds } from '../../cluster/programs.ts'
import { launchSet } from '../../cluster/replica-set.ts'
import type { ReplicaSet } from '../../cluster/replica-set.ts'
import { Scene, phones } from '../../cluster/scene.ts'
import type { ResponseTime, SippStats } from '../../cluster/sipp.ts'
import { Firings } from './firings.ts'
import { Ticks } from './ticks.ts'
import type { Tick } from './ticks.ts'

export interface Phase {
  readonly name: string
  /** The timers are due within so many seconds. */
  readonly seconds: number
  /** The leader is killed in the middle of them. */
  readonly kills: boolean
}

export interface Amounts {
  readonly timers: number
  readonly perSession: number
  /** Calls a second beside them; 0 = none. */
  readonly calls: number
  /** Sessions that are set up in a second, at least. */
  readonly setup: number
  readonly say: (line: string) => void
}

export interface Findings {
  readonly phase: Phase
  readonly timers: number
  /** The last run of each timer's callback, in the order in which they were due. */
  readonly ticks: readonly Tick[]
  /** Runs of callbacks that came to nothing, since their owner died, and were done once more. */
  readonly reruns: number
  /** Runs that found their own work done: there must be none. */
  readonly again: number
  /** What sessions had in the end: callbacks that were committed, and different ones among them. */
  readonly committed: number
  readonly different: number
  readonly firings: Firings
  /** Pairs of callbacks of one worker of which the later one was due earlier, and by how much at most. */
  readonly swapped: { readonly count: number; readonly mostMs: number }
  readonly killedAt: number | null
  readonly beganAt: number
  readonly calls: SippStats | null
  readonly times: readonly ResponseTime[]
  /** Of all replicas and workers, while timers were due. */
  readonly processorSeconds: number
  /** Of the log, in that time: pulses and commits, those of calls beside and of the sessions' ends included. */
  readonly entries: number
}

const FIRST_SLOT = 236
const HOLD_MS = 2_000

/** The same numbers from each run: a linear congruential generator. */
function* numbers(): Generator<number, never, undefined> {
  for (let state = 1; ; state = (state * 1_103_515_245 + 12_345) % 2 ** 31) yield state / 2 ** 31
}

export async function runPhase(phase: Phase, nth: number, amounts: Amounts): Promise<Findings> {
  const scene = new Scene(FIRST_SLOT + nth)
  const firings = new Firings()
  const folder = join(scene.folder, 'ticks')
  mkdirSync(folder)
  try {
    const app = fileURLToPath(new URL('ticker.ts', import.meta.url))
    const set = scene.adopt(launchSet({ place: scene.place, extra: ['--app', app], env: { TIMERS_FOLDER: folder } }))
    await set.event('ready', 60_000, ({ event }) => event === 'ready')
    await set.statuses('all serve', 60_000, ({ serving, formats }) => serving.length === 3 && formats.active > 1)
    void firings.follow(set.ids.map((id) => `http://${set.admin(id)}`))
    return await measured(phase, amounts, { scene, set, firings, ticks: new Ticks(folder) })
  } catch (error) {
    amounts.say(scene.story())
    throw error
  } finally {
    firings.end()
    await scene.end()
  }
}

interface Bench {
  readonly scene: Scene
  readonly set: ReplicaSet
  readonly firings: Firings
  readonly ticks: Ticks
}

async function measured(phase: Phase, amounts: Amounts, bench: Bench): Promise<Findings> {
  const { scene, set, firings, ticks } = bench
  const { timers, perSession, say } = amounts
  const sessions = Math.ceil(timers / perSession)
  const beganAt = Date.now() + (sessions / amounts.setup) * 1_000 + 5_000
  const next = numbers()
  const due = (): number => beganAt + next.next().value * phase.seconds * 1_000
  const bodies = Array.from({ length: sessions }, () =>
    JSON.stringify(Array.from({ length: perSession }, () => Math.round(due() * 1_000) / 1_000)),
  )
  const messenger = new Messenger(scene.place.caller.split(':')[0] ?? '', scene.place.sip)
  await messenger.open()
  await messenger.sendAll(`timers-${Date.now()}`, bodies)
  messenger.close()
  const early = (beganAt - Date.now()) / 1_000
  if (early < 3)
    throw new Error(
      `the timers were set ${-early} s too late: this machine sets up fewer than ${amounts.setup} sessions/s: --setup`,
    )
  const { timers: counted, appliedIndex: began } = await set.status(set.leader)
  say(
    `${phase.name}: ${sessions * perSession} timers in ${sessions} sessions stand, ${counted.pending} of the log, ${early.toFixed(0)} s to go`,
  )

  await pause(beganAt - 3_000 - Date.now())
  const load = amounts.calls === 0 ? null : await callsBeside(scene, phase, amounts.calls)
  await pause(beganAt - Date.now())
  const used = processorTimes(set)
  let killedAt: number | null = null
  if (phase.kills) {
    await pause(beganAt + phase.seconds * 500 - Date.now())
    killedAt = Date.now()
    say(`${phase.name}: ${set.leader}, the leader, is killed`)
    set.kill(set.leader)
  }
  const total = sessions * perSession
  await settled(
    'all timers have fired, and all sessions are over',
    phase.seconds * 1_000 + 400_000,
    async () => {
      await pause(200)
      ticks.look()
      return { fired: ticks.timers, over: ticks.over.size, events: firings.count }
    },
    ({ fired, over, events }) => fired === total && over === sessions && events >= total,
  )
  const processor = processorTimes(set) - used
  const { appliedIndex: ended } = await set.status(set.leader)
  const calls = load === null ? null : await load.caller.finished(120_000)
  return {
    phase,
    timers: total,
    ...summed(ticks),
    firings,
    killedAt,
    beganAt,
    calls,
    times: load?.caller.responseTimes() ?? [],
    processorSeconds: processor,
    entries: ended - began,
  }
}

async function callsBeside(
  scene: Scene,
  { seconds, kills }: Phase,
  rate: number,
): Promise<Awaited<ReturnType<Scene['load']>>> {
  // A burst is worked off in a minute and a half, say.
  const during = seconds < 10 ? 90 : seconds + 3
  const load = await scene.load({
    phones: phones.timed,
    transport: 'un',
    rate,
    calls: Math.round(rate * during),
    holdMs: HOLD_MS,
    responseTimes: true,
  })
  await until(`calls begin${kills ? ', one replica will die' : ''}`, 10_000, () =>
    load.caller.stats().created > 0 ? true : null,
  )
  return load
}

function summed({
  all,
  over,
}: Ticks): Pick<Findings, 'ticks' | 'reruns' | 'again' | 'committed' | 'different' | 'swapped'> {
  const last = new Map(all.map((tick) => [tick.timer, tick]))
  const newest = new Map<string, number>()
  let [count, mostMs] = [0, 0]
  for (const { worker, due } of all) {
    const before = newest.get(worker) ?? 0
    if (due < before) [count, mostMs] = [count + 1, Math.max(mostMs, before - due)]
    else newest.set(worker, due)
  }
  const sum = (of: 'committed' | 'different'): number => [...over.values()].reduce((total, one) => total + one[of], 0)
  return {
    ticks: [...last.values()].sort((a, b) => a.due - b.due),
    reruns: all.length - last.size,
    again: all.filter(({ again }) => again).length,
    committed: sum('committed'),
    different: sum('different'),
    swapped: { count, mostMs },
  }
}

/** Of replicas and their workers; what a dead one used is not in it. */
function processorTimes(set: ReplicaSet): number {
  const pids = set.ids.flatMap((id) => [set.pid(id), ...childrenOf(set.pid(id))])
  return pids.reduce((sum, pid) => sum + (processorSeconds(pid) ?? 0), 0)
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
