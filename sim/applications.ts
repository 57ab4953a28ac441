// The applications of simulated sets (decision 0031): what a handler does with what it is asked, as a function of that alone. All count
// what they heard in the attribute `heard` of their SipApplicationSession, so that the checker sees each turn in the log
// (checkers/app-effects.ts).
//
//   counts      proxies each call, and counts
//   falters     the same, but its handlers fail, take too long, never end, or ask for what isn't allowed; never for an INVITE
//   hangs       doInfo never ends
//   cuts-off    ends each call by a timer, four seconds after it is answered
//   pages       counts, and shows what it counted to browsers, which have it count them, too (pages.ts)
//   keyed       counts, and has one session for each two calls, by an application key (keyed.ts)
//   keeps-time  proxies each call, with timers of each kind and an expiry around it (keeps-time.ts)
//   and those that are an end of their calls (end-applications.ts), and chains of two (chains.ts)

import { seconds } from '../src/base/instant.ts'
import type { AppCall, ApplicationInfo, AttributeValue, HandlerName, Op } from '../src/app/contract.ts'
import { appLimits } from '../src/app/limits.ts'
import { viaOf } from '../src/proxy/upstream.ts'
import { cseq, fromTag, parseMessage } from '../src/sip/message.ts'
import { chainInfos, chainNames, isChain, isFirst, isRouted, placeOf, routed } from './chains.ts'
import type { Draw } from './draws.ts'
import { endHandlers, endNames, endOps, isEnd } from './end-applications.ts'
import { keyOf } from './keyed.ts'
import { KEEPS_TIME, timeOps } from './keeps-time.ts'
import { answerWeb } from './pages.ts'

export const applicationNames = [
  'counts',
  'falters',
  'hangs',
  'cuts-off',
  'pages',
  'keeps-time',
  'keyed',
  ...endNames,
  ...chainNames,
] as const
export type ApplicationName = (typeof applicationNames)[number]

/** Seconds from the answer after which `cuts-off` ends a call. */
const CUT_OFF = 4

const COUNTS = ['doInvite', 'doSuccessResponse', 'doErrorResponse', 'doInfo', 'doBye', 'doCancel'] as const

const HANDLERS: Readonly<Record<ApplicationName, readonly HandlerName[]>> = {
  counts: COUNTS,
  falters: ['doInvite', 'doSuccessResponse', 'doInfo', 'doBye'],
  hangs: ['doInvite', 'doInfo', 'doBye'],
  'cuts-off': ['doInvite', 'doSuccessResponse', 'timeout', 'doBye'],
  pages: ['doInvite', 'doSuccessResponse', 'doErrorResponse', 'doInfo', 'doBye', 'doCancel', 'doHttp'],
  'keeps-time': KEEPS_TIME,
  keyed: ['applicationKey', 'doInvite', 'doInfo', 'doBye', 'doCancel'],
  ...endHandlers,
  chain: COUNTS,
  'chain-b2bua': endHandlers.b2bua,
  'chain-keyed': ['applicationKey', ...COUNTS],
}

/** All that a set with that application runs. */
export function applicationInfos(name: ApplicationName): readonly ApplicationInfo[] {
  if (isChain(name)) return chainInfos([COUNTS, HANDLERS[name]])
  return [{ name, version: '1', handlers: HANDLERS[name] }]
}

/** What ends calls besides their phones, as `PlannedLifetime` has it. */
export function cutOffOf(name: ApplicationName | undefined): { readonly maxCall?: number } | null {
  return name === 'cuts-off' ? { maxCall: CUT_OFF } : null
}

/** Answers to questions: after so many microseconds; `never` = none comes. */
export type Reply =
  | { readonly kind: 'done'; readonly ops: readonly Op[]; readonly result?: unknown; readonly after: number }
  | { readonly kind: 'failed'; readonly after: number }
  | { readonly kind: 'never' }

