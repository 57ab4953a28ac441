// Which incarnation (disk) a peer had when it was first met. A replica that comes back with another disk could vote twice in
// one term, so its peers don't listen to it (design.md 10); replacing an incarnation is the configuration's work.

import { must } from '../base/assert.ts'
import { replicaOf } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'

export type PeerIdentity =
  | { readonly kind: 'known' }
  /** Met for the first time: to be remembered, durably, before it is listened to. */
  | { readonly kind: 'new'; readonly replica: number; readonly incarnation: string }
  /** Not to be listened to. `reason` is a sentence for the user. */
  | { readonly kind: 'stranger'; readonly reason: string }

/** `known`: incarnations by replica. */
export function identifyPeer(life: Life, known: ReadonlyMap<number, string>): PeerIdentity {
  const replica = replicaOf(life)
  const incarnation = must(life.split('.')[1], 'a life has an incarnation')
  const before = known.get(replica)
  if (before === incarnation) return { kind: 'known' }
  if (before === undefined) return { kind: 'new', replica, incarnation }
  const reason =
    `replica ${replica} comes with another disk (incarnation ${incarnation}, known is ${before}): it could vote twice. ` +
    'Put its data folder back'
  return { kind: 'stranger', reason }
}
