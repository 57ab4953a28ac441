// The end of a call (design.md 4): a BYE is committed behind with a timer of 64*T1; that timer, or any final but 401 and
// 407, commits the end. The final is kept 64*T1: a repeated BYE gets the same bytes, at whatever owner.

import { flat } from '../base/bytes.ts'
import { plus } from '../base/instant.ts'
import { enterEnded, withParty } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import { cseq } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { timers } from '../transaction/timers.ts'
import type { Flow } from '../wire/entry.ts'
import { dialogOf, parsedRequest } from './find.ts'
import type { Found } from './find.ts'
import type { Relay } from './group-state.ts'
import { buryTransaction } from './settle.ts'
import type { Turn } from './turn.ts'
import { endWatch } from './watch-timers.ts'

export interface ByeAnswer {
  readonly upstream: Flow
  /** Of the BYE from upstream. */
  readonly key: string
  readonly text: string
}

/** A BYE went out: committed behind. */
export function byeRelayed(turn: Turn, request: SipRequest, dialog: Found<Dialog> & { sender: Side }): void {
  if (dialog.value.state === 'ended') return hurryByes(turn)
  turn.put(dialog.id, withParty(dialog.value, dialog.sender, { cseq: cseq(request).number }))
  turn.setTimer(byeTimer(dialog.id), timers.sixtyFourT1, null)
}

/** Its final came: what the answer waits for. */
export function byeFinal(turn: Turn, response: SipResponse, answer: ByeAnswer): void {
  const dialog = dialogOf(turn, response)
  if (dialog === null) return
  if (response.status !== 401 && response.status !== 407) byeAnswered(turn, dialog, answer)
  else if (dialog.value.state !== 'ended') turn.cancelTimer(byeTimer(dialog.id))
}

/** The first final ends the dialog. Where both sides hang up at once the other's is kept as well: that BYE, come again by
 * way of the next owner, would find a phone that has forgotten it (timer J is zero on a stream) and says 481. */
export function byeAnswered(turn: Turn, dialog: Found<Dialog>, answer: ByeAnswer): void {
  if (dialog.value.state !== 'ended') endDialog(turn, dialog.id, dialog.value)
  else if (finalsOf(turn, dialog.id) >= MOST_FINALS) return
  keepFinal(turn, dialog.id, answer)
}

/** One for each side; what a side asks beyond that is relayed and forgotten. */
const MOST_FINALS = 2

function finalsOf(turn: Turn, dialog: string): number {
  let kept = 0
  for (const [, record] of turn.entries('Transaction')) if (record.kind === 'bye' && record.dialog === dialog) kept += 1
  return kept
}

/** The dialog has ended: nothing but its tombstone is left. */
export function endDialog(turn: Turn, id: string, dialog: Dialog): void {
  turn.put(id, enterEnded(dialog))
  turn.cancelTimer(byeTimer(id))
  endWatch(turn, id, dialog)
}

function keepFinal(turn: Turn, dialog: string, answer: ByeAnswer): void {
  const id = turn.nextId('Transaction')
  const { host } = answer.upstream
  turn.put(id, {
    kind: 'bye',
    key: flat(answer.key),
    upstream: { ...answer.upstream, host: flat(host) },
    dialog,
    final: flat(answer.text),
  })
  buryTransaction(turn, id, [])
  hurryByes(turn)
}

/** Whether it is a BYE on a phone's connection in a dialog that another BYE has ended: that phone has hung up by itself, or has been told. */
export function isAfterAnother(turn: Turn, relay: Relay): boolean {
  if (relay.method !== 'BYE' || relay.hop.stream === '') return false
  const dialog = dialogOf(turn, parsedRequest(relay.request))
  return dialog?.value.state === 'ended' && finalsOf(turn, dialog.id) > 0
}

/** Of both sides' BYEs the second: its answer may have died with a connection, and the phone that gave it, which has all that it asked
 * for, does not come back. So it is waited for T2, not 64*T1, at whose end the other phone would have given up as well. */
function hurryByes(turn: Turn): void {
  for (const relay of [...turn.local.relays.values()]) {
    const { client } = relay
    const end = plus(turn.now, timers.t2)
    const isOpen = client.state === 'trying' || client.state === 'proceeding'
    if (!isOpen || client.end === null || client.end <= end || !isAfterAnother(turn, relay)) continue
    turn.setRelay({ ...relay, client: { ...client, end } })
  }
}

/** The log timer that ends a dialog whose BYE gets no final. */
export function byeTimer(dialog: string): string {
  return `e.${dialog}`
}
