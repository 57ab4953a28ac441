// What the proxy is told about its set.

import type { Stamp } from '../base/instant.ts'
import type { HashKey } from '../base/hash.ts'
import type { Transport } from '../sip/transport.ts'
import type { TargetSet } from './targets.ts'

export interface SetAddress {
  /** The set's stable SIP address, or its domain name: Via sent-by and Record-Route. An IPv6 host is without brackets. */
  readonly host: string
  readonly port: number
  /** All that it listens to, the address above among them. Left out: UDP and TCP there. No two that are not UDP and TCP have one
   * host and port. */
  readonly listeners?: readonly Listener[]
  /** Where its replicas are themselves, each at an address of its own, if one of those hosts is a name (decision 0049). All replicas have
   * all of them. */
  readonly replicas?: readonly Listener[]
}

/** One transport at one address of the set's. */
export interface Listener {
  readonly transport: Transport
  /** An address, or a domain name that DNS has the replicas for. */
  readonly host: string
  readonly port: number
}

export interface NextHop {
  /** An address, or a name that is looked up (RFC 3263). */
  readonly host: string
  /** 0 = as DNS says it for a name. */
  readonly port: number
  /** null = the one the request came on. */
  readonly transport: Transport | null
}

/** Several next hops: those of a group at once, the groups one after another. */
export type NextHops = TargetSet<NextHop>

/** The generations of the set key, from the log. */
export interface SetKeys {
  /** The generation that makes what it makes now. A newer one may be known already (decision 0050). */
  readonly current: number
  /** The generation that made what says it was made then. */
  at(time: Stamp): number
  key(generation: number): HashKey | null
}
