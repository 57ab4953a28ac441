// RFC 3263 4.3 for what is neither INVITE nor ACK: where DNS names several places for a target, the next one is tried when one fails
// (503, a transport error, or timer F without any response). Each attempt is a transaction of its own, with a branch of its own;
// all were made when the request came, and live with their owner alone, as the relay does. Another owner, asked again by who
// sent the request, makes the same ones in the same order; a 503 of a place that is not the last, which comes to it before that, goes
// no further.

import { millis } from '../base/instant.ts'
import { startNonInviteClient } from '../transaction/non-invite-client.ts'
import type { Relay } from './group-state.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** Whether its present place owes a final. */
export function isAsked({ client }: Relay): boolean {
  return client.state === 'trying' || client.state === 'proceeding'
}

/** The request goes to the next of its places; false: there is none. */
export function tryNextPlace(turn: Turn, relay: Relay): boolean {
  const [next, ...places] = relay.places
  if (next === undefined) return false
  const { branch, hop, text } = next
  const client = startNonInviteClient(hop.transport !== 'udp', millis(0), turn.now)
  const tried = [...relay.tried, relay.branch]
  turn.setRelay({ ...relay, branch, hop, request: text, places, tried, client })
  if (turn.commits) turn.sendAfter(hop, text, what.request(relay.id))
  else turn.send(hop, text, what.request(relay.id))
  return true
}
