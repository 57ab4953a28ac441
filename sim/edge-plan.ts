// What a plan says of a set that is the edge proxy of registered phones (docs/decisions/0029, RFC 3327, RFC 5626).

import type { Transport } from './ladder.ts'

export interface PlannedEdge {
  /** On what its phones register, and are called. */
  readonly transport: Transport
  /** Their flow is the only way to them: they stand behind a translator of addresses. Else their Contact can be called. */
  readonly outbound: boolean
  /** How long a phone waits that lost its flow until it registers again: least and most. */
  readonly back: readonly [number, number]
}
