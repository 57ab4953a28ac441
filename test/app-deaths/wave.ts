// One death: calls side by side come to the same turn of their application, one replica dies in it with those that it owns, and all go on.

import { readFileSync } from 'node:fs'
import { settled, until } from '../cluster/poll.ts'
import type { Place as Addresses, ReplicaSet, SetEvent } from '../cluster/replica-set.ts'
import { Browser } from './browser.ts'
import type { Gate, Waiting } from './gate.ts'
import { callName } from './order.ts'
import type { Order } from './order.ts'
import { Phones } from './phones.ts'
import type { Fault } from './phones.ts'
import type { ApplicationName, Scenario, Turn } from './rows.ts'
import { stateOf, turnsOf, wrongWith } from './state.ts'
import type { CallState } from './state.ts'

export interface Theatre {
  readonly set: ReplicaSet
  readonly place: Addresses
  readonly gate: Gate
  readonly application: ApplicationName
  /** Where replicas write how many calls they had when they died. */
  readonly deaths: string
}

export interface WaveOutcome {
  readonly scenario: string
  /** At how many calls the replica died. */
  readonly calls: number
  readonly isLeader: boolean
  /** Runs of the handler beyond one for each call. */
  readonly again: number
  readonly faults: readonly (Fault | { readonly kind: 'state'; readonly call: string; readonly text: string })[]
}

/** Above three of the longest waits that a phone has: on a machine that others use a set has no quorum for seconds now and then. */
const PATIENCE_MS = 120_000
/** Replica i has its pages at that plus i. */
export const HTTP_PORT = 8_260

/** A wave while it lasts. */
interface Wave {
  readonly theatre: Theatre
  readonly turn: Turn
  readonly nth: number
  readonly calls: readonly string[]
  readonly phones: Phones
  readonly faults: WaveOutcome['faults'][number][]
}

export async function playWave(
  theatre: Theatre,
  { turn, place: at }: Scenario,
  nth: number,
  count: number,
): Promise<WaveOutcome> {
  const { set, place, gate, deaths } = theatre
  const calls = Array.from({ length: count }, (_, i) => callName(nth, i + 1))
  const phones = new Phones(nth)
  const wave: Wave = { theatre, turn, nth, calls, phones, faults: [] }
  try {
    await phones.open(place.caller, place.callee, place.sip, calls)
    gate.hold(turn)
    for (const caller of phones.callers.values()) caller.invite(turn === 'cutoff' ? 'cutoff' : 'callee')
    const asked = turn === 'doHttp' ? await visited(wave, at === 'asked') : []
    const pages = asked.map(({ page }) => page)
    const waiting = await gate.all(count, PATIENCE_MS)
    const from = set.events.length
    const isThere = (one: Waiting, id: number): boolean =>
      at === 'asked' ? asked[calls.indexOf(one.call)]?.replica === id : one.replica === set.pid(id)
    const victim = victimOf(set, (id) => waiting.filter((one) => isThere(one, id)).length, nth)
    const isLeader = victim === set.leader
    const pid = set.pid(victim)
    const there = waiting.filter((one) => isThere(one, victim))
    const order: Order = at === 'asked' ? { kind: 'go' } : { kind: 'die', at, wave: nth, calls: there.length }
    const isDead = (event: SetEvent): boolean => event.event === 'exit' && event.id === victim
    const die = set.event(`replica ${victim} dies`, 10_000, isDead, from)
    if (at === 'asked') {
      set.kill(victim)
      await die
    }
    gate.release((one) => (there.includes(one) ? order : { kind: 'go' }))
    await die
    const died = at === 'inside' || at === 'asked' ? there.length : callsAt(deaths, pid)
    for (const [i, page] of (await Promise.allSettled(pages)).entries())
      if (page.status === 'rejected')
        wave.faults.push({ kind: 'lost', call: calls[i] ?? '', text: String(page.reason) })
    const alive = set.ids.filter((id) => id !== victim)
    await ended(wave, alive)
    await set.whole(60_000, [victim], from)
    const faults = [...wave.faults, ...phones.faults]
    return { scenario: `${turn}, ${at}`, calls: died, isLeader, again: gate.came - count, faults }
  } finally {
    gate.release(() => ({ kind: 'go' }))
    phones.end()
  }
}

/** What a browser asked first, and what comes of it. */
interface Visit {
  readonly replica: number
  readonly page: Promise<void>
}

