// Proxy (JSR 289 10): one plan for one request, told as one operation however many calls of `proxyTo` make it.

import type { ProxyPlan } from '../app/contract.ts'
import { seconds } from '../base/instant.ts'
import { uriOf } from './address.ts'
import type { Proxy, URI } from './api.ts'
import { durationOf } from './duration.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import type { Request } from './request.ts'
import { toWire } from './utf8.ts'

export class ProxyPlanner implements Proxy {
  readonly originalRequest: Request
  parallel = true
  recurse = true
  readonly #turn: HandlerTurn
  #timeout: number | null = null
  /** Null until the first `proxyTo`. */
  #targets: readonly string[] | null = null

  constructor(turn: HandlerTurn, originalRequest: Request) {
    this.#turn = turn
    this.originalRequest = originalRequest
  }

  get proxyTimeout(): number | null {
    return this.#timeout
  }

  set proxyTimeout(value: number | null) {
    if (value !== null) durationOf(value * 1_000, 'proxyTimeout is in seconds, null = none')
    if (value === 0) throw new TypeError('proxyTimeout is more than 0 seconds; null = none')
    this.#timeout = value
  }

  proxyTo(targets: URI | string | readonly (URI | string)[] = []): void {
    this.#turn.checkOpen()
    const list = (typeof targets === 'string' || 'scheme' in targets ? [targets] : targets).map((uri) =>
      toWire(String(uriOf(uri))),
    )
    this.originalRequest.beProxied()
    if (this.originalRequest.mayGoOn && list.length === 0) throw new TypeError('proxyTo: name the targets to try next')
    if (this.#targets === null) {
      this.#turn.record(() => ({ kind: 'proxy', request: this.originalRequest.id, plan: this.#plan }))
    }
    this.#targets = [...(this.#targets ?? []), ...list]
  }

  cancel(): void {
    const { session } = this.originalRequest
    session.check()
    if (!session.isProxied || (session.state !== 'INITIAL' && session.state !== 'EARLY'))
      illegal(`nothing is being proxied in a SipSession that is ${session.state}: endCall() ends a call that is up`)
    this.#turn.record({ kind: 'cancel-proxy', session: session.id })
  }

  get #plan(): ProxyPlan {
    const targets = this.#targets ?? []
    const groups = this.parallel && targets.length > 0 ? [targets] : targets.map((target) => [target])
    const timeout = this.#timeout === null ? null : seconds(this.#timeout)
    return { targets: groups, recurse: this.recurse, timeout, ...this.originalRequest.changes }
  }
}
