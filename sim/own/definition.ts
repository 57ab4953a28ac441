// A simulation of applications of one's own: what `holdfast sim --own FILE` finds in a module (docs/SIMULATION.md). Which calls are made,
// by whom, and what is to hold whatever dies; the seeds do the rest.

import type { AttributeValue } from '../../src/app/contract.ts'
import type { RouterTable } from '../../src/proxy/chain.ts'
import { nearest } from '../../src/base/nearest.ts'
import type { Application } from '../../src/servlet/application.ts'
import { isApplication } from '../../src/servlet/application.ts'
import type { AttributeName } from '../../src/servlet/attribute.ts'
import { flowNamed } from '../flows.ts'
import { ladder } from '../ladder.ts'
import type { Flow, Transport } from '../ladder.ts'

/** Calls of one kind. */
export interface CallDefinition {
  /** What its two people do, as sim/ladder.ts has it: `|--INVITE-->|`, `|<--200--| 0.1..3s`; times are waits after the line before. What
   * phones do by themselves (100, ACK, CANCEL's 200, repetitions) is not written. */
  readonly ladder: string
  /** User of the caller's From; null = nobody calls, an application does, and `to` says whom. Left out: another one for each call. */
  readonly from?: string | null
  /** User of the Request-URI, and of the phone that rings: the first of that name that has had no call. Left out: another one for each. */
  readonly to?: string
  /** What the phones speak (`udp`). */
  readonly transport?: Transport
  /** False: nobody is there to be called. */
  readonly isAnybodyThere?: boolean
}

/** A browser's part, as a function: it is given the answers so far, the newest last, and says what is asked next; null = nothing more. A
 * request without an answer (its replica died) has an answer with the status 0. Cookies are kept. */
export type BrowserScript = (answers: readonly BrowserAnswer[]) => BrowserRequest | null

export interface BrowserRequest {
  readonly method?: string
  /** Absolute or below the application's prefix: `/calls/end`. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Seconds to wait before it (0.2). */
  readonly after?: number
}

export interface BrowserAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** True time, seconds. */
  readonly at: number
}

/** A SipApplicationSession as the log has it. */
export interface CommittedSession {
  readonly application: string
  /** Another one for each session; not what `SipApplicationSession.id` is. */
  readonly id: string
  readonly key: string | null
  readonly isValid: boolean
  /** +1 with each commit that touches it. */
  readonly version: number
  getAttribute<T extends AttributeValue>(name: AttributeName<T>): T | undefined
  readonly attributes: ReadonlyMap<string, AttributeValue>
  readonly sessions: readonly CommittedSipSession[]
  /** ServletTimers that have not fired for the last time. */
  readonly timers: readonly { readonly id: string; readonly info: AttributeValue }[]
  /** True time of the commit, seconds. */
  readonly at: number
}

export interface CommittedSipSession {
  readonly id: string
  readonly callId: string
  readonly state: string
  readonly isValid: boolean
  readonly attributes: ReadonlyMap<string, AttributeValue>
}

/** What a phone said or heard. */
export interface PhoneMessage {
  /** True time, seconds. */
  readonly at: number
  readonly way: 'said' | 'heard'
  /** `INVITE`, `200 INVITE`. */
  readonly what: string
  readonly text: string
}

export interface SimulatedPhone {
  readonly user: string
  readonly callId: string
  /** The first final status that its INVITE got, or that it gave; null = none. */
  readonly status: number | null
  /** In the order of time; each message once, however often it was repeated. */
  readonly messages: readonly PhoneMessage[]
}

export interface SimulatedCall {
  readonly name: string
  /** When it was to begin, true time, seconds. */
  readonly at: number
  /** null = nobody calls. */
  readonly caller: SimulatedPhone | null
  readonly callee: SimulatedPhone
  /** Why this call is no one's fault: there was no quorum for too long, or a connection took a message with it; null = it must be right. */
  readonly excused: string | null
}

/** A run that is over: all calls are, and nothing is under way. */
export interface SimulatedRun {
  readonly seed: number
  /** In the order of the plan. */
  readonly calls: readonly SimulatedCall[]
  /** Every session that was ever committed, as it was last, in the order of their first commits. */
  readonly sessions: readonly CommittedSession[]
  /** By browser. */
  readonly answers: Readonly<Record<string, readonly BrowserAnswer[]>>
  readonly kills: number
  /** Seconds without a quorum between two true times, in seconds: nobody could have decided anything. */
  outage(from: number, until: number): number
}

/** What is wrong, in a sentence; nothing = it is right. One that throws says so too: `expect(...)` of any library will do. */
type Verdict = string | null | undefined | void

