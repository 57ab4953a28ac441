// What callers wait for when a replica is killed with -9, leaders and others in turn, under calls that go on. A set of `up`, which starts the
// dead one again. No peer beside it: somebody has to move Kamailio's address first (`npm run bench:failover` does).

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { launchSet } from '../../cluster/replica-set.ts'
import { quantile, whole } from './section.ts'
import { lineChart } from './svg.ts'
import type { ReplicaSet } from '../../cluster/replica-set.ts'
import type { ResponseTime } from '../../cluster/sipp.ts'
import type { Bench, Result } from './section.ts'

const RATE = 100
const HOLD_MS = 2_000
const WARM_MS = 8_000
/** Between a death and the next, besides what the set needs to be whole. */
const BETWEEN_MS = 2_000
/** What a death may change. */
const AROUND_MS = [-1_000, 3_000] as const
const SLOT_MS = 100
/** SIPp's number of it in both scenarios. */
const BYE = 2
const DURABILITIES = { ours: 'memory', 'ours-wal': 'wal' } as const

interface Death {
  readonly at: number
  readonly wasLeader: boolean
}

interface Outcome {
  readonly name: string
  readonly title: string
  readonly deaths: readonly Death[]
  readonly times: readonly ResponseTime[]
  readonly created: number
  readonly successful: number
  readonly retransmissions: number
}

export async function failover(bench: Bench): Promise<Result> {
  const { wish, progress } = bench
  const systems = bench.systems.filter(({ name }) => name in DURABILITIES)
  progress.expect(systems.length * (wish.kills + 1))
  const outcomes: Outcome[] = []
  for (const [i, { name, title }] of systems.entries()) {
    outcomes.push(await play(bench, name as keyof typeof DURABILITIES, title, 21 + i))
  }
  const rows = outcomes.flatMap((one) => [
    ...[null, true, false].map((leaders) => {
      const deaths = one.deaths.filter(({ wasLeader }) => leaders === null || wasLeader === leaders)
      const took = sentAfter(one.times, deaths, 0, 1_000).map(({ tookMs }) => tookMs)
      const who = leaders === null ? 'all' : leaders ? 'of leaders' : 'of others'
      const quantiles = [0.5, 0.99, 1].map((share) => whole(quantile(took, share)))
      const lost = leaders === null ? `${one.created}, ${one.created - one.successful}, ${one.retransmissions}` : ''
      return [one.title, `${deaths.length}, ${who}`, `${took.length}`, ...quantiles, lost]
    }),
    [...[one.title, 'none: before a death', ...undisturbed(one)], ''],
  ])
  return {
    title: 'A replica dies',
    tables: [
      {
        head: [
          `${RATE} calls/s`,
          ...['deaths', 'BYEs sent in the second after', 'answered after ms: p50', 'p99', 'most'],
          'calls, lost, messages repeated',
        ],
        rows,
      },
    ],
    notes: [
      `Calls of ${HOLD_MS / 1_000} s; times in SIPp's steps, some 4 ms. The caller is one socket: its messages all come to one replica.`,
    ],
    pictures: Object.fromEntries(outcomes.map((one) => [`failover-${one.name}`, pictureOf(one)])),
    raw: outcomes.map((one) => ({ ...one, times: sentAfter(one.times, one.deaths, ...AROUND_MS) })),
  }
}

async function play(
  { wish, phones, folder, progress }: Bench,
  name: keyof typeof DURABILITIES,
  title: string,
  net: number,
): Promise<Outcome> {
  const host = `127.67.${net}`
  const place = {
    ...{ sip: `${host}.10:5060`, admin: `${host}.1:8060`, peer: `${host}.1:8160` },
    ...{ caller: `${host}.100:5060`, callee: `${host}.200:5060` },
  }
  const kept = DURABILITIES[name] === 'wal' ? { data: join(folder, name) } : { durability: 'memory' as const }
  const set = launchSet({ place, ...kept })
  try {
    await set.ready()
    const site = { sip: place.sip, caller: `${host}.100`, callee: place.callee }
    progress.step(`${title} warms up`)
    const callee = await phones.callee({ site })
    // For as long as it takes: it is told to end.
    const order = { rate: RATE, seconds: 60 + wish.kills * 60, holdMs: HOLD_MS, responseTimes: true }
    const caller = await phones.caller({ site }, order)
    await pause(WARM_MS)
    const deaths: Death[] = []
    for (let i = 0; i < wish.kills; i++) {
      progress.step(`${title}: death ${i + 1} of ${wish.kills}`)
      deaths.push(await killOne(set, i))
      await pause(BETWEEN_MS)
    }
    const stats = await caller.stop()
    const times = caller.responseTimes()
    await phones.drop(callee, caller)
    const { created, successful, retransmissions } = stats
    return { name, title, deaths, times, created, successful, retransmissions }
  } finally {
    await set.destroy()
  }
}

/** A leader and another by turns; returns when the set is whole again. */
async function killOne(set: ReplicaSet, turn: number): Promise<Death> {
  const { leader } = set
  const others = set.ids.filter((id) => id !== leader)
  const victim = turn % 2 === 0 ? leader : (others[(turn >> 1) % others.length] as number)
  const from = set.events.length
  const at = Date.now()
  set.kill(victim)
  await set.whole(60_000, [victim], from)
  return { at, wasLeader: victim === leader }
}

/** BYEs that were sent so many milliseconds after a death. */
function sentAfter(times: readonly ResponseTime[], deaths: readonly Death[], from: number, to: number): ResponseTime[] {
  return times.filter(
    ({ timer, sentAt }) => timer === BYE && deaths.some(({ at }) => sentAt >= at + from && sentAt < at + to),
  )
}

function undisturbed({ times, deaths }: Outcome): string[] {
  const took = sentAfter(times, deaths, -1_000, -100).map(({ tookMs }) => tookMs)
  return [`${took.length}`, ...[0.5, 0.99, 1].map((share) => whole(quantile(took, share)))]
}

function pictureOf({ title, times, deaths }: Outcome): string {
  const slots: number[] = []
  for (let at: number = AROUND_MS[0]; at < AROUND_MS[1]; at += SLOT_MS) slots.push(at)
  const line = (share: number): (readonly [number, number])[] =>
    slots.flatMap((slot) => {
      const took = sentAfter(times, deaths, slot, slot + SLOT_MS).map(({ tookMs }) => tookMs)
      return took.length === 0 ? [] : [[slot - AROUND_MS[0], quantile(took, share)] as const]
    })
  return lineChart({
    title: `${title}: how long BYEs wait, by when they were sent; the death is at ${-AROUND_MS[0]}`,
    x: 'ms',
    y: 'ms until the answer',
    lines: [
      { name: 'median', points: line(0.5) },
      { name: 'p99', points: line(0.99) },
    ],
  })
}
