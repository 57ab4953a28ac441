// Schedules: interleavings that break a design without a certain rule, each drawn anew by seed. A scenario is one plan; a
// schedule is all of a kind, for moments that faults drawn without an aim seldom meet. The mutant that lacks the rule is
// hunted here first; the shipped code must pass.

import { bans } from './ban-schedule.ts'
import { draw } from './draws.ts'
import { registered, sleepingHolders } from './edge-schedule.ts'
import { flowNames } from './flows.ts'
import { forkFlows } from './fork-flows.ts'
import { forks } from './fork-schedule.ts'
import { routingFlows } from './routing-flows.ts'
import { appSchedules } from './app-schedule.ts'
import { lifetimes, moving } from './lifetime-schedule.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { brokenLinksBehindTheLog, lateProposals, lostByes } from './link-schedules.ts'
import { overload } from './overload-schedule.ts'
import { many } from './many-calls.ts'
import { orders } from './order-schedule.ts'
import { calm } from './scenarios.ts'

export interface Schedule {
  readonly name: string
  readonly story: string
  plan(seed: number): Plan
}

const second = 1_000_000

export const schedules: readonly Schedule[] = [
  {
    name: 'every-flow',
    story: 'each call flow once, also those too long to be drawn often, and one death',
    plan: everyFlow,
  },
  {
    name: 'three-leaders',
    story: 'one replica after another is cut off, the next before the last one is back: logs part and must be mended',
    plan: threeLeaders,
  },
  {
    name: 'moved-and-back',
    story: 'groups move to a replica that joins and dies at once, while the commits of their owner are under way',
    plan: movedAndBack,
  },
  {
    name: 'election-after-a-sleep',
    story:
      'a replica wakes, and the leader dies: who serves changes in the append that has the commits of the time between',
    plan: electionAfterASleep,
  },
  {
    name: 'pulse-in-the-pipeline',
    story: 'a timer fires in a group between two commits of its owner that are both under way',
    plan: pulseInThePipeline,
  },
  {
    name: 'cancel-meets-answer',
    story: "a CANCEL and the callee's 2xx reach the set while their owner is dead: its successor handles both at once",
    plan: cancelMeetsAnswer,
  },
  {
    name: 'late-proposals',
    story: 'connections break again and again, and what was on its way comes after what was sent again',
    plan: lateProposals,
  },
  {
    name: 'lost-byes',
    story: 'both sides hang up at once by datagrams, one in eight of which is lost',
    plan: lostByes,
  },
  {
    name: 'without-a-quorum',
    story: 'all replicas are cut off from one another for seconds, again and again, while calls go on through them',
    plan: withoutAQuorum,
  },
  {
    name: 'behind-the-log',
    story: 'logs are compacted all the time; those who were away get snapshots, while others die and links break',
    plan: behindTheLog,
  },
  {
    name: 'broken-links-behind-the-log',
    story: 'links break again and again while logs are compacted: owners in the middle of their work get snapshots',
    plan: brokenLinksBehindTheLog,
  },
  {
    name: 'rolling-upgrade',
    story:
      'one replica after another comes back with a newer release, some with the older one again, under calls and cuts',
    plan: rollingUpgrade,
  },
  {
    name: 'sleepers',
    story: 'one replica after another stops with messages in hand, until another has its calls',
    plan: sleepers,
  },
  {
    name: 'ringing-past-64-t1',
    story: 'calls that ring for longer than an INVITE transaction lives, while their owners die',
    plan: ringingPast64T1,
  },
  {
    name: 'changing-set',
    story:
      'replicas are added, removed, replaced and told to lead or to end, one after another, while calls are made and some die',
    plan: changingSet,
  },
  {
    name: 'newcomers',
    story:
      'a disk is lost, who follows it is slow to catch up, and the others die meanwhile; then two places are added at one time',
    plan: newcomers,
  },
  {
    name: 'laggards',
    story: 'a replica comes back, or wakes, and is too slow to know what it may say for longer than a phone waits',
    plan: laggards,
  },
  {
    name: 'forks',
    story:
      'INVITEs that go to several callees, at once or one after another, while replicas die and datagrams are lost',
    plan: (seed) => forks(seed, 'forks', forkFlows),
  },
  {
    name: 'routing',
    story: 'INVITEs that are redirected, and targets with several places, while replicas die and datagrams are lost',
    plan: (seed) => forks(seed, 'routing', routingFlows),
  },
  {
    name: 'registered',
    story: 'phones register by way of the set and are called by their Path, while their connections and replicas die',
    plan: registered,
  },
  {
    name: 'sleeping-holders',
    story: 'phones that registered are called while the replicas that hold their connections sleep, and wake with them',
    plan: sleepingHolders,
  },
  {
    name: 'lifetimes',
    story: 'calls grow too old, phones lose their power, sessions are not refreshed, while who sees to that dies',
    plan: lifetimes,
  },
  {
    name: 'moving',
    story:
      'callers move twice in a moment before their calls grow too old, and the answers that know of it overtake one another',
    plan: moving,
  },
  {
    name: 'bans',
    story: 'sources are banned and taken back while their calls and those of others go on, and who sees to that dies',
    plan: bans,
  },
  {
    name: 'orders',
    story: 'several clients create one key at one instant, look and add to it, while owners die, sleep and lose links',
    plan: orders,
  },
  ...appSchedules,
  {
    name: 'overload',
    story: 'replicas have more to do than they can while calls begin, INVITEs are repeated, and one after another dies',
    plan: overload,
  },
  {
    name: 'answers-on-streams',
    story: 'a replica dies while many calls on streams are answered, by callees that say their 2xx once',
    plan: answersOnStreams,
  },
  {
    name: 'more-calls-than-may-be',
    story: 'calls come faster than the limit of calls lets them in, while one owner after another dies',
    plan: moreCallsThanMayBe,
  },
  {
    name: 'more-calls-than-a-way-takes',
    story:
      'calls come faster than the next hop, or its direction, takes them; or are redirected to where there is no room; owners die meanwhile; once all have ended, as many as may be are let in',
    plan: moreCallsThanAWayTakes,
  },
]

