// The set ends a dialog (decision 0028; design.md 4). One commit has all of it: the dialog's end (RFC 3261 15.1.1: a session is over
// as soon as its BYE is given to the client transaction), and the bytes of a BYE to each side, each with an intent. The intent is open
// until that BYE's transaction ends; whoever owns the call meanwhile sends those bytes.
//
//   decided --commit: dialog ended, own N, intent b.N--> b.N performed: sent, E, F --2xx, 481, 408, any final--> commit: own N gone, b.N done
//                                                                                  --500, the first time--> own N with CSeq + 10,000

import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import { draftRequest, sendAgainAs, sendOwn } from '../proxy/own-request.ts'
import type { End } from '../proxy/own-request.ts'
import type { Forwarded, SetPlace } from '../proxy/forward.ts'
import { viaOf } from '../proxy/upstream.ts'
import { SIDES, otherSide } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import { cseq } from '../sip/message.ts'
import type { SipResponse } from '../sip/message.ts'
import { startNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { OwnRecord } from '../transaction/record.ts'
import { endDialog } from './bye.ts'
import type { InputRef } from './contract.ts'
import { parsedRequest } from './find.ts'
import type { Found } from './find.ts'
import { routeOf } from './forward.ts'
import { ageOf } from './resume.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** Above the CSeq number committed of the other side's requests, since most are relayed without a commit... */
export const CSEQ_STEP = 100
/** ...and once more, after a 500 (12.2.2: it was too low). */
const BIG_STEP = 10_000
/** 8.1.1.5. */
const MOST_CSEQ = 2 ** 31 - 1

/** A side that can't be written to, or found, gets none. */
export function hangUp(turn: Turn, id: string, dialog: Dialog): void {
  for (const to of SIDES) {
    const number = Math.min(dialog[otherSide(to)].cseq + CSEQ_STEP, MOST_CSEQ)
    const out = ownRequest(turn, dialog, to, { method: 'BYE', number, nonce: '' })
    if (out === 'wait') return
    if (out === null) continue
    const record = turn.nextId('Transaction')
    turn.put(record, { kind: 'own', dialog: id, to, attempt: 1, ...kept(out) })
    turn.openIntent(intentOf(record))
  }
  endDialog(turn, id, dialog)
}

interface OwnQuestion {
  readonly method: string
  /** Of CSeq. */
  readonly number: number
  /** Tells it from one with the same bytes at another time. */
  readonly nonce: string
}

/** A request of ours to one side of the dialog, as if the other one had sent it. `wait`: the turn waits for a name. */
export function ownRequest(
  turn: Turn,
  dialog: Dialog,
  to: Side,
  { method, number, nonce }: OwnQuestion,
): Forwarded | 'wait' | null {
  const session = turn.get('SipSession', dialog.session)
  const party = dialog[to]
  if (session?.kind !== 'session' || party.target === '') return null
  const ends: Readonly<Record<Side, End>> = {
    caller: { uri: session.caller, tag: dialog.caller.tag },
    callee: { uri: session.callee, tag: dialog.callee.tag },
  }
  const { callId } = dialog
  const { target, routes } = party
  const draft = draftRequest({ method, cseq: number, callId, from: ends[otherSide(to)], to: ends[to], target, routes })
  if (draft === null) return null
  const flow = { transport: party.transport, host: '', port: 0, stream: '' }
  const way = routeOf(turn, draft, flow, { value: dialog, sender: otherSide(to) })
  if (way.kind === 'wait') {
    turn.wait(way.place)
    return 'wait'
  }
  return way.kind === 'refuse' ? null : sendOwn(draft, way, placeOf(turn), nonce)
}

/** Its intent is to be performed: by whoever decided, once that is committed, or by the next owner. */
export function performBye(turn: Turn, id: string): void {
  const record = turn.get('Transaction', id)
  // Answered before it came to this: the commit that is under way has the record gone and the intent done.
  if (record?.kind !== 'own' || turn.local.owns.has(id)) return
  turn.setOwn(id, startNonInviteClient(record.hop.transport !== 'udp', ageOf(turn, id), turn.now))
  turn.send(record.hop, record.text, what.own(id))
}

/** 17.1.3: the BYE of ours that the response answers. */
export function ownOf(turn: Turn, response: SipResponse): Found<OwnRecord> | null {
  const branch = viaOf(response).branch ?? ''
  for (const [id, value] of turn.entries('Transaction')) {
    if (value.kind === 'own' && value.branch === branch) return { id, value }
  }
  return null
}

export function onOwnResponse(
  turn: Turn,
  { status }: SipResponse,
  { id, value }: Found<OwnRecord>,
  ref: InputRef,
): void {
  if (status >= 200) {
    if (status === 500 && value.attempt === 1) sendOnceMore(turn, id, value)
    else over(turn, id)
    turn.handledAfter(ref)
    return
  }
  const client = turn.local.owns.get(id)
  if (client !== undefined) turn.setOwn(id, stepNonInviteClient(client, { kind: 'response', status }, turn.now).machine)
  turn.handled(ref)
}

function sendOnceMore(turn: Turn, id: string, record: OwnRecord): void {
  const sent = parsedRequest(record.text)
  const number = Math.min(cseq(sent).number + BIG_STEP, MOST_CSEQ)
  const out = kept(sendAgainAs(sent, number, record.hop, placeOf(turn)))
  turn.put(id, { ...record, ...out, attempt: 2 })
  turn.setOwn(id, startNonInviteClient(out.hop.transport !== 'udp', millis(0), turn.now))
  turn.sendAfter(out.hop, out.text, what.own(id))
}

/** Timers E and F. No answer is as good as a 408 (15.1.1). */
export function wakeOwns(turn: Turn): void {
  for (const [id, client] of turn.local.owns) {
    const record = turn.get('Transaction', id)
    const { machine, actions } = stepNonInviteClient(client, { kind: 'time' }, turn.now)
    if (machine !== client) turn.setOwn(id, machine)
    if (record?.kind !== 'own') turn.dropOwn(id)
    else if (actions.includes('timeout')) over(turn, id)
    else if (actions.includes('send-request')) turn.send(record.hop, record.text, what.own(id))
  }
}

/** It can't be delivered (16.9): as if a 503 had come. */
export function ownUnreachable(turn: Turn, id: string, data: string): void {
  if (ownStands(turn, id, data)) over(turn, id)
}

/** Whether those bytes are still to go. */
export function ownStands(turn: Turn, id: string, data: string): boolean {
  const record = turn.get('Transaction', id)
  return record?.kind === 'own' && record.text === data && turn.local.owns.has(id)
}

function over(turn: Turn, id: string): void {
  turn.delete('Transaction', id)
  turn.dropOwn(id)
  turn.intentDone(intentOf(id))
}

function intentOf(record: string): string {
  return `b.${record}`
}

function kept({ text, branch, hop }: Forwarded): Pick<OwnRecord, 'text' | 'branch' | 'hop'> {
  return { text: flat(text), branch, hop: { ...hop, host: flat(hop.host) } }
}

function placeOf(turn: Turn): SetPlace {
  const { settings, keys } = turn.ctx
  return { group: turn.key, set: settings.sip, keys }
}
