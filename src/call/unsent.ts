// A send of ours was not made. Late: again, if those bytes still stand (design.md 1). Its stream is gone: a response goes
// to what its Via says (RFC 3261 18.2.2). The next hop can't be reached: as if it had answered 503 (16.9).

import { flat } from '../base/bytes.ts'
import { movedBack } from '../proxy/forward.ts'
import { responseFlow, viaOf } from '../proxy/upstream.ts'
import { parseMessage, toTag } from '../sip/message.ts'
import { millis } from '../base/instant.ts'
import { startInviteClient } from '../transaction/invite-client.ts'
import { startNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import type { Flow } from '../wire/entry.ts'
import { waitsForClient } from './bound.ts'
import { isAfterAnother } from './bye.ts'
import type { CallInput } from './contract.ts'
import { allInvites, branchOfId, parsedRequest, sentInvite } from './find.ts'
import type { Found } from './find.ts'
import type { BranchLocal, Relay } from './group-state.ts'
import { failWith } from './invite-failure.ts'
import { ownStands, ownUnreachable } from './own-bye.ts'
import { probeStands, probeUnreachable } from './probe.ts'
import { answerItself } from './relay.ts'
import { isAsked, tryNextPlace } from './relay-places.ts'
import type { Turn } from './turn.ts'
import { readWhat, what } from './what.ts'
import type { Sent } from './what.ts'

type Unsent = Extract<CallInput, { kind: 'unsent' }>

export function onUnsent(turn: Turn, unsent: Unsent): void {
  const sent = readWhat(unsent.what)
  if (unsent.reason === 'late') {
    if (stands(turn, sent, unsent)) turn.send(unsent.flow, unsent.data, unsent.what)
    return
  }
  const isRequest = !unsent.data.startsWith('SIP/2.0 ')
  const mayWake = isRequest || waitsForClient(unsent.flow, isRequest)
  if (mayWake && isToWake(turn, sent, unsent)) return turn.send(unsent.flow, unsent.data, unsent.what)
  const isLeft = leadsByPath(turn, sent) || hasHungUp(turn, sent)
  if (waitsForClient(unsent.flow, isRequest) && !isLeft) return
  if (!isRequest) onLostResponse(turn, unsent)
  else if (sent.kind === 'invite') onInviteUnreachable(turn, sent.id, unsent)
  else if (sent.kind === 'request') onRequestUnreachable(turn, sent.id, unsent.data)
  else if (sent.kind === 'own') ownUnreachable(turn, sent.id, unsent.data)
  else if (sent.kind === 'probe') probeUnreachable(turn, sent.id, unsent.data)
  // An ACK or a CANCEL that can't be delivered: the other side repeats, or 64*T1 ends it.
}

/** Who holds the stream sleeps, and may wake with it: its phone has lost nothing, and waits for no other connection. An INVITE may have another
 * one by now (`mayRing`); what no timer ends is for its sender to repeat. */
function isToWake(turn: Turn, sent: Sent, unsent: Unsent): boolean {
  if (unsent.isSilent !== true || sent.kind === 'invite' || sent.kind === 'untracked') return false
  const relay = sent.kind === 'request' ? turn.local.relays.get(sent.id) : undefined
  return (relay === undefined || relay.hop.stream === unsent.flow.stream) && stands(turn, sent, unsent)
}

/** A request that begins something goes on a connection only by a phone's Path: nobody waits for that phone, its registrar knows others
 * of its flows, or hears that it has none (RFC 5626 5.3). In a dialog the phone is waited for. */
function leadsByPath(turn: Turn, sent: Sent): boolean {
  if (sent.kind === 'invite') return branchOfId(turn, sent.id)?.value.dialog === ''
  const relay = sent.kind === 'request' ? turn.local.relays.get(sent.id) : undefined
  return relay !== undefined && toTag(parsedRequest(relay.request)) === null
}

/** A BYE to a phone whose dialog another BYE has ended: it has no reason to come back. */
function hasHungUp(turn: Turn, sent: Sent): boolean {
  const relay = sent.kind === 'request' ? turn.local.relays.get(sent.id) : undefined
  return relay !== undefined && isAfterAnother(turn, relay)
}

/** What a request comes to whose place can't be reached (16.9); on a flow that is gone RFC 5626 5.3 has its own word for it. A BYE whose
 * phone has hung up by itself gets 480: any final ends it (15.1.1), and nobody else could be asked. */
function statusOf(hop: Flow, isTooLate = false): number {
  if (isTooLate) return 480
  return hop.stream === '' ? 500 : 430
}

/** Whether the group still wants exactly these bytes to go. */
function stands(turn: Turn, sent: Sent, { data, flow }: Unsent): boolean {
  switch (sent.kind) {
    case 'invite':
    case 'ack':
    case 'cancel':
      return branchStands(turn, sent.kind, sent.id, data)
    case 'response':
      return responseStands(turn, sent.id, data)
    case 'request': {
      const relay = turn.local.relays.get(sent.id)
      return relay?.request === data && isAsked(relay)
    }
    case 'answer':
      return answerStands(turn, sent.id, data, flow)
    case 'bye-final':
      return isKept(turn, data)
    case 'own':
      return ownStands(turn, sent.id, data)
    case 'probe':
      return probeStands(turn, sent.id, data)
    case 'uas':
    case 'uac':
    case 'leg-ack':
      // An application's: app/leg-takeover.ts is asked.
      return false
    case 'untracked':
      // Nothing here makes a call: ACK for a 2xx, CANCEL, answers. On UDP its sender repeats what matters.
      return flow.transport !== 'udp'
  }
}

function branchStands(turn: Turn, kind: 'invite' | 'ack' | 'cancel', id: string, data: string): boolean {
  const branch = allInvites(turn)
    .flatMap((invite) => invite.value.branches)
    .find((one) => one.id === id)
  if (branch === undefined) return false
  if (kind === 'ack') return branch.ack === data
  if (kind === 'cancel') return branch.cancel === data
  const record = turn.get('Transaction', id)
  return branch.state === 'calling' && record?.kind === 'request' && record.text === data
}

function responseStands(turn: Turn, id: string, data: string): boolean {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'invite') return false
  const status = Number(data.slice(8, 11))
  switch (record.state) {
    case 'proceeding': {
      const { provisional } = turn.invite(id)
      // Of a fork each branch has its own.
      const isLast = provisional === null || provisional === data || record.branches.length > 1
      return status < 200 && isLast
    }
    case 'completed':
      return record.final === data
    case 'accepted':
      return status >= 200 && status < 300
  }
}

