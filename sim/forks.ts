// Where a set's INVITEs go that fork, as plans and flows name it: `1,2|3t` = the first and the second callee at once, then, if
// neither takes the call, the third, which is called on TCP. Each has a door of its own: a next hop.

import type { NextHops } from '../src/call/contract.ts'
import type { Transport } from './ladder.ts'
import type { SocketAddress } from './sip-network.ts'

interface ForkTarget {
  /** Which callee of its call, from 1. */
  readonly ordinal: number
  /** null = the transport that the caller came on. */
  readonly transport: Transport | null
}

function readForks(text: string): readonly (readonly ForkTarget[])[] {
  return text.split('|').map((group) =>
    group.split(',').map((word) => ({
      ordinal: Number.parseInt(word, 10),
      transport: word.endsWith('t') ? ('tcp' as const) : null,
    })),
  )
}

/** The next hop of each call's callee of that ordinal. */
export function doorOf(ordinal: number): SocketAddress {
  return { host: `10.2.0.${ordinal}`, port: 5070 }
}

/** What the set is told. */
export function nextHopsOf(forks: string): NextHops {
  return readForks(forks).map((group) => group.map(({ ordinal, transport }) => ({ ...doorOf(ordinal), transport })))
}

/** On what each callee is called, the first one's first. */
export function calledOn(forks: string, caller: Transport): readonly Transport[] {
  return readForks(forks)
    .flat()
    .map(({ transport }) => transport ?? caller)
}
