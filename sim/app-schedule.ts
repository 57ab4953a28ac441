// The schedules of applications: their calls, while those who ask them die.

import { appFlows } from './app-flows.ts'
import { applicationNames } from './applications.ts'
import type { ApplicationName } from './applications.ts'
import { isChain } from './chains.ts'
import { endNames, isEnd } from './end-applications.ts'
import { draw } from './draws.ts'
import type { Fault, Plan, PlannedBrowser, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000
const firstCall = 3 * second
const burst = 4 * second

const others: readonly string[] = ['keeps-time', 'pages', 'keyed']
const talkers = applicationNames.filter((name) => !others.includes(name) && !isEnd(name) && !isChain(name))

/** All calls of a run have the same application; each seed in turn has another one. */
function applications(seed: number): Plan {
  return callsOf(seed, talkers[seed % talkers.length] ?? 'counts')
}

/** The same, while one replica after another is cut off for as long as it takes to be stale, and not long enough to be taken out: what
 * came meanwhile, and what of it was to be committed, is gone through once more. */
function appCuts(seed: number): Plan {
  const of = draw(seed, 'application cuts')
  const plan = callsOf(seed, seed % 4 === 0 ? 'counts' : 'keeps-time')
  // What a callee says before anybody knows of its 2xx is nobody's to hear of.
  const calls = plan.calls.map((call) => (call.flow.endsWith('-crossing') ? { ...call, flow: 'app-counted' } : call))
  const cuts = Array.from({ length: 16 }, (_, n): Fault => {
    const at = firstCall + n * 700_000 + of.within(0, 150_000, 1, n)
    const replica = of.within(1, 3, 2, n)
    const groups = [[replica], [1, 2, 3].filter((one) => one !== replica)]
    return { kind: 'split', at, until: at + of.within(360_000, 480_000, 3, n), groups, resets: false }
  })
  // Slow loops, so that several turns of a session are one turn of its owner.
  const loop = { batchMost: 64, busyMost: of.within(200, 20_000, 5) }
  return { ...plan, calls, loop, faults: cuts, peer: { ...plan.peer, delayMost: of.within(300, 30_000, 4) } }
}

/** Calls around which timers fire, while those who perform them die. */
function appTimers(seed: number): Plan {
  return callsOf(seed, 'keeps-time')
}

/** Two calls at a time have one session, which a key of theirs leads to: each message finds it, whoever dies on the way. */
function keys(seed: number): Plan {
  return callsOf(seed, 'keyed')
}

const ENDS = endNames.filter((name) => name !== 'hands-over')

/** Each second call takes the place of the one before it (RFC 3891). */
function handovers(seed: number): Plan {
  const plan = callsOf(seed, 'hands-over')
  const of = draw(seed, 'handovers')
  const calls = Array.from({ length: 6 }, (_, i): readonly PlannedCall[] => {
    const at = firstCall + of.within(0, burst, 1, i)
    return [
      { flow: 'replaced', at },
      { flow: 'replaces', at: at + of.within(2 * second, 4 * second, 2, i) },
    ]
  })
  return { ...plan, calls: calls.flat() }
}

/** Calls that an application answers, or has two legs for. */
function legs(seed: number): Plan {
  const plan = callsOf(seed, ENDS[seed % ENDS.length] ?? 'b2bua')
  // What an end of a call is to say again it says again only where something is lost.
  return { ...plan, udp: { ...plan.udp, loss: 60_000 } }
}

/** Calls that pass two applications. */
function chains(seed: number): Plan {
  return callsOf(seed, seed % 2 === 0 ? 'chain' : 'chain-b2bua')
}

/** The second one has a session for each two calls. */
function chainKeys(seed: number): Plan {
  return callsOf(seed, 'chain-keyed')
}

/** Calls whose sessions browsers look at and change at every replica, while those die, sleep or are cut off from the others. */
function pages(seed: number): Plan {
  const of = draw(seed, 'pages')
  const plan = callsOf(seed, 'pages')
  const browsers = Array.from({ length: 12 }, (_, i): PlannedBrowser => {
    const number = i < 6 ? of.within(1, plan.calls.length, 1, i) : null
    const at = (number === null ? firstCall : (plan.calls[number - 1]?.at ?? 0)) + of.within(50_000, second, 2, i)
    return { at, until: at + 12 * second, requests: 800, think: of.within(5_000, 30_000, 3, i), call: number }
  })
  const lags = Array.from({ length: 6 }, (_, n): Fault => {
    const at = firstCall + of.within(0, burst + 6 * second, 4, n)
    const replica = of.within(1, 3, 5, n)
    const length = of.within(200_000, 2 * second, 6, n)
    if (of.chance(500_000, 7, n)) return { kind: 'pause', at, replica, effects: of.below(20, 8, n), length }
    const others = [1, 2, 3].filter((one) => one !== replica)
    return { kind: 'split', at, until: at + length, groups: [[replica], others], resets: of.chance(500_000, 9, n) }
  })
  // Frames between replicas that take long let one lag that nobody takes out.
  const peer = { ...plan.peer, delayMost: of.within(300, 60_000, 10) }
  return { ...plan, browsers, peer, faults: [...plan.faults.slice(0, of.within(1, 4, 11)), ...lags] }
}

/** The same, for so long that the set key has two successors: cookies and URLs of the first go on. */
function rotation(seed: number): Plan {
  const plan = pages(seed)
  const patient = (plan.browsers ?? []).map((one) => ({ ...one, until: one.at + 36 * second, think: 20 * one.think }))
  return { ...plan, keyAge: 8, browsers: patient }
}

function callsOf(seed: number, application: ApplicationName): Plan {
  const of = draw(seed, 'applications')
  const flows = appFlows.filter((flow) => flow.application === application)
  const calls = Array.from({ length: 12 }, (_, i): PlannedCall => {
    const flow = (flows[i] ?? flows[of.below(flows.length, 1, i)])?.name ?? ''
    return { flow, at: firstCall + of.within(0, burst, 2, i) }
  }).toSorted((a, b) => a.at - b.at)
  const deaths = Array.from({ length: 6 }, (_, n): Fault => ({
    kind: 'kill',
    at: firstCall + of.within(0, burst + 6 * second, 4, n),
    replica: 1 + ((seed + n) % 3),
    effects: of.below(20, 5, n),
    tail: of.chance(500_000, 6, n) ? 'kept' : 'lost',
    restartAfter: of.within(300_000, 2 * second, 7, n),
  }))
  return { ...calm(seed, calls, deaths, 30), application }
}

export const appSchedules = [
  {
    name: 'applications',
    story: 'calls of applications whose handlers count, fail, hang and end calls, while replicas that ask them die',
    plan: applications,
  },
  {
    name: 'app-cuts',
    story: 'calls of applications, while replicas that ask them are cut off for a moment, and nobody takes them out',
    plan: appCuts,
  },
  {
    name: 'app-timers',
    story: 'timers of applications, and when their sessions expire, while replicas that see to them die',
    plan: appTimers,
  },
  {
    name: 'keys',
    story: 'two calls at a time have one session, by an application key, while replicas on the way to it die',
    plan: keys,
  },
  {
    name: 'handovers',
    story: 'each second call takes the place of the one before it, while replicas that own either die',
    plan: handovers,
  },
  {
    name: 'legs',
    story: 'applications answer calls, and place them as a B2BUA, while replicas that ask them die',
    plan: legs,
  },
  {
    name: 'chains',
    story: 'calls pass two applications that a router names, while replicas that ask them die',
    plan: chains,
  },
  {
    name: 'chain-keys',
    story:
      'calls pass two applications, of which the second has a key for each two calls, while replicas on the way die',
    plan: chainKeys,
  },
  {
    name: 'pages',
    story: 'browsers look at calls and change them at every replica, while those die, sleep and are cut off',
    plan: pages,
  },
  {
    name: 'key-rotation',
    story: 'the same, while the set key has successors: who has a cookie or a URL of the key before goes on with it',
    plan: rotation,
  },
] as const
