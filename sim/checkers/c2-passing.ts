// C2 on the way in (design.md 3, passing on): a keeper forgets an input only when what it causes is committed, each input is
// handled in the end, and nobody judges by an older view than whoever passed it to him.

import { groupKey } from '../../src/base/brand.ts'
import type { GroupKey, Life } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { EntityValue } from '../../src/call/entities.ts'
import type { InviteRecord } from '../../src/transaction/record.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Serving } from '../../src/store/view.ts'
import { decodeFrame } from '../../src/wire/codec.ts'
import type { Commit } from '../../src/wire/entry.ts'
import type { Frame, HandledFrame, PassFrame } from '../../src/wire/frame.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Machine } from '../machine.ts'
import { branchOf, callIdOf, cseqOf, listOf, readMessage, topVia } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

/** The keeper gives up after 32 s. */
const handledWithin = 28_000_000
/** An owner without a quorum handles nothing. */
const excusingOutage = 5_000_000

interface Passed {
  readonly keeper: Life
  readonly data: string
  readonly at: number
  /** The oldest view by which it was passed, by the number of hops. */
  readonly judged: Map<number, number>
}

interface CommittedInvite {
  final: boolean
  cancelled: boolean
}

export class PassingOn implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #outage: (from: number, until: number) => number
  /** Inputs that were passed on and are kept. */
  readonly #passed = new Map<string, Passed>()
  /** Those that were handled, as their keepers were told: one that hasn't heard it yet may pass its input on once more. */
  readonly #handled = new Set<string>()
  /** By the branch that came from upstream. */
  readonly #invites = new Map<string, CommittedInvite>()
  /** By our branch. */
  readonly #hops = new Map<string, InviteRecord['branches'][number]['state']>()
  /** Whether the call's dialog has ended, by group and Call-ID: each application of a chain has its own. */
  readonly #dialogs = new Map<string, 'confirmed' | 'ended'>()
  /** By branch, and by Call-ID once there is a dialog. */
  readonly #groups = new Map<string, GroupKey>()
  readonly #reigns: { readonly serving: Serving; readonly at: number }[] = []
  /** INVITEs that we refused, which keeps no state. */
  readonly #refused = new Set<string>()

  /** Names have several places: a 503 of one is no answer (RFC 3263 4.3). Whoever keeps the BYE itself keeps it on. */
  readonly #hasPlaces: boolean

  constructor(report: Report, now: () => number, outage: (from: number, until: number) => number, hasPlaces: boolean) {
    this.#hasPlaces = hasPlaces
    this.#report = report
    this.#now = now
    this.#outage = outage
  }

  /** A commit was accepted in the log. */
  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value?.kind === 'dialog') this.#groups.set(value.callId, commit.group)
      if (value?.kind === 'dialog' && value.state !== 'early')
        this.#dialogs.set(`${commit.group} ${value.callId}`, value.state)
      this.#ofLeg(commit.group, value)
      if (value?.kind !== 'invite') continue
      const final = value.state !== 'proceeding'
      const upstream = value.key.slice(value.key.indexOf(' ') + 1)
      this.#groups.set(upstream, commit.group)
      this.#invites.set(upstream, { final, cancelled: value.cancelled })
      for (const { branch, state } of value.branches) {
        this.#groups.set(branch, commit.group)
        this.#hops.set(branch, state)
      }
    }
  }

  /** An application's call (src/app/legs.ts). */
  #ofLeg(group: GroupKey, value: EntityValue): void {
    if (value.kind === 'leg') {
      this.#groups.set(value.callId, group)
      if (value.state === 'confirmed' || value.state === 'ended')
        this.#dialogs.set(`${group} ${value.callId}`, value.state)
    } else if (value.kind === 'uas') {
      const isOver = value.state !== 'open'
      const upstream = value.key.slice(value.key.indexOf(' ') + 1)
      this.#groups.set(upstream, group)
      this.#invites.set(upstream, { final: isOver, cancelled: isOver })
    } else if (value.kind === 'uac' && value.method === 'INVITE') {
      this.#groups.set(value.branch, group)
      this.#hops.set(value.branch, value.state)
    }
  }

  /** A serving entry was committed. */
  reign(after: Serving): void {
    this.#reigns.push({ serving: after, at: this.#now() })
  }

  died(machine: Machine): void {
    for (const [id, { keeper }] of this.#passed) if (keeper === machine.life) this.#passed.delete(id)
  }

  leaving(_machine: Machine, effect: Effect): void {
    if (effect.kind === 'send') this.#answers(effect.data)
  }

  #answers(data: string): void {
    if (!/^SIP\/2\.0 [3-6]/.test(data)) return
    const message = readMessage(data)
    if (typeof message !== 'string' && cseqOf(message).method === 'INVITE') this.#refused.add(branchOf(message))
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    // By way of the replica that holds the stream.
    if (frame.kind === 'egress') this.#answers(frame.data)
    if (frame.kind === 'pass') this.#passes(machine, frame)
    // It is another group's: its keeper gives it to that one's owner.
    else if (frame.kind === 'passed-on') this.#passed.delete(frame.id)
    else if (frame.kind === 'handled' && frame.outcome === 'handled') this.#tells(machine, frame)
    else if (frame.kind === 'relay' && frame.from === machine.life) {
      const inner = decodeFrame(frame.frame)
      if (inner.ok && inner.value.kind !== 'relay') this.frameLeaving(machine, inner.value)
    }
  }

  /** To be called every now and then. */
  look(): void {
    for (const [id, { data, at, keeper }] of this.#passed) {
      if (this.#now() - at < handledWithin) continue
      this.#passed.delete(id)
      const message = readMessage(data)
      const group = this.#groupOf(message)
      if (typeof message === 'string' || group === null || this.#wasOwner(keeper, group, at)) continue
      if (awaitsFinal(message) || this.#outage(at, this.#now()) > excusingOutage) continue
      this.#report('C2', `${nameMessage(message)}, which ${keeper} passed on, was not handled in 28 s`)
    }
  }

  /** Whether the keeper has owned the group since then: what is its own it handles unseen. */
  #wasOwner(keeper: Life, group: GroupKey, since: number): boolean {
    for (let i = this.#reigns.length - 1; i >= 0; i--) {
      const { serving, at } = this.#reigns[i] as { readonly serving: Serving; readonly at: number }
      if (ownerUnder(serving, group) === keeper) return true
      if (at <= since) return false
    }
    return false
  }

  #groupOf(message: Message | string): GroupKey | null {
    if (typeof message === 'string') return null
    // One call may have several: each application of a chain has its own (decision 0037).
    const own = message.kind === 'response' ? topVia(message) : (listOf(message, 'route')[0] ?? '')
    const named = /;hf=\d+?([0-9a-f]{16})[0-9a-f]{16}(?![0-9a-f])/.exec(own)?.[1]
    if (named !== undefined) return groupKey(named)
    return this.#groups.get(branchOf(message)) ?? this.#groups.get(callIdOf(message)) ?? null
  }

  #passes(machine: Machine, { id, keeper, data, hops, judged }: PassFrame): void {
    const passed = this.#passed.get(id) ?? { keeper, data, at: this.#now(), judged: new Map<number, number>() }
    if (hops === 1 && !this.#handled.has(id)) this.#passed.set(id, passed)
    passed.judged.set(hops, Math.min(judged, passed.judged.get(hops) ?? judged))
    const before = passed.judged.get(hops - 1)
    if (before === undefined || judged >= before) return
    this.#report(
      'C8',
      `replica ${machine.id} judges what was passed to it by serving entry ${judged}, its sender by ${before}`,
    )
  }

  #tells(machine: Machine, { ids }: HandledFrame): void {
    for (const id of ids) {
      const passed = this.#passed.get(id)
      this.#handled.add(id)
      if (passed === undefined) continue
      this.#passed.delete(id)
      const message = readMessage(passed.data)
      if (typeof message === 'string') continue
      const wrong = message.kind === 'request' ? this.#openRequest(message) : this.#openResponse(message)
      if (wrong !== null)
        this.#report('C2', `replica ${machine.id} has handled ${nameMessage(message)} although ${wrong}`)
    }
  }

  #openRequest(message: RequestMessage): string | null {
    const known = this.#invites.get(branchOf(message))
    if (message.method === 'INVITE') {
      return known === undefined && !this.#refused.has(branchOf(message)) ? 'it is not committed' : null
    }
    if (message.method !== 'CANCEL' || known === undefined) return null
    return known.cancelled || known.final ? null : 'it is not committed'
  }

  #openResponse(message: ResponseMessage): string | null {
    const { method } = cseqOf(message)
    if (method === 'INVITE') {
      const state = this.#hops.get(branchOf(message))
      if (state === 'calling') return 'no answer is committed'
      return state === 'proceeding' && message.status >= 200 ? 'no final is committed' : null
    }
    // 401 and 407 end nothing.
    if (this.#hasPlaces && message.status === 503) return null
    const ends = method === 'BYE' && message.status >= 200 && message.status !== 401 && message.status !== 407
    const dialog = `${this.#groupOf(message) ?? ''} ${callIdOf(message)}`
    return ends && this.#dialogs.get(dialog) === 'confirmed' ? 'the end of the call is not committed' : null
  }
}

/** Kept until the far side has answered, which it need not. */
function awaitsFinal(message: Message): boolean {
  return (
    message.kind === 'request' && message.method !== 'INVITE' && message.method !== 'ACK' && message.method !== 'CANCEL'
  )
}
