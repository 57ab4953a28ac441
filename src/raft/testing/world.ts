// What a random run draws before it begins: how many replicas, how bad the world is, and every limit of the core (sizes that are
// drawn find more than sizes that are fixed).

import type { ReplicaId } from '../../base/brand.ts'
import { replicaId } from '../../base/brand.ts'
import type { Duration } from '../../base/instant.ts'
import { millis } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { RaftConfig } from '../config.ts'

export interface Rates {
  readonly lossPercent: number
  readonly doublePercent: number
  readonly delay: Duration
  readonly disk: Duration
  readonly between: Duration
  readonly faults: Duration
  /** Between an operator's deeds; 0 = there is none. */
  readonly operator: Duration
}

interface World {
  readonly voters: readonly ReplicaId[]
  readonly rates: Rates
  readonly limits: Omit<RaftConfig, 'id' | 'voters' | 'random'>
}

export function drawWorld(draw: Random): World {
  const pick = (...values: readonly number[]): number => values[draw.below(values.length)] as number
  const voters = Array.from({ length: pick(3, 3, 5) }, (_, at) => replicaId(at + 1))
  const rates: Rates = {
    lossPercent: pick(0, 2, 10, 30),
    doublePercent: pick(0, 5, 20),
    delay: millis(pick(1, 5, 40, 200)),
    disk: millis(pick(0, 2, 20, 150)),
    between: millis(pick(2, 10, 50)),
    faults: millis(pick(100, 300, 1_000)),
    operator: millis(pick(0, 10, 30, 100)),
  }
  const sizes = {
    maxAppendEntries: pick(1, 2, 8, 64),
    maxAppendBytes: pick(1, 100, 10_000),
    maxInflight: pick(1, 2, 16),
    maxInflightBytes: pick(1, 200, 100_000),
    asyncStorage: pick(0, 1) === 1,
    maxUncommittedBytes: pick(200, 1_000, 100_000),
    maxCommittedBytes: pick(1, 100, 10_000),
    maxReads: pick(2, 100),
    lazyCommit: pick(0, 1) === 1,
  }
  const patience = pick(60, 150, 500)
  const times = {
    electionTimeout: millis(patience),
    electionSpread: millis(patience),
    heartbeat: millis(patience / 5),
    prompt: millis(patience / 15),
  }
  return { voters, rates, limits: { ...times, ...sizes } }
}
