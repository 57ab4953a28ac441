// A Call-ID whose messages are another group's (session/alias.ts, decision 0035). What comes to the Call-ID's own group goes on from there:
// its owner tells the keeper, who passes it to the other group's owner, and keeps it until that one has handled it.
//
//   opened --> 64*T1: is anything there of this Call-ID? --yes--> again in 64*T1
//     ^                |no                           ^
//     |            doubted --64*T1: still not there--|--> gone
//     '--what begins something takes the alias-------'
//
// An alias is not gone before 64*T1 after the last request that began something by it: by then that is in the other group's commit, or
// nobody keeps it any more.

import type { GroupKey } from '../base/brand.ts'
import { unpackChain } from '../proxy/chain.ts'
import { groupOfCallId } from '../proxy/token.ts'
import { requestKey } from '../proxy/branch.ts'
import { sessionOfUri } from '../proxy/session-token.ts'
import { ALIAS } from '../session/alias.ts'
import type { Alias } from '../session/alias.ts'
import { callId, toTag } from '../sip/message.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { timers } from '../transaction/timers.ts'
import type { Destination } from '../wire/entry.ts'
import type { CallInput, InputRef } from './contract.ts'
import { allUas, inviteOfKey } from './find.ts'
import { entityValue } from './entities.ts'
import type { Turn } from './turn.ts'

type MessageInput = Extract<CallInput, { kind: 'message' }>

/** The timer of the log by which its owner looks whether the alias still leads anywhere. */
const LOOK = 'g.1'

/** Whether the message is in its Call-ID's own group. */
export function isAtHome(turn: Turn, message: SipMessage): boolean {
  return groupOfCallId(turn.ctx.keys, callId(message)) === turn.key
}

/** Whether it may turn out to be another group's: it names this one itself, or has come home. What another group's owner has sent here
 * stays, so that nothing goes in a circle. */
export function mayGoOn(turn: Turn, { message, to }: MessageInput): boolean {
  return to === undefined || isAtHome(turn, message)
}

/** From now on that group is where this Call-ID's messages go, this one first. */
export function openAlias(turn: Turn, to: Destination, ref: InputRef): void {
  putAlias(turn, { kind: 'alias', ...to, isDoubted: false })
  turn.passOn(ref, to)
}

/** True: the message is not this group's, and goes on to another one. */
export function goesElsewhere(turn: Turn, input: MessageInput): boolean {
  const alias = aliasOf(turn)
  const { message, ref } = input
  if (alias !== null && mayGoOn(turn, input)) {
    if (alias.isDoubted && begins(message)) putAlias(turn, { ...alias, isDoubted: false })
    const { group, application, key, chain } = alias
    turn.passOn(ref, { group, application, key, chain })
    return true
  }
  if (input.to !== undefined || message.kind !== 'request' || !isStray(turn, message)) return false
  turn.passOn(ref, homeOf(turn, message))
  return true
}

export function homeOf(turn: Turn, message: SipMessage): Destination {
  return destination(groupOfCallId(turn.ctx.keys, callId(message)))
}

/** Where nobody's key leads. */
export function destination(group: GroupKey): Destination {
  return { group, application: '', key: '', chain: NO_CHAIN }
}

const NO_CHAIN = new Uint8Array(0)

function aliasOf(turn: Turn): Alias | null {
  const alias = turn.get('SipApplicationSession', ALIAS)
  return alias?.kind === 'alias' ? alias : null
}

function putAlias(turn: Turn, alias: Alias): void {
  turn.put(ALIAS, alias)
  turn.setTimer(LOOK, timers.sixtyFourT1, null)
}

function begins(message: SipMessage): boolean {
  if (message.kind !== 'request' || toTag(message) !== null) return false
  return message.method !== 'ACK' && message.method !== 'CANCEL'
}

/** What follows an INVITE whose Request-URI named a session that had ended: that INVITE went home, as one without a name does. */
function isStray(turn: Turn, request: SipRequest): boolean {
  if (request.method !== 'ACK' && request.method !== 'CANCEL') return false
  if (sessionOfUri(turn.ctx.keys, request.requestUri)?.group !== turn.key || isAtHome(turn, request)) return false
  const key = requestKey(request)
  return inviteOfKey(turn, key) === null && !allUas(turn).some(({ value }) => value.key === key)
}

/** Its timer has fired. */
export function lookAfterAlias(turn: Turn): void {
  const alias = aliasOf(turn)
  if (alias === null) return
  const isThere = leadsSomewhere(turn, alias)
  if (!isThere && alias.isDoubted) turn.delete('SipApplicationSession', ALIAS)
  else if (isThere === alias.isDoubted) putAlias(turn, { ...alias, isDoubted: !isThere })
  else turn.setTimer(LOOK, timers.sixtyFourT1, null)
}

/** Whether that group still has something of this Call-ID: a key's session outlives its calls. Which Call-ID a later group of a chain was for it
 * doesn't know: such an alias stays while there is a session. */
function leadsSomewhere({ key: home, ctx }: Turn, { group, chain }: Alias): boolean {
  const there = ctx.view(group)
  if (there === null || (unpackChain(chain)?.position ?? 1) > 1) return there !== null
  return there.entities.some((entity) => {
    const value = entity.tree === 'SipSession' ? entityValue(entity) : null
    return value?.kind === 'session' && groupOfCallId(ctx.keys, value.callId) === home
  })
}
