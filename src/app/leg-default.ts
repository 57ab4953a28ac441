// What becomes of an event that the application made nothing of: it has no handler for it (`absent`), the handler failed or came too late
// (`failed`), or left undone what has to be done (`done`). In the same commit as the rest of the event.
//
//   BYE, OPTIONS, PRACK             200
//   another request                 405 without a handler; 500 after a failure; else it waits for its answer
//   2xx to our INVITE, no ACK       ACK and BYE: without a handler, after a failure, for a CANCEL that came too late, and for a second
//                                   2xx of a fork that the handler had no use for
//   no PRACK for our reliable 1xx   504 to the INVITE (RFC 3262 3)
//   no ACK for our 2xx              BYE (13.3.1.4)

import { allUas } from '../call/find.ts'
import type { Turn } from '../call/turn.ts'
import { legOf } from './leg-find.ts'
import type { LegEvent } from './leg-find.ts'
import type { UacRecord, UasRecord } from '../transaction/record.ts'
import { answer } from './uas.ts'
import { ack, request } from './uac.ts'

export type EventOutcome = 'done' | 'failed' | 'absent'

/** What an application may ask for (20.5), where it has no handler for something else. */
const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS'

const NOTHING = { headers: [], body: '' } as const

export function onLegDefault(turn: Turn, event: LegEvent, outcome: EventOutcome): void {
  const { handler, message, subject } = event
  if (handler === 'noAckReceived') return hangUp(turn, subject)
  if (handler === 'noPrackReceived') return giveUp(turn, subject)
  if (message === null || message.request === '') return
  const record = turn.get('Transaction', message.request)
  if (record?.kind === 'uas' && record.state === 'open') unanswered(turn, message.request, record, outcome)
  if (record?.kind === 'uac' && handler === 'doSuccessResponse') unacknowledged(turn, message.session, record, outcome)
}

function unanswered(turn: Turn, id: string, record: UasRecord, outcome: EventOutcome): void {
  if (outcome === 'done') return
  if (['BYE', 'OPTIONS', 'PRACK'].includes(record.method)) answer(turn, id, record, { ...NOTHING, status: 200 })
  else if (outcome === 'failed') answer(turn, id, record, { ...NOTHING, status: 500 })
  else answer(turn, id, record, { headers: [['Allow', ALLOW]], body: '', status: 405 })
}

/** RFC 3262 3: a 5xx. */
function giveUp(turn: Turn, session: string): void {
  for (const { id, value } of allUas(turn)) {
    const isIt = value.session === session && value.method === 'INVITE' && value.state === 'open'
    if (isIt) answer(turn, id, value, { ...NOTHING, status: 504 })
  }
}

function unacknowledged(turn: Turn, session: string, record: UacRecord, outcome: EventOutcome): void {
  const leg = legOf(turn, session)
  if (record.method !== 'INVITE' || leg === null || leg.unacked === 0) return
  const isUnwanted = session !== record.session || record.cancel !== null
  if (outcome === 'done' && !isUnwanted) return
  ack(turn, { kind: 'ack', session, parts: NOTHING })
  hangUp(turn, session)
}

function hangUp(turn: Turn, session: string): void {
  if (legOf(turn, session)?.state === 'confirmed')
    request(turn, { kind: 'request', session, method: 'BYE', parts: NOTHING })
}
