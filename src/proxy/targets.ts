// RFC 3261 16.5 and 16.6: the targets of an INVITE, and how many of them may be tried at once.

import { header } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'

/** Groups of targets: those of one group are tried at once, the groups one after another. Invariant: no group is empty. */
export type TargetSet<T> = readonly (readonly T[])[]

/** RFC 5393 5.3.3.1: what a request without Max-Breadth is taken to allow. */
const DEFAULT_BREADTH = 60

/** RFC 5393 5.3.2: how many branches may be open at once for this request, all over the network. */
export function breadthOf(request: SipRequest): number {
  const text = header(request, 'Max-Breadth')
  const breadth = text === null ? DEFAULT_BREADTH : Number(text)
  return Number.isSafeInteger(breadth) && breadth > 0 ? breadth : DEFAULT_BREADTH
}

/** RFC 5393 5.3.3: a group with more targets than the breadth allows is tried in parts, one after another; no more than `most`
 * targets in all. */
export function withinBreadth<T>(targets: TargetSet<T>, breadth: number, most: number): TargetSet<T> {
  const parts: T[][] = []
  let left = most
  for (const group of targets) {
    const taken = group.slice(0, left)
    left -= taken.length
    for (let at = 0; at < taken.length; at += breadth) parts.push(taken.slice(at, at + breadth))
  }
  return parts
}

/** RFC 5393 5.3.3: the Max-Breadth of each of `count` branches that are open at once. What a branch had is free again when it
 * is over. */
export function shareOf(breadth: number, count: number): number {
  return Math.floor(breadth / count)
}
