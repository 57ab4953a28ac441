// What an accepted entry of the log is told as to those who follow calls (decision 0032): a pure function of the commit and of the
// session as it was before, so that each replica tells the same, whenever it applies the entry. A call is what happens between a
// SipSession's leaving TERMINATED (or nothing) and its entering TERMINATED: each has one call-started and one call-ended, which says
// all that a call detail record needs.
//
//   nothing, TERMINATED --call-started--> INITIAL --call-ringing--> EARLY --call-answered--> CONFIRMED --call-ended--> TERMINATED
//                                            '--------------------------'---call-ended------------------------------------^
//
// A call of which an application is an end is one for each leg (leg-events.ts).
//
// Times are cluster time in microseconds; `at` is the entry's stamp, `started` and `answered` are what the call's owner estimated.

import type { GroupKey } from '../base/brand.ts'
import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { unpackChain } from '../proxy/chain.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import type { SipSession, SipSessionRole, SipSessionState } from '../session/sip-session.ts'
import { fromTag, parseMessage } from '../sip/message.ts'
import type { Before, Follow } from '../store/tail.ts'
import type { Entity } from '../store/view.ts'
import { statusOfText } from '../transaction/record.ts'
import type { InviteRecord } from '../transaction/record.ts'
import type { Commit } from '../wire/entry.ts'
import { byeTimer } from './bye.ts'
import { entityValue } from './entities.ts'
import type { EntityValue } from './entities.ts'
import { legChanges } from './leg-events.ts'
import { limitTimer, probeTimer, sessionTimer } from './watch-timers.ts'

/** Why a call ended:
 * - answered: `bye`, a phone hung up; the set ended it, for it was too old (`max-call`), a side was gone (`probe`), or nobody
 *   refreshed its session (`session-expired`), or nobody acknowledged an application's answer (`no-ack`);
 * - not answered: `cancelled`, `refused` by a final answer, `timeout`;
 * - `untracked`: answered, and the set can't see its end (a 2xx without a To tag, RFC 2543); `other`. */
export type EndCause =
  | 'bye'
  | 'max-call'
  | 'probe'
  | 'session-expired'
  | 'no-ack'
  | 'cancelled'
  | 'refused'
  | 'timeout'
  | 'untracked'
  | 'other'

export interface CallEnd {
  readonly cause: EndCause
  /** Who ended it; null = that can't be told (a BYE without an answer). */
  readonly by: Side | 'set' | null
  /** Of the final answer to the BYE, or to the INVITE; null = none came. */
  readonly status: number | null
}

interface CallPart {
  /** Cluster time. */
  readonly at: Stamp
  /** Group and SipSession. */
  readonly call: string
  readonly callId: string
  /** The URIs of From and To. */
  readonly from: string
  readonly to: string
  readonly group: GroupKey
  readonly started: Stamp
  /** Of which end an application is, which answered or placed the call; absent = it is relayed. */
  readonly leg?: Exclude<SipSessionRole, 'proxy'>
  /** The `call` of the other leg, of a B2BUA. */
  readonly linked?: string
}

export type CallEvent =
  | ({ readonly event: 'call-started' | 'call-ringing' } & CallPart)
  | ({ readonly event: 'call-answered'; readonly answered: Stamp } & CallPart)
  | ({ readonly event: 'call-ended'; readonly answered: Stamp | null } & CallPart & CallEnd)
  /** A timer of the log that asks its owner for something (C of an INVITE `c.`, a ServletTimer `t.`, ...). */
  | {
      readonly event: 'timer-fired'
      readonly at: Stamp
      readonly group: GroupKey
      readonly timer: string
      readonly deadline: Stamp
    }
  /** A commit whose entities this release can't read. */
  | { readonly event: 'unreadable'; readonly at: Stamp; readonly group: GroupKey }

const TREE = 'SipSession'

export const callEvents: Follow = {
  tree: TREE,
  committed(commit, at, before) {
    return ofCommit(commit, at, before).map((event) => JSON.stringify(event))
  },
  fired(timers, at) {
    return timers.flatMap(({ group, id, deadline, action }) => {
      if (action.kind !== 'callback') return []
      const event: CallEvent = { event: 'timer-fired', at, group, timer: id, deadline }
      return [JSON.stringify(event)]
    })
  },
}

