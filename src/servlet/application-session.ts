// SipApplicationSession (JSR 289 6.1), as a handler's turn sees and changes it.

import { must } from '../base/assert.ts'
import { stamp } from '../base/instant.ts'
import type { SessionView } from '../app/contract.ts'
import { SESSION } from '../proxy/session-token.ts'
import { uriOf, withUriParameter } from './address.ts'
import type { SipApplicationSession, URI } from './api.ts'
import { Attributed } from './attributed.ts'
import { durationOf } from './duration.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import { Session } from './session.ts'
import { Timer } from './timer.ts'

const MINUTE = 60_000

export class ApplicationSession extends Attributed implements SipApplicationSession {
  readonly kind = 'application'
  readonly #view: SessionView
  readonly #sessions = new Map<string, Session>()
  readonly #timers = new Map<string, Timer>()
  #expires: number | null
  #isValid: boolean

  constructor(turn: HandlerTurn, view: SessionView) {
    super(turn, '', view)
    this.#view = view
    for (const session of view.sessions) this.#sessions.set(session.id, new Session(turn, this, session))
    for (const timer of view.timers) this.#timers.set(timer.id, new Timer(turn, this, timer))
    this.#expires = view.expires === null ? null : view.expires / 1_000
    this.#isValid = view.isValid
  }

  get id(): string {
    return this.#view.id
  }

  get applicationName(): string {
    return this.turn.call.application
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
    this.turn.record({ kind: 'set-expires', after: after === 0 ? null : after })
    this.#expires = after === 0 ? null : stamp(this.turn.call.now + after) / 1_000
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

  invalidate(): void {
    this.check()
    this.turn.record({ kind: 'invalidate', of: '' })
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

  encodeURI(uri: URI | string): URI {
    this.check()
    return withUriParameter(uriOf(uri), SESSION, this.#view.uriToken)
  }

  /** Throws once it is invalidated. */
  check(): void {
    if (!this.#isValid) {
      illegal(
        'this SipApplicationSession is invalidated: nothing can be read or changed any more; read what is still needed before invalidate(), or in sessionReadyToInvalidate; in sessionDestroyed only its id is left',
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
