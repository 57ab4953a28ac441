// ServletTimer and TimerService (JSR 289 9).

import { plus } from '../base/instant.ts'
import { appLimits } from '../app/limits.ts'
import type { AttributeValue, ServletTimerView } from '../app/contract.ts'
import type { ServletTimer, SipApplicationSession, TimerService } from './api.ts'
import type { ApplicationSession } from './application-session.ts'
import { frozenCopy, handOut, keptCopy } from './attribute.ts'
import { durationOf } from './duration.ts'
import { illegal } from './illegal-state.ts'
import type { HandlerTurn } from './handler-turn.ts'

export class Timer implements ServletTimer {
  readonly applicationSession: ApplicationSession
  readonly #turn: HandlerTurn
  readonly #view: ServletTimerView
  #isCancelled = false

  constructor(turn: HandlerTurn, applicationSession: ApplicationSession, view: ServletTimerView) {
    this.#turn = turn
    this.applicationSession = applicationSession
    this.#view = { ...view, info: frozenCopy(view.info, 'the info of a timer') }
  }

  get id(): string {
    return this.#view.id
  }

  get info(): AttributeValue {
    return handOut(this.#view.info)
  }

  get isPersistent(): boolean {
    return this.#view.isPersistent
  }

  get period(): number | null {
    return this.#view.period === null ? null : this.#view.period / 1_000
  }

  get scheduledExecutionTime(): number {
    const { call } = this.#turn
    return (this.#isFiring && call.due !== null ? call.due : this.#view.due) / 1_000
  }

  get timeRemaining(): number {
    return (this.#view.due - this.#turn.call.now) / 1_000
  }

  cancel(): void {
    this.applicationSession.check()
    this.#turn.checkOpen()
    if (this.#isCancelled) return
    this.#isCancelled = true
    // Of one that fires once and is firing, nothing is left that could be cancelled.
    if (this.#isOver) return
    this.#turn.record({ kind: 'cancel-timer', id: this.id })
  }

  /** It may fire again. */
  get isActive(): boolean {
    return !this.#isCancelled && !this.#isOver
  }

  get isShown(): boolean {
    return !this.#isCancelled
  }

  /** It fires for the last time. */
  get #isOver(): boolean {
    return this.#isFiring && this.#view.period === null
  }

  get #isFiring(): boolean {
    const { handler, subject } = this.#turn.call
    return handler === 'timeout' && subject === this.id
  }
}

export function timerService(turn: HandlerTurn): TimerService {
  function create(
    delay: number,
    repeat: { readonly period: number; readonly isFixedDelay: boolean } | null,
    isPersistent: boolean,
    info: AttributeValue = null,
  ): Timer {
    const { applicationSession } = turn
    const after = durationOf(delay, 'the delay of a timer is in milliseconds')
    const period = repeat === null ? null : durationOf(repeat.period, 'the period of a timer is in milliseconds')
    if (period !== null && period < appLimits.leastPeriod) {
      throw new TypeError(
        `the period of a timer is at least ${appLimits.leastPeriod / 1_000} ms; without one it fires once`,
      )
    }
    if (applicationSession.timers.length >= appLimits.timers) {
      illegal(
        `an application session has at most ${appLimits.timers} timers: cancel some, or let one timer do for several`,
      )
    }
    if (typeof isPersistent !== 'boolean') {
      throw new TypeError(
        'createTimer takes (session, delay, isPersistent, info) or (session, delay, period, fixedDelay, isPersistent, info)',
      )
    }
    const timer = {
      id: turn.newTimerId(),
      period,
      isFixedDelay: repeat?.isFixedDelay ?? false,
      isPersistent,
      info: keptCopy(info, 'the info of a timer'),
    }
    turn.record({ kind: 'create-timer', timer: { ...timer, after } })
    const made = new Timer(turn, applicationSession, { ...timer, due: plus(turn.call.now, after) })
    applicationSession.addTimer(made)
    return made
  }

  return {
    createTimer(
      session: SipApplicationSession,
      delay: number,
      periodOrPersistent: number | boolean,
      fixedDelayOrInfo?: AttributeValue,
      isPersistent?: boolean,
      info?: AttributeValue,
    ): ServletTimer {
      checkOwn(turn, session)
      if (typeof periodOrPersistent !== 'number') return create(delay, null, periodOrPersistent, fixedDelayOrInfo)
      const repeat = { period: periodOrPersistent, isFixedDelay: fixedDelayOrInfo === true }
      return create(delay, repeat, isPersistent as boolean, info)
    },
  }
}

/** A turn changes one application session. */
export function checkOwn(turn: HandlerTurn, session: SipApplicationSession): void {
  if (session !== turn.applicationSession) {
    throw new TypeError(
      'a handler changes the application session that it was called for, in the turn that it was called for: take it from the request, the timer or the session that the handler was given',
    )
  }
  turn.applicationSession.check()
}
