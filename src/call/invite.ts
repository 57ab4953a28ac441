// An INVITE from upstream. It is committed with all that forwarding it needs, then it leaves, then 100 (design.md 4).

import { flat } from '../base/bytes.ts'
import { answerText } from '../proxy/answer.ts'
import { requestKey } from '../proxy/branch.ts'
import { isOwnFlow } from '../proxy/own.ts'
import { APPLICATION_SESSION, newApplicationSession } from '../session/application-session.ts'
import { withParty } from '../session/dialog.ts'
import { enterInitial } from '../session/sip-session.ts'
import { callId, cseq, from, fromTag, to, toTag } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { startInviteServer, stepInviteServer } from '../transaction/invite-server.ts'
import type { Branch, InviteRecord, ProxyRules } from '../transaction/record.ts'
import type { Flow } from '../wire/entry.ts'
import { bindByRepeat } from './bound.ts'
import { startBranch, waitingBranch } from './branches.ts'
import { beginsCall, capsOf, isFull } from './caps.ts'
import type { InputRef } from './contract.ts'
import { allDialogs, allInvites, allSessions, dialogOf, inviteOfKey } from './find.ts'
import type { Found } from './find.ts'
import { forwardedToAll, routeOf } from './forward.ts'
import type { Target, Way } from './forward.ts'
import type { BranchLocal } from './group-state.ts'
import { callLimits } from './limits.ts'
import { refuse, turnAway } from './refuse.ts'
import { reply, upstreamOf } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

export function onInvite(turn: Turn, request: SipRequest, flow: Flow, ref: InputRef): void {
  if (isToBegin(turn, request, flow, ref)) forwardInvite(turn, request, flow, ref, aimOf(turn, request, flow))
}

/** False: it is a repetition, or turned away, and nothing more comes of it. */
export function isToBegin(turn: Turn, request: SipRequest, flow: Flow, ref: InputRef): boolean {
  const known = inviteOfKey(turn, requestKey(request))
  if (known !== null) {
    onRepeated(turn, request, known, flow)
    turn.handled(ref)
    return false
  }
  const isBegun = toTag(request) !== null || isOwnFlow(turn.ctx.settings.sip, flow)
  if (!hasRoom(turn) || (!isBegun && !turn.ctx.acceptsCalls)) {
    const out = refuse(request, flow, 503, callLimits.retryAfterSeconds, turn.ctx)
    turn.send(out.flow, out.data, out.what)
    turn.handled(ref)
    return false
  }
  const verdict = dialogOf(turn, request) === null ? turn.ctx.admit(flow) : 'admit'
  if (verdict !== 'admit') turnAway(turn, request, flow, ref, verdict)
  return verdict === 'admit'
}

/** Where an INVITE goes, and the bytes for each of its targets. */
export type Aim =
  | { readonly kind: 'targets'; readonly way: Extract<Way, { kind: 'forward' }>; readonly targets: readonly Target[] }
  | Exclude<Way, { kind: 'forward' }>

/** The set's own route. */
export function aimOf(turn: Turn, request: SipRequest, flow: Flow): Aim {
  const way = routeOf(turn, request, flow, dialogOf(turn, request))
  return way.kind === 'forward' ? { kind: 'targets', way, targets: forwardedToAll(turn, request, flow, way) } : way
}

export function forwardInvite(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  ref: InputRef,
  aim: Aim,
  rules: ProxyRules | null = null,
): void {
  if (aim.kind === 'wait') return turn.wait(aim.place)
  if (aim.kind === 'refuse') {
    // A refusal by our own rules keeps no state: the ACK for it ends here, and a repeated INVITE is refused again.
    reply(turn, request, flow, aim.status, { reason: aim.reason })
    turn.handled(ref)
    return
  }
  if (toTag(request) === null && beginsCall(turn, request)) {
    const caps = capsOf(turn.ctx.settings, aim.way, flow)
    if (isFull(turn, caps)) {
      turnAway(turn, request, flow, ref)
      return
    }
    turn.takeCaps(caps)
  }
  const id = begin(turn, request, flow, aim.targets, rules)
  const upstream = upstreamOf(request, flow)
  turn.sendAfter(upstream, answerText(request, turn.ctx.keys, 100), what.response(id))
  turn.handledAfter(ref)
}