/** Each call is up, and a browser asks its owner for the page's turn, or the replica after its owner. */
async function visited({ theatre, calls }: Wave, isPassedOn: boolean): Promise<readonly Visit[]> {
  const { set, place, gate, application } = theatre
  await Promise.all(calls.map((call) => judged(set, set.ids, call, application, ALL)))
  const lines = await set.calls(set.leader)
  const host = place.admin.split(':')[0] ?? ''
  const browser = new Browser((id) => `http://${host}:${HTTP_PORT + id}/${application}/turn`)
  return calls.map((call) => {
    const owner = Number.parseInt(lines.find(({ callId }) => callId === call)?.owner ?? '1', 10)
    const replica = isPassedOn ? (owner % set.ids.length) + 1 : owner
    const others = set.ids.filter((id) => id !== replica)
    const turn = browser.turn(gate.sessions.get(call) ?? '', replica, others)
    // Looked at once the replica has died.
    turn.catch(() => undefined)
    return { replica, page: turn }
  })
}

/** All calls go on, are looked at while they are up, and end. */
async function ended({ theatre, turn, calls, phones, faults }: Wave, alive: readonly number[]): Promise<void> {
  const { set, application } = theatre
  const isCutOff = turn === 'cutoff'
  if (!isCutOff) {
    const turns = turn === 'doHttp' ? [...ALL, turn] : ALL
    const wrong = await Promise.all(calls.map((call) => judged(set, alive, call, application, turns)))
    for (const [i, texts] of wrong.entries())
      for (const text of texts) faults.push({ kind: 'state', call: calls[i] ?? '', text })
    // The callee says its 200 again, up to four seconds later, if the one that was to relay it died.
    const callers = [...phones.callers.values()]
    const isUp = (): true | null => (callers.every(({ canEnd }) => canEnd) ? true : null)
    await until('all callers have their 200', PATIENCE_MS, isUp).catch(() => undefined)
    for (const caller of callers) if (caller.canEnd) caller.bye()
  }
  await until('all calls are over', PATIENCE_MS, () => (phones.isOver ? true : null)).catch(() => undefined)
  const byes = isCutOff ? ['BYE'] : []
  const infos = application === 'two-legs' ? ['INFO'] : []
  phones.judge({ caller: [...infos, ...byes], callee: ['INVITE', ...infos, 'BYE'] })
  if (!phones.isOver) return
  await settled(
    'no call is left',
    PATIENCE_MS,
    () => set.status(alive[0] ?? 0),
    ({ calls: left }) => left.early + left.confirmed === 0,
  ).catch((error: unknown) => faults.push({ kind: 'state', call: 'all', text: String(error) }))
}

/** Now the leader, now another one, of those that have calls there: the one with most of them. */
function victimOf(set: ReplicaSet, callsOf: (id: number) => number, nth: number): number {
  const counts = set.ids.map((id) => ({ id, count: callsOf(id) }))
  const here = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count)
  const chosen = here.find(({ id }) => (id === set.leader) === (nth % 2 === 0)) ?? here[0]
  if (chosen === undefined) throw new Error('no call is at a replica that lives')
  return chosen.id
}

/** What that process wrote when it died. */
function callsAt(file: string, pid: number): number {
  const line = readFileSync(file, 'latin1')
    .split('\n')
    .find((text) => text.startsWith(`${pid} `))
  if (line === undefined) throw new Error(`${pid} died, and not where it should`)
  return Number(line.split(' ')[1])
}

const ALL: readonly Turn[] = ['doInvite', 'doSuccessResponse', 'tick']

/** What is wrong with a call that should be up after all its turns, at each replica that lives; all of them say the same in the end. */
async function judged(
  set: ReplicaSet,
  alive: readonly number[],
  call: string,
  application: ApplicationName,
  turns: readonly Turn[],
): Promise<readonly string[]> {
  let last: readonly (CallState | string)[] = []
  const isSettled = async (): Promise<true | null> => {
    last = await Promise.all(alive.map((id) => stateOf(set.admin(id), call)))
    const [first = ''] = last
    if (typeof first === 'string' || turnsOf(first).length < turns.length || first.intents.length > 0) return null
    return last.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? true : null
  }
  const isSame = await until(`${call} has had all its turns`, PATIENCE_MS, isSettled).catch(() => false)
  const [first = ''] = last
  if (typeof first === 'string') return [`it is not told: ${first}`]
  const wrong = wrongWith(first, application, turns)
  return isSame ? wrong : [...wrong, `replicas differ: ${last.map((one) => JSON.stringify(one)).join('\n')}`]
}
