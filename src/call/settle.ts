// What a commit makes true of the group as a whole: which counters it holds, and when what is left of it goes.
//
//   INVITE's final --64*T1--> its transaction goes            (timer x.N)
//   the call's end --64*T1--> sessions, dialogs, tombstones    (timer x)
//   one dialog of several ended --64*T1--> that tombstone      (timer x.dN)
//
// Sessions that an application has, and that are valid, outlive their calls: a timer, its expiry, or somebody who looks for them may
// want them. They go with timer x once they are invalid and no call is up (app/lifecycle.ts has single ones: timer x.sN).

import type { EntityRef, Hold } from '../wire/entry.ts'
import { CONFIRMED_CALLS, EARLY_CALLS, sessionsOf } from '../session/holds.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import { legId } from '../session/leg.ts'
import { enterTerminated } from '../session/sip-session.ts'
import { timers } from '../transaction/timers.ts'
import { capsAfter, liveSessions } from './caps.ts'
import { allDialogs, allInvites, allSessions } from './find.ts'
import { confirmedLegs, hasOpenLegs, ringingLegs } from './leg-life.ts'
import { Turn } from './turn.ts'

const EARLY: Hold = { counter: EARLY_CALLS, limit: null }
const CONFIRMED: Hold = { counter: CONFIRMED_CALLS, limit: null }

/** To be called once the turn's work is done; only a commit changes anything. */
export function settle(turn: Turn): void {
  if (!turn.commits) return
  const was = new Turn(turn.base, turn.ctx)
  const caps = capsAfter(turn)
  const holds = [...holdsOf(turn), ...caps]
  if (!sameHolds(holds, [...holdsOf(was), ...turn.base.caps])) turn.setHolds(holds, caps)
  terminateSessions(turn)
  const [alive, wasAlive] = [isAlive(turn), isAlive(was)]
  const tombstones = endedDialogs(was)
  // An application refuses a call in the turn that it comes in.
  const isBorn = turn.base.entities.size === 0
  if (alive && !wasAlive) beginAgain(turn, tombstones)
  else if (!alive && (wasAlive || isBorn || isOver(turn, was))) buryAll(turn)
  else if (alive) for (const id of endedDialogs(turn)) if (!tombstones.has(id)) buryDialog(turn, id)
}

/** `delete` timer of an INVITE's or BYE's entities: 64*T1 after its final (design.md 4). */
export function buryTransaction(turn: Turn, id: string, requests: readonly string[]): void {
  const targets = [id, ...requests].map((target): EntityRef => ({ tree: 'Transaction', id: target }))
  turn.setTimer(`x.${id}`, timers.sixtyFourT1, targets)
}

/** A dialog that has not ended, or an INVITE without its final; of an application's any request without one. */
function isAlive(turn: Turn): boolean {
  return (
    allInvites(turn).some((invite) => invite.value.state === 'proceeding') ||
    allDialogs(turn).some((dialog) => dialog.value.state !== 'ended') ||
    hasOpenLegs(turn)
  )
}

function endedDialogs(turn: Turn): ReadonlySet<string> {
  const ended = allDialogs(turn).filter((dialog) => dialog.value.state === 'ended')
  return new Set(ended.map((dialog) => dialog.id))
}

/** One early hold for each session that has an INVITE without a final and no confirmed dialog; one confirmed hold for each
 * confirmed dialog. A leg is a dialog too. And one for an application's session. */
function holdsOf(turn: Turn): readonly Hold[] {
  const confirmed = allDialogs(turn).filter((dialog) => dialog.value.state === 'confirmed')
  const answered = new Set(confirmed.map((dialog) => dialog.value.session))
  const early = new Set<string>()
  for (const { value } of allInvites(turn)) {
    if (value.state === 'proceeding' && value.dialog === '' && !answered.has(value.session)) early.add(value.session)
  }
  const legs = [...ringingLegs(turn).map(() => EARLY), ...confirmedLegs(turn).map(() => CONFIRMED)]
  const holds = [...[...early].map(() => EARLY), ...confirmed.map(() => CONFIRMED)]
  return [...holds, ...legs, ...versionOf(turn)]
}

function versionOf(turn: Turn): readonly Hold[] {
  const session = turn.get('SipApplicationSession', APPLICATION_SESSION)
  if (session?.kind !== 'application-session' || session.hosted?.isValid !== true) return []
  return [{ counter: sessionsOf(session.applicationName, session.hosted.applicationVersion), limit: null }]
}

function sameHolds(a: readonly Hold[], b: readonly Hold[]): boolean {
  return a.length === b.length && a.every((hold, i) => hold.counter === b[i]?.counter)
}

function terminateSessions(turn: Turn): void {
  const live = liveSessions(turn)
  // What a leg's session comes to is told by app/ (a failed INVITE of ours leaves it as new).
  for (const { id, value } of allSessions(turn)) {
    if (!live.has(id) && turn.get('Dialog', legId(id)) === null) turn.put(id, enterTerminated(value))
  }
}

/** Without a call that was up: its application session is invalid by now, or an INVITE had its final at once. */
function isOver(turn: Turn, was: Turn): boolean {
  return isKept(was) !== isKept(turn) || allInvites(turn).length > allInvites(was).length
}

/** Whether an application has the group's session, and has not invalidated it, or is still to hear of that. */
function isKept(turn: Turn): boolean {
  const session = turn.get('SipApplicationSession', APPLICATION_SESSION)
  const hosted = session?.kind === 'application-session' ? session.hosted : null
  return hosted !== null && (hosted.isValid || hosted.awaitsEnd)
}

function buryAll(turn: Turn): void {
  const targets: EntityRef[] = []
  const kept = isKept(turn)
  const trees = kept ? (['Dialog'] as const) : (['SipApplicationSession', 'SipSession', 'Dialog'] as const)
  for (const tree of trees) {
    for (const [id, value] of turn.entries(tree)) {
      // A leg of a failed INVITE may have another one.
      if (!kept || value.kind !== 'leg' || value.state === 'ended') targets.push({ tree, id })
    }
  }
  if (targets.length > 0) turn.setTimer('x', timers.sixtyFourT1, targets)
  // Another session has taken the place of the one that was to go.
  else if (kept) turn.cancelTimer('x')
}

function buryDialog(turn: Turn, id: string): void {
  turn.setTimer(`x.d${id}`, timers.sixtyFourT1, [{ tree: 'Dialog', id }])
}

/** A new INVITE of the same Call-ID (after a 407, say) while the rest waits to go: only the old tombstones go by now. */
function beginAgain(turn: Turn, tombstones: ReadonlySet<string>): void {
  if (turn.base.entities.size === 0) return
  turn.cancelTimer('x')
  for (const id of tombstones) buryDialog(turn, id)
}
