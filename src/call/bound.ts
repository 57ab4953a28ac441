// A phone that can't be called back is reached by the connection that it made: one behind a WebSocket (RFC 7118 5.2.2), or one
// that says so (`ob`, RFC 5626 4.3). Its dialog is bound to that connection. When it is gone, what goes to the phone waits for
// 64*T1 at most (design.md 8); the phone binds the dialog again by any request in it, which names Call-ID and both tags.

import { datagramBinding } from '../proxy/datagram-binding.ts'
import { OUTBOUND } from '../proxy/path.ts'
import { withParty } from '../session/dialog.ts'
import type { Side } from '../session/dialog.ts'
import { parseUri } from '../sip/uri.ts'
import { isWebSocket } from '../sip/transport.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import type { Flow } from '../wire/entry.ts'
import { allDialogs, allInvites, dialogOf } from './find.ts'
import type { Found } from './find.ts'
import { upstreamOf } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

type FoundBranch = Found<InviteRecord> & { readonly branch: Branch }

/** The connection that a dialog's side is bound to, whose messages came on `flow` and whose Contact is `target`, or where its datagrams
 * come from (datagram-binding.ts); empty = none. */
export function boundStream(flow: Flow, target: string): string {
  if (isWebSocket(flow.transport)) return flow.stream
  const uri = parseUri(target)
  if (uri === null || uri.kind !== 'sip' || !uri.params.has(OUTBOUND)) return ''
  return placeOf(flow)
}

function placeOf(flow: Flow): string {
  return flow.transport === 'udp' ? datagramBinding(flow) : flow.stream
}

/** A send to somebody who can't be called back did not find its connection: whoever made that comes back, or nobody does. */
export function waitsForClient(flow: Flow, isRequest: boolean): boolean {
  return flow.stream !== '' && (isRequest || isWebSocket(flow.transport))
}

/** A request in a dialog came on another connection than the one that its sender's side is bound to: from now on that one counts, and
 * what the old one may have lost is sent again. */
export function bindAgain(turn: Turn, request: SipRequest, flow: Flow): void {
  const dialog = dialogOf(turn, request)
  // Of one that has ended, its BYEs and their answers are still under way.
  if (dialog === null || (dialog.value.state === 'ended' && flow.stream === '')) return
  const party = dialog.value[dialog.sender]
  const gone = party.stream
  const place = placeOf(upstreamOf(request, flow))
  if (gone === '' || place === '' || gone === place || party.transport !== flow.transport) return
  turn.put(dialog.id, withParty(dialog.value, dialog.sender, { stream: place }))
  // What went by datagrams is repeated by who sent it, and from there on asks the dialog anew.
  if (flow.stream === '') return
  for (const invite of allInvites(turn)) {
    if (invite.value.dialog === dialog.id || invite.id === dialog.value.transaction)
      moveInvite(turn, invite, gone, flow, dialog.sender)
  }
  moveByes(turn, dialog.id, gone, flow)
  moveRelays(turn, gone, flow)
}

/** The answers to the phone's BYEs, and the set's own BYE to it. */
function moveByes(turn: Turn, dialog: string, gone: string, flow: Flow): void {
  for (const [id, record] of turn.entries('Transaction')) {
    if ((record.kind !== 'bye' && record.kind !== 'own') || record.dialog !== dialog) continue
    const old = record.kind === 'bye' ? record.upstream : record.hop
    if (old.stream !== gone) continue
    const now = onto(old, flow)
    if (record.kind === 'bye') {
      turn.put(id, { ...record, upstream: now })
      turn.sendAfter(now, record.final, what.byeFinal(id))
    } else {
      turn.put(id, { ...record, hop: now })
      turn.sendAfter(now, record.text, what.own(id))
    }
  }
}

/** Whether who spoke on `known` speaks on another connection now, and can be answered there only. */
export function isElsewhere(known: Flow, { transport, stream }: Flow): boolean {
  const isOther = stream !== '' && known.stream !== '' && stream !== known.stream
  return isOther && transport === known.transport && isWebSocket(transport)
}

/** An INVITE came again, on another connection than before, from a phone that can't be called back: that has connected again while it
 * waits, and knows no dialog yet that it could ask in. What is sent back goes there from now on, and what the old connection may have lost is
 * sent again. False: it is no such phone, or has not moved. */
