// RFC 3263: where a SIP server with a name is. What DNS says is asked and kept elsewhere; here it becomes the flows to try, in order.

import { isIpv6 } from '../sip/host.ts'
import { isSecure } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { SetAddress } from './settings.ts'
import { speaks } from './own.ts'

/** What is to be found. */
export interface Place {
  /** A domain name, in lower case. */
  readonly host: string
  /** Null: DNS says it (SRV), or it is the transport's own. */
  readonly port: number | null
  /** Null: DNS says it (NAPTR, SRV). */
  readonly transport: Transport | null
}

/** One server that DNS names. */
export interface Candidate {
  readonly transport: Transport
  /** Of NAPTR: a lower one is tried before all of a higher one. */
  readonly order: number
  /** Of SRV (RFC 2782). */
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** Never empty. */
  readonly addresses: readonly string[]
}

/** `none`: there is no such server; `failed`: DNS didn't answer. */
export type Located =
  | { readonly kind: 'found'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed' }

/** One text for each place. */
export function placeName({ host, port, transport }: Place): string {
  return `${host} ${port ?? ''} ${transport ?? ''}`
}

/** The flows to try, one after another: those that the set can send by, of the best NAPTR order, then by SRV. `secure`: by nothing
 * but TLS. `chance(below)` is a whole number below that. */
export function flowsTo(
  candidates: readonly Candidate[],
  set: SetAddress,
  secure: boolean,
  chance: (below: number) => number,
): readonly Flow[] {
  const ours = candidates.filter(({ transport }) => speaks(set, transport) && (!secure || isSecure(transport)))
  const left = [...ours].sort((a, b) => a.order - b.order || a.priority - b.priority)
  const flows: Flow[] = []
  while (left.length > 0) {
    const { order, priority } = left[0] as Candidate
    const count = left.findIndex((one) => one.order !== order || one.priority !== priority)
    for (const { transport, port, addresses } of byWeight(left.splice(0, count < 0 ? left.length : count), chance)) {
      for (const host of addresses) {
        const isKnown = flows.some((flow) => flow.transport === transport && flow.port === port && flow.host === host)
        if (!isKnown && reaches(set, transport, host)) flows.push({ transport, host, port, stream: '' })
      }
    }
  }
  return flows
}

/** RFC 2782: those of weight 0 first, then one after another is drawn, each with a chance by its weight. */
function byWeight(equals: readonly Candidate[], chance: (below: number) => number): readonly Candidate[] {
  const left = [...equals].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0))
  const drawn: Candidate[] = []
  while (left.length > 1) {
    let point = chance(left.reduce((sum, { weight }) => sum + weight, 0) + 1)
    const at = left.findIndex(({ weight }) => (point -= weight) <= 0)
    drawn.push(...left.splice(at, 1))
  }
  return [...drawn, ...left]
}

/** Whether the set has an address of that family to send from. */
function reaches(set: SetAddress, transport: Transport, host: string): boolean {
  const own = (set.replicas ?? set.listeners)?.filter((one) => one.transport === transport) ?? [set]
  return own.some((one) => isIpv6(one.host) === isIpv6(host))
}
