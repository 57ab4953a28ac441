// RFC 3261 16.3: what a request must be before it is forwarded. These refusals keep no state.

import { header, maxForwards, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { isLoop } from './branch.ts'
import type { SetAddress, SetKeys } from './settings.ts'

export interface Refusal {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Why, in a log's words. */
  readonly code: string
}

export function validateRequest(request: SipRequest, set: SetAddress, keys: SetKeys): Refusal | null {
  // Step 3. A request with Max-Forwards 0 goes no further.
  if (maxForwards(request) === 0) return { status: 483, headers: [], code: 'max-forwards' }
  // Step 4.
  if (isLoop(keys, set, request)) return { status: 482, headers: [], code: 'loop' }
  // RFC 5393 5.3.3: each branch takes one of them at least.
  if (header(request, 'Max-Breadth') === '0') return { status: 440, headers: [], code: 'max-breadth' }
  // Step 5: no extension is known here. (A CANCEL and an ACK carry none that could be refused: 8.2.2.3, 9.1.)
  if (request.method !== 'CANCEL' && request.method !== 'ACK') {
    const unsupported = values(request, 'Proxy-Require')
    if (unsupported.length > 0) {
      return { status: 420, headers: [['Unsupported', unsupported.join(', ')]], code: 'proxy-require' }
    }
  }
  return null
}
