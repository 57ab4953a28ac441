// A ladder whose group is an application's: a handler's answer is there at once, and is one commit with what it was asked about.

import { index } from '../../base/brand.ts'
import type { CallContext, CallInput, CallResult, CallSettings } from '../../call/contract.ts'
import type { Group } from '../../call/group-state.ts'
import { Ladder } from '../../call/testing/ladder.ts'
import { phone } from '../../call/testing/phone.ts'
import type { Phone } from '../../call/testing/phone.ts'
import { Turn } from '../../call/turn.ts'
import type { AppAnswer, AppCall, HandlerName, Op, SessionView } from '../contract.ts'
import { stepGroup } from '../group.ts'
import { viewOf } from '../view.ts'

/** What a handler hears of. */
export type Heard = Pick<AppCall, 'handler' | 'message' | 'subject'>
export type Handler = (event: Heard, view: SessionView) => readonly Op[] | 'fail'
export type Handlers = Partial<Record<HandlerName, Handler>>

export interface LegsScene {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly callee: Phone
  /** Handlers in the order in which they were called. */
  readonly called: string[]
  /** Of the newest state. */
  readonly view: () => SessionView
  /** Why answers were not allowed. */
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
  const applications = [{ name: 'test', version: '1', handlers: Object.keys(handlers) as HandlerName[] }]
  let newest: SessionView | null = null
  const step = (group: Group, input: CallInput, ctx: CallContext): CallResult<Group> => {
    const context = { ...ctx, applications, applied: index(0) }
    let result = stepGroup(group, input, context)
    for (let { asks } = result; asks !== null; { asks } = result) {
      const { handler, message, subject, view } = asks.call
      called.push(handler)
      const ops = handlers[handler]?.({ handler, message, subject }, view) ?? 'fail'
      const answer: AppAnswer = ops === 'fail' ? { kind: 'failed', reason: '' } : { kind: 'done', ops, result: null }
      result = stepGroup(group, input, context, { event: asks.event, answer })
    }
    if (result.failure !== null) refused.push(result.failure.reason)
    newest = viewOf(new Turn(result.group, ctx), context)
    return result
  }
  const view = (): SessionView => {
    if (newest === null) throw new Error('nothing happened yet')
    return newest
  }
  return { ladder: new Ladder(settings, [caller, callee], step), caller, callee, called, refused, view }
}
