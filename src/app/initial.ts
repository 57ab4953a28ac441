// A request that begins something. Its application proxies it, or answers it as a UAS (uas.ts), at once or later; one that has no handler
// for it leaves it to the set's own route.

import { assert } from '../base/assert.ts'
import { beginsCall, capsOfAnswered, isFull } from '../call/caps.ts'
import { inviteOfKey } from '../call/find.ts'
import { callLimits } from '../call/limits.ts'
import { routeToContact } from '../call/forward.ts'
import { handle } from '../call/group.ts'
import { forwardInvite, isToBegin, openSession } from '../call/invite.ts'
import type { Aim } from '../call/invite.ts'
import type { ProxyRules } from '../transaction/record.ts'
import type { CallInput } from '../call/contract.ts'
import { turnAway } from '../call/refuse.ts'
import { onNonInvite } from '../call/relay.ts'
import { reply } from '../call/reply.ts'
import type { Turn } from '../call/turn.ts'
import { requestKey } from '../proxy/branch.ts'
import { edit } from '../sip/edit.ts'
import { longName } from '../sip/header-name.ts'
import { parseMessage } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import type { Hold } from '../wire/entry.ts'
import { aimAt } from './aim.ts'
import type { AppMessage, Op, ProxyPlan } from './contract.ts'
import type { AppEvent, MessageInput } from './event.ts'
import { DIALOG_HEADERS } from './dialog-headers.ts'
import { partsFault } from './leg-messages.ts'
import { hostSession, openApplicationSession } from './sessions.ts'
import { tellLater } from './told.ts'
import { answer, openUas } from './uas.ts'

/** By target, from 0: what its request visits first. */
export type Onward = ReadonlyMap<number, readonly string[]>

/** How the set refuses a request by itself. */
interface Refusal {
  readonly status: number
  readonly reason: string | null
}

const NOTHING = { headers: [], body: '' } as const
const OWN_ROUTE: ProxyPlan = { targets: [], recurse: false, timeout: null }

/** Why a request can't leave so. */
function changesFault({ headers = [], routes = [] }: ProxyPlan): string | null {
  const set = headers.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const fault = partsFault({ headers: set, body: '' })
  if (fault !== null) return `IllegalArgument: proxy: ${fault}`
  const own = headers.find(([name]) => DIALOG_HEADERS.has(longName(name)))
  if (own !== undefined) return `IllegalArgument: proxy: ${own[0]} is the set's to write`
  const bad = routes.find((uri) => parseUri(uri)?.kind !== 'sip')
  return bad === undefined ? null : `IllegalArgument: proxy: "${bad.slice(0, 80)}" is no SIP URI`
}

export class Initial {
  readonly input: MessageInput
  readonly request: SipRequest
  readonly #turn: Turn
  readonly #event: AppEvent
  #plan: ProxyPlan | null
  readonly #onward: Onward
  #refusal: Refusal | null = null

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

  /** It leads nowhere, as the set has to tell the caller; null = it went, or waits, or there is no room for it now. */
  get refusal(): Refusal | null {
    return this.#refusal
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

  /** It is answered in its application's name, which is told of that afterwards: what its handler did stands. */
  refuseAndTell({ status, reason }: Refusal): void {
    const id = this.openLeg()?.request ?? ''
    const record = this.#turn.get('Transaction', id)
    if (record?.kind !== 'uas') return
    const parts = reason === null ? NOTHING : { ...NOTHING, reason }
    answer(this.#turn, id, record, { ...parts, status })
    const answered = this.#turn.get('Transaction', id)
    if (answered?.kind === 'uas' && answered.answer !== null) tellLater(this.#turn, answered.answer)
    this.#turn.handledAfter(this.input.ref)
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
    if (!this.#isInvite && plan.targets.flat().length > 1)
      return `IllegalArgument: proxy: a ${this.request.method} goes to one target: only an INVITE is forked`
    const fault = changesFault(plan)
    if (fault === null) this.#plan = plan
    return fault
  }

  forward(): void {
    const { flow, ref } = this.input
    if (!this.#isInvite) {
      const [target] = this.#plan?.targets.flat() ?? []
      if (target !== undefined) return this.#relayTo(target)
      this.#turn.goOnBy(this.#visits(0))
      return handle(this.#turn, { ...this.input, message: this.#changed })
    }
    const aim = this.#aim()
    if (aim.kind === 'refuse') this.#refusal = { status: aim.status, reason: aim.reason }
    forwardInvite(this.#turn, this.request, flow, ref, aim, this.#rules)
  }

  #relayTo(target: string): void {
    const { flow, ref } = this.input
    const way = routeToContact(this.#turn, this.#changed, flow.transport, target, this.#visits(0))
    if (way.kind === 'wait') this.#turn.wait(way.place)
    else onNonInvite(this.#turn, this.#changed, flow, ref, way)
  }

  #aim(): Aim {
    const plan = this.#plan ?? OWN_ROUTE
    const isOwn = plan.targets.flat().length === 0
    // An application before this one of the chain has said where it goes.
    const isAimed = isOwn && this.#event.chain?.isAimed === true
    const targets = isAimed ? [[this.request.requestUri]] : plan.targets
    const onward = new Map(Array.from({ length: Math.max(1, targets.flat().length) }, (_, n) => [n, this.#visits(n)]))
    return aimAt(this.#turn, this.#changed, this.input.flow, { ...plan, targets }, onward)
  }

  /** First whom the router says, then where the application sends it. */
  #visits(target: number): readonly string[] {
    return [...(this.#onward.get(target) ?? []), ...(this.#plan?.routes ?? [])]
  }

  /** As the application wants it to leave. */
  get #changed(): SipRequest {
    const headers = this.#plan?.headers ?? []
    if (headers.length === 0) return this.request
    let changed = edit(this.request)
    const known = new Set<string>()
    for (const [name, value] of headers) {
      const isMore = known.has(longName(name))
      known.add(longName(name))
      if (value === null) changed = changed.remove(name)
      else changed = isMore ? changed.append(name, value) : changed.set(name, value)
    }
    const parsed = parseMessage(changed.print())
    return parsed.ok && parsed.value.kind === 'request' ? parsed.value : this.request
  }

  get #rules(): ProxyRules | null {
    const plan = this.#plan
    return plan === null ? null : { isRecursive: plan.recurse, patience: plan.timeout }
  }

  hasBegun(): boolean {
    return this.#turn.isWaiting || !this.#isInvite || inviteOfKey(this.#turn, requestKey(this.request)) !== null
  }

  refuse(status: number): void {
    const headers = status === 503 ? ([['Retry-After', String(callLimits.fullRetryAfterSeconds)]] as const) : []
    reply(this.#turn, this.request, this.input.flow, status, { headers })
    this.#turn.handled(this.input.ref)
  }
}
