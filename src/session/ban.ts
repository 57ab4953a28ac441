// A banned source (decision 0030): a block of addresses of which the set takes nothing. It is of the tree ServletContext, in a group of its
// own, and its name there is the block.

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { readFields } from './fields.ts'

export interface Ban {
  readonly kind: 'ban'
  /** As `printBlock` prints it. */
  readonly source: string
  /** Cluster time, as its owner estimated it. */
  readonly since: Stamp
}

export function banFields(ban: Ban): readonly unknown[] {
  return [1, ban.source, ban.since]
}

export function readBan(value: unknown): Ban {
  const fields = readFields(value, 1)
  return { kind: 'ban', source: fields.text(), since: stamp(fields.number()) }
}
