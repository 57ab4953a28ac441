// Which session a request is for that begins something (JSR 289 15.11; decision 0035). In this order:
//
//   1. the one that its Request-URI names (encodeURI)          call/receive.ts has brought it to that one's group
//   2. that of the application's key                           its application is asked for that: `applicationKey`
//   3. that of the dialog which Replaces or Join names         (RFC 3891, RFC 3911)
//   4. a new one, which the application router finds an application for
//
// What is another group's is passed on to it: by an alias of its Call-ID (call/alias.ts), in the group that asks.

import type { GroupKey } from '../base/brand.ts'
import { destination, isAtHome, mayGoOn } from '../call/alias.ts'
import { entityValue } from '../call/entities.ts'
import type { EntityValue } from '../call/entities.ts'
import type { Turn } from '../call/turn.ts'
import { packChain } from '../proxy/chain.ts'
import { sessionOfUri } from '../proxy/session-token.ts'
import { groupOfCallId, groupOfKey } from '../proxy/token.ts'
import { senderOf } from '../session/dialog.ts'
import { isOfLeg } from '../session/leg.ts'
import { namedDialog } from '../sip/dialog-name.ts'
import type { DialogName } from '../sip/dialog-name.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Destination } from '../wire/entry.ts'
import type { AppAnswer } from './contract.ts'
import type { AppEvent, MessageInput } from './event.ts'
import { appLimits } from './limits.ts'
import { applicationSession } from './sessions.ts'

/** `key`: its application is to be asked for that first. `home`: it is to be looked at in its Call-ID's own group. */
export type Target =
  | { readonly kind: 'here' | 'key' | 'home' }
  | { readonly kind: 'elsewhere'; readonly to: Destination }

const HERE: Target = { kind: 'here' }

/** `isKeyed`: the application was asked, and has no key for it. */
export function targetOf(
  turn: Turn,
  input: MessageInput,
  request: SipRequest,
  { application }: AppEvent,
  isKeyed: boolean,
): Target {
  const home = isAtHome(turn, request)
  const named = input.to === undefined ? sessionOfUri(turn.ctx.keys, request.requestUri) : null
  if (named !== null && named.group === turn.key) {
    const session = applicationSession(turn)
    if (session?.hosted.isValid === true && session.created === named.created) return HERE
    // It has ended: the request is as one that names none.
    if (!home) return { kind: 'home' }
  }
  if (!mayGoOn(turn, input) || turn.base.entities.size > 0) return HERE
  if (!isKeyed && application.handlers.includes('applicationKey')) return { kind: 'key' }
  const group = home && request.method === 'INVITE' ? groupOfNamed(turn, request) : null
  return group === null ? HERE : { kind: 'elsewhere', to: destination(group) }
}

/** What an application says of a request's key: where that leads, null = it has none; or why that is no answer. */
export function keyedTarget(
  turn: Turn,
  { application: { name }, chain }: AppEvent,
  { ops, result }: Extract<AppAnswer, { kind: 'done' }>,
): Destination | null | string {
  if (ops.length > 0) return 'IllegalState: applicationKey changes nothing: it only tells the key'
  if (result === null || result === undefined) return null
  const isKey =
    typeof result === 'string' && result !== '' && result.length <= appLimits.name && !/\p{Surrogate}/u.test(result)
  if (!isKey) return `IllegalArgument: applicationKey: a key has 1 to ${appLimits.name} characters; null = none`
  const to = destination(groupOfKey(turn.ctx.keys, name, result))
  return { ...to, application: name, key: result, ...(chain === null ? {} : { chain: packChain(chain) }) }
}

/** The group with an application's session that has the dialog which Replaces or Join names, as far as this replica has applied. */
function groupOfNamed(turn: Turn, request: SipRequest): GroupKey | null {
  const dialog = namedDialog(request, 'Replaces') ?? namedDialog(request, 'Join')
  if (dialog === null) return null
  let group = groupOfCallId(turn.ctx.keys, dialog.callId)
  let values = valuesOf(turn, group)
  const alias = values.find((value) => value.kind === 'alias')
  if (alias !== undefined) {
    group = alias.group
    values = valuesOf(turn, group)
  }
  const isHosted = values.some((value) => value.kind === 'application-session' && value.hosted?.isValid === true)
  return isHosted && values.some((value) => isDialog(value, dialog)) ? group : null
}

function valuesOf(turn: Turn, group: GroupKey): readonly EntityValue[] {
  return turn.ctx.view(group)?.entities.map(entityValue) ?? []
}

/** RFC 3891 3: to-tag is the tag of whoever gets the request. A call that is relayed has two ends who may. */
function isDialog(value: EntityValue, { callId, toTag, fromTag }: DialogName): boolean {
  if (value.kind === 'leg') return value.state !== 'ended' && isOfLeg(value, callId, fromTag, toTag)
  return value.kind === 'dialog' && value.state !== 'ended' && senderOf(value, callId, fromTag, toTag) !== null
}
