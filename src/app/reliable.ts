// Provisional responses of an application that arrive for sure (RFC 3262): repeated until the PRACK comes, by whoever owns the call; if
// none does in 64*T1, the INVITE is refused.
//
//   sendReliably() --commit: rseq n, timer u.p--> 1xx, again and again --PRACK n--> commit: rseq -n --> doPrack
//                                                  '--64*T1--> noPrackReceived, then 504

import { millis } from '../base/instant.ts'
import { allUas } from '../call/find.ts'
import type { Turn } from '../call/turn.ts'
import type { Leg } from '../session/leg.ts'
import { header, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { UasRecord } from '../transaction/record.ts'
import { startSuccess } from '../transaction/success-repeats.ts'
import { timers } from '../transaction/timers.ts'
import type { ResponseParts } from './contract.ts'
import { storedRequest } from './leg-find.ts'
import type { LegOutcome, OpFault } from './leg-find.ts'
import { noPrackTimer } from './leg-timers.ts'

/** 3: one at a time, and no 2xx or other 1xx before its PRACK. */
export function reliableFault(
  turn: Turn,
  id: string,
  { method, rseq }: UasRecord,
  { status, reliable = false }: ResponseParts,
): OpFault {
  if (rseq > 0 && status < 300)
    return `the reliable provisional response to request ${id} waits for its PRACK: wait for doPrack`
  if (!reliable) return null
  if (method !== 'INVITE' || status >= 200) return 'only a provisional response to an INVITE is sent reliably'
  const request = storedRequest(turn, id)
  const options = [...values(request, 'Supported'), ...values(request, 'Require')].map((one) =>
    one.trim().toLowerCase(),
  )
  return options.includes('100rel') ? null : `the caller of request ${id} doesn't support 100rel`
}

export function nextRseq({ rseq }: UasRecord): number {
  return Math.abs(rseq) + 1
}

export function reliableHeaders(rseq: number): readonly (readonly [string, string])[] {
  return [
    ['Require', '100rel'],
    ['RSeq', String(rseq)],
  ]
}

/** It is repeated from now on. */
export function repeated(turn: Turn, id: string, record: UasRecord, rseq: number): UasRecord {
  turn.setTimer(noPrackTimer(id), timers.sixtyFourT1, null)
  turn.setUas(id, { kind: 'success', repeats: startSuccess(millis(0), turn.now) })
  return { ...record, rseq }
}

/** False: it is for none that waits. */
export function onPrack(turn: Turn, request: SipRequest, { session }: Leg): boolean {
  const rack = (header(request, 'RAck') ?? '').trim().split(/\s+/).join(' ')
  for (const { id, value } of allUas(turn)) {
    if (value.session !== session || value.state !== 'open' || value.rseq <= 0) continue
    if (rack !== `${value.rseq} ${value.cseq} INVITE`) continue
    acknowledged(turn, id, value)
    return true
  }
  return false
}

/** Its timer fired. */
export function onNoPrack(turn: Turn, id: string): LegOutcome {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uas' || record.state !== 'open' || record.rseq <= 0) return 'core'
  acknowledged(turn, id, record)
  return { handler: 'noPrackReceived', message: null, subject: record.session }
}

/** Nothing of it is repeated any more. */
function acknowledged(turn: Turn, id: string, record: UasRecord): void {
  turn.put(id, { ...record, rseq: -record.rseq })
  turn.cancelTimer(noPrackTimer(id))
  turn.dropLegPart(id)
}
