// Deadlines of this owner alone: retransmissions, and timers B, D, F, H, I, J, K, L, M.

import { stepInviteClient } from '../transaction/invite-client.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import { stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { NonInviteClient } from '../transaction/non-invite-client.ts'
import { stepNonInviteServer } from '../transaction/non-invite-server.ts'
import { endDialog, isAfterAnother } from './bye.ts'
import { allInvites, branchOfId, dialogOf, parsedRequest } from './find.ts'
import type { Relay } from './group-state.ts'
import { failWith } from './invite-failure.ts'
import { wakeOwns } from './own-bye.ts'
import { wakeProbes } from './probe.ts'
import { answerItself } from './relay.ts'
import { isAsked, tryNextPlace } from './relay-places.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

const TIME = { kind: 'time' } as const

export function onWake(turn: Turn): void {
  for (const invite of allInvites(turn)) {
    for (const branch of invite.value.branches) wakeBranch(turn, branch.id)
    wakeServer(turn, invite.id)
  }
  for (const relay of [...turn.local.relays.values()]) wakeRelay(turn, relay)
  wakeOwns(turn)
  wakeProbes(turn)
}

/** By its id: what one branch comes to may have changed the others. */
function wakeBranch(turn: Turn, branchId: string): void {
  const found = branchOfId(turn, branchId)
  if (found === null) return
  const { id, branch } = found
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place === undefined) return
  const client = stepInviteClient(place.client, TIME, turn.now)
  const cancel = place.cancel === null ? null : stepNonInviteClient(place.cancel, TIME, turn.now)
  const branches = new Map(local.branches).set(branch.id, {
    ...place,
    client: client.machine,
    cancel: cancel?.machine ?? null,
  })
  turn.setInvite(id, { ...local, branches })
  if (client.actions.includes('send-request')) {
    const record = turn.get('Transaction', branch.id)
    if (record?.kind === 'request') turn.send(branch.hop, record.text, what.invite(branch.id))
  }
  if (cancel?.actions.includes('send-request') === true && branch.cancel !== null) {
    turn.send(branch.hop, branch.cancel, what.cancel(branch.id))
  }
  // 16.7 with timer B: as if a 408 had come.
  if (client.actions.includes('timeout')) failWith(turn, found, 408)
}

function wakeServer(turn: Turn, id: string): void {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'invite') return
  const local = turn.invite(id)
  const { machine, actions } = stepInviteServer(local.server, TIME, turn.now)
  if (machine === local.server) return
  turn.setInvite(id, { ...local, server: machine })
  if (actions.includes('send-final') && record.final !== null)
    turn.send(record.upstream, record.final, what.response(id))
}

function wakeRelay(turn: Turn, relay: Relay): void {
  const client = stepNonInviteClient(relay.client, TIME, turn.now)
  const server = stepNonInviteServer(relay.server, TIME, turn.now)
  if (client.actions.includes('send-request')) turn.send(relay.hop, relay.request, what.request(relay.id))
  if (client.actions.includes('timeout')) {
    timedOut(turn, relay, client.machine)
    return
  }
  if (server.machine.state === 'terminated' && !isAsked(relay)) turn.dropRelay(relay.id)
  else if (client.machine !== relay.client) turn.setRelay({ ...relay, client: client.machine, server: server.machine })
}

/** Timer F. RFC 4320 4.1: no 408 to a non-INVITE; its sender gives up in the same moment. A BYE ends its dialog; the second one of a
 * dialog is given up sooner (bye.ts), and so answered. A place that said
 * nothing has a next one tried all the same, for what the request asks; no answer of it goes up (RFC 4320 4.2). */
function timedOut(turn: Turn, relay: Relay, client: NonInviteClient): void {
  const isSilent = relay.client.state === 'trying'
  if (relay.server.state !== 'terminated' && isAfterAnother(turn, relay)) {
    turn.setRelay({ ...relay, client })
    answerItself(turn, relay, 480)
    return
  }
  endRelay(turn, relay)
  const left: Relay = { ...relay, server: { state: 'terminated', j: null }, waiting: [] }
  if (!isSilent || !tryNextPlace(turn, left)) turn.dropRelay(relay.id)
}

/** Nobody waits for its answer any more. */
function endRelay(turn: Turn, relay: Relay): void {
  if (relay.server.state === 'terminated') return
  const dialog = relay.method === 'BYE' ? dialogOf(turn, parsedRequest(relay.request)) : null
  if (dialog === null || dialog.value.state === 'ended') {
    turn.handled(...relay.waiting)
    return
  }
  endDialog(turn, dialog.id, dialog.value)
  turn.handledAfter(...relay.waiting)
}