export function bindByRepeat(turn: Turn, request: SipRequest, known: Found<InviteRecord>, flow: Flow): boolean {
  const { upstream } = known.value
  if (!isElsewhere(upstream, flow)) return false
  for (const dialog of allDialogs(turn)) {
    if (dialog.value.transaction !== known.id && dialog.id !== known.value.dialog) continue
    const side = known.value.from
    if (dialog.value[side].stream !== upstream.stream) continue
    turn.put(dialog.id, withParty(dialog.value, side, { stream: flow.stream }))
  }
  moveInvite(turn, known, upstream.stream, upstreamOf(request, flow))
  moveRelays(turn, upstream.stream, flow)
  return true
}

/** An answer to an INVITE came on another connection than the INVITE went on, which only its phone could be asked on: it has come back
 * while it rang. The answer as it is now to be handled. */
export function bindByResponse(turn: Turn, found: FoundBranch, { status }: SipResponse, flow: Flow): FoundBranch {
  const { id, value, branch } = found
  const gone = branch.hop.stream
  if (gone === '' || flow.stream === '' || gone === flow.stream || flow.transport !== branch.hop.transport) return found
  const moved = { ...branch, hop: onto(branch.hop, flow) }
  const record = { ...value, branches: value.branches.map((one) => (one.id === branch.id ? moved : one)) }
  turn.put(id, record)
  for (const dialog of allDialogs(turn)) {
    if (dialog.value.transaction !== id && dialog.id !== value.dialog) continue
    for (const side of ['caller', 'callee'] as const) {
      const known = turn.get('Dialog', dialog.id)
      if (known?.kind !== 'dialog' || known[side].stream !== gone) continue
      turn.put(dialog.id, withParty(known, side, { stream: flow.stream }))
    }
  }
  moveRelays(turn, gone, flow)
  // Nobody repeats a CANCEL on a stream.
  if (branch.cancel !== null && status < 200) turn.sendAfter(moved.hop, branch.cancel, what.cancel(branch.id))
  return { id, value: record, branch: moved }
}

/** `sender`: who spoke on `flow`. It may have said its INVITE on a third connection, neither this one nor the one that the dialog was
 * bound to (it answered there meanwhile), and has no reason to say it again if only its ACK was lost. */
function moveInvite(
  turn: Turn,
  { id, value }: Found<InviteRecord>,
  gone: string,
  flow: Flow,
  sender: Side | null = null,
): void {
  const branches = value.branches.map((branch) =>
    branch.hop.stream === gone ? { ...branch, hop: onto(branch.hop, flow) } : branch,
  )
  const isUpstream = value.upstream.stream === gone || (value.from === sender && isElsewhere(value.upstream, flow))
  const upstream = isUpstream ? onto(value.upstream, flow) : value.upstream
  if (!isUpstream && branches.every((branch, i) => branch === value.branches[i])) return
  turn.put(id, { ...value, upstream, branches })
  const went = value.provisional ?? value.final
  if (isUpstream && went !== null) turn.sendAfter(upstream, went, what.response(id))
  for (const { state, answer } of branches) {
    if (isUpstream && state === 'accepted' && answer !== null) turn.sendAfter(upstream, answer, what.response(id))
  }
  for (const [i, branch] of branches.entries()) {
    const isAlive = branch.state === 'calling' || branch.state === 'proceeding'
    const record = turn.get('Transaction', branch.id)
    if (branch === value.branches[i] || !isAlive || record?.kind !== 'request') continue
    turn.sendAfter(branch.hop, record.text, what.invite(branch.id))
  }
}

function moveRelays(turn: Turn, gone: string, flow: Flow): void {
  for (const relay of turn.local.relays.values()) {
    const isUpstream = relay.upstream.stream === gone
    const isHop = relay.hop.stream === gone
    if (!isUpstream && !isHop) continue
    const upstream = isUpstream ? onto(relay.upstream, flow) : relay.upstream
    const hop = isHop ? onto(relay.hop, flow) : relay.hop
    turn.setRelay({ ...relay, upstream, hop })
    if (isUpstream && relay.last !== null) turn.sendAfter(upstream, relay.last, what.answer(relay.id))
    const { state } = relay.client
    if (isHop && (state === 'trying' || state === 'proceeding')) {
      turn.sendAfter(hop, relay.request, what.request(relay.id))
    }
  }
}

function onto(flow: Flow, { stream }: Flow): Flow {
  return { ...flow, stream }
}
