// What `up` and its replicas tell each other, over the channel that Node makes between a parent and its child.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { SetConfig } from './config.ts'

/** From `up`, first thing: all that a replica needs to know. */
export interface StartOrder {
  readonly kind: 'start'
  readonly config: SetConfig
  readonly replica: ReplicaId
  /** It has run before, so its data folder must hold its log. */
  readonly hasRun: boolean
  readonly logLevel: string
}

/** The whole set ends: at once, for there is nobody to hand over to. */
export interface EndOrder {
  readonly kind: 'end'
}

export type FromReplica =
  /** Its life is durable, its peer and admin ports are open. */
  | { readonly kind: 'listening'; readonly life: Life }
  /** Its SIP sockets are open. */
  | { readonly kind: 'sip-open' }
  | { readonly kind: 'leader'; readonly id: ReplicaId; readonly term: number }
  | { readonly kind: 'ready'; readonly leader: ReplicaId }
  /** Its loop runs. */
  | { readonly kind: 'alive' }
  /** It ends now; `data`: its data folder is at fault, so starting it again would not help. */
  | { readonly kind: 'failed'; readonly cause: 'data' | 'other'; readonly reason: string }
