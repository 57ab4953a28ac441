// What `up` and its replicas tell each other, over the channel that Node makes between a parent and its child.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { SetConfig } from './config.ts'
import type { ServingLife } from './failovers.ts'
import type { JoinParts } from './join.ts'

/** From `up`, first thing: all that a replica needs to know. */
export interface StartOrder {
  readonly kind: 'start'
  readonly config: SetConfig
  readonly replica: ReplicaId
  /** What it is if it has no log (join.ts). */
  readonly fresh: JoinParts['mode']
  readonly logLevel: string
}

/** The whole set ends: at once, for there is nobody to hand over to. */
export interface EndOrder {
  readonly kind: 'end'
}

/** The config file was read anew. */
export interface ReloadOrder {
  readonly kind: 'reload'
  readonly config: SetConfig
}

export type FromReplica =
  /** Its life is durable, its peer and admin ports are open. */
  | { readonly kind: 'listening'; readonly life: Life }
  /** Its SIP sockets are open. */
  | { readonly kind: 'sip-open' }
  | { readonly kind: 'leader'; readonly id: ReplicaId; readonly term: number }
  | { readonly kind: 'ready'; readonly leader: ReplicaId }
  /** It has applied who serves from there on; `id` is a replica's place. */
  | { readonly kind: 'serving'; readonly lives: readonly ServingLife[] }
  /** Its loop runs. */
  | { readonly kind: 'alive' }
  /** It ends now. Starting it again would not help: `data`, its data folder is at fault; `removed`, it was taken out of the set. */
  | { readonly kind: 'failed'; readonly cause: 'data' | 'removed' | 'other'; readonly reason: string }
