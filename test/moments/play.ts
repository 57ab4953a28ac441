// One moment, played: what came of its calls, as phones and replicas tell it.

import { Crowd } from './crowd.ts'
import { hopsOf } from './house.ts'
import type { House } from './house.ts'
import type { Moment } from './moment.ts'
import { Stage } from './stage.ts'
import type { Theatre } from './stage.ts'
import { addressOf } from './ways.ts'
import type { Way } from './ways.ts'

export interface Order {
  readonly moment: Moment
  readonly way: Way
  readonly calls: number
  /** No other one at that house has it. */
  readonly nth: number
  /** Who dies where the moment doesn't say; absent: the leader. */
  readonly victim?: number
}

export interface Outcome {
  readonly moment: Moment
  readonly way: Way
  readonly calls: number
  readonly victim: string
  readonly owned: number
  readonly lost: number
  readonly doubled: number
  /** Connections that ended under a phone; all of them were held by a process that died, but for those of `unexplained`. */
  readonly resets: number
  readonly unexplained: readonly string[]
  /** Requests that phones sent again, because their connection had ended. */
  readonly again: number
  readonly seconds: number
  /** What was wrong. */
  readonly findings: readonly string[]
}

/** Every call ends within two of RFC 3261's longest waits, 64*T1. */
const ENDS_WITHIN_MS = 70_000
const SETTLES_WITHIN_MS = 60_000

export async function play(house: House, order: Order): Promise<Outcome> {
  const { moment, calls, way, nth } = order
  const began = performance.now()
  let crowd: Crowd | null = null
  try {
    const theatre = await house.open(moment, way)
    const { sip, caller, callee } = theatre.place
    const { trust } = theatre.keys
    crowd = new Crowd({
      nth,
      calls,
      flow: moment.flow,
      transport: way.by,
      trust,
      set: addressOf(sip),
      callerHost: addressOf(caller).host,
      calleeHost: addressOf(callee).host,
      held: moment.held,
      endsBySet: moment.endsBySet === true,
      ...(moment.forks === true ? { hops: hopsOf(callee).map(addressOf) } : {}),
    })
    await crowd.open()
    const outcome = await judged(order, theatre, crowd, began)
    if (!isClean(outcome) || moment.changesSet === true) await house.close()
    return outcome
  } catch (error) {
    const story = `${crowd?.story() ?? ''}\n${house.story()}`
    await house.close()
    throw new Error(`${(error as Error).message}\n${story}`, { cause: error })
  } finally {
    crowd?.end()
  }
}

export function isClean({ findings, unexplained }: Outcome): boolean {
  return findings.length === 0 && unexplained.length === 0
}

async function judged(order: Order, theatre: Theatre, crowd: Crowd, began: number): Promise<Outcome> {
  const { moment, way, calls } = order
  const { set } = theatre
  const [asked] = set.ids
  const status = await set.status(asked as number)
  const leader = status.leader ?? set.leader
  const victim = victimOf(set.ids, leader, order)
  const stage = new Stage(theatre, crowd, calls, victim, status)
  const from = set.events.length
  await moment.stage(stage)
  await crowd.over(ENDS_WITHIN_MS)
  const { resets } = crowd.network
  const unexplained = resets.filter((reset) => !stage.explains(reset)).map((reset) => stage.tellOf(reset))
  const left = await leftOvers(stage, moment.set?.restart === 'never' ? [] : stage.killed, from)
  return {
    moment,
    way,
    calls,
    victim: victim === leader ? 'the leader' : 'a follower',
    owned: stage.owned ?? 0,
    lost: crowd.lost,
    doubled: crowd.doubled,
    resets: resets.length,
    unexplained,
    again: resets.reduce((sum, { again }) => sum + again, 0),
    seconds: Math.round((performance.now() - began) / 1_000),
    findings: [
      ...crowd.findings.map(({ promise, text }) => `${promise}: ${text}`),
      ...crowd.network.strays.map((text) => `for nobody: ${text}`),
      ...left,
    ],
  }
}

/** The set after it: all serve again, agree, and count no call. */
async function leftOvers({ set }: Stage, again: readonly number[], from: number): Promise<readonly string[]> {
  try {
    await set.whole(SETTLES_WITHIN_MS, again, from)
    await set.statuses('no call and no open intent is left', SETTLES_WITHIN_MS, ({ calls, intents }) => {
      return calls.early === 0 && calls.confirmed === 0 && intents.open === 0
    })
    await set.converged(SETTLES_WITHIN_MS)
    return []
  } catch (error) {
    return [`the set: ${(error as Error).message}`]
  }
}

function victimOf(ids: readonly number[], leader: number, { moment, victim }: Order): number {
  if (moment.victim === 'any') return victim ?? leader
  return moment.victim === 'leader' ? leader : (ids.find((id) => id !== leader) as number)
}
