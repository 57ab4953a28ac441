// An application as an end of calls: it answers them (UAS), places them (UAC), or does both in one group (a B2BUA, whose two legs change in
// one commit). This is the door that app/group.ts comes through; operations.ts has `respond` (uas.ts), `create-session`, `request`, `ack`
// and `cancel` (uac.ts).
//
//   message --> onLegMessage --null--> no leg's          a turn, each time anew:
//                    |--'core'--> done                     resumeLegs, onLegMessage, the handler's operations, onLegDefault, settle
//                    '--event--> a handler is asked      The handler sees the state after onLegMessage: a turn that is thrown away.
//
// All that a leg is lives in the log: session/leg.ts (the dialog, our CSeq numbers, the ACK of our 2xx), and each transaction as a `uas` or
// `uac` record with its `request`. What leaves, leaves after its commit, and a takeover sends those bytes again.
//
//   timers of the log    u.p.UAS  no PRACK within 64*T1: noPrackReceived, then 504
//                        u.n.UAS  no ACK within 64*T1: noAckReceived, then BYE       u.c.UAC  a CANCEL that came to nothing
//                        u.e.UAC  early dialogs besides the one that was answered    x.ID     `delete`: what a final leaves behind
//   intents              u.f.UAC  a final of our own making is to be told (408, 503, a route that isn't there)
//
// There is no timer C: how long a phone rings is the application's to say (a ServletTimer), and its session expires at last.

import type { CallInput } from '../call/contract.ts'
import type { Turn } from '../call/turn.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { boundStream } from '../call/bound.ts'
import { upstreamOf } from '../call/reply.ts'
import type { Leg } from '../session/leg.ts'
import { hasDialog } from '../session/leg.ts'
import { legOfRequest, putLeg } from './leg-find.ts'
import type { LegOutcome } from './leg-find.ts'
import { readLegIntent } from './leg-timers.ts'
import { onNoPrack } from './reliable.ts'
import { bindUac, onCancelTimer, onForkTimer, onLocalFinal, onUacResponse } from './uac-response.ts'
import { acknowledge, onUasRequest } from './uas.ts'
import { onUasAck, onUasCancel } from './uas-follow.ts'
import { startWaiting } from './uac.ts'
import { allUac } from '../call/find.ts'

/** Nothing is said here of whoever keeps the input: it is handled with the turn's commit, or at once if there is none. */
export function onLegMessage(turn: Turn, message: SipMessage, flow: Flow): LegOutcome {
  if (message.kind === 'response') {
    bindUac(turn, message, flow)
    return onUacResponse(turn, message)
  }
  const leg = boundAgain(turn, message, flow, legOfRequest(turn, message))
  switch (message.method) {
    case 'ACK':
      return onUasAck(turn, message, leg)
    case 'CANCEL':
      return onUasCancel(turn, message, flow)
    default:
      return onUasRequest(turn, message, flow, leg)
  }
}

/** A phone that can't be called back is reached by the connection that it spoke on last (call/bound.ts). */
function boundAgain(turn: Turn, request: SipRequest, flow: Flow, leg: Leg | null): Leg | null {
  if (leg === null || leg.remote.stream === '' || !hasDialog(leg)) return leg
  const upstream = upstreamOf(request, flow)
  const stream = upstream.transport === leg.remote.transport ? boundStream(upstream, leg.remote.target) : ''
  if (stream === '' || stream === leg.remote.stream) return leg
  const bound: Leg = { ...leg, remote: { ...leg.remote, stream } }
  putLeg(turn, bound)
  return bound
}

/** A timer of a leg fired, or an intent is to be performed; it is done with this turn's commit. Null: it is not a leg's. */
export function onLegIntent(turn: Turn, { id: name }: Extract<CallInput, { kind: 'intent' }>): LegOutcome {
  const intent = readLegIntent(name)
  if (intent === null) return null
  turn.intentDone(name)
  switch (intent.kind) {
    case 'no-ack':
      return onNoAck(turn, intent.id)
    case 'no-prack':
      return onNoPrack(turn, intent.id)
    case 'cancel':
      return onCancelTimer(turn, intent.id)
    case 'fork':
      onForkTimer(turn, intent.id)
      return 'core'
    case 'final':
      return onLocalFinal(turn, intent.id)
  }
}

/** 13.3.1.4: the dialog is confirmed all the same, and is ended by a BYE (leg-default.ts). */
function onNoAck(turn: Turn, id: string): LegOutcome {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uas' || record.state !== 'accepted') return 'core'
  acknowledge(turn, id, record)
  // 15: 64*T1 are over, so a BYE that waited may go.
  for (const { id: own, value } of allUac(turn)) {
    if (value.session === record.session && value.state === 'waiting') startWaiting(turn, own)
  }
  return { handler: 'noAckReceived', message: null, subject: record.session }
}
