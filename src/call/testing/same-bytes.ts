// What the chaos tests ask of all that left.

import { seconds } from '../../base/instant.ts'
import { cseq, toTag, values } from '../../sip/message.ts'
import type { Ladder } from './ladder.ts'
import { parsed } from './phone.ts'

/** proof.md C4, C6: one branch and method, one request; one final for each of the caller's transactions. What comes more
 * than 64*T1 after the first of it may be of a new transaction. */
export function contradictions(ladder: Ladder): readonly string[] {
  const found: string[] = []
  const first = new Map<string, { readonly said: string; readonly at: number }>()
  for (const { to, data, at } of ladder.sent) {
    const message = parsed(data)
    const { method } = cseq(message)
    const via = values(message, 'Via')[0] ?? ''
    let name = `${to} ${via}`
    let said = data
    if (message.kind === 'request') name += ` ${message.method} ${message.method === 'ACK' ? toTag(message) : ''}`
    else if (message.status < 200 || method !== 'INVITE') continue
    else said = message.status < 300 ? '2xx' : String(message.status)
    const before = first.get(name)
    const same = before !== undefined && at - before.at < seconds(32) ? before : { said, at }
    if (said !== same.said) found.push(`${name}: ${same.said}, then ${said}`)
    first.set(name, same)
  }
  return found
}
