// The bounds of what applications may have and do, each with its answer when it is reached.

import { millis, seconds } from '../base/instant.ts'

export const appLimits = {
  /** How long a handler may take; then it has failed (design.md 4). */
  handler: seconds(5),
  /** Inputs that wait behind one that an application is being asked about. With one more, that question is given up as if the handler
   * had taken too long, so that nothing is lost and nobody's memory grows. */
  queued: 100,
  /** ...of which so many may have room that orders wait too: with more, an order is told to ask again. */
  queuedOrders: 50,
  /** Messages of a group that are known to have been handled, for as long as whoever sent them may repeat them. With one more, the
   * oldest is forgotten: should it come again, its handler runs once more. */
  heard: 128,
  /** Operations of one answer; with one more it is refused as a whole. */
  operations: 1_000,
  /** Bytes of one attribute, or of a timer's info, packed: a commit carries all of its entity. Above it the answer is refused. */
  attributeBytes: 32_768,
  /** ...and of all that an application keeps in one group: each question carries it to a worker. */
  groupBytes: 131_072,
  /** Characters of the name of an attribute, a handler or a key. */
  name: 256,
  /** Lists and objects within one another in an attribute: with those around them, fewer than the log's bytes may have (wire/gate.ts). */
  depth: 16,
  /** Applications of one chain (JSR 289 15): a router that goes on beyond leads in a circle, and its request gets 500. */
  chain: 32,
  /** Bytes of what the router says beside an application: its state, and whom it serves, each. They travel with the request. */
  routerBytes: 512,
  /** ServletTimers of a group; with one more the answer is refused. */
  timers: 100,
  /** SipSessions of a group: the legs of a conference. */
  sessions: 64,
  /** When a session expires that says nothing else (JSR 289 6.1.2). */
  expires: seconds(180),
  /** A delay, a period or an expiry is no longer than ten years, so that cluster time stays an integer. */
  mostDelay: seconds(10 * 365 * 86_400),
  /** A timer comes again no sooner: each time is an entry of the log, a question and a commit. */
  leastPeriod: millis(100),
  /** Bytes of the body of an HTTP request, and of a response: both go to a worker and back in one piece. */
  httpBytes: 1_048_576,
  /** After a gap (no quorum, no worker) a timer of fixed rate catches up with so many of the times that it missed, the newest; older
   * ones are left out. */
  catchUp: 10,
} as const
