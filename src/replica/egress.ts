// SIP out. A datagram leaves here, from the shared address; what must go on a stream leaves at the replica that holds it
// (design.md 8). A send that was not made comes back to the owner of its group, which decides whether those bytes still
// stand.

import { replicaOf } from '../base/brand.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import { plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Outgoing } from '../call/contract.ts'
import type { Store } from '../store/store.ts'
import type { EgressFrame, UnsentFrame } from '../wire/frame.ts'
import type { Send } from './effect.ts'
import type { UnsentInput } from './input.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { Owner } from './owner.ts'

export interface EgressPorts {
  readonly life: Life
  readonly store: Store
  readonly links: Links
  readonly outbox: Outbox
  owner(): Owner
  now(): Instant
}

export class Egress {
  readonly #ports: EgressPorts

  constructor(ports: EgressPorts) {
    this.#ports = ports
  }

  /** False if the stream that it must leave on is gone. */
  send({ flow, data, what }: Outgoing, group: GroupKey | null): boolean {
    const { life, links, outbox } = this.#ports
    const origin = group === null ? null : { group, what }
    const holder = flow.stream === '' ? life : (flow.stream.slice(0, flow.stream.indexOf('/')) as Life)
    outbox.count('sip_sent')
    if (holder === life) {
      outbox.push({ kind: 'send', flow, data, origin, notAfter: plus(this.#ports.now(), limits.notAfter) })
      return true
    }
    if (!links.reaches(holder)) return false
    return links.send(replicaOf(holder), { kind: 'egress', flow, data, within: limits.notAfter, origin })
  }

  /** An owner's send on a stream that this replica holds. */
  onEgress({ flow, data, within, origin }: EgressFrame): void {
    const notAfter = plus(this.#ports.now(), within)
    this.#ports.outbox.push({ kind: 'send', flow, data, origin: originOf(origin), notAfter })
  }

  /** The host did not make a send. */
  onUnsent({ send, reason }: UnsentInput): void {
    const { life, store, links, outbox } = this.#ports
    const { origin, flow, data } = send
    outbox.count(`sip_unsent_${reason.replace('-', '_')}`)
    if (origin === null) return
    const owner = store.ownerOf(origin.group)
    if (owner === life) this.#ports.owner().unsent(origin, flow, data, reason)
    else if (owner !== null) links.send(replicaOf(owner), { kind: 'unsent', flow, data, origin, reason })
  }

  /** The host of a stream's holder did not make a send of ours. */
  onUnsentFrame({ origin, flow, data, reason }: UnsentFrame): void {
    const known = originOf(origin)
    if (known !== null) this.#ports.owner().unsent(known, flow, data, reason)
  }
}

function originOf(origin: EgressFrame['origin']): Send['origin'] {
  return origin === null ? null : { group: origin.group as GroupKey, what: origin.what }
}
