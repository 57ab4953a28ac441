// Deadlines of a leg's transactions at this owner: retransmissions, and timers B, F, H and I. At a new owner B, F and H go on from the
// committed stamps, and retransmissions begin anew (design.md 4).

import type { Duration } from '../base/instant.ts'
import { allUac, allUas } from '../call/find.ts'
import type { UacLocal } from '../call/group-state.ts'
import { isOpenUac } from '../call/leg-life.ts'
import { ageOf } from '../call/resume.ts'
import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { resumeInviteClient, stepInviteClient } from '../transaction/invite-client.ts'
import { resumeInviteServer, stepInviteServer } from '../transaction/invite-server.ts'
import { startNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import { requestOf } from '../transaction/record.ts'
import type { UacRecord } from '../transaction/record.ts'
import { startSuccess, stepSuccess } from '../transaction/success-repeats.ts'
import { storedRequest } from './leg-find.ts'
import { localFinal } from './uac.ts'

const TIME = { kind: 'time' } as const

/** The local part of what the log has and this owner hasn't. Before anything else in a turn. */
export function resumeLegs(turn: Turn): void {
  for (const { id, value } of allUas(turn)) {
    if (value.method !== 'INVITE' || turn.local.uas.has(id)) continue
    if (value.state === 'accepted' || (value.state === 'open' && value.rseq > 0))
      turn.setUas(id, { kind: 'success', repeats: startSuccess(ageOf(turn, id), turn.now) })
    if (value.state !== 'completed') continue
    const reliable = value.upstream.transport !== 'udp'
    turn.setUas(id, { kind: 'failure', server: resumeInviteServer('completed', reliable, ageOf(turn, id), turn.now) })
  }
  for (const { id, value } of allUac(turn)) {
    if (!isOpenUac(value) || value.state === 'waiting' || turn.local.uac.has(id)) continue
    turn.setUac(id, resumed(turn, id, value))
  }
}

/** Timers B and F run from the request's own commit. */
function resumed(turn: Turn, id: string, { method, state, hop }: UacRecord): UacLocal {
  const reliable = hop.transport !== 'udp'
  const age: Duration = ageOf(turn, requestOf(id))
  if (method !== 'INVITE') return { kind: 'other', client: startNonInviteClient(reliable, age, turn.now) }
  const known = state === 'proceeding' ? 'proceeding' : 'calling'
  return { kind: 'invite', client: resumeInviteClient(known, reliable, age, turn.now), cancel: null }
}

export function onLegWake(turn: Turn): void {
  for (const id of turn.local.uas.keys()) wakeUas(turn, id)
  for (const id of turn.local.uac.keys()) wakeUac(turn, id)
}

function wakeUas(turn: Turn, id: string): void {
  const local = turn.local.uas.get(id)
  const record = turn.get('Transaction', id)
  if (local === undefined || record?.kind !== 'uas') return
  const isSuccess = local.kind === 'success'
  const success = isSuccess ? stepSuccess(local.repeats, TIME, turn.now) : null
  const failure = isSuccess ? null : stepInviteServer(local.server, TIME, turn.now)
  if (success !== null) turn.setUas(id, { kind: 'success', repeats: success.machine })
  if (failure !== null) turn.setUas(id, { kind: 'failure', server: failure.machine })
  const isDue = success?.actions.includes('send-final') === true || failure?.actions.includes('send-final') === true
  if (isDue && record.answer !== null) turn.send(record.upstream, record.answer, what.uas(id))
}

function wakeUac(turn: Turn, id: string): void {
  const local = turn.local.uac.get(id)
  const record = turn.get('Transaction', id)
  if (local === undefined || record?.kind !== 'uac') return
  const actions = local.kind === 'invite' ? wakeInvite(turn, id, local, record) : wakeOther(turn, id, local)
  if (actions.includes('send-request')) turn.send(record.hop, storedRequest(turn, id).text, what.uac(id))
  // 8.1.3.1: as if a 408 had come.
  if (actions.includes('timeout')) localFinal(turn, id, 408)
}

function wakeInvite(
  turn: Turn,
  id: string,
  local: Extract<UacLocal, { kind: 'invite' }>,
  record: UacRecord,
): readonly string[] {
  const { machine, actions } = stepInviteClient(local.client, TIME, turn.now)
  const cancel = local.cancel === null ? null : stepNonInviteClient(local.cancel, TIME, turn.now)
  turn.setUac(id, { kind: 'invite', client: machine, cancel: cancel?.machine ?? null })
  const isDue = cancel?.actions.includes('send-request') === true
  if (isDue && record.cancel !== null) turn.send(record.hop, record.cancel, what.uac(id))
  return actions
}

function wakeOther(turn: Turn, id: string, local: Extract<UacLocal, { kind: 'other' }>): readonly string[] {
  const { machine, actions } = stepNonInviteClient(local.client, TIME, turn.now)
  turn.setUac(id, { kind: 'other', client: machine })
  return actions
}