/** The schedule of that name, or undefined. */
export function scheduleNamed(name: string): Schedule | undefined {
  return schedules.find((schedule) => schedule.name === name)
}

/** Seed 159 was the first (docs/SIMULATION.md, "Bugs it found"). */
function cancelMeetsAnswer(seed: number): Plan {
  const of = draw(seed, 'cancel meets answer')
  const dies = { kind: 'kill', effects: 0, tail: 'kept', restartAfter: 3 * second } as const
  // A CANCEL leaves one second after its 180, and the 2xx with it.
  const calls = many(of, ['cancel-crossing-answer'], 40, 4 * second, 5 * second)
  const deaths = [1, 2].map((n) => ({
    ...dies,
    at: of.within(5_300_000, 6_300_000, n),
    replica: of.within(1, 3, 2 + n),
  }))
  return calm(seed, calls, deaths, 15)
}

function behindTheLog(seed: number): Plan {
  const of = draw(seed, 'behind the log')
  const calls = many(of, flowNames, 60, 3 * second, 30 * second)
  const tails = ['kept', 'part', 'lost', 'torn', 'holed'] as const
  // One is away for long; as it comes back, one after another dies or falls out of reach for a moment.
  const away = of.within(1, 3, 1)
  const deaths = Array.from({ length: 14 }, (_, i): Fault => {
    const at = 5 * second + i * 2 * second + of.within(0, 2 * second, 2, i)
    const replica = of.chance(500_000, 3, i) ? away : of.within(1, 3, 4, i)
    const effects = of.below(60, 5, i)
    const tail = tails[of.below(tails.length, 6, i)] as (typeof tails)[number]
    const restartAfter = of.chance(500_000, 7, i) ? of.within(100_000, 500_000, 8, i) : of.within(1, 6, 9, i) * second
    const unsynced = of.chance(500_000, 17, i) ? { unsynced: true } : {}
    return { kind: 'kill', at, replica, effects, tail, share: of.below(1_000_000, 10, i), restartAfter, ...unsynced }
  })
  const plan = calm(seed, calls, deaths, 40)
  return {
    ...plan,
    compaction: { every: of.within(300, 3_000, 11), kept: of.below(5, 12), piece: of.chance(500_000, 13) ? 1 : 3_000 },
    peer: { ...plan.peer, delayMost: of.within(300, 40_000, 14), late: of.chance(300_000, 15) ? 300_000 : 0 },
    disk: { ...plan.disk, syncMost: of.within(1_000, 60_000, 16) },
  }
}

