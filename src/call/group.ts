// One group at its owner: loaded, stepped, asked for its next deadline. One switch decides who handles an input.
//
//   INVITE -> invite.ts        responses to it -> invite-response.ts, invite-failure.ts, invite-dialog.ts
//   ACK, CANCEL -> cancel.ts   other requests and their responses -> relay.ts, BYE's -> bye.ts
//   deadlines -> wake.ts       log timers -> intent.ts    a new owner -> takeover.ts    failed sends -> unsent.ts
//   our own BYEs -> own-bye.ts and OPTIONS -> probe.ts

import { unreachable } from '../base/assert.ts'
import type { GroupKey } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { GroupView } from '../store/view.ts'
import { inviteClientDeadline } from '../transaction/invite-client.ts'
import { inviteServerDeadline } from '../transaction/invite-server.ts'
import { earliest } from '../transaction/machine.ts'
import { successDeadline } from '../transaction/success-repeats.ts'
import { nonInviteServerDeadline } from '../transaction/non-invite-server.ts'
import { viaOf } from '../proxy/upstream.ts'
import { cseq } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { nonInviteClientDeadline, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { Flow } from '../wire/entry.ts'
import { onlyCaps } from './caps.ts'
import { goesElsewhere } from './alias.ts'
import { onBan } from './bans.ts'
import { onAck, onCancel } from './cancel.ts'
import { bindAgain, bindByResponse } from './bound.ts'
import type { CallContext, CallInput, CallResult, InputRef } from './contract.ts'
import { inviteOfBranch } from './find.ts'
import { entityValue } from './entities.ts'
import type { Group, Held, Local } from './group-state.ts'
import { onIntent } from './intent.ts'
import { onInvite } from './invite.ts'
import { onInviteResponse } from './invite-response.ts'
import { onNonInvite, onNonInviteResponse, onUnknownResponse } from './relay.ts'
import { resume } from './resume.ts'
import { settle } from './settle.ts'
import { onTakeover } from './takeover.ts'
import { Turn } from './turn.ts'
import { onUnsent } from './unsent.ts'
import { onWake } from './wake.ts'

export type { Group, Local } from './group-state.ts'

export const emptyLocal: Local = {
  invites: new Map(),
  relays: new Map(),
  owns: new Map(),
  probes: new Map(),
  uas: new Map(),
  uac: new Map(),
}

const noneEnded: ReadonlySet<string> = new Set()

/** The group on applied state, with the local part that this owner had; null = it has none yet. */
export function loadGroup(key: GroupKey, view: GroupView | null, local: Local | null): Group {
  const entities = new Map<string, Held>()
  for (const entity of view?.entities ?? []) {
    const { id, version, stamp } = entity
    entities.set(`${entity.tree}/${id}`, { id, version, stamp, value: entityValue(entity) })
  }
  const caps = onlyCaps(view?.holds ?? [])
  return { key, entities, caps, ended: noneEnded, local: local === null ? emptyLocal : withoutGone(local, entities) }
}

/** The local part without INVITE transactions whose record a `delete` timer took, and without requests of ours that were never
 * committed. */
function withoutGone(local: Local, entities: ReadonlyMap<string, Held>): Local {
  const isThere = ([id]: readonly [string, unknown]): boolean => entities.has(`Transaction/${id}`)
  const invites = [...local.invites].filter(isThere)
  const owns = [...local.owns].filter(isThere)
  const uas = [...local.uas].filter(isThere)
  const uac = [...local.uac].filter(isThere)
  const areAll = invites.length === local.invites.size && owns.length === local.owns.size
  if (areAll && uas.length === local.uas.size && uac.length === local.uac.size) return local
  return { ...local, invites: new Map(invites), owns: new Map(owns), uas: new Map(uas), uac: new Map(uac) }
}

export function localOf(group: Group): Local {
  return group.local
}

/** Whether nothing of it is left: it may be forgotten. */
export function isIdle(group: Group): boolean {
  return group.entities.size === 0 && isInLog(group)
}

/** Whether the log has all of it, so that it may be loaded again. Of an INVITE it has neither the last provisional (17.2.1)
 * nor that the ACK for its failure came. */
export function isInLog(group: Group): boolean {
  const { invites, relays, owns, probes, uas, uac } = group.local
  return invites.size + relays.size + owns.size + probes.size + uas.size + uac.size === 0
}

/** When the group wants the input `wake`; null = never. */
export function wakeAt(group: Group): Instant | null {
  const deadlines: (Instant | null)[] = []
  for (const invite of group.local.invites.values()) {
    deadlines.push(inviteServerDeadline(invite.server))
    for (const branch of invite.branches.values()) {
      deadlines.push(inviteClientDeadline(branch.client))
      if (branch.cancel !== null) deadlines.push(nonInviteClientDeadline(branch.cancel))
    }
  }
  for (const relay of group.local.relays.values()) {
    deadlines.push(nonInviteServerDeadline(relay.server), nonInviteClientDeadline(relay.client))
  }
  for (const client of group.local.owns.values()) deadlines.push(nonInviteClientDeadline(client))
  for (const { pings } of group.local.probes.values())
    for (const { client, isGone } of pings) if (isGone === null) deadlines.push(nonInviteClientDeadline(client))
  for (const own of group.local.uas.values())
    deadlines.push(own.kind === 'success' ? successDeadline(own.repeats) : inviteServerDeadline(own.server))
  for (const own of group.local.uac.values()) {
    if (own.kind === 'other') deadlines.push(nonInviteClientDeadline(own.client))
    else {
      deadlines.push(inviteClientDeadline(own.client))
      if (own.cancel !== null) deadlines.push(nonInviteClientDeadline(own.cancel))
    }
  }
  return earliest(deadlines)
}

export function stepGroup(group: Group, input: CallInput, ctx: CallContext): CallResult<Group> {
  const turn = beginTurn(group, ctx)
  handle(turn, input)
  return endTurn(turn)
}

/** The parts of `stepGroup`, for who does more in a turn than the input asks for (app/). */
export function beginTurn(group: Group, ctx: CallContext): Turn {
  const turn = new Turn(group, ctx)
  resume(turn)
  return turn
}

export function endTurn(turn: Turn): CallResult<Group> {
  settle(turn)
  return turn.finish()
}

export function handle(turn: Turn, input: CallInput): void {
  switch (input.kind) {
    case 'message':
      if (goesElsewhere(turn, input)) return
      if (input.message.kind === 'request') onRequest(turn, input.message, input.flow, input.ref)
      else onResponse(turn, input.message, input.flow, input.ref)
      return
    case 'ban':
      onBan(turn, input)
      return
    case 'takeover':
      onTakeover(turn)
      return
    case 'wake':
      onWake(turn)
      return
    case 'intent':
      onIntent(turn, input.id, input.opened)
      return
    case 'unsent':
      onUnsent(turn, input)
      return
    default:
      unreachable(input)
  }
}

function onRequest(turn: Turn, request: SipRequest, flow: Flow, ref: InputRef): void {
  bindAgain(turn, request, flow)
  switch (request.method) {
    case 'INVITE':
      onInvite(turn, request, flow, ref)
      return
    case 'ACK':
      onAck(turn, request, flow, ref)
      return
    case 'CANCEL':
      onCancel(turn, request, flow, ref)
      return
    default:
      onNonInvite(turn, request, flow, ref)
  }
}

/** 17.1.3: by the branch of our Via and the method in CSeq. */
function onResponse(turn: Turn, response: SipResponse, flow: Flow, ref: InputRef): void {
  const { method } = cseq(response)
  if (method !== 'INVITE' && method !== 'CANCEL') {
    onNonInviteResponse(turn, response, ref)
    return
  }
  const found = inviteOfBranch(turn, viaOf(response).branch ?? '')
  if (found === null) {
    // An INVITE is committed before it leaves, so this one ended long ago. RFC 6026 7.3: its responses go no further.
    if (method === 'INVITE') turn.handled(ref)
    else onUnknownResponse(turn, response, ref)
    return
  }
  if (method === 'INVITE') {
    onInviteResponse(turn, response, bindByResponse(turn, found, response, flow), ref)
    return
  }
  // The answer to a CANCEL of ours goes no further.
  const local = turn.invite(found.id)
  const branch = local.branches.get(found.branch.id)
  if (branch !== undefined && branch.cancel !== null) {
    const cancel = stepNonInviteClient(branch.cancel, { kind: 'response', status: response.status }, turn.now).machine
    turn.setInvite(found.id, {
      ...local,
      branches: new Map(local.branches).set(found.branch.id, { ...branch, cancel }),
    })
  }
  turn.handled(ref)
}
