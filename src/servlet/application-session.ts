// SipApplicationSession (JSR 289 6.1), as a handler's turn sees and changes it.

import { must } from '../base/assert.ts'
import { stamp } from '../base/instant.ts'
import type { AttributeValue, SessionView } from '../app/contract.ts'
import type { SipApplicationSession } from './api.ts'
import { AttributeMap } from './attributes.ts'
import { durationOf } from './duration.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import { Session } from './session.ts'
import { Timer } from './timer.ts'

const MINUTE = 60_000

export class ApplicationSession implements SipApplicationSession {
  readonly kind = 'application'
  readonly #turn: HandlerTurn
  readonly #view: SessionView
  readonly #attributes: AttributeMap
  readonly #sessions = new Map<string, Session>()
  readonly #timers = new Map<string, Timer>()
  #expires: number | null
  #isValid: boolean
  #goesWhenReady: boolean

  constructor(turn: HandlerTurn, view: SessionView) {
    this.#turn = turn
    this.#view = view
    this.#attributes = new AttributeMap(turn, '', view.attributes)
    for (const session of view.sessions) this.#sessions.set(session.id, new Session(turn, this, session))
    for (const timer of view.timers) this.#timers.set(timer.id, new Timer(turn, this, timer))
    this.#expires = view.expires === null ? null : view.expires / 1_000
    this.#isValid = view.isValid
    this.#goesWhenReady = view.invalidateWhenReady
  }

  get id(): string {
    return this.#view.id
  }

  get applicationName(): string {
    return this.#turn.call.application
  }

  get key(): string | null {
    return this.#view.key
  }

  get creationTime(): number {
    return this.#view.created / 1_000
  }

  get lastAccessedTime(): number {
    return this.#view.lastAccessed / 1_000
  }

  get expirationTime(): number | null {
    this.check()
    return this.#expires
  }

  setExpires(minutes: number): void {
    this.check()
    const after = durationOf(minutes * MINUTE, 'setExpires takes minutes, 0 = never')
    this.#turn.record({ kind: 'set-expires', after: after === 0 ? null : after })
    this.#expires = after === 0 ? null : stamp(this.#turn.call.now + after) / 1_000
  }

  get isValid(): boolean {
    return this.#isValid
  }

  get isReadyToInvalidate(): boolean {
    if (!this.#isValid) return false
    const { sessions } = this
    return (
      sessions.every((session) => session.isReadyToInvalidate) && [...this.#timers.values()].every((t) => !t.isActive)
    )
  }

  get invalidateWhenReady(): boolean {
    this.check()
    return this.#goesWhenReady
  }

  set invalidateWhenReady(value: boolean) {
    this.check()
    this.#turn.record({ kind: 'set-invalidate-when-ready', of: '', value })
    this.#goesWhenReady = value
  }

  invalidate(): void {
    this.check()
    this.#turn.record({ kind: 'invalidate', of: '' })
    this.#isValid = false
  }

  get sessions(): readonly Session[] {
    this.check()
    return [...this.#sessions.values()].filter(({ isValid }) => isValid)
  }

  getSipSession(id: string): Session | null {
    this.check()
    const session = this.#sessions.get(id)
    return session?.isValid === true ? session : null
  }

  get timers(): readonly Timer[] {
    this.check()
    return [...this.#timers.values()].filter(({ isShown }) => isShown)
  }

  getTimer(id: string): Timer | null {
    this.check()
    const timer = this.#timers.get(id)
    return timer?.isShown === true ? timer : null
  }

  getAttribute(name: string): AttributeValue | undefined {
    this.check()
    return this.#attributes.get(name)
  }

  setAttribute(name: string, value: AttributeValue): void {
    this.check()
    this.#attributes.set(name, value)
  }

  removeAttribute(name: string): void {
    this.check()
    this.#attributes.remove(name)
  }

  get attributeNames(): readonly string[] {
    this.check()
    return this.#attributes.names
  }

  get version(): number {
    return this.#view.version
  }

  expectVersion(version: number): void {
    this.check()
    this.#turn.record({ kind: 'expect-version', of: '', version })
  }

  /** Throws once it is invalidated. */
  check(): void {
    if (!this.#isValid) {
      illegal(
        'this SipApplicationSession is invalidated: nothing can be read or changed any more; read what is still needed before invalidate()',
      )
    }
  }

  /** For the turn: also one that is not valid any more. */
  find(id: string): Session | null {
    return this.#sessions.get(id) ?? null
  }

  firedTimer(id: string): Timer {
    return must(this.#timers.get(id), 'the timer that fired is in the view')
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session)
  }

  addTimer(timer: Timer): void {
    this.#timers.set(timer.id, timer)
  }
}