/** The first installs leave one or two of the older release, for long; then each gets the newer one. */
function rollingUpgrade(seed: number): Plan {
  const of = draw(seed, 'rolling upgrade')
  const calls = many(of, flowNames, 20, 3 * second, 40 * second)
  const first = of.within(1, 3, 1)
  const order = [0, 1, 2, of.below(3, 2), 0, 1, 2].map((step) => ((first + step - 1) % 3) + 1)
  const faults = order.flatMap((replica, i): readonly Fault[] => {
    const at = (5 + 6 * i) * second + of.within(0, 3 * second, 3, i)
    const isBack = i === 3 || (i < 3 && of.chance(200_000, 4, i))
    const kill: Fault = {
      kind: 'kill',
      at,
      replica,
      effects: of.below(40, 5, i),
      tail: of.chance(500_000, 6, i) ? 'kept' : 'lost',
      restartAfter: of.within(200_000, 2 * second, 7, i),
      newest: isBack ? 1 : 2,
      ...(i === 3 && of.chance(500_000, 16) ? { rash: true } : {}),
    }
    if (!of.chance(400_000, 8, i)) return [kill]
    const from = at + of.within(-second, second, 9, i)
    const whom = of.within(1, 3, 10, i)
    const cut = {
      kind: 'partition',
      replica: whom,
      other: null,
      way: 'both',
      resets: of.chance(500_000, 11, i),
    } as const
    return [kill, { ...cut, at: from, until: from + of.within(200_000, 2 * second, 12, i) }]
  })
  const plan = calm(seed, calls, faults, 52)
  const compaction = { every: of.within(500, 8_000, 13), kept: of.below(20, 14), piece: 3_000 }
  return { ...plan, formats: [1, 1, 1], ...(of.chance(500_000, 15) ? { compaction } : {}) }
}

function everyFlow(seed: number): Plan {
  const of = draw(seed, 'every flow')
  const calls = flowNames.map((flow, i) => ({ flow, at: 3 * second + i * of.within(100_000, 300_000, 1) }))
  const death = {
    kind: 'kill',
    at: of.within(3 * second, 9 * second, 2),
    replica: of.within(1, 3, 3),
    effects: of.below(12, 4),
    tail: 'lost',
    restartAfter: 2 * second,
  } as const
  return calm(seed, calls, [death], 12)
}

/** Two cut off is everybody cut off. */
function withoutAQuorum(seed: number): Plan {
  const of = draw(seed, 'without a quorum')
  const until = 45 * second
  const cuts: Fault[] = []
  let at = 4 * second
  for (let i = 0; at < until - 5 * second; i++) {
    const length = of.within(1_500_000, 7 * second, 1, i)
    const spared = of.within(1, 3, 2, i)
    const cut = { kind: 'partition', other: null, way: 'both', resets: of.chance(500_000, 3, i) } as const
    for (const replica of [1, 2, 3]) {
      if (replica !== spared) cuts.push({ ...cut, at, until: at + length, replica })
    }
    at += length + of.within(1_500_000, 4 * second, 4, i)
  }
  const talks = ['small-talk', 'session-refresh', 're-invite', 'transfer', 'callee-hangs-up', 'basic', 'long-call']
  const calls = many(of, talks, 30, 3 * second, until - 10 * second)
  const onStreams = calls.map((call, i) => {
    if (!of.chance(500_000, 5, i)) return call
    return { ...call, caller: 'tcp', callee: of.chance(500_000, 6, i) ? 'tcp' : 'udp' } as const
  })
  const plan = calm(seed, onStreams, cuts, until / second)
  return { ...plan, udp: { ...plan.udp, loss: of.chance(500_000, 7) ? 20_000 : 0 } }
}

