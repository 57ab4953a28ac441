// What reaches a session without a SIP message: an HTTP request, a handler that looks at another session, an operator (decision 0034).
// Two questions, each asked of any replica, each a plain value:
//
//   Lookup --(the replica that is asked: wait for a read barrier, or for an index)--> what its own store has then
//   Order  --(from there to the owner of the group)--> ONE commit of the group --applied--> OrderAnswer
//
// A host asks by the input `admin`, queries `session` and `order`; the `reply` has the answer as its body.
//
// What the replicas guarantee:
// - an order is done once or not at all, whoever dies: the replica that was asked asks the next owner again, and what is done has
//   the order's mark in its commit;
// - its operations are done as a handler's are: all or none, and the first one that isn't allowed says why; `expect-version` makes it
//   a compare-and-put;
// - `done` is said once the commit is applied at the owner, so whoever looks with `atLeast` = its `index` sees it at every replica;
// - of all orders that create the session of one key, at any replicas, at the same instant, one creates it, and all are told the same
//   session;
// - every wait is bounded (`limits.order`, `limits.lookup`: 1.5 s), and what isn't known by then is said to be.

import type { Index } from '../base/brand.ts'
import type { Op, SessionView } from './contract.ts'

/** Which SipApplicationSession. One of another application is not found. */
export type Target =
  /** As `SessionView.id` has it. */
  | { readonly kind: 'id'; readonly id: string }
  /** The valid session of that application with that key (JSR 289 15.11.2): 1 to `appLimits.name` characters. */
  | { readonly kind: 'key'; readonly key: string }

export interface Lookup {
  readonly application: string
  readonly target: Target
  /** The answer shows at least what this index made: no read barrier is asked for. null = at least all that was committed when it was asked. */
  readonly atLeast: Index | null
}

export type LookupAnswer =
  /** `view` null = there is no such session, or it has ended: as of `index`, at every replica. */
  | { readonly kind: 'seen'; readonly view: SessionView | null; readonly index: Index }
  /** Nobody knows, now: the replica is cut off, catches up, or has too many waiting. Worth asking again, here or elsewhere. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** Besides those: what isn't there is begun. */
export type OrderTarget =
  | { readonly kind: 'id'; readonly id: string }
  /** `create`: one is begun if there is none that is valid. */
  | { readonly kind: 'key'; readonly key: string; readonly create: boolean }
  /** A session without a key and without a call (SipFactory.createApplicationSession). */
  | { readonly kind: 'new' }

export interface Order {
  readonly application: string
  /** The version of it that a session is that the order begins. */
  readonly version: string
  readonly target: OrderTarget
  /** In order, as of one turn of a handler; none = only the session is wanted. There is no message: `proxy` is refused. `expect-version` is for
   * whatever they rest on: names of new legs and timers (`nextSession`, `nextTimer`) rest on the version of ''. */
  readonly ops: readonly Op[]
}

export type OrderAnswer =
  /** Applied. `view`: the session as of `index`, which is that of the order's commit or a later one; null = it has ended since, or by
   * the order itself. `created`: by this order. */
  | { readonly kind: 'done'; readonly view: SessionView | null; readonly index: Index; readonly created: boolean }
  /** A version that it expects is not what the session has: nothing is done. `view`: what it has. */
  | { readonly kind: 'conflict'; readonly view: SessionView | null; readonly index: Index; readonly reason: string }
  /** There is no such session, or it has ended: nothing is done. */
  | { readonly kind: 'gone'; readonly index: Index; readonly reason: string }
  /** `again`: whether asking again may help; else the order itself is at fault (`reason` has the fix), and nothing is done. `isOpen`: it may
   * have been done, or be done yet: nobody could tell in time. Who asks again then expects versions. */
  | { readonly kind: 'refused'; readonly reason: string; readonly again: boolean; readonly isOpen: boolean }