function answerStands(turn: Turn, id: string, data: string, flow: Flow): boolean {
  if (isKept(turn, data)) return true
  const relay = turn.local.relays.get(id)
  if (relay !== undefined) return relay.last === data
  // Relayed by an owner before this one, which slept and sent it too late: on a stream nobody repeats what it answers. Which
  // final of a BYE counts is the log's word.
  return flow.transport !== 'udp' && !id.startsWith('BYE ')
}

function isKept(turn: Turn, data: string): boolean {
  for (const [, record] of turn.entries('Transaction')) if (record.kind === 'bye' && record.final === data) return true
  return false
}

/** 18.2.2: the connection is gone: another one to `received`, else sent-by; once. */
function onLostResponse(turn: Turn, unsent: Unsent): void {
  if (unsent.flow.stream === '') return
  const parsed = parseMessage(unsent.data)
  if (!parsed.ok || !stands(turn, readWhat(unsent.what), unsent)) return
  const flow: Flow = responseFlow(viaOf(parsed.value), '')
  turn.send(flow, unsent.data, unsent.what)
}

/** 16.9: a transport error is a 503 of that branch, which goes upstream as 500 (16.7 step 6); unless it may go by UDP. */
function onInviteUnreachable(turn: Turn, branchId: string, unsent: Unsent): void {
  for (const invite of allInvites(turn)) {
    const branch = invite.value.branches.find((one) => one.id === branchId)
    // 17.1.4: in proceeding the request is known to have arrived.
    if (branch?.state !== 'calling') continue
    const record = turn.get('Transaction', branchId)
    // Another attempt is under way.
    if (record?.kind === 'request' && record.text !== unsent.data) return
    if (mayRing(turn, invite, branch, unsent)) return
    if (!inviteByUdp(turn, invite, branch)) failWith(turn, { ...invite, branch }, statusOf(branch.hop))
  }
}