function threeLeaders(seed: number): Plan {
  const of = draw(seed, 'three leaders')
  const until = 25 * second
  const cuts: Fault[] = []
  let at = 3 * second
  for (let i = 0; at < until - 3 * second; i++) {
    const length = of.within(500_000, 2 * second, 1, i)
    cuts.push({
      kind: 'partition',
      at,
      until: at + length,
      replica: of.within(1, 3, 2, i),
      other: null,
      way: of.chance(250_000, 3, i) ? 'out' : 'both',
      resets: of.chance(500_000, 4, i),
    })
    at += of.within(300_000, 1_500_000, 5, i)
  }
  const plan = calm(seed, many(of, ['at-once', 'refused', 'basic'], 30, 3 * second, until - 4 * second), cuts, 25)
  return {
    ...plan,
    peer: { delayLeast: 200, delayMost: of.within(1_000, 20_000, 6), late: 300_000 },
    disk: { syncLeast: 500, syncMost: of.within(1_000, 60_000, 7), slow: 50_000, slowMost: 300_000 },
    raft: { appendEntries: of.within(1, 3, 8), inflight: of.within(1, 4, 9) },
  }
}

function movedAndBack(seed: number): Plan {
  const of = draw(seed, 'moved and back')
  const guest = of.within(1, 3, 1)
  const owner = 1 + ((guest - 1 + of.within(1, 2, 2)) % 3)
  const dies = { kind: 'kill', replica: guest, effects: 0, tail: 'kept' } as const
  // It is admitted after a second of answered heartbeats.
  const joins = 7_050_000 + of.within(0, 80_000, 3)
  const cut = joins - of.within(60_000, 160_000, 4)
  return calm(
    seed,
    many(of, ['at-once', 'refused', 'basic'], 30, 6_700_000, joins + 200_000),
    [
      { ...dies, at: 5 * second, restartAfter: second },
      {
        kind: 'partition',
        at: cut,
        until: cut + of.within(360_000, 440_000, 5),
        replica: owner,
        other: null,
        way: 'out',
        resets: false,
      },
      { ...dies, at: joins + of.within(40_000, 160_000, 6), restartAfter: 4 * second },
    ],
    20,
  )
}

function electionAfterASleep(seed: number): Plan {
  const of = draw(seed, 'election after a sleep')
  const rounds = [0, 1, 2, 3].map((n) => {
    const wakes = (6 + 5 * n) * second
    const sleeper = of.within(1, 3, 1, n)
    const leads = 1 + ((sleeper - 1 + of.within(1, 2, 2, n)) % 3)
    const dies = wakes + of.within(50_000, 250_000, 3, n)
    return {
      calls: many(draw(seed, `round ${n}`), ['ringing-long'], 30, dies - 500_000, dies - 100_000),
      faults: [
        { kind: 'pause', at: wakes - 1_300_000, replica: sleeper, effects: 0, length: 1_300_000 },
        { kind: 'kill', at: dies, replica: leads, effects: 0, unsynced: true, tail: 'kept', restartAfter: second },
      ] satisfies readonly Fault[],
    }
  })
  const calls = rounds.flatMap((round) => round.calls)
  const faults = rounds.flatMap((round) => round.faults)
  return { ...calm(seed, calls, faults, 24), peer: { delayLeast: 15_000, delayMost: 50_000, late: 0 } }
}

function pulseInThePipeline(seed: number): Plan {
  const of = draw(seed, 'pulse in the pipeline')
  const plan = calm(seed, many(of, ['re-invite-refused-late'], 40, 3 * second, 5 * second), [], 8)
  return {
    ...plan,
    peer: { delayLeast: 5_000, delayMost: 25_000, late: 0 },
    disk: { syncLeast: 1_000, syncMost: 20_000, slow: 0, slowMost: 0 },
  }
}

function sleepers(seed: number): Plan {
  const of = draw(seed, 'sleepers')
  const sleeps = Array.from({ length: 5 }, (_, i): Fault => ({
    kind: 'pause',
    at: of.within(3_000_000, 3_800_000, 1, i) + i * 3 * second,
    replica: 1 + ((seed + i) % 3),
    effects: of.below(20, 2, i),
    length: of.within(1_500_000, 2_500_000, 3, i),
  }))
  return calm(seed, many(of, ['at-once', 'refused', 'cancelled-at-once'], 60, 3 * second, 17 * second), sleeps, 22)
}

