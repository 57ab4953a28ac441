// What `GET /live` tells the page: server-sent events `hello` (once), `tick` (every second), `failovers` (when something befell the
// set) and `call` (of the one call that is looked at). Types alone, which the page and the server share.

import type { Failover, Stretch } from '../failovers.ts'

export interface Hello {
  /** Whose address it is: `up`, or a replica. */
  readonly name: string
  readonly set: string
  readonly sip: string
  /** What an order of the page carries; null = it may give none. */
  readonly token: string | null
  /** The seconds before, oldest first. */
  readonly points: readonly Point[]
}

export interface Tick {
  /** The server's clock, milliseconds. */
  readonly at: number
  readonly replicas: readonly ReplicaRow[]
  /** As the leader has them, or whoever is nearest to it; null = nobody answers. */
  readonly counts: Counts | null
  /** The next ones. */
  readonly timers: readonly TimerRow[]
  readonly point: Point
  /** How calls ended since somebody began to look, the most frequent first. */
  readonly endings: readonly (readonly [cause: string, count: number])[]
}

export interface ReplicaRow {
  readonly id: number
  /** Null at a replica: only `up` knows processes. */
  readonly pid: number | null
  /** Why it doesn't answer; the rest is nothing then. */
  readonly trouble: string | null
  readonly role: string
  readonly term: number
  readonly epoch: number
  readonly applied: number
  /** Entries that are committed in the set and not applied here. */
  readonly lag: number
  readonly life: string
  readonly serves: boolean
  readonly detached: boolean
  readonly draining: boolean
}

export interface Counts {
  readonly early: number
  readonly confirmed: number
  readonly groups: number
  readonly entities: number
  readonly timers: number
  readonly intents: number
}

export interface TimerRow {
  readonly group: string
  readonly id: string
  /** Cluster time, microseconds. */
  readonly deadline: number
  /** `callback`: its owner is asked; `delete`: something goes. */
  readonly action: string
  readonly owner: string | null
  /** Call-IDs of its group. */
  readonly calls: readonly string[]
}

/** One second of the plots. Rates are per second, times in milliseconds; null = nothing was measured. */
export interface Point {
  readonly at: number
  readonly early: number
  readonly confirmed: number
  readonly started: number
  readonly commits: number
  /** From the INVITE to its 2xx, the callee's ringing with it. */
  readonly setup50: number | null
  readonly setup95: number | null
  readonly commit50: number | null
  readonly commit99: number | null
}

export interface FailoverNews {
  /** Newest first. */
  readonly list: readonly Failover[]
  readonly stretches: readonly Stretch[]
}

/** An event of EVENTS.md, of the call that is looked at. */
export interface CallNews {
  readonly event: string
  readonly at: number
  readonly callId: string
  readonly from: string
  readonly to: string
  readonly started: number
  readonly answered?: number | null
  readonly cause?: string
  readonly by?: string | null
  readonly status?: number | null
}

/** `GET /calls`. */
export interface CallRow {
  readonly callId: string
  readonly state: 'early' | 'confirmed'
  readonly group: string
  readonly owner: string | null
  /** Cluster time, microseconds. */
  readonly since: number
}

/** `GET /calls/CALL-ID`. */
export interface CallView {
  readonly group: string
  readonly version: number
  readonly owner: string | null
  readonly calls: readonly CallRow[]
  readonly entities: readonly EntityRow[]
  readonly timers: readonly { readonly id: string; readonly deadline: number; readonly action: string }[]
  readonly intents: readonly { readonly id: string; readonly opened: number }[]
}

export interface EntityRow {
  readonly tree: string
  readonly id: string
  readonly version: number
  /** Cluster time of its last change, microseconds. */
  readonly stamp: number
  readonly value: Readonly<Record<string, unknown>>
}
