// What the answers to an INVITE make of dialogs and of its SipSession.

import { flat } from '../base/bytes.ts'
import { isMoved } from '../proxy/forward.ts'
import { enterConfirmedDialog, refreshedBy, withParty } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import { enterConfirmed, enterEarly } from '../session/sip-session.ts'
import type { SipSession } from '../session/sip-session.ts'
import { callId, contacts, fromTag, routes, toTag, vias } from '../sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import type { Flow } from '../wire/entry.ts'
import { byeTimer } from './bye.ts'
import { allDialogs, dialogOf, sentInvite } from './find.ts'
import type { Found } from './find.ts'
import { boundStream } from './bound.ts'
import { mayBeNextHop } from './forward.ts'
import { noteSession, watch } from './lifetime.ts'
import { callLimits } from './limits.ts'
import type { Turn } from './turn.ts'

/** 12.1: a provisional with a To tag that is new makes an early dialog. */
export function openEarly(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  changeSession(turn, found.value.session, enterEarly)
  if (dialogOf(turn, response) !== null || allDialogs(turn).length >= callLimits.dialogs) return
  turn.put(turn.nextId('Dialog'), newDialog(turn, response, found, 'early'))
}

/** A 2xx confirms its dialog, or makes it; not one that has ended (design.md 4, tombstone). */
export function confirmDialog(
  turn: Turn,
  response: SipResponse,
  found: Found<InviteRecord> & { branch: Branch },
): void {
  // A 2xx without a To tag (RFC 2543) makes none: its requests are relayed by Route.
  if (toTag(response) === null) return
  const known = dialogOf(turn, response)
  if (known === null && allDialogs(turn).length < callLimits.dialogs) {
    const id = turn.nextId('Dialog')
    turn.put(id, newDialog(turn, response, found, 'confirmed'))
    watch(turn, id, sentInvite(turn, found.branch), response)
    changeSession(turn, found.value.session, (session) => enterConfirmed(session, turn.ctx.cluster))
  } else if (known !== null && known.value.state === 'early') {
    const target = contactOf(response) ?? known.value.callee.target
    turn.put(known.id, enterConfirmedDialog(withParty(known.value, 'callee', { target })))
    watch(turn, known.id, sentInvite(turn, found.branch), response)
    changeSession(turn, found.value.session, (session) => enterConfirmed(session, turn.ctx.cluster))
  }
}

/** 12.2.1.2, 12.2.2: the 2xx to a re-INVITE sets both targets, unless one to a later request of that side came before it. */
export function refreshTargets(
  turn: Turn,
  response: SipResponse,
  found: Found<InviteRecord> & { branch: Branch },
): void {
  const dialog = turn.get('Dialog', found.value.dialog)
  if (dialog?.kind !== 'dialog' || dialog.state === 'ended') return
  const { from, cseq } = found.value
  const asked = contactOf(sentInvite(turn, found.branch))
  const refreshed = refreshedBy(dialog, from, cseq, { asked, answered: contactOf(response) })
  if (refreshed === null) return
  turn.put(found.value.dialog, refreshed)
  noteSession(turn, found.value.dialog, response)
}

/** The early dialogs of an INVITE that has its final go (should one of them be answered after another, its 2xx makes it
 * anew). Its tombstones stay as long as it does: counted anew from here. */
export function dropEarly(turn: Turn, transaction: string): void {
  for (const { id, value } of allDialogs(turn)) {
    if (value.transaction !== transaction) continue
    if (value.state === 'early') {
      turn.delete('Dialog', id)
      // Its id may be another's soon, which a BYE to this one must not end.
      turn.cancelTimer(byeTimer(id))
    } else if (value.state === 'ended') turn.setTimer(`x.d${id}`, timers.sixtyFourT1, [{ tree: 'Dialog', id }])
  }
}

/** The URI of the first Contact, to be kept. */
export function contactOf(message: SipMessage): string | null {
  const list = contacts(message)
  const first = list === '*' ? undefined : list[0]
  return first === undefined ? null : flat(first.uri)
}

function newDialog(
  turn: Turn,
  response: SipResponse,
  found: Found<InviteRecord> & { branch: Branch },
  state: 'early' | 'confirmed',
): Dialog {
  const { value, branch } = found
  const callerTag = fromTag(response) ?? ''
  const sent = sentInvite(turn, branch)
  const [asking, answering] = [contactOf(sent) ?? '', contactOf(response) ?? '']
  return {
    kind: 'dialog',
    state,
    session: value.session,
    transaction: found.id,
    callId: flat(callId(response)),
    caller: {
      tag: flat(callerTag),
      target: asking,
      transport: value.upstream.transport,
      cseq: value.cseq,
      refreshed: 0,
      stream: isPhones(turn, value.upstream, sent, 'caller') ? flat(boundStream(value.upstream, asking)) : '',
      routes: [],
    },
    callee: {
      tag: flat(toTag(response) ?? ''),
      target: answering,
      transport: isMoved(sent) ? 'udp' : branch.hop.transport,
      cseq: 0,
      refreshed: 0,
      stream: isPhones(turn, branch.hop, sent, 'callee') ? flat(boundStream(branch.hop, answering)) : '',
      routes: [],
    },
    watch: null,
  }
}

/** Whether a flow is the phone's own, as far as it shows. What goes by datagrams may go to a proxy between that doesn't stay on the
 * route: the phone's Contact is then the better address. */
function isPhones({ ctx }: Turn, flow: Flow, sent: SipRequest, side: Side): boolean {
  if (flow.transport !== 'udp') return true
  if (side === 'caller') return vias(sent).length === 2
  return routes(sent).length === 0 && !mayBeNextHop(ctx.settings, flow)
}

function changeSession(turn: Turn, id: string, change: (session: SipSession) => SipSession): void {
  const session = turn.get('SipSession', id)
  if (session?.kind === 'session') turn.put(id, change(session))
}
