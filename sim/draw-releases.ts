// Which releases the replicas of a seed run, by the newest format that each reads (docs/UPGRADING.md): in some seeds an older one
// at first, here and there, and whoever dies may come back with the newer one, or with the older one again: mostly while that still reads what the set writes, now and then when it doesn't.

import { NEWEST_FORMAT, OLDEST_FORMAT } from '../src/wire/formats.ts'
import { draw } from './draws.ts'
import type { Fault } from './fault.ts'

interface Releases {
  readonly formats?: readonly number[]
  readonly faults: readonly Fault[]
}

export function drawReleases(seed: number, replicas: number, faults: readonly Fault[]): Releases {
  const releases = draw(seed, 'plan releases')
  if (!releases.chance(300_000, 1)) return { faults }
  const isOld = (i: number): boolean => releases.chance(500_000, 2, i)
  const formats = Array.from({ length: replicas }, (_, i) => (isOld(i) ? OLDEST_FORMAT : NEWEST_FORMAT))
  const installed = faults.map((fault, i): Fault => {
    if (fault.kind !== 'kill' || !releases.chance(700_000, 3, i)) return fault
    if (releases.chance(600_000, 4, i)) return { ...fault, newest: NEWEST_FORMAT }
    return { ...fault, newest: OLDEST_FORMAT, ...(releases.chance(600_000, 5, i) ? { rash: true } : {}) }
  })
  return { formats, faults: installed }
}
