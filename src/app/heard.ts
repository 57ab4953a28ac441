// A message is handled once by its application, whoever dies. Keepers give it again to the next owner, phones repeat it; what its
// handler changed has its mark in the same commit (session/heard.ts), and what is marked is not asked about again.

import { between } from '../base/instant.ts'
import { must } from '../base/assert.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import type { Turn } from '../call/turn.ts'
import { requestKey } from '../proxy/branch.ts'
import type { Heard } from '../session/heard.ts'
import type { SipMessage } from '../sip/message.ts'
import { timers } from '../transaction/timers.ts'
import { appLimits } from './limits.ts'

const ID = 'heard'

/** The same for a message whenever it comes, and another one for others: a request's transaction, a response's bytes. */
function markOf(turn: Turn, message: SipMessage): string {
  const key = must(turn.ctx.keys.key(1), 'the set has no key yet')
  const text = message.kind === 'response' ? message.text : `${message.method} ${requestKey(message)}`
  return hashHex(sipHashText(key, text, message.kind))
}

export function wasHeard(turn: Turn, message: SipMessage): boolean {
  const mark = markOf(turn, message)
  return heardOf(turn).marks.some((one) => one.mark === mark)
}

export function noteHeard(turn: Turn, message: SipMessage): void {
  const { cluster } = turn.ctx
  // Nobody keeps or repeats a message for longer.
  const young = heardOf(turn).marks.filter(({ at }) => between(at, cluster) < timers.sixtyFourT1 * 2)
  const marks = [...young, { mark: markOf(turn, message), at: cluster }].slice(-appLimits.heard)
  turn.put(ID, { kind: 'heard', marks })
}

function heardOf(turn: Turn): Heard {
  const heard = turn.get('SipApplicationSession', ID)
  return heard?.kind === 'heard' ? heard : { kind: 'heard', marks: [] }
}