export function answerOf(name: ApplicationName, call: AppCall, draw: Draw, at: number): Reply {
  const after = draw.within(100, 8_000, 11, at, call.id)
  if (isRouted(call)) return { kind: 'done', ops: [], result: routed(call), after }
  if (call.http !== null)
    return { kind: 'done', ...answerWeb(call, call.http, marksBefore(call), (mark) => heard(call, mark)), after }
  if (call.handler === 'applicationKey') return { kind: 'done', ops: [], result: keyOf(call), after }
  const ops = opsOf(roleOf(name, call), call)
  if (name === 'hangs' && call.handler === 'doInfo') return { kind: 'never' }
  if (name !== 'falters' || call.handler === 'doInvite') return { kind: 'done', ops, after }
  switch (draw.below(6, 12, at, call.id)) {
    case 0:
      return { kind: 'failed', after }
    case 1:
      return { kind: 'done', ops, after: appLimits.handler + after }
    case 2:
      return { kind: 'never' }
    case 3:
      // What it did before that isn't done either.
      return {
        kind: 'done',
        ops: [heard(call, `!${markOf(call)}`), { kind: 'expect-version', of: '', version: 0 }],
        after,
      }
    default:
      return { kind: 'done', ops, after }
  }
}

/** What an application of a chain is like. */
function roleOf(name: ApplicationName, call: AppCall): ApplicationName {
  if (!isChain(name)) return name
  return name === 'chain-b2bua' && !isFirst(call) ? 'b2bua' : 'counts'
}

function opsOf(name: ApplicationName, call: AppCall): readonly Op[] {
  // Of a session that is over nothing can be changed.
  if (!call.view.isValid && call.message === null) return []
  const counted = heard(call, markOf(call))
  if (isEnd(name)) return [counted, ...endOps(name, call)]
  const more = name === 'keeps-time' ? timeOps(call, marksBefore(call)) : []
  const [session = ''] = call.view.sessions.map(({ id }) => id)
  if (call.handler === 'doInvite' && call.message?.isInitial === true)
    return [
      counted,
      ...more,
      { kind: 'proxy', request: call.message.request, plan: { targets: [], recurse: false, timeout: null } },
    ]
  if (name !== 'cuts-off') return [counted, ...more]
  if (call.handler === 'timeout') return [counted, { kind: 'end-call', session }]
  const isAnswer = call.handler === 'doSuccessResponse' && call.view.timers.length === 0
  if (!isAnswer || !markOf(call).includes('INVITE')) return [counted]
  const timer = { after: seconds(CUT_OFF), period: null, isFixedDelay: false, isPersistent: true, info: null }
  return [counted, { kind: 'create-timer', timer: { id: `t${call.view.nextTimer}`, ...timer } }]
}

/** What was heard, in the order in which it was handled. */
export const HEARD = 'heard'

function heard(call: AppCall, mark: string): Op {
  return { kind: 'set-attribute', of: '', name: HEARD, value: [...marksBefore(call), mark] }
}

function marksBefore({ view }: AppCall): readonly string[] {
  return listOf(view.attributes.find(({ name }) => name === HEARD)?.value ?? []).map(String)
}

export function listOf(value: AttributeValue): readonly AttributeValue[] {
  return Array.isArray(value) ? (value as readonly AttributeValue[]) : []
}

/** The same for one message whenever its handler is called, and another one for each other. */
function markOf(call: AppCall): string {
  return placeOf(call.application) < 0 ? messageMark(call) : `${messageMark(call)} @${String(call.view.stateInfo)}`
}

function messageMark({ handler, message, subject, due, view }: AppCall): string {
  // A timer that comes again has another time; so has an expiry that was put off.
  if (message === null) return `${handler} ${subject} ${due ?? view.expires ?? ''}`
  const parsed = parseMessage(message.text)
  if (!parsed.ok) return `${handler} ?`
  const sip = parsed.value
  const { method, number } = cseq(sip)
  if (sip.kind === 'response') return `${handler} ${method} ${number} ${fromTag(sip) ?? ''} ${sip.status}`
  return `${handler} ${method} ${number} ${viaOf(sip).branch ?? ''}`
}