function ringingPast64T1(seed: number): Plan {
  const of = draw(seed, 'ringing past 64*T1')
  const deaths = [1, 2].map((n): Fault => ({
    kind: 'kill',
    at: 34 * second + n * of.within(1 * second, 3 * second, 1),
    replica: 1 + ((seed + n) % 3),
    effects: 0,
    tail: 'kept',
    restartAfter: second,
  }))
  return calm(seed, many(of, ['no-answer'], 20, 2_500_000, 3 * second), deaths, 45)
}

/** Frames to and from the newcomer are long under way, so that it is a learner for a second at least, and the next leader finds one. */
function newcomers(seed: number): Plan {
  const of = draw(seed, 'newcomers')
  const lost = of.within(1, 3, 1)
  const others = [1, 2, 3].filter((replica) => replica !== lost)
  const calls = many(of, ['basic', 're-invite', 'ringing-long', 'callee-hangs-up'], 16, 3 * second, 16 * second)
  const faults: Fault[] = [
    { kind: 'replace', at: 4 * second, replica: lost, restartAfter: of.within(100_000, 400_000, 2) },
    ...others.flatMap((other, i): Fault[] => [
      {
        kind: 'slow-link',
        at: 4_100_000,
        until: 14 * second,
        replica: lost,
        other,
        delay: of.within(280_000, 400_000, 3, i),
      },
      {
        kind: 'kill',
        at: (4.6 + 4 * i) * second + of.within(0, 600_000, 4, i),
        replica: other,
        effects: of.below(12, 5, i),
        tail: 'part',
        restartAfter: of.within(1, 2, 6, i) * second,
      },
    ]),
    ...[4, 5].map((replica): Fault => ({ kind: 'join', at: 17 * second, replica })),
  ]
  return { ...calm(seed, calls, faults, 22), isBrief: true }
}

function changingSet(seed: number): Plan {
  const of = draw(seed, 'changing set')
  const faults: Fault[] = []
  let at = 3 * second
  let size = 3
  for (let i = 0; i < 5; i++) {
    at += of.within(500_000, 3 * second, 1, i)
    const replica = of.within(1, 3, 2, i)
    switch (of.below(5, 3, i)) {
      case 0:
        faults.push({ kind: 'join', at, replica: 4 + faults.filter(({ kind }) => kind === 'join').length })
        size++
        break
      case 1:
        if (size > 3) faults.push({ kind: 'remove', at, replica })
        size = Math.max(3, size - 1)
        break
      case 2:
        faults.push({ kind: 'replace', at, replica, restartAfter: of.within(100_000, second, 4, i) })
        at += 6 * second
        break
      case 3:
        faults.push({ kind: 'drain', at, replica, restartAfter: 200_000 })
        break
      default:
        faults.push({ kind: 'transfer', at, replica })
    }
    if (!of.chance(300_000, 5, i)) continue
    const restartAfter = of.within(200_000, 3 * second, 6, i)
    const dies = at + of.within(0, second, 7, i)
    faults.push({
      kind: 'kill',
      at: dies,
      replica: of.within(1, 3, 8, i),
      effects: of.below(30, 9, i),
      tail: 'part',
      restartAfter,
    })
    at = dies + restartAfter + second
  }
  const flows = ['basic', 'at-once', 'refused', 'cancelled', 're-invite', 'ringing-long', 'callee-hangs-up']
  const plan = { ...calm(seed, many(of, flows, 20, 3 * second, at), faults, Math.ceil(at / second) + 4), isBrief: true }
  return of.chance(500_000, 10) ? { ...plan, compaction: { every: 3_000, kept: 5, piece: 2_000 } } : plan
}