function ofCommit(commit: Commit, at: Stamp, before: Before): readonly CallEvent[] {
  const { group, puts, deletes } = commit
  try {
    const further = isFurther(commit, before)
    const gone = deletes.filter(({ tree }) => tree === TREE).map(({ id }) => ({ id, after: null }))
    const put = puts.filter(({ tree }) => tree === TREE).map((one) => ({ id: one.id, after: sessionOf(one) }))
    return [...gone, ...put].flatMap(({ id, after }) => {
      const entity = before(TREE, id)
      const was = entity === null ? null : sessionOf(entity)
      const session = after ?? was
      // A leg that a later application places is a call that no other group has.
      if (session === null || (further && session.hosted?.role !== 'uac')) return []
      return isLeg(session)
        ? ofLeg(commit, at, id, was, after, before)
        : ofSession(commit, at, id, entity, was !== null && isLeg(was) ? null : was, after)
    })
  } catch {
    // Its owner will fail over it. What is applied must not.
    return [{ event: 'unreadable', at, group }]
  }
}

/** Whether it is a later group of a chain of applications (decision 0037): the first one tells of the call. */
function isFurther({ puts }: Commit, before: Before): boolean {
  const put = puts.find(({ tree, id }) => tree === 'SipApplicationSession' && id === APPLICATION_SESSION)
  const entity = put ?? before('SipApplicationSession', APPLICATION_SESSION)
  const value = entity === null ? null : entityValue(entity)
  if (value?.kind !== 'application-session' || value.hosted === null) return false
  return (unpackChain(value.hosted.stateInfo)?.position ?? 1) > 1
}

function sessionOf(entity: Pick<Entity, 'tree' | 'bytes'>): SipSession | null {
  const value = entityValue(entity)
  return value?.kind === 'session' ? value : null
}

function isLeg({ hosted }: SipSession): boolean {
  return hosted !== null && hosted.role !== 'proxy'
}

function ofLeg(
  commit: Commit,
  at: Stamp,
  id: string,
  was: SipSession | null,
  is: SipSession | null,
  before: Before,
): readonly CallEvent[] {
  return legChanges(commit, id, was, is, before).map((change): CallEvent => {
    const { kind, session } = change
    const { answered } = session
    const part = partOf(commit.group, id, session, at)
    if (kind === 'ended') return { event: 'call-ended', ...part, answered, ...change.end }
    return kind === 'answered'
      ? { event: 'call-answered', ...part, answered: answered ?? at }
      : { event: `call-${kind}`, ...part }
  })
}

function ofSession(
  commit: Commit,
  at: Stamp,
  id: string,
  entity: Entity | null,
  before: SipSession | null,
  after: SipSession | null,
): readonly CallEvent[] {
  const part = (session: SipSession): CallPart => partOf(commit.group, id, session, at)
  if (after === null) {
    if (!isAlive(before)) return []
    return [{ event: 'call-ended', ...part(before), answered: answeredAt(before, entity), ...endOf(commit, id) }]
  }
  // One ended and the next one began, in one commit.
  const isNext = isAlive(before) && ORDER.indexOf(after.state) < ORDER.indexOf(before.state)
  // The call that is under way.
  const was = isNext || !isAlive(before) ? null : before
  const events: CallEvent[] = []
  const ending =
    isNext || (after.state === 'TERMINATED' && (was !== null || before === null)) ? endOf(commit, id) : null
  const end = (session: SipSession, answered: Stamp | null): void => {
    if (ending !== null) events.push({ event: 'call-ended', ...part(session), answered, ...ending })
  }
  if (isNext) end(before, answeredAt(before, entity))
  const begins = was === null && (before === null || isAlive(after))
  if (begins) events.push({ event: 'call-started', ...part(after) })
  if (after.state === 'EARLY' && was?.state !== 'EARLY') events.push({ event: 'call-ringing', ...part(after) })
  const isOver = after.state === 'TERMINATED' && (begins || was !== null)
  const answered = after.answered ?? answeredAt(was, entity) ?? (ending?.cause === 'untracked' ? at : null)
  const isAnswered = after.state === 'CONFIRMED' || (isOver && answered !== null)
  if (isAnswered && was?.state !== 'CONFIRMED') {
    events.push({ event: 'call-answered', ...part(after), answered: answered ?? at })
  }
  if (isOver) end(after, answered)
  return events
}

