// The application key of simulated calls (JSR 289 15.11.2): two calls have one, the first and the second, the third and the fourth...

import type { AppCall } from '../src/app/contract.ts'
import { parseMessage, to } from '../src/sip/message.ts'

export function keyOf({ message }: AppCall): string | null {
  const parsed = parseMessage(message?.text ?? '')
  return parsed.ok ? keyOfCallee(to(parsed.value).uri) : null
}

/** By the URI of a call's To, which names the call by its number. */
export function keyOfCallee(uri: string): string | null {
  const number = /callee(\d+)/.exec(uri)?.[1]
  return number === undefined ? null : `pair ${Math.ceil(Number(number) / 2)}`
}