/** For longer than a phone waits. */
function laggards(seed: number): Plan {
  const of = draw(seed, 'laggards')
  const replica = of.within(1, 3, 1)
  const spell = { at: 6 * second, until: 56 * second, replica }
  const slowness = [
    { kind: 'slow-disk', ...spell, sync: of.within(400_000, 2_500_000, 2) },
    { kind: 'slow-replica', ...spell, times: of.within(200, 800, 3) },
    // From both others: one of them leads.
    ...[1, 2].map((n) => ({
      kind: 'slow-link' as const,
      ...spell,
      other: 1 + ((replica - 1 + n) % 3),
      delay: of.within(100_000, 400_000, 4),
    })),
  ] satisfies readonly Fault[]
  const first = of.below(3, 5)
  const chosen = first === 2 ? slowness.slice(2) : [slowness[first] as Fault]
  // Who comes back opens its sockets when it is fresh; who sleeps a little has them open.
  const gap = of.within(400_000, 4_000_000, 6)
  const away: Fault = of.chance(500_000, 8)
    ? { kind: 'kill', at: 6 * second, replica, effects: 0, tail: 'kept', restartAfter: gap }
    : { kind: 'pause', at: 7 * second, replica, effects: 0, length: gap }
  const calls = many(of, ['at-once', 'basic', 'refused', 'callee-hangs-up'], 40, 3 * second, 40 * second)
  const plan = calm(seed, calls, [away, ...chosen], 57)
  return { ...plan, loop: { batchMost: 16, busyMost: of.within(100, 400, 7) } }
}

function answersOnStreams(seed: number): Plan {
  const of = draw(seed, 'answers on streams')
  const bursts = [0, 1, 2].map((n) => (3 + 4 * n) * second)
  const calls = bursts.flatMap((at) =>
    many(of, ['at-once'], 15, at, at + 150_000).map((call): PlannedCall => ({
      ...call,
      caller: 'tcp',
      callee: 'tcp',
      odd: { side: 'callee', oddity: { kind: 'terse' } },
    })),
  )
  const deaths = bursts.map((at, n): Fault => ({
    kind: 'kill',
    at: at + of.within(60_000, 300_000, 1, n),
    replica: 1 + ((seed + n) % 3),
    effects: of.below(8, 2, n),
    tail: 'kept',
    restartAfter: 1_500_000,
  }))
  return { ...calm(seed, calls, deaths, 16), peer: { delayLeast: 5_000, delayMost: 20_000, late: 0 } }
}

function moreCallsThanMayBe(seed: number): Plan {
  const of = draw(seed, 'more calls than may be')
  const flows = ['basic', 'ringing-long', 'cancelled', 'callee-hangs-up', 'refused']
  return { ...crowded(seed, of, flows), bounds: { calls: of.within(2, 12, 6) } }
}

/** By seed: to one next hop under a bound of it, or of `in`; and by its 3xx elsewhere, under a bound of `out`. */
function moreCallsThanAWayTakes(seed: number): Plan {
  const of = draw(seed, 'more calls than a way takes')
  const most = of.within(2, 8, 6)
  const isRedirected = seed % 3 === 0
  const flows = isRedirected
    ? ['redirected', 'redirected-and-refused']
    : ['basic', 'ringing-long', 'cancelled', 'callee-hangs-up', 'refused']
  const crowd = crowded(seed, of, flows)
  // All at one moment, once everybody has hung up: there is room for just these.
  const late = Array.from({ length: most }, () => ({ flow: flows[0] as string, at: 58 * second }))
  const plan = { ...crowd, calls: [...crowd.calls, ...late], safetyUntil: 59 * second }
  if (isRedirected) return { ...plan, nextHop: true, forks: '1>2', bounds: { out: most, route: 3 * most } }
  return { ...plan, nextHop: true, bounds: seed % 3 === 1 ? { route: most } : { in: most, route: most + 1 } }
}

function crowded(seed: number, of: ReturnType<typeof draw>, flows: readonly string[]): Plan {
  // Some at one moment, so that owners reach for the last place at once; some in between, for places that get free.
  const bursts = [3, 7, 11, 15].flatMap((from, n) =>
    many(draw(seed, `burst ${n}`), flows, 10, from * second, from * second + 2_000),
  )
  const calls = [...bursts, ...many(of, flows, 20, 3 * second, 16 * second)].sort((a, b) => a.at - b.at)
  const deaths = [0, 1, 2, 3].map((n): Fault => ({
    kind: 'kill',
    at: (5 + 3 * n) * second + of.within(0, 2 * second, 1, n),
    replica: of.within(1, 3, 2, n),
    effects: of.below(20, 3, n),
    tail: of.chance(500_000, 4, n) ? 'kept' : 'lost',
    restartAfter: of.within(200_000, 2 * second, 5, n),
  }))
  return calm(seed, calls, deaths, 22)
}