/** The states of one call, which it never goes back through. */
const ORDER: readonly SipSessionState[] = ['INITIAL', 'EARLY', 'CONFIRMED', 'TERMINATED']

function isAlive(session: SipSession | null): session is SipSession {
  return session !== null && session.state !== 'TERMINATED'
}

/** Format 1 doesn't say it, but a session was put last when it was confirmed. */
function answeredAt(session: SipSession | null, entity: Entity | null): Stamp | null {
  if (session === null || session.state !== 'CONFIRMED') return null
  return session.answered ?? stamp(entity?.stamp ?? 0)
}

function partOf(group: GroupKey, id: string, session: SipSession, at: Stamp): CallPart {
  const { callId, caller, callee, began, hosted } = session
  const part = { at, call: `${group}/${id}`, callId, from: caller, to: callee, group, started: began }
  if (hosted === null || hosted.role === 'proxy') return part
  const { role: leg, linked } = hosted
  return { ...part, leg, ...(linked === '' ? {} : { linked: `${group}/${linked}` }) }
}

/** What else is in the commit that ends a session says why. */
function endOf(commit: Commit, session: string): CallEnd {
  const values = commit.puts.flatMap(({ tree, id, bytes }) => {
    if (tree !== 'Dialog' && tree !== 'Transaction') return []
    const value = entityValue({ tree, bytes })
    return value === null ? [] : [{ id, value }]
  })
  const dialog = values.findLast(({ value }) => isEndedDialog(value, session))
  if (dialog?.value.kind === 'dialog') return endOfDialog(commit, dialog.id, dialog.value, values)
  const invite = values.findLast(({ value }) => isFinished(value, session))
  return invite?.value.kind === 'invite'
    ? endOfInvite(commit, invite.value)
    : { cause: 'other', by: null, status: null }
}

type Valued = { readonly id: string; readonly value: EntityValue }

function isEndedDialog(value: EntityValue, session: string): boolean {
  return value.kind === 'dialog' && value.session === session && value.state === 'ended'
}

function isFinished(value: EntityValue, session: string): boolean {
  return value.kind === 'invite' && value.session === session && value.dialog === '' && value.state !== 'proceeding'
}

function endOfDialog({ done }: Commit, id: string, dialog: Dialog, values: readonly Valued[]): CallEnd {
  for (const { value } of values) {
    if (value.kind !== 'bye' || value.dialog !== id) continue
    return { cause: 'bye', by: senderOfBye(dialog, value.final), status: statusOfText(value.final) }
  }
  const bySet = (cause: EndCause): CallEnd => ({ cause, by: 'set', status: null })
  if (done.includes(byeTimer(id))) return { cause: 'bye', by: null, status: null }
  if (done.includes(limitTimer(id))) return bySet('max-call')
  if (done.includes(sessionTimer(id))) return bySet('session-expired')
  if (done.includes(probeTimer(id))) return bySet('probe')
  // Its BYE had no answer for 64*T1, as its owner saw it before the log's timer.
  return { cause: 'bye', by: null, status: null }
}

function senderOfBye({ caller, callee }: Dialog, final: string): Side | null {
  const parsed = parseMessage(final)
  const tag = parsed.ok ? fromTag(parsed.value) : null
  if (tag === caller.tag) return 'caller'
  return tag === callee.tag ? 'callee' : null
}

function endOfInvite({ cancels, done }: Commit, { state, final, cancelled, branches }: InviteRecord): CallEnd {
  const status = final === null ? null : statusOfText(final)
  if (state === 'accepted') return { cause: 'untracked', by: null, status }
  // Timer C: the set cancelled a branch that rang for too long; or nobody answered at all.
  const isOurs = [...cancels, ...done].some((timer) => timer.startsWith('k.'))
  if (cancelled) return { cause: 'cancelled', by: 'caller', status }
  if (status === 408 || (status === 487 && isOurs)) return { cause: 'timeout', by: 'set', status }
  const isTold = branches.some((branch) => branch.state === 'completed')
  return { cause: 'refused', by: isTold ? 'callee' : 'set', status }
}
