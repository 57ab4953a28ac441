// Application sessions besides the one that a handler runs for (JSR 289 15.11.2, SipSessionsUtil, SipFactory), from whatever replica it runs
// at: found by id or key, begun, and changed. A turn is one commit of one group, and another session is another group: what `update` does is
// a commit of its own, an order to that session's owner (app/orders.ts), made when it resolves and not when the handler ends.
//
//   update(change) --> change runs on the newest view --> order, expecting all its versions --done--> the session as it is then
//                          ^------------- conflict: what there is now ------------'   (at most `servletLimits.updates` times)
//
// Nothing here waits: what is given back is what the ports gave, with what follows.

import type { AppCall, Op, SessionView } from '../app/contract.ts'
import type { Lookup, LookupAnswer, Order, OrderAnswer, OrderTarget } from '../app/orders.ts'
import type { FoundSession, HandlerContext, SipApplicationSession, SipSessionsUtil } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { UnavailableError, illegal } from './illegal-state.ts'
import { servletLimits } from './limits.ts'

/** The way to the replica. */
export interface SessionPorts {
  look(lookup: Lookup): PromiseLike<LookupAnswer>
  order(order: Order): PromiseLike<OrderAnswer>
}

/** Said where a handler runs without a replica. */
export const noPorts: SessionPorts = {
  look: () => illegal('other sessions can be looked for only in a running set: here the handler runs by itself'),
  order: () => illegal('other sessions can be changed only in a running set: here the handler runs by itself'),
}

type Change = (session: SipApplicationSession, context: HandlerContext) => unknown
/** A turn by itself, on what another session has. */
type MakeTurn = (call: AppCall) => HandlerTurn

export function sessionsUtil(turn: HandlerTurn, ports: SessionPorts, make: MakeTurn): SipSessionsUtil {
  const { call } = turn
  const { application } = call
  const found = (view: SessionView | null): FoundSession | null =>
    view === null ? null : new Found(turn, ports, make, view)
  const look = (target: Lookup['target']): PromiseLike<FoundSession | null> => {
    turn.checkOpen()
    return ports.look({ application, target, atLeast: null }).then((answer) => {
      if (answer.kind === 'unknown') throw new UnavailableError(`the session can't be looked up now: ${answer.reason}`)
      return found(answer.view)
    })
  }
  const begin = (target: OrderTarget): PromiseLike<FoundSession> => {
    turn.checkOpen()
    return ports.order({ application, version: call.version, target, ops: [] }).then((answer) => {
      const one = answer.kind === 'done' ? found(answer.view) : null
      if (one !== null) return one
      const reason = 'reason' in answer ? answer.reason : 'it has ended at once'
      throw refusal(answer, `the session can't be begun now: ${reason}`)
    })
  }
  function byKey(key: string, create: true): PromiseLike<FoundSession>
  function byKey(key: string, create?: boolean): PromiseLike<FoundSession | null>
  function byKey(key: string, create = false): PromiseLike<FoundSession | null> {
    return create ? begin({ kind: 'key', key, create }) : look({ kind: 'key', key })
  }
  return {
    getApplicationSessionById: (id) => look({ kind: 'id', id }),
    getApplicationSessionByKey: byKey,
    createApplicationSession: () => begin({ kind: 'new' }),
  }
}

class Found implements FoundSession {
  readonly session: SipApplicationSession
  readonly #turn: HandlerTurn
  readonly #ports: SessionPorts
  readonly #make: MakeTurn
  readonly #view: SessionView

  constructor(turn: HandlerTurn, ports: SessionPorts, make: MakeTurn, view: SessionView) {
    this.#turn = turn
    this.#ports = ports
    this.#make = make
    this.#view = view
    const reading = make(callOf(turn.call, view))
    reading.close('this session was found, to be read: change it in its update()')
    this.session = reading.applicationSession
  }

  get id(): string {
    return this.#view.id
  }

  get version(): number {
    return this.#view.version
  }

  update(change: Change): PromiseLike<FoundSession | null> {
    this.#turn.checkOpen()
    if (this.id === this.#turn.call.view.id)
      illegal(
        "that is the handler's own session, and would wait for itself: change applicationSession, with no update()",
      )
    return this.#try(change, this.#view, 1)
  }

  #try(change: Change, view: SessionView, times: number): PromiseLike<FoundSession | null> {
    const { call } = this.#turn
    const turn = this.#make(callOf(call, view))
    const said = change(turn.applicationSession, turn.context)
    if (typeof said === 'object' && said !== null && 'then' in said)
      illegal('what update() is given may not be async: it runs again if somebody else was faster; look before it')
    const { application, version } = call
    const target = { kind: 'id', id: view.id } as const
    const order: Order = { application, version, target, ops: [...expectationsOf(view), ...turn.finish()] }
    return this.#ports.order(order).then((answer) => this.#answered(change, answer, times))
  }

  #answered(
    change: Change,
    answer: OrderAnswer,
    times: number,
  ): FoundSession | null | PromiseLike<FoundSession | null> {
    switch (answer.kind) {
      case 'done':
        return answer.view === null ? null : new Found(this.#turn, this.#ports, this.#make, answer.view)
      case 'gone':
        return null
      case 'conflict':
        if (answer.view === null) return null
        if (times < servletLimits.updates) return this.#try(change, answer.view, times + 1)
        throw new UnavailableError(`the session can't be changed now: others were faster ${times} times; ask again`)
      case 'refused': {
        const open = answer.isOpen ? ' (it may have been done all the same: look first)' : ''
        throw refusal(answer, `the session can't be changed: ${answer.reason}${open}`)
      }
    }
  }
}

/** An order that was refused for what it asks is its application's fault, and the same the next time. */
function refusal(answer: OrderAnswer, text: string): Error {
  return answer.kind === 'refused' && !answer.again && !answer.isOpen ? new Error(text) : new UnavailableError(text)
}

/** Whatever the change may have read. */
function expectationsOf(view: SessionView): readonly Op[] {
  const of = (id: string, version: number): Op => ({ kind: 'expect-version', of: id, version })
  return [of('', view.version), ...view.sessions.map(({ id, version }) => of(id, version))]
}

function callOf(call: AppCall, view: SessionView): AppCall {
  return { ...call, message: null, subject: '', due: null, http: null, view }
}
