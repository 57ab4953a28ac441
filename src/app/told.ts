// What ends a call passes an application that is busy with another input of its group, and is told to it afterwards: as an intent
// `m.N` with the message beside it, in the commit of what the message changed.

import { flat } from '../base/bytes.ts'
import type { Turn } from '../call/turn.ts'
import { parseMessage } from '../sip/message.ts'
import type { SipMessage } from '../sip/message.ts'

const PREFIX = 'm.'

/** In the turn that handles it. */
export function tellLater(turn: Turn, text: string): void {
  const numbers = toldIds(turn).map((id) => Number(id.slice(PREFIX.length)))
  const id = `${PREFIX}${Math.max(0, ...numbers) + 1}`
  turn.put(id, { kind: 'told', text: flat(text) })
  turn.openIntent(id)
}

/** The message of such an intent; null = it is none, or there is nobody to tell any more. */
export function toldBy(turn: Turn, intent: string): SipMessage | null {
  const told = turn.get('SipApplicationSession', intent)
  const parsed = told?.kind === 'told' ? parseMessage(told.text) : null
  return parsed?.ok === true ? parsed.value : null
}

export function isTold(intent: string): boolean {
  return intent.startsWith(PREFIX)
}

export function endTold(turn: Turn, intent: string): void {
  turn.delete('SipApplicationSession', intent)
  if (!turn.hasEnded(intent)) turn.intentDone(intent)
}

/** Whether something is still to be told: the group's sessions stay open for that. */
export function hasTold(turn: Turn): boolean {
  return toldIds(turn).length > 0
}

function toldIds(turn: Turn): readonly string[] {
  return turn.entries('SipApplicationSession').flatMap(([id, value]) => (value.kind === 'told' ? [id] : []))
}
