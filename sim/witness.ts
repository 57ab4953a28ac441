// Who records a run for a report: it sees what the checkers see and a little more, checks nothing, draws nothing.

import type { Store } from '../src/store/store.ts'
import type { Applied } from '../src/store/view.ts'
import type { Checker } from './checkers/checker.ts'
import type { SocketAddress } from './sip-network.ts'

export interface Witness extends Checker {
  /** True time; given before anything happens. */
  now: () => number
  /** A phone hands a datagram to the network, for the first time or again. */
  datagram(from: SocketAddress, text: string): void
  /** An entry was committed, and applied to a store of the simulator's own. */
  applied(applied: Applied, store: Store): void
}
