// What both loads (load-door.ts, log/load-door.ts) give to the log where a call room would: commits that only put entities, and the
// frame that proposes them.

import { must } from '../../src/base/assert.ts'
import type { Life } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Replica } from '../../src/replica/replica.ts'
import type { Store } from '../../src/store/store.ts'
import { encodeFrame } from '../../src/wire/codec.ts'
import type { Commit } from '../../src/wire/entry.ts'

type Puts = Pick<Commit, 'group' | 'expected' | 'proposer' | 'serial' | 'lowestOpen' | 'puts'>

/** The commit of a life that serves, as of what the store has applied. */
export function putting(store: Store, puts: Puts): Commit {
  return {
    kind: 'commit',
    since: must(store.sinceOf(puts.proposer), 'it serves'),
    judged: store.serving().version,
    onto: 0,
    deletes: [],
    timers: [],
    cancels: [],
    holds: null,
    opened: [],
    done: [],
    ...puts,
  }
}

/** A leader hears proposals, its own too, as a frame. */
export function propose(
  replica: Replica,
  from: Life,
  bodies: readonly Uint8Array[],
  { now, wall }: Input,
): readonly Effect[] {
  return replica.step({ kind: 'peer', from, frame: encodeFrame({ kind: 'propose', bodies }), now, wall })
}
