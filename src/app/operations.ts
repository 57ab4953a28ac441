// The operations of an answer that change sessions, one function each. They come from somebody else's code, so each is checked whole,
// types too, before it is done; the reason says which rule it broke, in JSR 289's words where it has one, and what to do.
//
// The first one that isn't allowed ends it: whoever applies them throws the turn away, and nothing of the answer counts.

import { unreachable } from '../base/assert.ts'
import { withAttribute, withoutAttribute } from '../session/attributes.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { Turn } from '../call/turn.ts'
import type { Duration } from '../base/instant.ts'
import type { NewTimer, Op } from './contract.ts'
import { setExpires } from './expiry.ts'
import { applyLegOp } from './leg-ops.ts'
import { appLimits } from './limits.ts'
import { invalidateAll, invalidateSession, openSessions, unlink } from './lifecycle.ts'
import { packValue } from './packed.ts'
import { applicationSession, bytesKept, changeApplicationSession, changeSession, sipSession } from './sessions.ts'
import { cancelTimer, setTimer, timerNumber, timersOf } from './timers.ts'

/** Those that are not about the message in hand. */
export type SessionOp = Exclude<Op, { kind: 'proxy' | 'respond' | 'end-call' | 'cancel-proxy' }>

/** Why it isn't allowed; null = it is done. */
export function applyOp(turn: Turn, op: SessionOp): string | null {
  if (op.kind === 'expect-version') return expectVersion(turn, op.of, op.version)
  const app = applicationSession(turn)
  if (app?.hosted.isValid !== true)
    return `IllegalState: ${op.kind}: the application session is invalid: nothing of it can be changed`
  switch (op.kind) {
    case 'set-attribute':
      return setAttribute(turn, op.of, op.name, op.value)
    case 'remove-attribute':
      return removeAttribute(turn, op.of, op.name)
    case 'create-timer':
      return createTimer(turn, op.timer)
    case 'cancel-timer':
      cancelTimer(turn, op.id)
      return null
    case 'set-expires':
      return expire(turn, op.after)
    case 'invalidate':
      return invalidate(turn, op.of)
    case 'set-invalidate-when-ready':
      return setWhenReady(turn, op.of, op.value)
    case 'set-handler':
      return setHandler(turn, op.session, op.handler)
    case 'link':
      return link(turn, op.a, op.b)
    case 'unlink':
      return unlinkOne(turn, op.session)
    case 'create-session':
    case 'request':
    case 'ack':
    case 'cancel':
      return applyLegOp(turn, op)
    default:
      return unreachable(op)
  }
}

const CONFLICT = 'conflict: '

/** Whether that is why `expect-version` wasn't allowed. */
export function isConflict(fault: string): boolean {
  return fault.startsWith(CONFLICT)
}

/** Compare-and-put: as the group was when the turn began. */
function expectVersion(turn: Turn, of: string, version: number): string | null {
  const held = of === '' ? turn.held('SipApplicationSession', APPLICATION_SESSION) : turn.held('SipSession', of)
  const is = held?.version ?? 0
  return is === version ? null : `${CONFLICT}${nameOf(of)} has version ${is}, not ${version}: read it again`
}

function setAttribute(turn: Turn, of: string, name: unknown, value: unknown): string | null {
  const fault = sessionFault(turn, of) ?? nameFault('the name of an attribute', name)
  if (fault !== null) return fault
  const packed = packValue(value)
  if (!packed.ok) return `IllegalArgument: the attribute ${name as string} of ${nameOf(of)}: ${packed.error}`
  changeAttributes(turn, of, (attributes) => withAttribute(attributes, name as string, packed.value))
  return roomFault(turn)
}

function removeAttribute(turn: Turn, of: string, name: string): string | null {
  const fault = sessionFault(turn, of)
  if (fault === null) changeAttributes(turn, of, (attributes) => withoutAttribute(attributes, name))
  return fault
}

type Attributes = NonNullable<ReturnType<typeof applicationSession>>['hosted']['attributes']

/** A change that changes nothing puts nothing. */
function changeAttributes(turn: Turn, of: string, change: (attributes: Attributes) => Attributes): void {
  const before = (of === '' ? applicationSession(turn) : sipSession(turn, of))?.hosted.attributes ?? []
  const attributes = change(before)
  if (attributes === before) return
  if (of === '') changeApplicationSession(turn, { attributes })
  else changeSession(turn, of, { attributes })
}

