// What a set may send again: a retransmission has the bytes of the first (RFC 3261 17). Two messages of one transaction that
// differ would be two decisions, the second by a replica that had no right to decide any more.

import type { WireMessage } from './wire-check.ts'

export interface SameBytes {
  /** Pairs that differ, one text each. */
  readonly different: readonly string[]
  /** Messages that the set sent, and how many of these it had sent before. */
  readonly sent: number
  readonly again: number
}

/** `phones` are the hosts of callers and callees; what does not come from one comes from the set. */
export function checkSameBytes(messages: readonly WireMessage[], phones: readonly string[]): SameBytes {
  const first = new Map<string, string>()
  const different: string[] = []
  let [sent, again] = [0, 0]
  for (const { from, to, text } of messages) {
    if (phones.includes(from.slice(0, from.lastIndexOf(':')))) continue
    sent++
    const name = nameOf(text)
    const known = first.get(name)
    const here = `to ${to}\n${text}`
    if (known === undefined) first.set(name, here)
    else if (known === here) again++
    else different.push(`${name}\nwas ${known}\nand ${here}`)
  }
  return { different, sent, again }
}

// The transaction (17.1.3, 17.2.3), and what of it: its request, one provisional response of a callee, or its one final.
function nameOf(text: string): string {
  const branch = /^(?:via|v)\s*:[^\r]*?;\s*branch=([^;,\s]+)/im.exec(text)?.[1] ?? ''
  const method = /^cseq\s*:\s*\d+\s+(\S+)/im.exec(text)?.[1] ?? ''
  const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1]
  // A CANCEL and a non-2xx's ACK have the branch of their INVITE, and their own CSeq method.
  if (status === undefined) return `${branch} ${method}`
  if (Number(status) >= 200) return `${branch} ${method}, its final response`
  return `${branch} ${method} ${status} ${/^(?:to|t)\s*:[^\r]*?;\s*tag=([^;\s]+)/im.exec(text)?.[1] ?? ''}`
}
