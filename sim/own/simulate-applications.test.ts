// A user's applications under deaths: what is right passes, and what is wrong in one of them is found.

import { describe, expect, it } from 'vitest'
import { attribute } from '../../src/servlet/attribute.ts'
import { defineApplication } from '../../src/servlet/application.ts'
import type { Application } from '../../src/servlet/application.ts'
import { clickToDial } from '../../docs/examples/applications/click-to-dial.ts'
import { prepaidCalls } from '../../docs/examples/applications/prepaid-simulation.ts'
import type { Plan } from '../plan.ts'
import { calm } from '../scenarios.ts'
import { simulate } from '../simulate.ts'
import { defineSimulation } from './definition.ts'
import type { CommittedSession, SimulatedRun, Simulation } from './definition.ts'
import { planOf } from './own-plan.ts'
import { simulateApplications } from './simulate-applications.ts'

const second = 1_000_000
const talk = `
  |--INVITE------------>|
  |<---------------180--| 0.1..0.5s
  |<---------------200--| 0.1..1s
  |--INFO-------------->| 0.5..2s
  |--INFO-------------->| 0.5..2s
  |--BYE--------------->| 0.2..1s
`
const count = attribute<number>('count')

/** What the first of some plans with one death each finds; null = none of them finds anything. */
async function found(simulation: Simulation): Promise<string | null> {
  for (const replica of [1, 2, 3]) {
    const death = { kind: 'kill', at: 4 * second, replica, effects: 0, tail: 'lost', restartAfter: second } as const
    const { failure } = await simulateApplications(simulation, { ...planned(simulation), faults: [death] })
    if (failure !== null) return `${failure.promise}: ${failure.text}`
  }
  return null
}

/** Each INFO is counted, in a place of its own choice; and what the count is at the end is compared. */
function counting(application: () => Application): Simulation {
  return defineSimulation({
    applications: () => [application()],
    calls: { talk: { ladder: talk } },
    ended({ sessions, calls }) {
      const right = calls.filter(({ excused, caller }) => excused === null && caller?.status === 200)
      const counted = sessions.filter((session) => session.getAttribute(count) === 2)
      if (counted.length < right.length)
        return `${right.length} calls had two INFOs, and ${counted.length} were counted`
    },
  })
}

