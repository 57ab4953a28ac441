// A ladder whose group is an application's: its handlers are called in the turn of what they hear of, and what they do is in its commit.

import type { HandlerName, Op, SessionView } from '../contract.ts'
import { onLegDefault } from '../leg-default.ts'
import type { LegEvent } from '../leg-find.ts'
import { onLegTakeover, onLegUnsent } from '../leg-takeover.ts'
import { onLegWake, resumeLegs } from '../leg-wake.ts'
import { onLegIntent, onLegMessage } from '../legs.ts'
import { openApplicationSession } from '../sessions.ts'
import { settleSessions } from '../lifecycle.ts'
import { openUas } from '../uas.ts'
import { viewOf } from '../view.ts'
import { index } from '../../base/brand.ts'
import type { CallContext, CallInput, CallResult, CallSettings } from '../../call/contract.ts'
import type { Group } from '../../call/group-state.ts'
import { resume } from '../../call/resume.ts'
import { settle } from '../../call/settle.ts'
import { Ladder } from '../../call/testing/ladder.ts'
import { phone } from '../../call/testing/phone.ts'
import type { Phone } from '../../call/testing/phone.ts'
import { Turn } from '../../call/turn.ts'
import { unreachable } from '../../base/assert.ts'
import { operate } from './operate.ts'

export type Handler = (event: LegEvent, view: SessionView) => readonly Op[] | 'fail'
export type Handlers = Partial<Record<HandlerName, Handler>>

export interface LegsScene {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly callee: Phone
  /** Handlers in the order in which they were called. */
  readonly called: string[]
  /** Of the newest state. */
  readonly view: () => SessionView
  /** Why operations were not allowed. */
  readonly refused: string[]
}

export interface LegsOptions {
  readonly callerStream?: string
  readonly calleeStream?: string
  readonly settings?: Partial<CallSettings>
}

const HOST = '127.31.9.1'

export function legsScene(handlers: Handlers, options: LegsOptions = {}): LegsScene {
  const caller = phone('caller', '127.31.9.2', 5062, options.callerStream ?? '')
  const callee = phone('callee', '127.31.9.3', 5064, options.calleeStream ?? '')
  const called: string[] = []
  const refused: string[] = []
  const nextHop = { host: callee.flow.host, port: callee.flow.port, transport: callee.flow.transport }
  const settings: CallSettings = { sip: { host: HOST, port: 5060 }, nextHop, ...options.settings }
  let newest: SessionView | null = null
  const step = (group: Group, input: CallInput, ctx: CallContext): CallResult<Group> => {
    const turn = new Turn(group, ctx)
    resume(turn)
    resumeLegs(turn)
    const event = enter(turn, input)
    if (event !== null) hear(turn, event)
    newest = viewOf(turn, appContext(ctx))
    settleSessions(turn, appContext(ctx))
    settle(turn)
    if (input.kind === 'message') {
      if (turn.commits) turn.handledAfter(input.ref)
      else turn.handled(input.ref)
    }
    return turn.finish()
  }
  const hear = (turn: Turn, event: LegEvent): void => {
    const handler = handlers[event.handler]
    if (handler === undefined) return onLegDefault(turn, event, 'absent')
    called.push(event.handler)
    const ops = handler(event, viewOf(turn, appContext(turn.ctx)))
    if (ops === 'fail') return onLegDefault(turn, event, 'failed')
    for (const op of ops) refused.push(...operate(turn, op))
    onLegDefault(turn, event, 'done')
  }
  const ladder = new Ladder(settings, [caller, callee], step)
  const view = (): SessionView => {
    if (newest === null) throw new Error('nothing happened yet')
    return newest
  }
  return { ladder, caller, callee, called, refused, view }
}

function appContext(ctx: CallContext) {
  return { ...ctx, applications: [], applied: index(0) }
}

function enter(turn: Turn, input: CallInput): LegEvent | null {
  switch (input.kind) {
    case 'message': {
      const outcome = onLegMessage(turn, input.message, input.flow)
      if (outcome !== null) return outcome === 'core' ? null : outcome
      if (input.message.kind === 'response') return null
      if (input.message.method === 'ACK' || input.message.method === 'CANCEL') return null
      openApplicationSession(turn, { application: 'test', version: '1', key: null })
      return openUas(turn, input.message, input.flow)
    }
    case 'intent': {
      const outcome = onLegIntent(turn, input)
      return outcome === null || outcome === 'core' ? null : outcome
    }
    case 'takeover':
      onLegTakeover(turn)
      return null
    case 'wake':
      onLegWake(turn)
      return null
    case 'unsent':
      onLegUnsent(turn, input)
      return null
    case 'ban':
      return null
    default:
      return unreachable(input)
  }
}
