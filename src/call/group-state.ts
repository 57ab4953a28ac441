// One group in memory: its entities as the log has them (and as its open commits will make them), and the local part,
// which dies with the owner: retransmissions, other non-INVITE transactions, who waits for an answer.

import type { GroupKey } from '../base/brand.ts'
import type { Side } from '../session/dialog.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { InviteClient } from '../transaction/invite-client.ts'
import type { InviteServer } from '../transaction/invite-server.ts'
import type { NonInviteClient } from '../transaction/non-invite-client.ts'
import type { NonInviteServer } from '../transaction/non-invite-server.ts'
import type { SuccessRepeats } from '../transaction/success-repeats.ts'
import type { Flow, Hold } from '../wire/entry.ts'
import type { Forwarded } from '../proxy/forward.ts'
import type { InputRef } from './contract.ts'
import type { EntityValue } from './entities.ts'

/** An entity, at a version. */
export interface Held {
  readonly id: string
  readonly version: number
  /** Of the commit that put it; an estimate while that is open. */
  readonly stamp: Stamp
  readonly value: EntityValue
}

export interface BranchLocal {
  readonly client: InviteClient
  /** Our CANCEL's transaction, once it went out. */
  readonly cancel: NonInviteClient | null
  /** When its timer C was last set. */
  readonly timerC: Instant
  /** An owner before this one may have sent its INVITE. */
  readonly isTaken?: true
}

/** What the owner keeps of an INVITE transaction besides its record. */
export interface InviteLocal {
  readonly server: InviteServer
  /** The last provisional that went upstream, for its repeats; null = 100, or none that we know. */
  readonly provisional: string | null
  /** By the branch's id; one that waits for its turn has none. */
  readonly branches: ReadonlyMap<string, BranchLocal>
}

/** A non-INVITE request on its way through: a server and a client transaction. */
export interface Relay {
  /** Method and upstream key. */
  readonly id: string
  readonly method: string
  readonly key: string
  readonly branch: string
  readonly upstream: Flow
  readonly hop: Flow
  readonly request: string
  /** The same request for the places that are still to be tried (RFC 3263 4.3). */
  readonly places: readonly Forwarded[]
  /** The branches of those that failed. */
  readonly tried: readonly string[]
  /** Terminated: its sender has given up, and gets no answer any more (RFC 4320 4.2). */
  readonly server: NonInviteServer
  readonly client: NonInviteClient
  /** The last response that went upstream. */
  readonly last: string | null
  /** Inputs that are handled with the final answer. */
  readonly waiting: readonly InputRef[]
}

/** Our OPTIONS to one side of a dialog. */
export interface Ping {
  readonly to: Side
  readonly text: string
  readonly branch: string
  readonly hop: Flow
  readonly client: NonInviteClient
  /** null = it has not answered yet. */
  readonly isGone: boolean | null
}

/** A dialog whose sides are being asked whether they are there (probe.ts). */
export interface Probe {
  readonly pings: readonly Ping[]
}

/** What the owner repeats of an answer to an INVITE that is a leg's (session/leg.ts): the 2xx until its ACK, or a failure. */
export type UasLocal =
  | { readonly kind: 'success'; readonly repeats: SuccessRepeats }
  | { readonly kind: 'failure'; readonly server: InviteServer }

/** The client transaction of a leg's request. */
export type UacLocal =
  | { readonly kind: 'invite'; readonly client: InviteClient; readonly cancel: NonInviteClient | null }
  | { readonly kind: 'other'; readonly client: NonInviteClient }

export interface Local {
  readonly invites: ReadonlyMap<string, InviteLocal>
  readonly relays: ReadonlyMap<string, Relay>
  /** The client transactions of our own BYEs, by their records. */
  readonly owns: ReadonlyMap<string, NonInviteClient>
  /** By the dialog's id. */
  readonly probes: ReadonlyMap<string, Probe>
  /** Of legs, by their records; one that has nothing to repeat, or to wait for, has none. */
  readonly uas: ReadonlyMap<string, UasLocal>
  readonly uac: ReadonlyMap<string, UacLocal>
}

export interface Group {
  readonly key: GroupKey
  /** By `tree/id`. */
  readonly entities: ReadonlyMap<string, Held>
  /** Those of its holds that count calls whose number is limited (caps.ts). */
  readonly caps: readonly Hold[]
  /** Intents that its commits have ended since it was loaded, open ones among them: whoever comes to perform one is too late. */
  readonly ended: ReadonlySet<string>
  readonly local: Local
}
