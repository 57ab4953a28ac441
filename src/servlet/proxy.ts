// Proxy (JSR 289 10): one plan for one request, told as one operation however many calls of `proxyTo` make it.

import type { ProxyPlan } from '../app/contract.ts'
import { uriOf } from './address.ts'
import type { Proxy, URI } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import type { Request } from './request.ts'
import { toWire } from './utf8.ts'

export class ProxyPlanner implements Proxy {
  readonly originalRequest: Request
  parallel = true
  readonly #turn: HandlerTurn
  /** Null until the first `proxyTo`. */
  #targets: readonly string[] | null = null

  constructor(turn: HandlerTurn, originalRequest: Request) {
    this.#turn = turn
    this.originalRequest = originalRequest
  }

  proxyTo(targets: URI | string | readonly (URI | string)[] = []): void {
    this.#turn.checkOpen()
    const list = (typeof targets === 'string' || 'scheme' in targets ? [targets] : targets).map((uri) =>
      toWire(String(uriOf(uri))),
    )
    this.originalRequest.beProxied()
    if (this.#targets === null) {
      this.#turn.record(() => ({ kind: 'proxy', request: this.originalRequest.id, plan: this.#plan }))
    }
    this.#targets = [...(this.#targets ?? []), ...list]
  }

  get #plan(): ProxyPlan {
    const targets = this.#targets ?? []
    const groups = this.parallel && targets.length > 0 ? [targets] : targets.map((target) => [target])
    return { targets: groups, recurse: false, timeout: null }
  }
}
