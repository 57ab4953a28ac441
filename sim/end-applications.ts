// Applications of simulated sets that are an end of their calls (src/app/legs.ts).
//
//   answers     rings, and answers each call after a second, by a timer; agrees to whatever is asked
//   refuses     is busy
//   hands-over  answers, and a call that replaces another one (RFC 3891) takes its place: the other one is ended
//   b2bua       two legs (b2bua.ts)

import type { AppCall, HandlerName, Op } from '../src/app/contract.ts'
import { seconds } from '../src/base/instant.ts'
import { parseMessage } from '../src/sip/message.ts'
import { namedDialog } from '../src/sip/dialog-name.ts'
import { b2buaOps } from './b2bua.ts'
import { isChain } from './chains.ts'

export const endNames = ['answers', 'refuses', 'b2bua', 'hands-over'] as const
export type EndName = (typeof endNames)[number]

const REQUESTS: readonly HandlerName[] = [
  'doInvite',
  'doAck',
  'doBye',
  'doCancel',
  'doInfo',
  'doMessage',
  'doNotify',
  'doOptions',
  'doRefer',
  'doUpdate',
  'noAckReceived',
]
const RESPONSES: readonly HandlerName[] = [
  'doProvisionalResponse',
  'doRedirectResponse',
  'doErrorResponse',
  'doSuccessResponse',
]

export const endHandlers: Readonly<Record<EndName, readonly HandlerName[]>> = {
  answers: [...REQUESTS, 'timeout'],
  refuses: ['doInvite'],
  b2bua: [...REQUESTS, ...RESPONSES],
  'hands-over': [...REQUESTS, 'timeout'],
}

export function isEnd(name: string | undefined): name is EndName {
  return endNames.some((one) => one === name)
}

/** Whether the phones talk to the set, and not to each other. */
export function answersItself(name: string | undefined): boolean {
  return isEnd(name) || name === 'chain-b2bua'
}

/** Whether each call has two legs. */
export function hasLegs(name: string | undefined): boolean {
  return name === 'b2bua' || name === 'chain-b2bua'
}

/** How many dialogs a call is that such an application has. */
export function dialogsOf(name: string | undefined): number {
  return (hasLegs(name) ? 2 : 1) + (isChain(name) ? 1 : 0)
}

export function endOps(name: EndName, call: AppCall): readonly Op[] {
  switch (name) {
    case 'answers':
      return answers(call)
    case 'refuses':
      return [respond(call.message?.request ?? '', 486)]
    case 'b2bua':
      return b2buaOps(call)
    case 'hands-over':
      return handedOver(call) ?? answers(call)
  }
}

function answers({ handler, message, subject, view }: AppCall): readonly Op[] {
  const pending = view.sessions.flatMap((session) => session.pending)
  const waiting = pending.find(({ direction, method }) => direction === 'in' && method === 'INVITE')
  if (handler === 'timeout') return subject === 't1' && waiting !== undefined ? [respond(waiting.id, 200)] : []
  if (message === null || message.request === '') return []
  if (!message.isInitial) return [respond(message.request, 200)]
  const timer = { after: seconds(1), period: null, isFixedDelay: false, isPersistent: true, info: null }
  return [respond(message.request, 180), { kind: 'create-timer', timer: { id: `t${view.nextTimer}`, ...timer } }]
}

/** null = it takes nobody's place. */
function handedOver({ message, view }: AppCall): readonly Op[] | null {
  const parsed = message?.isInitial === true ? parseMessage(message.text) : null
  const dialog = parsed?.ok === true ? namedDialog(parsed.value, 'Replaces') : null
  if (message === null || dialog === null) return null
  const { callId, toTag, fromTag } = dialog
  const old = view.sessions.find(
    (one) => one.callId === callId && one.localTag === toTag && one.remoteTag === fromTag && one.state === 'CONFIRMED',
  )
  if (old === undefined) return null
  const bye = { kind: 'request', session: old.id, method: 'BYE', parts: { headers: [], body: '' } } as const
  return [respond(message.request, 200), bye]
}

function respond(request: string, status: number): Op {
  return { kind: 'respond', request, response: { status, headers: [], body: '' } }
}
