// A new owner sends again what its predecessor may have taken with it (design.md 4), and a send that was not made is judged: whether those
// bytes still stand, and what it comes to if they can't be delivered.

import { waitsForClient } from '../call/bound.ts'
import type { CallInput } from '../call/contract.ts'
import { allLegs, allUac, allUas } from '../call/find.ts'
import { ageOf } from '../call/resume.ts'
import type { Turn } from '../call/turn.ts'
import { readWhat, what } from '../call/what.ts'
import type { Sent } from '../call/what.ts'
import { answerText } from '../proxy/answer.ts'
import { responseFlow, viaOf } from '../proxy/upstream.ts'
import { legId } from '../session/leg.ts'
import { parseMessage } from '../sip/message.ts'
import { startNonInviteClient } from '../transaction/non-invite-client.ts'
import type { UacRecord, UasRecord } from '../transaction/record.ts'
import { requestOf } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import { storedRequest } from './leg-find.ts'
import { localFinal } from './uac.ts'

type Unsent = Extract<CallInput, { kind: 'unsent' }>

/** After `resumeLegs`: what it has armed goes on by itself. */
export function onLegTakeover(turn: Turn): void {
  for (const { id, value } of allUas(turn)) takeUas(turn, id, value)
  for (const { id, value } of allUac(turn)) takeUac(turn, id, value)
  for (const { id, value } of allLegs(turn)) {
    // Only while its 2xx may still come again.
    const isFresh = value.ack !== null && legAge(turn, id) < timers.sixtyFourT1
    if (isFresh && value.ack !== null) turn.send(value.ack.hop, value.ack.text, what.legAck(id))
  }
}

function legAge(turn: Turn, id: string): number {
  const stamp = turn.held('Dialog', id)?.stamp ?? turn.ctx.cluster
  return turn.ctx.cluster - stamp
}

function takeUas(turn: Turn, id: string, record: UasRecord): void {
  const { upstream, cancelAnswer, state } = record
  if (cancelAnswer !== null) turn.send(upstream, cancelAnswer, what.untracked)
  if (state === 'acknowledged') return
  // Nobody repeats an INVITE on a stream: without a 100 its caller gives up after 64*T1 (17.1.1.2).
  const isSilent = upstream.transport === 'udp' || record.method !== 'INVITE'
  const trying = isSilent ? null : answerText(storedRequest(turn, id), turn.ctx.keys, 100)
  const isSaidOnce = state === 'open' && upstream.transport === 'udp' && record.rseq <= 0
  const text = isSaidOnce ? null : (record.answer ?? trying)
  if (text !== null) turn.send(upstream, text, what.uas(id))
}

function takeUac(turn: Turn, id: string, record: UacRecord): void {
  const { state, hop, method } = record
  if (state === 'completed' && record.ack !== null) turn.send(hop, record.ack, what.uac(id))
  if (state !== 'calling' && state !== 'proceeding') return
  const age = ageOf(turn, requestOf(id))
  if (age >= timers.sixtyFourT1 && state === 'calling') return localFinal(turn, id, 408)
  // On UDP timer A goes on with it (docs/decisions/0013), timer E here at once: its answer ends something.
  const isLost = method !== 'INVITE' || hop.transport !== 'udp'
  if (isLost && age < timers.sixtyFourT1) turn.send(hop, storedRequest(turn, id).text, what.uac(id))
  const local = turn.local.uac.get(id)
  if (state !== 'proceeding' || record.cancel === null || local?.kind !== 'invite') return
  turn.setUac(id, { ...local, cancel: startNonInviteClient(hop.transport !== 'udp', ageOf(turn, id), turn.now) })
  turn.send(hop, record.cancel, what.uac(id))
}

/** False: it is not a leg's. */
export function onLegUnsent(turn: Turn, unsent: Unsent): boolean {
  const sent = readWhat(unsent.what)
  if (sent.kind !== 'uas' && sent.kind !== 'uac' && sent.kind !== 'leg-ack') return false
  const { flow, data, reason } = unsent
  if (!stands(turn, sent, data)) return true
  const isRequest = !data.startsWith('SIP/2.0 ')
  const waits = waitsForClient(flow, isRequest)
  // Who holds the stream sleeps, and may wake with it (call/unsent.ts).
  const mayWake = unsent.isSilent === true && (isRequest || waits)
  if (reason === 'late' || mayWake) turn.send(flow, data, unsent.what)
  else if (waits) return true
  else if (!isRequest) onLostResponse(turn, unsent)
  else if (sent.kind === 'uac') unreachable(turn, sent.id, data)
  return true
}

/** Whether the leg still wants exactly these bytes to go. */
function stands(turn: Turn, sent: Exclude<Sent, { kind: 'untracked' }>, data: string): boolean {
  if (sent.kind === 'leg-ack') {
    return allLegs(turn).some(({ value }) => legId(value.session) === sent.id && value.ack?.text === data)
  }
  const record = turn.get('Transaction', sent.id)
  if (record?.kind === 'uas') {
    const isTrying = record.state === 'open' && record.answer === null && data.startsWith('SIP/2.0 100 ')
    return record.state !== 'acknowledged' && (record.answer === data || isTrying)
  }
  if (record?.kind !== 'uac') return false
  if (record.ack === data || record.cancel === data) return true
  return record.state === 'calling' && storedRequest(turn, sent.id).text === data
}

/** 18.2.2: the connection is gone: another one to `received`, else sent-by; once. */
function onLostResponse(turn: Turn, { flow, data, what: name }: Unsent): void {
  const parsed = parseMessage(data)
  if (flow.stream !== '' && parsed.ok) turn.send(responseFlow(viaOf(parsed.value), ''), data, name)
}

/** 8.1.3.1: as if a 503 had come. An ACK or a CANCEL that can't be delivered: the other side repeats, or 64*T1 ends it. */
function unreachable(turn: Turn, id: string, data: string): void {
  const record = turn.get('Transaction', id)
  if (record?.kind === 'uac' && record.ack !== data && record.cancel !== data) localFinal(turn, id, 503)
}
