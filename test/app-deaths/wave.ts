// One death: calls side by side come to the same turn of their application, one replica dies in it with those that it owns, and all go on.

import { readFileSync } from 'node:fs'
import { until } from '../cluster/poll.ts'
import type { Place as Addresses, ReplicaSet } from '../cluster/replica-set.ts'
import type { Gate, Waiting } from './gate.ts'
import { callName } from './order.ts'
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

/** Above two of the longest waits that a phone has: a busy machine takes seconds where a quiet one takes milliseconds. */
const PATIENCE_MS = 40_000
export async function playWave(
  { set, place, gate, application, deaths }: Theatre,
  scenario: Scenario,
  nth: number,
  count: number,
): Promise<WaveOutcome> {
  const { turn, place: at } = scenario
  const isCutOff = turn === 'cutoff'
  const calls = Array.from({ length: count }, (_, i) => callName(nth, i + 1))
  const phones = new Phones(nth)
  const faults: WaveOutcome['faults'][number][] = []
  try {
    await phones.open(place.caller, place.callee, place.sip, calls)
    gate.hold(turn)
    for (const caller of phones.callers.values()) caller.invite(isCutOff ? 'cutoff' : 'callee')
    const waiting = await gate.all(count, PATIENCE_MS)
    const from = set.events.length
    const victim = victimOf(set, waiting, nth)
    const isLeader = victim === set.leader
    const pid = set.pid(victim)
    const there = waiting.filter(({ replica }) => replica === pid)
    const amount = there.length
    gate.release((one) => (there.includes(one) ? { kind: 'die', at, wave: nth, calls: amount } : { kind: 'go' }))
    await set.event(`replica ${victim} dies`, 10_000, (event) => event.event === 'exit' && event.id === victim, from)
    const died = at === 'inside' ? amount : callsAt(deaths, pid)
    const alive = set.ids.filter((id) => id !== victim)
    if (!isCutOff) {
      const wrong = await Promise.all(calls.map((call) => judged(set, alive, call, application)))
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
    const status = await set.status(alive[0] ?? 0)
    if (phones.isOver)
      await set
        .statuses('no call is left', PATIENCE_MS, ({ calls: left }) => left.early + left.confirmed === 0)
        .catch(() =>
          faults.push({ kind: 'state', call: 'all', text: `calls are left: ${JSON.stringify(status.calls)}` }),
        )
    await set.whole(60_000, [victim], from)
    return {
      scenario: `${turn}, ${at}`,
      calls: died,
      isLeader,
      again: gate.came - count,
      faults: [...faults, ...phones.faults],
    }
  } finally {
    gate.release(() => ({ kind: 'go' }))
    phones.end()
  }
}

/** Now the leader, now another one, of those that have calls there: the one with most of them. */
function victimOf(set: ReplicaSet, waiting: readonly Waiting[], nth: number): number {
  const counts = set.ids.map((id) => ({ id, count: waiting.filter(({ replica }) => replica === set.pid(id)).length }))
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
): Promise<readonly string[]> {
  let last: readonly (CallState | string)[] = []
  const isSettled = async (): Promise<true | null> => {
    last = await Promise.all(alive.map((id) => stateOf(set.admin(id), call)))
    const [first = ''] = last
    if (typeof first === 'string' || turnsOf(first).length < ALL.length || first.intents.length > 0) return null
    return last.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? true : null
  }
  const isSame = await until(`${call} has had all its turns`, PATIENCE_MS, isSettled).catch(() => false)
  const [first = ''] = last
  if (typeof first === 'string') return [`it is not told: ${first}`]
  const wrong = wrongWith(first, application, ALL)
  return isSame ? wrong : [...wrong, `replicas differ: ${last.map((one) => JSON.stringify(one)).join('\n')}`]
}
