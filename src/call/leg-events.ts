// What a commit does to a call of which an application is an end (session/leg.ts), as events: each leg is a call of its own, with a
// record of its own; a B2BUA's two name one another. A leg's SipSession outlives a call that failed, and is as new then (JSR 289 6.2.1):
// that a call is under way is said by `began`.
//
//   nothing, began 0 --call-started--> INITIAL --call-ringing--> EARLY --call-answered--> CONFIRMED --call-ended--> TERMINATED
//                                         '------ our INVITE failed ------'---call-ended--> INITIAL, began 0

import type { Side } from '../session/dialog.ts'
import { isInCall } from '../session/sip-session.ts'
import type { SipSession } from '../session/sip-session.ts'
import type { Before } from '../store/tail.ts'
import { statusOfText } from '../transaction/record.ts'
import type { UacRecord, UasRecord } from '../transaction/record.ts'
import type { Commit } from '../wire/entry.ts'
import { entityValue } from './entities.ts'
import type { CallEnd } from './events.ts'

/** What became of one leg's call, in order. */
export type LegChange =
  | { readonly kind: 'started' | 'ringing' | 'answered'; readonly session: SipSession }
  | { readonly kind: 'ended'; readonly session: SipSession; readonly end: CallEnd }

export function legChanges(
  commit: Commit,
  id: string,
  was: SipSession | null,
  is: SipSession | null,
  before: Before,
): readonly LegChange[] {
  const changes: LegChange[] = []
  const invite = failedInvite(commit, id, before)
  const old = was !== null && isInCall(was) ? was : null
  const isIn = is !== null && isInCall(is)
  // One failed and the next one began, in one commit.
  const isNext = old !== null && isIn && invite !== null
  const isOver = is === null || (!isIn && is.state !== 'TERMINATED')
  if (old !== null && (isNext || isOver)) changes.push(ended(commit, id, old, old, invite))
  if (isOver) return changes
  const same = isNext ? null : old
  const isNew = same === null && (isIn || was === null || was.began !== is.began)
  // It was over before.
  if (same === null && !isNew) return changes
  if (isNew) changes.push({ kind: 'started', session: is })
  const from = same?.state ?? 'INITIAL'
  if (is.state === 'EARLY' && from !== 'EARLY') changes.push({ kind: 'ringing', session: is })
  if (is.answered !== null && from !== 'CONFIRMED') changes.push({ kind: 'answered', session: is })
  if (is.state === 'TERMINATED') changes.push(ended(commit, id, is, same ?? is, invite))
  return changes
}

type Failed = { readonly record: UacRecord; readonly status: number }

/** `told`: as its record has it. */
function ended(commit: Commit, id: string, told: SipSession, was: SipSession, failed: Failed | null): LegChange {
  const linked = was.hosted?.linked ?? ''
  const session = told.hosted === null || linked === '' ? told : { ...told, hosted: { ...told.hosted, linked } }
  const end = failed !== null && told.answered === null ? endOfFailed(failed) : endOf(commit, id, told)
  return { kind: 'ended', session, end }
}

/** The INVITE that began the leg, if this commit has its failure. */
function failedInvite(commit: Commit, session: string, before: Before): Failed | null {
  for (const { tree, id, bytes } of commit.puts) {
    const value = tree === 'Transaction' ? entityValue({ tree, bytes }) : null
    if (value?.kind !== 'uac' || value.session !== session || value.method !== 'INVITE' || !value.isInitial) continue
    const entity = before('Transaction', id)
    const was = entity === null ? null : entityValue(entity)
    const record = was?.kind === 'uac' ? was : value
    if (value.state === 'completed') return { record, status: statusOfText(value.answer ?? '') }
    // A final of our own making: while it is there, the application is still to hear of it.
    if (value.state === 'terminated' && value.answer === null)
      return { record: { ...record, state: 'terminated' }, status: statusOfText(record.answer ?? '') }
  }
  return null
}

function endOfFailed({ record, status: known }: Failed): CallEnd {
  const { cancel, state } = record
  const status = known === 0 ? null : known
  if (cancel !== null) return { cause: 'cancelled', by: 'caller', status: status ?? 487 }
  if (state !== 'terminated') return { cause: 'refused', by: 'callee', status }
  return { cause: status === 408 ? 'timeout' : 'refused', by: 'set', status }
}

/** What else is in the commit that ends it says why. */
function endOf(commit: Commit, id: string, { hosted, answered }: SipSession): CallEnd {
  const [near, far]: readonly [Side, Side] = hosted?.role === 'uas' ? ['callee', 'caller'] : ['caller', 'callee']
  const records = commit.puts.flatMap(({ tree, bytes }): readonly (UasRecord | UacRecord)[] => {
    const value = tree === 'Transaction' ? entityValue({ tree, bytes }) : null
    return (value?.kind === 'uas' || value?.kind === 'uac') && value.session === id ? [value] : []
  })
  const theirs = records.find((one): one is UasRecord => one.kind === 'uas' && one.method === 'BYE')
  if (answered === null) {
    const invite = records.find((one): one is UasRecord => one.kind === 'uas' && one.method === 'INVITE')
    const status = statusOrNull(invite?.answer ?? null)
    if (theirs !== undefined || status === 487) return { cause: 'cancelled', by: far, status }
    return invite === undefined ? { cause: 'other', by: null, status: null } : { cause: 'refused', by: near, status }
  }
  if (theirs !== undefined) return { cause: 'bye', by: far, status: statusOrNull(theirs.answer) }
  // 13.3.1.4: nobody acknowledged our 2xx.
  if (commit.done.some((timer) => timer.startsWith('u.n.'))) return { cause: 'no-ack', by: 'set', status: null }
  const isOurs = records.some(({ kind, method }) => kind === 'uac' && method === 'BYE')
  return isOurs ? { cause: 'bye', by: near, status: null } : { cause: 'other', by: null, status: null }
}

function statusOrNull(text: string | null): number | null {
  return text === null ? null : statusOfText(text)
}
