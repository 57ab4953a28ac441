// Where new calls go, as people write it: one next hop, or several. A comma stands between those that are tried at once, a bar
// between those that are tried one after another: `A,B|C` calls A and B, and C if neither takes the call (RFC 3261 16.6).

import type { NextHops } from '../call/contract.ts'
import { callLimits } from '../call/limits.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { parseNextHop, printNextHop } from './address.ts'
import type { NextHop } from './address.ts'

export interface NextHopSetting {
  /** The first of them, where all but INVITEs go. */
  readonly nextHop: NextHop | null
  /** Absent where there is but one. */
  readonly nextHops?: NextHops | undefined
}

export function parseNextHops(text: string): Result<NextHopSetting, string> {
  const groups: NextHop[][] = []
  const seen = new Set<string>()
  for (const words of text.split('|')) {
    const group: NextHop[] = []
    for (const word of words.split(',')) {
      const hop = parseNextHop(word.trim())
      if (!hop.ok) return hop
      const name = printNextHop(hop.value)
      if (seen.has(name)) return err(`"${text}": ${name} is there twice; a call goes to each next hop once`)
      seen.add(name)
      group.push(hop.value)
    }
    groups.push(group)
  }
  if (seen.size > callLimits.targets) return err(`"${text}": at most ${callLimits.targets} next hops`)
  const nextHop = groups[0]?.[0] ?? null
  return ok(seen.size === 1 ? { nextHop } : { nextHop, nextHops: groups })
}

/** As `parseNextHops` reads it; null = there is none. */
export function printNextHops({ nextHop, nextHops }: NextHopSetting): string | null {
  if (nextHop === null) return null
  return (nextHops ?? [[nextHop]]).map((group) => group.map(printNextHop).join(',')).join('|')
}
