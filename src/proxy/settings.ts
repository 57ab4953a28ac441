// What the proxy is told about its set.

import type { HashKey } from '../base/hash.ts'
import type { Transport } from '../wire/entry.ts'

export interface SetAddress {
  /** The set's stable SIP address: Via sent-by and Record-Route. An IPv6 host is without brackets. */
  readonly host: string
  readonly port: number
}

export interface NextHop {
  readonly host: string
  readonly port: number
  /** null = the one the request came on. */
  readonly transport: Transport | null
}

/** The generations of the set key, from the log. */
export interface SetKeys {
  /** The newest generation, which makes new tokens and branches. */
  readonly current: number
  key(generation: number): HashKey | null
}
