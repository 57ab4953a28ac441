// What ends a dialog besides its phones (decision 0028). A dialog that the set may end is *watched* from its 2xx on: it has what a
// request of ours to each side needs, and timers of the log.
//
//   l.DIALOG  it is as old as a call may become: BYE to both sides
//   o.DIALOG  its sides are asked whether they are there (probe.ts); if not, BYE to both
//   s.DIALOG  its session expires (RFC 4028): a proxy forgets it, and sends nothing (8.3)

import { between, seconds } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { flat } from '../base/bytes.ts'
import { laterRoute } from '../proxy/chain.ts'
import { routeSets } from '../proxy/own-request.ts'
import { withParty } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import { cseq, header } from '../sip/message.ts'
import { digits } from '../sip/scan.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { timers } from '../transaction/timers.ts'
import { endDialog } from './bye.ts'
import type { Found } from './find.ts'
import { CSEQ_STEP, hangUp } from './own-bye.ts'
import type { Turn } from './turn.ts'
import { limitTimer, probeTimer, sessionTimer } from './watch-timers.ts'

/** The dialog is confirmed by this answer to this INVITE. A set that writes format 1 has no room for what is to be known then. */
export function watch(turn: Turn, id: string, invite: SipRequest, answer: SipResponse): void {
  const { settings, keys } = turn.ctx
  const { lifetime, sip: set } = settings
  const dialog = turn.get('Dialog', id)
  if (turn.ctx.format === 1 || dialog?.kind !== 'dialog') return
  // An application may end it at any time.
  if (lifetime === undefined && !isHosted(turn, dialog)) return
  const { toCaller, toCallee } = routeSets(invite, answer, { set, keys, group: turn.key })
  // Not every callee says Record-Route again, and the next application of a chain is to see the call's end all the same.
  const later = toCallee.length > 0 ? null : laterRoute(keys, set, invite)
  turn.put(id, {
    ...dialog,
    caller: { ...dialog.caller, routes: toCaller.map(flat) },
    callee: { ...dialog.callee, routes: (later === null ? toCallee : [later]).map(flat) },
    watch: { acknowledged: false, expires: 0, doubted: [] },
  })
  if (lifetime?.maxCall !== undefined) turn.setTimer(limitTimer(id), notBefore(lifetime.maxCall), null)
  if (lifetime?.probe !== undefined) turn.setTimer(probeTimer(id), notBefore(lifetime.probe.every), null)
  noteSession(turn, id, answer)
}

function isHosted(turn: Turn, { session }: Dialog): boolean {
  const value = turn.get('SipSession', session)
  return value?.kind === 'session' && value.hosted !== null
}

/** RFC 4028 8.2: each 2xx to an INVITE or UPDATE says until when the session is to be refreshed, or that it need not be. */
export function noteSession(turn: Turn, id: string, answer: SipResponse): void {
  const dialog = turn.get('Dialog', id)
  if (turn.ctx.settings.lifetime?.sessions !== true || dialog?.kind !== 'dialog' || dialog.watch === null) return
  const expires = sessionExpires(answer)
  if (expires > 0) turn.setTimer(sessionTimer(id), notBefore(seconds(expires)), null)
  else if (dialog.watch.expires > 0) turn.cancelTimer(sessionTimer(id))
  if (expires !== dialog.watch.expires) turn.put(id, { ...dialog, watch: { ...dialog.watch, expires } })
}

/** More seconds than a session has. */
const MOST_SECONDS = 100_000_000

/** The seconds in Session-Expires; 0 = it isn't there, or can't be read. */
function sessionExpires(answer: SipResponse): number {
  const value = header(answer, 'Session-Expires')?.split(';')[0]?.trim() ?? ''
  return Math.max(0, digits(value, 0, value.length, MOST_SECONDS))
}

/** 15: no BYE to the caller before its ACK, or 64*T1 after the 2xx. ACKs leave no trace, so what is due earlier waits for those... */
function notBefore(after: Duration): Duration {
  return Math.max(after, timers.sixtyFourT1) as Duration
}

/** ...but for a limit so short: there the first ACK is committed, behind it. */
export function acknowledged(turn: Turn, dialog: (Found<Dialog> & { readonly sender: Side }) | null): void {
  const maxCall = turn.ctx.settings.lifetime?.maxCall
  if (dialog === null || maxCall === undefined || maxCall >= timers.sixtyFourT1) return
  const { id, sender, value } = dialog
  if (sender !== 'caller' || value.state !== 'confirmed' || value.watch === null || value.watch.acknowledged) return
  const since = turn.held('Dialog', id)?.stamp ?? turn.ctx.cluster
  const left = Math.max(0, maxCall - Math.max(0, between(since, turn.ctx.cluster))) as Duration
  turn.put(id, { ...value, watch: { ...value.watch, acknowledged: true } })
  turn.setTimer(limitTimer(id), left, null)
}

/** Behind a request that is relayed without a commit, once so many came that a BYE of ours might be too low. */
export function noteCseq(turn: Turn, request: SipRequest, dialog: Found<Dialog> & { readonly sender: Side }): void {
  const { id, sender, value } = dialog
  const { number } = cseq(request)
  if (value.watch === null || value.state !== 'confirmed' || number <= value[sender].cseq + CSEQ_STEP / 2) return
  turn.put(id, withParty(value, sender, { cseq: number }))
}

/** The call is too old. */
export function onLimit(turn: Turn, id: string): void {
  const dialog = turn.get('Dialog', id)
  if (dialog?.kind === 'dialog' && dialog.state === 'confirmed') hangUp(turn, id, dialog)
}

/** Nobody refreshed its session in time. */
export function onExpired(turn: Turn, id: string): void {
  const dialog = turn.get('Dialog', id)
  if (dialog?.kind === 'dialog' && dialog.state === 'confirmed') endDialog(turn, id, dialog)
}