/** A replica died, an owner before this one or the holder of the flow, and the phone may have got its INVITE just before. If so, that says on
 * its next connection that it rings (bound.ts), while timer B goes on; one that can be called is sent the same INVITE there, not another
 * one. */
function mayRing(turn: Turn, { id, value }: Found<InviteRecord>, branch: Branch, unsent: Unsent): boolean {
  const isTaken = turn.invite(id).branches.get(branch.id)?.isTaken === true
  if (unsent.flow.stream === '' || (!isTaken && unsent.mayHaveLeft !== true)) return false
  const { ordinal, attempt, hop } = branch
  const next = value.branches.find((one) => one.ordinal === ordinal && one.attempt === attempt + 1)
  if (next?.hop.transport === hop.transport) turn.send(next.hop, unsent.data, what.invite(branch.id))
  // Who sleeps wakes with the stream, and its phone, which has lost nothing, waits for no other one.
  else if (next === undefined && unsent.isSilent === true) turn.send(unsent.flow, unsent.data, what.invite(branch.id))
  return true
}

/** 18.1.1: the INVITE goes by UDP after all. Like any attempt at a target it is committed first. */
function inviteByUdp(turn: Turn, { id, value }: Found<InviteRecord>, branch: Branch): boolean {
  const attempt = branch.attempt + 1
  const out =
    value.cancelled || branch.cancel !== null
      ? null
      : movedBack(sentInvite(turn, branch), branch.hop, branch.branch, { keys: turn.ctx.keys, attempt })
  if (out === null) return false
  const next: Branch = { ...branch, attempt, branch: out.branch, hop: out.hop }
  turn.put(id, { ...value, branches: value.branches.map((one) => (one.id === branch.id ? next : one)) })
  turn.put(branch.id, { kind: 'request', text: flat(out.text) })
  turn.sendAfter(out.hop, out.text, what.invite(branch.id))
  const local = turn.invite(id)
  const client = startInviteClient(false, turn.now)
  const place: BranchLocal = { client, cancel: null, timerC: turn.now }
  turn.setInvite(id, { ...local, branches: new Map(local.branches).set(branch.id, place) })
  return true
}

function onRequestUnreachable(turn: Turn, id: string, data: string): void {
  const relay = turn.local.relays.get(id)
  if (relay === undefined || relay.request !== data || requestByUdp(turn, relay)) return
  const { machine, actions } = stepNonInviteClient(relay.client, { kind: 'transport-error' }, turn.now)
  if (!actions.includes('transport-error')) return
  if (tryNextPlace(turn, relay)) return
  if (relay.server.state === 'terminated') return turn.dropRelay(id)
  turn.setRelay({ ...relay, client: machine })
  answerItself(turn, relay, statusOf(relay.hop, isAfterAnother(turn, relay)))
}

/** 18.1.1, for a request that lives with its owner alone. */
function requestByUdp(turn: Turn, relay: Relay): boolean {
  const isWaiting = relay.client.state === 'trying'
  const sent = parsedRequest(relay.request)
  const out = isWaiting ? movedBack(sent, relay.hop, relay.branch, { keys: turn.ctx.keys, attempt: 2 }) : null
  if (out === null) return false
  const client = startNonInviteClient(false, millis(0), turn.now)
  turn.setRelay({ ...relay, branch: out.branch, hop: out.hop, request: flat(out.text), client })
  turn.send(out.hop, out.text, what.request(relay.id))
  return true
}
