// RFC 3261 section 12 at a phone: what a 2xx makes, and the requests inside it.

import { addressIn, cseqOf, header, listOf, tagOf, uriIn, valueOf } from './message.ts'
import type { HeaderLine, RequestMessage, ResponseMessage } from './message.ts'
import type { SocketAddress } from '../sip-network.ts'

export class Dialog {
  /** The From and To of our own requests, with tags. */
  readonly local: string
  readonly remote: string
  readonly routeSet: readonly string[]
  #target: string
  #localCseq: number
  #remoteCseq: number

  constructor(local: string, remote: string, routes: readonly string[], target: string, own: number, far: number) {
    this.local = local
    this.remote = remote
    this.routeSet = routes
    this.#target = target
    this.#localCseq = own
    this.#remoteCseq = far
  }

  /** 12.1.2: the route set is the Record-Route backwards. */
  static atCaller(request: RequestMessage, response: ResponseMessage): Dialog {
    const routes = listOf(response, 'record-route').toReversed()
    const target = uriIn(valueOf(response, 'contact') ?? '')
    const own = cseqOf(request).number
    return new Dialog(valueOf(request, 'from') ?? '', valueOf(response, 'to') ?? '', routes, target, own, 0)
  }

  /** 12.1.1: the route set is the Record-Route as it came. */
  static atCallee(request: RequestMessage, to: string, ownCseq: number): Dialog {
    const target = uriIn(valueOf(request, 'contact') ?? '')
    const routes = listOf(request, 'record-route')
    return new Dialog(to, valueOf(request, 'from') ?? '', routes, target, ownCseq, cseqOf(request).number)
  }

  get target(): string {
    return this.#target
  }

  get remoteTag(): string {
    return /;tag=([^;]+)/.exec(this.remote)?.[1] ?? ''
  }

  nextCseq(): number {
    return ++this.#localCseq
  }

  /** 12.2.2: false for a request that is out of order. */
  acceptCseq(number: number): boolean {
    if (number <= this.#remoteCseq) return false
    this.#remoteCseq = number
    return true
  }

  /** 12.2.1.2, 12.2.2: a target refresh moves the remote target. */
  refreshTarget(message: RequestMessage | ResponseMessage): void {
    const contact = valueOf(message, 'contact')
    if (contact !== null) this.#target = uriIn(contact)
  }

  /** Where requests go first (12.2.1.1 with loose routing), or null if that can't be read. */
  get nextHop(): SocketAddress | null {
    return addressIn(uriIn(this.routeSet[0] ?? this.#target))
  }

  routeLines(): readonly HeaderLine[] {
    return this.routeSet.map((route) => header('Route', route))
  }

  matches(request: RequestMessage, localTag: string): boolean {
    return tagOf(request, 'to') === localTag && tagOf(request, 'from') === this.remoteTag
  }
}