describe("a simulated application of a user's", () => {
  it('that is right breaks nothing, and the same seed gives the same trace', async () => {
    const results = []
    for (const seed of [1, 2, 3, 3]) results.push(await simulateApplications(prepaidCalls, seed))
    expect(results.map(({ failure }) => failure)).toEqual([null, null, null, null])
    expect(results.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(2)
    expect(results[3]?.traceHash).toBe(results[2]?.traceHash)
    expect(results[1]?.traceHash).not.toBe(results[2]?.traceHash)
  })

  it('is found out if it keeps in a variable what has to outlive its replica', async () => {
    const inAttribute = (): Application =>
      defineApplication({
        name: 'counts',
        doInvite: (request) => request.getProxy().proxyTo(),
        doInfo({ applicationSession: session }) {
          session.setAttribute(count, (session.getAttribute(count) ?? 0) + 1)
        },
      })
    const inVariable = (): Application => {
      const counts = new Map<string, number>()
      return defineApplication({
        name: 'counts',
        doInvite: (request) => request.getProxy().proxyTo(),
        doInfo({ applicationSession: session, callId }) {
          counts.set(callId, (counts.get(callId) ?? 0) + 1)
          session.setAttribute(count, counts.get(callId) ?? 0)
        },
      })
    }
    expect(await found(counting(inAttribute))).toBeNull()
    expect(await found(counting(inVariable))).toMatch(/^application: the run: .* were counted$/)
  })

  it('may wait for promises, and for what it asks of other sessions', async () => {
    const session = (sessions: SimulatedRun['sessions']): unknown =>
      sessions.find(({ key }) => key === 'all')?.getAttribute(count)
    let told: unknown = null
    const simulation = defineSimulation({
      applications: [
        defineApplication({
          name: 'counts',
          async doInvite(request, { sessions }) {
            await Promise.resolve()
            const all = await sessions.getApplicationSessionByKey('all', true)
            await all.update((one) => one.setAttribute(count, (one.getAttribute(count) ?? 0) + 1))
            request.getProxy().proxyTo()
          },
        }),
      ],
      calls: { talk: { ladder: talk } },
      ended: ({ sessions }) => void (told = session(sessions)),
    })
    const { failure, calls } = await simulateApplications(simulation, planned(simulation))
    expect(failure).toBeNull()
    expect([calls, told]).toEqual([6, 6])
  })

  it('has browsers, which follow what it tells them', async () => {
    const simulation = defineSimulation({
      applications: [clickToDial],
      calls: {
        rings: { from: null, to: 'alice', ladder: '|--INVITE-->|\n|<--200--| 0.2s\n|<--BYE--| 3s' },
        'rings-too': { from: null, to: 'bob', ladder: '|--INVITE-->|\n|<--200--| 0.2s' },
      },
      browsers: {
        clicks: (answers) => {
          const url = '/click-to-dial/'
          if (answers.length === 0)
            return { method: 'POST', url, body: 'first=sip:alice@phones.sim&second=sip:bob@phones.sim' }
          return answers.length < 12 ? { url } : null
        },
      },
      ended({ calls, answers: { clicks = [] } }) {
        expect(calls.map(({ callee }) => callee.status)).toEqual([200, 200])
        expect(calls.every(({ callee }) => callee.messages.some(({ what }) => what === 'BYE'))).toBe(true)
        expect(clicks[0]?.status).toBe(303)
        expect(clicks.some(({ body }) => body.includes('CONFIRMED, CONFIRMED'))).toBe(true)
      },
    })
    const plan = {
      ...planOf(simulation, 1),
      faults: [],
      calls: ['rings', 'rings-too'].map((flow) => ({ flow, at: 3 * second })),
    }
    expect((await simulateApplications(simulation, plan)).failure).toBeNull()
  })

  it('that waits for ever can be given up, by name', async () => {
    const simulation = defineSimulation({
      applications: [defineApplication({ name: 'waits', doInvite: () => new Promise<never>(() => {}) })],
      calls: { talk: { ladder: talk } },
    })
    const wait = (_: Promise<void>, name: string): Promise<never> => Promise.reject(new Error(`${name} waits`))
    await expect(simulateApplications(simulation, planned(simulation), { wait })).rejects.toThrow(
      'doInvite of waits waits',
    )
  })

  it('breaks what its checks say, or throw, at a commit or at the end', async () => {
    const simulation = (checks: object): Simulation =>
      defineSimulation({
        applications: [defineApplication({ name: 'plain', doInvite: (request) => request.getProxy().proxyTo() })],
        calls: { talk: { ladder: talk } },
        ...checks,
      })
    const told: string[] = []
    const all = [
      { ended: () => 'it is Tuesday' },
      { ended: () => expect(1).toBe(2) },
      {
        committed: ({ sessions }: CommittedSession) =>
          sessions.some(({ state }) => state === 'CONFIRMED') ? 'it is up' : null,
      },
    ]
    for (const checks of all) {
      const { failure } = await simulateApplications(simulation(checks), planned(simulation(checks)))
      told.push(`${failure?.promise}: ${failure?.text.split('\n')[0]}`)
    }
    expect(told).toEqual([
      'application: the run: it is Tuesday',
      'application: the run: expected 1 to be 2 // Object.is equality',
      'application: a session of plain: it is up',
    ])
  })

  it('is needed to run its plans', () => {
    const simulation = counting(() => clickToDial)
    expect(() => simulate(planOf(simulation, 1))).toThrow('simulateApplications() runs it')
  })
})

/** Six calls and no fault. */
function planned(simulation: Simulation): Plan {
  const calls = Array.from({ length: 6 }, (_, i) => ({ flow: 'talk', at: 3 * second + i * 200_000 }))
  return { ...calm(1, calls, [], 12), application: planOf(simulation, 1).application ?? { module: '' } }
}
