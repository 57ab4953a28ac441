// A request that begins something. Its application proxies it, or answers it as a UAS (uas.ts), at once or later; one that has no handler
// for it leaves it to the set's own route.

import { assert } from '../base/assert.ts'
import { beginsCall, capsOfAnswered, isFull } from '../call/caps.ts'
import { inviteOfKey } from '../call/find.ts'
import { handle } from '../call/group.ts'
import { forwardInvite, isToBegin, openSession } from '../call/invite.ts'
import type { Aim } from '../call/invite.ts'
import type { ProxyRules } from '../transaction/record.ts'
import type { CallInput } from '../call/contract.ts'
import { turnAway } from '../call/refuse.ts'
import { reply } from '../call/reply.ts'
import type { Turn } from '../call/turn.ts'
import { requestKey } from '../proxy/branch.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Hold } from '../wire/entry.ts'
import { aimAt } from './aim.ts'
import type { AppMessage, Op, ProxyPlan } from './contract.ts'
import type { AppEvent, MessageInput } from './event.ts'
import { hostSession, openApplicationSession } from './sessions.ts'
import { openUas } from './uas.ts'

/** By target, from 0: what its request visits first. */
export type Onward = ReadonlyMap<number, readonly string[]>

const OWN_ROUTE: ProxyPlan = { targets: [], recurse: false, timeout: null }

export class Initial {
  readonly input: MessageInput
  readonly request: SipRequest
  readonly #turn: Turn
  readonly #event: AppEvent
  #plan: ProxyPlan | null
  readonly #onward: Onward

  constructor(
    turn: Turn,
    input: CallInput,
    event: AppEvent,
    onward: Onward = new Map(),
    plan: ProxyPlan | null = null,
  ) {
    this.#onward = onward
    assert(input.kind === 'message' && input.message.kind === 'request', 'something begins with a request')
    this.#turn = turn
    this.input = input
    this.request = input.message
    this.#event = event
    this.#plan = plan
  }

  get plan(): ProxyPlan | null {
    return this.#plan
  }

  get #isInvite(): boolean {
    return this.request.method === 'INVITE'
  }

  /** False: it was turned away, or is a repetition. */
  isLetIn(): boolean {
    const { flow, ref } = this.input
    if (this.#isInvite) {
      if (!isToBegin(this.#turn, this.request, flow, ref)) return false
      // Whatever its application makes of it, it is one more call.
      const isFullUp = beginsCall(this.#turn, this.request) && isFull(this.#turn, this.#caps)
      if (isFullUp) turnAway(this.#turn, this.request, flow, ref)
      return !isFullUp
    }
    const verdict = this.#turn.ctx.admit(flow)
    if (verdict !== 'admit') turnAway(this.#turn, this.request, flow, ref, verdict)
    return verdict === 'admit'
  }

  /** It is the application's to answer. */
  openLeg(): AppMessage | null {
    if (this.#isInvite) this.#turn.takeCaps(this.#caps)
    this.#openApplication()
    return openUas(this.#turn, this.request, this.input.flow).message
  }

  /** It is to be proxied. */
  openProxied(): void {
    this.#openApplication()
    hostSession(this.#turn, openSession(this.#turn, this.request), 'proxy')
  }

  get #caps(): readonly Hold[] {
    return capsOfAnswered(this.#turn.ctx.settings, this.input.flow)
  }

  #openApplication(): void {
    const { application, began, chain } = this.#event
    const { name, version } = application
    const created = began === undefined ? {} : { created: began }
    const { key = '' } = this.input.to ?? {}
    openApplicationSession(this.#turn, { application: name, version, key: key === '' ? null : key, chain, ...created })
  }

  /** Why it isn't allowed; null = it is noted. */
  proxy({ plan }: Extract<Op, { kind: 'proxy' }>): string | null {
    if (this.#plan !== null) return 'IllegalState: proxy: the request is proxied already'
    if (!this.#isInvite && plan.targets.length > 0)
      return `not-supported: proxy: a ${this.request.method} goes where the set's own route leads: name no targets`
    this.#plan = plan
    return null
  }

  forward(): void {
    const { flow, ref } = this.input
    if (!this.#isInvite) {
      this.#turn.goOnBy(this.#onward.get(0) ?? [])
      return handle(this.#turn, this.input)
    }
    forwardInvite(this.#turn, this.request, flow, ref, this.#aim(), this.#rules)
  }

  #aim(): Aim {
    const plan = this.#plan ?? OWN_ROUTE
    const isOwn = plan.targets.flat().length === 0
    // An application before this one of the chain has said where it goes.
    const isAimed = isOwn && this.#event.chain?.isAimed === true
    const targets = isAimed ? [[this.request.requestUri]] : plan.targets
    return aimAt(this.#turn, this.request, this.input.flow, { ...plan, targets }, this.#onward)
  }

  get #rules(): ProxyRules | null {
    const plan = this.#plan
    return plan === null ? null : { isRecursive: plan.recurse, patience: plan.timeout }
  }

  hasBegun(): boolean {
    return this.#turn.isWaiting || !this.#isInvite || inviteOfKey(this.#turn, requestKey(this.request)) !== null
  }

  refuse(status: number): void {
    reply(this.#turn, this.request, this.input.flow, status)
    this.#turn.handled(this.input.ref)
  }
}