export interface SimulationDefinition {
  /** As a list, its modules' variables are the same at all replicas; as a function, each life of each replica has what that makes, and
   * what is kept in variables dies with it, as it does in a set. */
  readonly applications: readonly Application[] | (() => readonly Application[])
  /** Where there are several: a module's (defineRouter) or a table, as in the config file: `{ INVITE: ['screening', 'prepaid'] }`. */
  readonly router?: Application | Readonly<Record<string, readonly string[]>>
  readonly calls: Readonly<Record<string, CallDefinition>>
  readonly browsers?: Readonly<Record<string, BrowserScript>>
  /** Calls of one run; 12 at most, drawn among `calls`, each kind at least once if there is room. */
  readonly callsOfARun?: number
  /** After each commit of a session. */
  readonly committed?: (session: CommittedSession, before: CommittedSession | null) => Verdict
  /** At the end. */
  readonly ended?: (run: SimulatedRun) => Verdict
}

/** A call's definition, read. */
export interface OwnCall {
  readonly flow: Flow
  readonly from: string | null | undefined
  readonly to: string | undefined
}

export interface Simulation {
  readonly kind: 'holdfast-simulation'
  readonly definition: SimulationDefinition
  /** By name. */
  readonly calls: ReadonlyMap<string, OwnCall>
  readonly table: RouterTable | null
  /** What each life of a replica runs. */
  applications(): readonly Application[]
}

const KNOWN = ['applications', 'router', 'calls', 'browsers', 'callsOfARun', 'committed', 'ended']
const CALL = ['ladder', 'from', 'to', 'transport', 'isAnybodyThere']
const MOST_CALLS = 40

/** Throws a TypeError that says what is wrong with the definition. */
export function defineSimulation(definition: SimulationDefinition): Simulation {
  checkFields(definition, KNOWN, 'a simulation')
  const { applications, router = null, calls, callsOfARun = 1 } = definition
  const make = typeof applications === 'function' ? applications : () => applications
  const names = make().map((one, i) => {
    if (!isApplication(one)) throw new TypeError(`applications[${i}] is no application: defineApplication makes one`)
    return one.name
  })
  if (names.length === 0) throw new TypeError('applications: a simulation has at least one')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`applications: two are called ${twice}`)
  if (!Number.isInteger(callsOfARun) || callsOfARun < 1 || callsOfARun > MOST_CALLS)
    throw new TypeError(`callsOfARun: ${String(callsOfARun)} should be 1 to ${MOST_CALLS}`)
  const isModule = isApplication(router)
  const all = isModule ? [router] : []
  return {
    kind: 'holdfast-simulation',
    definition,
    calls: new Map(Object.entries(calls).map(([name, call]) => [name, readCall(name, call)])),
    table: router === null || isModule ? null : readTable(router, names),
    applications: () => [...make(), ...all],
  }
}

/** Whether a module exports this. It may have been made by another copy of this code. */
export function isSimulation(value: unknown): value is Simulation {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'holdfast-simulation'
}

function readCall(name: string, call: CallDefinition): OwnCall {
  const where = `calls: ${name}`
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw new TypeError(`${where}: a name is 1 to 64 letters, digits, "-", "_" and "."`)
  if (flowNamed(name) !== undefined)
    throw new TypeError(`${where}: the simulator has a flow of that name; choose another`)
  checkFields(call, CALL, where)
  const { from, to, transport = 'udp', isAnybodyThere = true } = call
  for (const user of [from, to])
    if (typeof user === 'string' && !/^[A-Za-z0-9._+-]{1,64}$/.test(user))
      throw new TypeError(`${where}: "${user}" is no user: 1 to 64 letters, digits, "-", "_", "+" and "."`)
  if (from === null && to === undefined)
    throw new TypeError(`${where}: if nobody calls (from: null), \`to\` says whose phone rings`)
  try {
    return { flow: ladder(name, call.ladder, { transport, calleePresent: isAnybodyThere }), from, to }
  } catch (error) {
    throw new TypeError(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function readTable(table: Readonly<Record<string, readonly string[]>>, names: readonly string[]): RouterTable {
  const rows = Object.entries(table).map(([method, list]) => {
    const unknown = list.find((name) => !names.includes(name))
    if (unknown !== undefined) throw new TypeError(`router: ${method}: there is no application ${unknown}`)
    return [method, list.map((application) => ({ application, region: 'neutral', subscriber: '' }) as const)] as const
  })
  return Object.fromEntries(rows)
}

function checkFields(value: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw new TypeError(
      `${where} has no "${name}"; ${near === null ? `it has ${known.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
}
