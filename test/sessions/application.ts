// What an application does in these tests, and what each of its turns is to mean: an input, made a turn of the group by the product's
// own code, and a label that the judge holds the log against.

import { unreachable } from '../../src/base/assert.ts'
import { micros } from '../../src/base/instant.ts'
import { beginCallback, callbackOf, dropCallback, endCallback } from '../../src/app/callbacks.ts'
import type { AppContext } from '../../src/app/context.ts'
import { settleSessions } from '../../src/app/lifecycle.ts'
import { applyOp } from '../../src/app/operations.ts'
import type { SessionOp } from '../../src/app/operations.ts'
import { isValid, openApplicationSession } from '../../src/app/sessions.ts'
import { timersOf } from '../../src/app/timers.ts'
import { viewOf } from '../../src/app/view.ts'
import type { CallResult } from '../../src/call/contract.ts'
import type { Group } from '../../src/call/group.ts'
import { settle } from '../../src/call/settle.ts'
import { Turn } from '../../src/call/turn.ts'
import { enterEnded } from '../../src/session/dialog.ts'

/** Delays are counted in these, half the shortest period. */
export const UNIT = 50_000

export type Period = 'once' | 'delay' | 'rate'

export type Act =
  | { readonly kind: 'open' }
  | { readonly kind: 'write' }
  /** Compare-and-put by somebody who read the attribute at that version, a while ago. */
  | { readonly kind: 'put'; readonly version: number; readonly read: number }
  | { readonly kind: 'timer'; readonly after: number; readonly period: Period }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'extend'; readonly after: number | null }
  | { readonly kind: 'invalidate' }
  | { readonly kind: 'call' | 'end' }
  | { readonly kind: 'intent'; readonly id: string; readonly opened: number }

/** What the application does when it is called back. */
export interface Habits {
  readonly timeout: 'nothing' | 'cancel' | 'extend' | 'fault'
  readonly sessionExpired: 'nothing' | 'extend' | 'fault'
}

/** What a turn means, if it is committed. */
export type Label =
  | { readonly kind: 'plain' }
  | { readonly kind: 'put'; readonly version: number; readonly read: number }
  | { readonly kind: 'cancel'; readonly timer: string }
  | { readonly kind: 'extend'; readonly after: number | null }
  | { readonly kind: 'invalidate' }
  | {
      readonly kind: 'callback'
      readonly intent: string
      readonly opened: number
      /** `sessionExpired` extended, or `timeout` cancelled its timer. */
      readonly did: Habits['timeout']
    }
  /** The intent was moot. */
  | { readonly kind: 'drop' }

export const EXTENSION = 4

export function step(
  group: Group,
  act: Act,
  ctx: AppContext,
  habits: Habits,
): { result: CallResult<Group>; label: Label } {
  const turn = new Turn(group, ctx)
  const label = act.kind === 'intent' ? perform(turn, act, habits) : ask(turn, act)
  // A refused answer changes nothing.
  if (label === null) return { result: new Turn(group, ctx).finish(), label: { kind: 'plain' } }
  settleSessions(turn, ctx)
  settle(turn)
  return { result: turn.finish(), label }
}

function ask(turn: Turn, act: Exclude<Act, { kind: 'intent' }>): Label | null {
  switch (act.kind) {
    case 'open':
      openApplicationSession(turn, { application: 'test', version: '1', key: null })
      return all(turn, [{ kind: 'set-expires', after: micros(6 * UNIT) }]) ? { kind: 'plain' } : null
    case 'write':
      return all(turn, [{ kind: 'set-attribute', of: '', name: 'other', value: turn.now }]) ? { kind: 'plain' } : null
    case 'put': {
      const { version, read } = act
      const value = read + 1
      const ops: readonly SessionOp[] = [
        { kind: 'expect-version', of: '', version },
        { kind: 'set-attribute', of: '', name: 'n', value },
      ]
      return all(turn, ops) ? { kind: 'put', version, read } : null
    }
    case 'timer': {
      const period = act.period === 'once' ? null : micros(2 * UNIT)
      const id = `t${viewOf(turn, turn.ctx as AppContext).nextTimer}`
      const times = { after: micros(act.after * UNIT), period, isFixedDelay: act.period === 'delay' }
      return all(turn, [{ kind: 'create-timer', timer: { id, ...times, isPersistent: true, info: null } }])
        ? { kind: 'plain' }
        : null
    }
    case 'cancel': {
      const timers = timersOf(turn)
      const timer = timers[act.which % Math.max(1, timers.length)]
      if (timer === undefined) return null
      return all(turn, [{ kind: 'cancel-timer', id: timer.id }]) ? { kind: 'cancel', timer: timer.id } : null
    }
    case 'extend': {
      const after = act.after === null ? null : micros(act.after * UNIT)
      return all(turn, [{ kind: 'set-expires', after }]) ? { kind: 'extend', after } : null
    }
    case 'invalidate':
      return all(turn, [{ kind: 'invalidate', of: '' }]) ? { kind: 'invalidate' } : null
    case 'call':
    case 'end':
      return call(turn, act.kind)
    default:
      return unreachable(act)
  }
}

function all(turn: Turn, ops: readonly SessionOp[]): boolean {
  return ops.every((op) => applyOp(turn, op) === null)
}

/** The core's part, of which no application is asked. */
function call(turn: Turn, kind: 'call' | 'end'): Label | null {
  const party = {
    tag: 'a',
    target: 'sip:x@y',
    transport: 'udp',
    cseq: 1,
    refreshed: 0,
    stream: '',
    routes: [],
  } as const
  const dialog = turn.get('Dialog', '1')
  if (kind === 'end') {
    if (dialog?.kind !== 'dialog' || dialog.state === 'ended') return null
    turn.put('1', enterEnded(dialog))
    return { kind: 'plain' }
  }
  if (!isValid(turn) || dialog !== null) return null
  const parties = { caller: 'sip:a@x', callee: 'sip:b@x', callId: 'c', callerTag: 'a' }
  const { cluster } = turn.ctx
  const times = { created: cluster, began: cluster, answered: cluster }
  turn.put('1', { kind: 'session', state: 'CONFIRMED', ...parties, ...times, hosted: null })
  const ids = { session: '1', transaction: '1', callId: 'c' }
  turn.put('1', {
    kind: 'dialog',
    state: 'confirmed',
    ...ids,
    caller: party,
    callee: { ...party, tag: 'b' },
    watch: null,
  })
  return { kind: 'plain' }
}

function perform(turn: Turn, { id, opened }: Extract<Act, { kind: 'intent' }>, habits: Habits): Label {
  const callback = callbackOf(turn, id)
  if (callback === null) {
    dropCallback(turn, id)
    return { kind: 'drop' }
  }
  const habit =
    callback.handler === 'timeout' || callback.handler === 'sessionExpired' ? habits[callback.handler] : 'nothing'
  beginCallback(turn, id)
  const after = micros(EXTENSION * UNIT)
  if (habit === 'cancel') all(turn, [{ kind: 'cancel-timer', id: callback.timer }])
  // What a refused answer did is thrown away with its turn: here it is not done.
  else if (habit === 'extend') all(turn, [{ kind: 'set-expires', after }])
  endCallback(turn, id)
  return { kind: 'callback', intent: id, opened, did: habit }
}