function createTimer(turn: Turn, timer: NewTimer): string | null {
  const { id, after, period, isFixedDelay, isPersistent } = timer
  const app = applicationSession(turn)
  const number = typeof id === 'string' ? timerNumber(id) : null
  const least = app?.hosted.nextTimer ?? 1
  if (number === null || number < least)
    return `IllegalArgument: a new timer is called t${least} or a later number, not ${String(id)}`
  const fault = durationFault('the delay of a timer', after, 0)
  if (fault !== null) return fault
  const periodic = period === null ? null : durationFault('the period of a timer', period, appLimits.leastPeriod)
  if (periodic !== null) return periodic
  if (timersOf(turn).length >= appLimits.timers)
    return `limit: an application session has at most ${appLimits.timers} timers: cancel some`
  const info = packValue(timer.info)
  if (!info.ok) return `IllegalArgument: the info of a timer: ${info.error}`
  setTimer(turn, id, {
    kind: 'timer',
    after,
    nominal: null,
    period,
    isFixedDelay: isFixedDelay && period !== null,
    isPersistent,
    fired: 0,
    info: info.value,
  })
  changeApplicationSession(turn, { nextTimer: number + 1, wasUsed: true })
  return roomFault(turn)
}

function expire(turn: Turn, after: Duration | null): string | null {
  const fault = after === null ? null : durationFault('the time to expiry', after, 1)
  if (fault === null) setExpires(turn, after)
  return fault
}

/** JSR 289: a SipSession with a dialog, or an open transaction, refuses; the application session takes all of it along. */
function invalidate(turn: Turn, of: string): string | null {
  const fault = sessionFault(turn, of)
  if (fault !== null) return fault
  if (of === '') invalidateAll(turn)
  else if (openSessions(turn).has(of)) {
    return `IllegalState: ${nameOf(of)} has a dialog or an open transaction: end those first, or invalidate the application session`
  } else invalidateSession(turn, of)
  return null
}

function setWhenReady(turn: Turn, of: string, invalidateWhenReady: boolean): string | null {
  const fault = sessionFault(turn, of)
  if (fault !== null) return fault
  if (of === '') changeApplicationSession(turn, { invalidateWhenReady })
  else changeSession(turn, of, { invalidateWhenReady })
  return null
}

function setHandler(turn: Turn, session: string, handler: unknown): string | null {
  const fault = sessionFault(turn, session) ?? (handler === '' ? null : nameFault('the name of a handler', handler))
  if (fault === null) changeSession(turn, session, { handler: handler as string })
  return fault
}

/** B2buaHelper: two sessions, neither linked to a third. */
function link(turn: Turn, a: string, b: string): string | null {
  const fault = sessionFault(turn, a) ?? sessionFault(turn, b)
  if (fault !== null) return fault
  if (a === b) return `IllegalArgument: ${nameOf(a)} can't be linked to itself`
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const linked = sipSession(turn, one)?.hosted.linked ?? ''
    if (linked !== '' && linked !== other)
      return `IllegalArgument: ${nameOf(one)} is linked to another one: unlink it first`
    changeSession(turn, one, { linked: other })
  }
  return null
}

function unlinkOne(turn: Turn, session: string): string | null {
  const fault = sessionFault(turn, session)
  if (fault === null) unlink(turn, session)
  return fault
}

/** Why nothing of that session can be changed; null = it can. '' = the application session. */
function sessionFault(turn: Turn, of: string): string | null {
  const session = of === '' ? applicationSession(turn) : sipSession(turn, of)
  if (session === null) return `IllegalArgument: the application session has no ${nameOf(of)}`
  return session.hosted.isValid ? null : `IllegalState: ${nameOf(of)} is invalid: nothing of it can be changed`
}

function nameOf(of: string): string {
  return of === '' ? 'the application session' : `SipSession ${of}`
}

/** Why an application key is none; null = it is one. */
export function keyFault(key: unknown): string | null {
  return nameFault('an application key', key)
}

function nameFault(what: string, name: unknown): string | null {
  const isName =
    typeof name === 'string' && name !== '' && name.length <= appLimits.name && !/\p{Surrogate}/u.test(name)
  return isName ? null : `IllegalArgument: ${what} has 1 to ${appLimits.name} characters`
}

function durationFault(what: string, duration: unknown, least: number): string | null {
  const isOne =
    Number.isSafeInteger(duration) && (duration as number) >= least && (duration as number) <= appLimits.mostDelay
  return isOne
    ? null
    : `IllegalArgument: ${what} is from ${least} to ${appLimits.mostDelay} us, not ${String(duration)}`
}

function roomFault(turn: Turn): string | null {
  const kept = bytesKept(turn)
  if (kept <= appLimits.groupBytes) return null
  return `limit: an application keeps at most ${appLimits.groupBytes} bytes in one session and its parts, and this makes ${kept}: remove some`
}