/** 17.2.1: what the server transaction sent last is sent again, or nothing. */
function onRepeated(turn: Turn, request: SipRequest, known: Found<InviteRecord>, flow: Flow): void {
  const { provisional, final } = known.value
  const isMoved = bindByRepeat(turn, request, known, flow)
  const upstream = isMoved ? upstreamOf(request, flow) : known.value.upstream
  const local = turn.invite(known.id)
  const { actions } = stepInviteServer(local.server, { kind: 'invite' }, turn.now)
  for (const action of actions) {
    // Else it has just been sent from the log.
    if (isMoved && (provisional ?? final) !== null) break
    if (action === 'send-provisional') {
      const text = local.provisional ?? answerText(request, turn.ctx.keys, 100)
      turn.send(upstream, text, what.response(known.id))
    } else if (action === 'send-final' && final !== null) turn.send(upstream, final, what.response(known.id))
  }
}

function hasRoom(turn: Turn): boolean {
  return allInvites(turn).length < callLimits.invites && allDialogs(turn).length < callLimits.dialogs
}

/** Its transaction, and what that belongs to. Its id. */
function begin(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  targets: readonly Target[],
  rules: ProxyRules | null,
): string {
  const dialog = dialogOf(turn, request)
  const id = turn.nextId('Transaction')
  const branches = targets.map((target, i) => newBranch(branchId(id, i), target))
  const inDialog = toTag(request) !== null
  // A re-INVITE in an ended dialog is the other side's to refuse.
  const known = dialog !== null && dialog.value.state !== 'ended' ? dialog : null
  const upstream = upstreamOf(request, flow)
  turn.put(id, {
    kind: 'invite',
    key: flat(requestKey(request)),
    upstream: { ...upstream, host: flat(upstream.host) },
    state: 'proceeding',
    from: known?.sender ?? 'caller',
    cseq: cseq(request).number,
    session: inDialog ? (known?.value.session ?? '') : openSession(turn, request),
    // A dialog that we don't know: no dialog comes of its answer either.
    dialog: inDialog ? (known?.id ?? '?') : '',
    cancelled: false,
    cancelAnswer: null,
    provisional: null,
    final: null,
    branches,
    rules,
  })
  for (const [i, { text }] of targets.entries()) turn.put(branchId(id, i), { kind: 'request', text: flat(text) })
  if (known !== null) turn.put(known.id, withParty(known.value, known.sender, { cseq: cseq(request).number }))
  const places = new Map<string, BranchLocal>()
  for (const [i, branch] of branches.entries()) {
    const text = targets[i]?.text ?? ''
    if (branch.state === 'calling') places.set(branch.id, startBranch(turn, branch, text, rules))
  }
  turn.setInvite(id, {
    server: startInviteServer(upstream.transport !== 'udp'),
    provisional: null,
    branches: places,
  })
  return id
}

function branchId(invite: string, place: number): string {
  return `${invite}.${place + 1}`
}

/** The first group of targets is called at once, each at the first of its places; the others wait. */
function newBranch(id: string, target: Target): Branch {
  const waiting = waitingBranch(id, target)
  return target.rank === 1 && target.attempt === 1 ? { ...waiting, state: 'calling' } : waiting
}

/** No number comes again that an application may have kept. */
function nextSession(turn: Turn): string {
  const session = turn.get('SipApplicationSession', APPLICATION_SESSION)
  const least = session?.kind === 'application-session' ? session.hosted?.nextSession : undefined
  return String(Math.max(Number(turn.nextId('SipSession')), least ?? 1))
}

/** The SipSession of the caller's Call-ID and tag: a second INVITE (after a 407, or a merged one) finds it. */
export function openSession(turn: Turn, request: SipRequest): string {
  const id = callId(request)
  const tag = fromTag(request) ?? ''
  const known = allSessions(turn).find(({ value }) => value.callId === id && value.callerTag === tag)
  const created = turn.ctx.cluster
  if (known !== undefined) {
    turn.put(known.id, enterInitial(known.value, created))
    return known.id
  }
  if (turn.get('SipApplicationSession', APPLICATION_SESSION) === null)
    turn.put(APPLICATION_SESSION, newApplicationSession('proxy', created))
  const session = nextSession(turn)
  turn.put(session, {
    kind: 'session',
    state: 'INITIAL',
    callId: flat(id),
    callerTag: flat(tag),
    caller: flat(from(request).uri),
    callee: flat(to(request).uri),
    created,
    hosted: null,
    began: created,
    answered: null,
  })
  return session
}
