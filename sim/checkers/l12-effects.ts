// L12: effects are a subset of what is committed (design.md 4, the table): what waits for a commit leaves only when a quorum
// has it. Compared with the committed log itself, not with what any replica believes.

import { entityValue } from '../../src/call/entities.ts'
import type { EntityValue } from '../../src/call/entities.ts'
import type { Effect, Send } from '../../src/replica/effect.ts'
import type { Commit } from '../../src/wire/entry.ts'
import type { Machine } from '../machine.ts'
import { branchOf, cseqOf, readMessage } from '../phones/message.ts'
import type { RequestMessage, ResponseMessage } from '../phones/message.ts'
import { summary } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'

export class Effects implements Checker {
  readonly #report: Report
  /** All messages that ever were in a commit, as bytes. */
  readonly #texts = new Set<string>()
  /** INVITEs, by group and upstream branch: known, and what was decided of them. */
  readonly #invites = new Map<string, { accepted: boolean; final: boolean; cancelled: boolean }>()
  /** Branches of ours that ended by our own decision: a failure that comes later is acknowledged without a commit. */
  readonly #givenUp = new Set<string>()
  /** Groups with a dialog that has ended: the final of a BYE that crosses another one ends nothing more. */
  readonly #ended = new Set<string>()
  /** Groups that ever had an answered dialog: a BYE of a call that the set knows nothing of ends nothing there. */
  readonly #answered = new Set<string>()

  constructor(report: Report) {
    this.#report = report
  }

  /** A commit was accepted in the log. */
  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value === null) continue
      if (value.kind === 'dialog' && value.state === 'ended') this.#ended.add(commit.group)
      if (value.kind === 'dialog' && value.state === 'confirmed') this.#answered.add(commit.group)
      if (value.kind === 'request') this.#texts.add(value.text)
      if (value.kind === 'bye') this.#texts.add(value.final)
      if (value.kind === 'own') this.#texts.add(value.text)
      this.#ofLeg(commit.group, value)
      if (value.kind !== 'invite') continue
      const key = `${commit.group} ${value.key.slice(value.key.indexOf(' ') + 1)}`
      const known = this.#invites.get(key) ?? { accepted: false, final: false, cancelled: false }
      known.accepted ||= value.state === 'accepted'
      known.final ||= value.state !== 'proceeding'
      known.cancelled ||= value.cancelled
      this.#invites.set(key, known)
      if (value.final !== null) this.#texts.add(value.final)
      for (const { branch, state, ack, cancel } of value.branches) {
        if (ack !== null) this.#texts.add(ack)
        if (cancel !== null) this.#texts.add(cancel)
        if (state === 'terminated') this.#givenUp.add(branch)
      }
    }
  }

  #ofLeg(group: string, value: EntityValue): void {
    if (value.kind === 'leg') {
      if (value.state === 'ended') this.#ended.add(group)
      if (value.ack !== null) this.#texts.add(value.ack.text)
    } else if (value.kind === 'uac') {
      for (const text of [value.ack, value.cancel]) if (text !== null) this.#texts.add(text)
      if (value.state === 'terminated') this.#givenUp.add(value.branch)
    } else if (value.kind === 'uas') {
      if (value.answer !== null) this.#texts.add(value.answer)
      const key = `${group} ${value.key.slice(value.key.indexOf(' ') + 1)}`
      const isOver = value.state !== 'open'
      this.#invites.set(key, { accepted: isOver, final: isOver, cancelled: isOver })
    }
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send' || effect.origin === null) return
    // What the call room does not track is relayed without state; but for its own answers to a CANCEL.
    if (effect.origin.what === 'untracked' && !isCancelAnswer(effect.data)) return
    const wrong = this.#wrong(effect, effect.origin)
    if (wrong === null) return
    this.#report('L12', `replica ${machine.id} sends ${summary(effect.data)} although ${wrong}`)
  }

  #wrong(send: Send, origin: NonNullable<Send['origin']>): string | null {
    const message = readMessage(send.data)
    if (typeof message === 'string') return message
    const isLegs = /^(?:uas|uac|leg-ack) /.test(origin.what) && !this.#givenUp.has(branchOf(message))
    if (isLegs && !send.data.startsWith('SIP/2.0 100 '))
      return this.#texts.has(send.data) ? null : 'no commit has these bytes'
    if (message.kind === 'request') return this.#wrongRequest(message, send.data, origin.what)
    const { method } = cseqOf(message)
    if (method === 'INVITE') return this.#wrongAnswer(message, send.data, origin.group)
    if (method === 'CANCEL') return this.#wrongCancelAnswer(message, origin.group)
    // The final of a BYE commits the end; 401 and 407 don't.
    const ends = method === 'BYE' && message.status >= 200 && message.status !== 401 && message.status !== 407
    return ends && !this.#texts.has(send.data) && this.#answered.has(origin.group) && !this.#ended.has(origin.group)
      ? 'the end of the call is not committed'
      : null
  }

  #wrongRequest(message: RequestMessage, data: string, what: string): string | null {
    if (message.method === 'INVITE' || message.method === 'CANCEL' || what.startsWith('own ')) {
      return this.#texts.has(data) ? null : 'no commit has these bytes'
    }
    if (!what.startsWith('ack ') || this.#givenUp.has(branchOf(message))) return null
    return this.#texts.has(data) ? null : 'the failure that it acknowledges is not committed'
  }

  #wrongAnswer(message: ResponseMessage, data: string, group: string): string | null {
    const known = this.#invites.get(`${group} ${branchOf(message)}`)
    if (known === undefined) return 'its INVITE is not committed'
    if (message.status >= 300) return this.#texts.has(data) ? null : 'this final is not committed'
    return message.status >= 200 && !known.accepted ? 'this answer is not committed' : null
  }

  #wrongCancelAnswer(message: ResponseMessage, group: string): string | null {
    const known = this.#invites.get(`${group} ${branchOf(message)}`)
    // An unknown INVITE's is relayed, not given.
    if (known === undefined || message.status >= 300) return null
    return !known.cancelled && !known.final ? 'the CANCEL is not committed' : null
  }
}

function isCancelAnswer(data: string): boolean {
  return data.startsWith('SIP/2.0 ') && /\r\nCSeq:[ \t]*[0-9]+[ \t]+CANCEL\r\n/i.test(data)
}
