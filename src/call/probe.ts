// Whether both ends of a dialog are still there (decision 0028): each is asked by an OPTIONS of ours, as if the other one had sent it,
// whenever the dialog's timer fires. Only 481 and 408, which silence for 64*T1 is, mean that a side is gone; any other answer means
// that somebody is there. A CSeq number that was used before gets 500 from a phone that minds (12.2.2), and spoils none of the other
// phone's own.
//
//   o.DIALOG fires --OPTIONS to both--> all there: o.DIALOG set anew
//                                  '--> one is gone: o.DIALOG set to the grace time --> still gone: BYE to both
//
// The intent of the timer is open until both have answered. The transactions are the owner's alone: the next one asks again, by the same
// bytes unless the phones have moved since. The next question is another transaction, though nothing else tells it from this one.

import type { Index } from '../base/brand.ts'
import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import { viaOf } from '../proxy/upstream.ts'
import { SIDES, otherSide } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import type { SipResponse } from '../sip/message.ts'
import { startNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { NonInviteClientEvent } from '../transaction/non-invite-client.ts'
import type { InputRef } from './contract.ts'
import type { Ping, Probe } from './group-state.ts'
import { hangUp, ownRequest } from './own-bye.ts'
import type { Turn } from './turn.ts'
import { probeTimer } from './watch-timers.ts'
import { what } from './what.ts'

/** The timer fired. */
export function performProbe(turn: Turn, id: string, opened: Index): void {
  const dialog = confirmed(turn, id)
  if (dialog === null) return turn.intentDone(probeTimer(id))
  if (turn.local.probes.has(id)) return
  const pings: Ping[] = []
  for (const to of SIDES) {
    const number = Math.max(0, dialog[otherSide(to)].cseq - 1)
    const out = ownRequest(turn, dialog, to, { method: 'OPTIONS', number, nonce: String(opened) })
    if (out === 'wait') return
    // Where we can't ask nobody can say that a side is gone.
    if (out === null) continue
    const { text, branch, hop } = out
    const client = startNonInviteClient(hop.transport !== 'udp', millis(0), turn.now)
    pings.push({ to, text: flat(text), branch, hop, client, isGone: null })
  }
  turn.setProbe(id, { pings })
  for (const { hop, text } of pings) turn.send(hop, text, what.probe(id))
  conclude(turn, id)
}

/** 17.1.3: which of our OPTIONS the response answers. */
export function probeOf(turn: Turn, response: SipResponse): { readonly id: string; readonly ping: Ping } | null {
  const branch = viaOf(response).branch ?? ''
  for (const [id, { pings }] of turn.local.probes) {
    const ping = pings.find((one) => one.branch === branch)
    if (ping !== undefined) return { id, ping }
  }
  return null
}

export function onProbeResponse(turn: Turn, response: SipResponse, id: string, { to }: Ping, ref: InputRef): void {
  stepPing(turn, id, to, { kind: 'response', status: response.status })
  conclude(turn, id)
  if (turn.commits) turn.handledAfter(ref)
  else turn.handled(ref)
}

/** Timers E and F. */
export function wakeProbes(turn: Turn): void {
  for (const [id, { pings }] of turn.local.probes) {
    for (const { to } of pings) stepPing(turn, id, to, { kind: 'time' })
    conclude(turn, id)
  }
}

/** It can't be delivered: that is no 408. */
export function probeUnreachable(turn: Turn, id: string, data: string): void {
  const ping = turn.local.probes.get(id)?.pings.find(({ text }) => text === data)
  if (ping === undefined) return
  stepPing(turn, id, ping.to, { kind: 'transport-error' })
  conclude(turn, id)
}

/** Whether those bytes are still to go. */
export function probeStands(turn: Turn, id: string, data: string): boolean {
  return turn.local.probes.get(id)?.pings.some(({ text, isGone }) => text === data && isGone === null) === true
}

function stepPing(turn: Turn, id: string, to: Side, event: NonInviteClientEvent): void {
  const probe = turn.local.probes.get(id)
  const ping = probe?.pings.find((one) => one.to === to)
  if (probe === undefined || ping === undefined || ping.isGone !== null) return
  const { machine, actions } = stepNonInviteClient(ping.client, event, turn.now)
  if (actions.includes('send-request')) turn.send(ping.hop, ping.text, what.probe(id))
  const isOver = machine.state === 'completed' || machine.state === 'terminated'
  const status = event.kind === 'response' ? event.status : actions.includes('timeout') ? 408 : 503
  const next: Ping = { ...ping, client: machine, isGone: isOver ? status === 408 || status === 481 : null }
  turn.setProbe(id, { pings: probe.pings.map((one) => (one.to === to ? next : one)) })
}

/** Once all have answered: one commit has what follows from it. */
function conclude(turn: Turn, id: string): void {
  const probe = turn.local.probes.get(id)
  const dialog = confirmed(turn, id)
  const watch = dialog?.watch ?? null
  if (probe === undefined || dialog === null || watch === null) return
  if (probe.pings.some(({ isGone }) => isGone === null)) return
  const gone = goneOf(probe)
  const { lifetime } = turn.ctx.settings
  const isSure = gone.some((side) => watch.doubted.includes(side)) || lifetime?.probe?.grace === 0
  if (gone.length > 0 && isSure) return hangUp(turn, id, dialog)
  turn.dropProbe(id)
  turn.intentDone(probeTimer(id))
  if (lifetime?.probe === undefined) return
  turn.setTimer(probeTimer(id), gone.length === 0 ? lifetime.probe.every : lifetime.probe.grace, null)
  if (gone.join() !== watch.doubted.join()) turn.put(id, { ...dialog, watch: { ...watch, doubted: gone } })
}

function goneOf({ pings }: Probe): readonly Side[] {
  return pings.filter(({ isGone }) => isGone === true).map(({ to }) => to)
}

function confirmed(turn: Turn, id: string): Dialog | null {
  const dialog = turn.get('Dialog', id)
  return dialog?.kind === 'dialog' && dialog.state === 'confirmed' ? dialog : null
}
