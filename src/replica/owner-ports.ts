// What the owner room needs of the replica around it.

import type { GroupKey, Life } from '../base/brand.ts'
import type { AppContext } from '../app/context.ts'
import type { InputRef, OrderOutcome, Outgoing } from '../call/contract.ts'
import type { Store } from '../store/store.ts'
import type { Destination, Flow } from '../wire/entry.ts'
import type { Send } from './effect.ts'
import type { UnsentInput } from './input.ts'
import type { Outbox } from './outbox.ts'

/** The bytes of a commit, made when it leaves. */
export type Proposal = () => Uint8Array

/** A send that the host didn't make, and why. */
export interface UnsentSend {
  readonly origin: NonNullable<Send['origin']>
  readonly flow: Flow
  readonly data: string
  readonly reason: UnsentInput['reason']
  /** Its stream's holder died with it, or says nothing: it may have left before. */
  readonly mayHaveLeft?: true
  /** It says nothing, and may wake with its streams. */
  readonly isSilent?: true
}

export interface OwnerPorts {
  readonly life: Life
  readonly store: Store
  readonly outbox: Outbox
  context(): AppContext
  /** To the log, by way of the leader. */
  propose(proposal: Proposal, isAwaited: boolean): void
  /** A message waits for the open commits of its group: proposals that were in no hurry leave. */
  hurry(): void
  /** Out to a phone, not after `limits.notAfter` from now. False: the stream's holder is gone. */
  send(outgoing: Outgoing, group: GroupKey): boolean
  /** Whether that holder had these bytes to send before. */
  wasLent(outgoing: Outgoing, group: GroupKey): boolean
  /** `outcome`: of an order; null = of what had none. */
  handled(ref: InputRef, outcome: OrderOutcome | null): void
  /** It is another group's: its keeper is to pass it to that one's owner. */
  passedOn(ref: InputRef, to: Destination): void
  /** A send of a group that went to another owner was not made: whether it still stands is that one's to say. */
  unsent(unsent: UnsentSend): void
  /** The group went to another owner before the input was handled: its keeper passes it on. */
  dropped(ref: InputRef): void
}
