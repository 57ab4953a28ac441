// How many calls there may be at a time (decision 0026): all, in each direction, and to each next hop. Each call whose number is
// limited holds a counter from the commit of its INVITE until the commit of its end; apply checks the limit, so that it is exact
// across the set, and the hold goes with the group whoever dies (design.md 4, holds). Each leg of an application is a call.

import { hostPort, isOwnFlow } from '../proxy/own.ts'
import { ALL_CALLS, CALLS_TO, IN_CALLS, OUT_CALLS } from '../session/holds.ts'
import { callId, fromTag } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { InviteRecord } from '../transaction/record.ts'
import type { Flow, Hold } from '../wire/entry.ts'
import type { CallSettings } from './contract.ts'
import type { Way } from './forward.ts'
import { allDialogs, allInvites, allSessions } from './find.ts'
import { confirmedLegs, ringingLegs } from './leg-life.ts'
import type { Turn } from './turn.ts'

/** What a new call that way is to hold: a call that forks counts at each of its next hops until it ends, of those that stand for
 * one another at the first. In a chain of applications it is one call, which is counted where it comes in, and each way that it
 * goes where it leaves the set. */
export function capsOf(
  { bounds = {}, sip }: CallSettings,
  way: Extract<Way, { kind: 'forward' }>,
  arrival: Flow,
): readonly Hold[] {
  const { hop, targets, isIn } = way
  const hops = targets === null ? [hop] : targets.flat().flatMap((places) => places.slice(0, 1))
  const leaving = hops.filter((one) => !isOwnFlow(sip, one))
  const routes = new Set(leaving.map(routeTo))
  const caps: readonly (readonly [counter: string, limit: number | undefined])[] = [
    ...(isOwnFlow(sip, arrival) ? [] : [[ALL_CALLS, bounds.calls] as const]),
    ...(leaving.length === 0 ? [] : [isIn ? ([IN_CALLS, bounds.in] as const) : ([OUT_CALLS, bounds.out] as const)]),
    ...[...routes].map((counter) => [counter, bounds.route] as const),
  ]
  return caps.flatMap(([counter, limit]) => (limit === undefined ? [] : [{ counter, limit }]))
}

function routeTo({ host, port }: Flow): string {
  return CALLS_TO + hostPort(host, port)
}

/** Whether a call that is under way may go one more way (a 3xx that is followed, a further target of an application's); if so it holds
 * what that takes, besides what it holds already (decision 0040). */
export function goesAlso(turn: Turn, { branches }: InviteRecord, way: Extract<Way, { kind: 'forward' }>): boolean {
  const known = [...turn.base.caps, ...turn.taken].map(({ counter }) => counter)
  // What this call holds, not another one of its group: a route since a branch of it goes there. In which directions each call goes the
  // holds of the group don't say: no more of one than it has calls.
  const held = new Set(branches.filter(({ attempt }) => attempt === 1).map(({ hop }) => routeTo(hop)))
  const taken = new Set(turn.taken.map(({ counter }) => counter))
  const sentOn = sentOnOf(turn, [...liveSessions(turn)])
  const isHeld = (counter: string): boolean =>
    kindOf(counter) === 'route'
      ? held.has(counter) || taken.has(counter)
      : known.filter((one) => one === counter).length >= sentOn
  const caps = capsOf(turn.ctx.settings, way, way.hop).filter(
    ({ counter }) => counter !== ALL_CALLS && !isHeld(counter),
  )
  if (isFull(turn, caps)) return false
  turn.takeCaps(caps)
  return true
}

/** Of those holds the ones that are caps, not mere counts. */
export function onlyCaps(holds: readonly Hold[]): readonly Hold[] {
  return holds.filter(({ counter }) => kindOf(counter) !== null)
}

/** Whether an INVITE begins a call: one that comes again with credentials, or merged, is part of the one that is alive. */
export function beginsCall(turn: Turn, invite: SipRequest): boolean {
  const [id, tag] = [callId(invite), fromTag(invite) ?? '']
  const session = allSessions(turn).find(({ value }) => value.callId === id && value.callerTag === tag)
  return session === undefined || !liveSessions(turn).has(session.id)
}

/** What a call is to hold that an application answers: it goes nowhere. One that it places is as `capsOf` has it. */
export function capsOfAnswered({ bounds = {}, sip }: CallSettings, arrival: Flow): readonly Hold[] {
  return bounds.calls === undefined || isOwnFlow(sip, arrival) ? [] : [{ counter: ALL_CALLS, limit: bounds.calls }]
}

/** As far as this replica knows; apply has the last word. What the turn has taken counts: an application may place several calls. */
export function isFull(turn: Turn, caps: readonly Hold[]): boolean {
  const taken = (name: string): number => turn.taken.filter(({ counter }) => counter === name).length
  return caps.some(({ counter, limit }) => limit !== null && turn.ctx.counter(counter) + taken(counter) >= limit)
}

/** What the group holds after this turn: of all calls, and of each direction, no more than it has calls (of a direction: that the set
 * sent on), and no route without one. Of several legs that went different ways each way is held until the last of them ends. */
export function capsAfter(turn: Turn): readonly Hold[] {
  const known = [...turn.base.caps, ...turn.taken]
  if (known.length === 0) return known
  const live = [...liveSessions(turn)]
  const sentOn = sentOnOf(turn, live)
  const counts = new Map<string, number>()
  return known.filter(({ counter }) => {
    const kind = kindOf(counter)
    const count = (counts.get(counter) ?? 0) + 1
    counts.set(counter, count)
    return kind === 'route' ? sentOn > 0 : count <= (kind === 'all' ? live.length : sentOn)
  })
}

function sentOnOf(turn: Turn, live: readonly string[]): number {
  return live.filter((session) => !isAnswered(turn, session)).length
}

/** By its application, not by whoever it was sent to. */
function isAnswered(turn: Turn, id: string): boolean {
  const session = turn.get('SipSession', id)
  return session?.kind === 'session' && session.hosted?.role === 'uas'
}

/** The sessions with an INVITE that has no final, or a dialog that has not ended. */
export function liveSessions(turn: Turn): ReadonlySet<string> {
  const live = new Set<string>()
  for (const { value } of allDialogs(turn)) if (value.state !== 'ended') live.add(value.session)
  for (const { value } of allInvites(turn)) {
    if (value.state === 'proceeding' && value.session !== '') live.add(value.session)
  }
  for (const session of [...ringingLegs(turn), ...confirmedLegs(turn)]) live.add(session)
  return live
}

function kindOf(counter: string): 'all' | 'direction' | 'route' | null {
  if (counter === ALL_CALLS) return 'all'
  if (counter === IN_CALLS || counter === OUT_CALLS) return 'direction'
  return counter.startsWith(CALLS_TO) ? 'route' : null
}
