// What handlers ask about other sessions than their own (app/orders.ts): from a worker to this process's replica and back. A worker may
// send anything, so it is looked at here; it is asked in the name of the worker's application, whatever it says.

import { lookupFault, orderFault } from '../app/order-shapes.ts'
import type { Lookup, LookupAnswer, Order, OrderAnswer } from '../app/orders.ts'
import type { Reply } from '../replica/effect.ts'
import type { InputBody } from '../replica/input.ts'
import { hostLimits } from './limits.ts'

export type SessionQuestion =
  | { readonly kind: 'session'; readonly lookup: Lookup }
  | { readonly kind: 'order'; readonly order: Order }
export type SessionAnswer = LookupAnswer | OrderAnswer

/** Above all ids of an admin address. */
const FIRST = 2 ** 40

export class SessionQuestions {
  readonly #give: (input: InputBody) => void
  readonly #open = new Map<number, (answer: SessionAnswer) => void>()
  #last = FIRST

  constructor(give: (input: InputBody) => void) {
    this.#give = give
  }

  /** `then` follows, at once or when the replica has answered, which it does within two seconds. */
  ask(question: SessionQuestion, then: (answer: SessionAnswer) => void): void {
    const id = ++this.#last
    this.#open.set(id, then)
    this.#give({ kind: 'admin', id, query: question })
  }

  /** False: that was no answer to any of these. */
  answered({ id, body }: Reply): boolean {
    const then = this.#open.get(id)
    this.#open.delete(id)
    then?.(body as SessionAnswer)
    return id >= FIRST
  }
}

/** The question of a worker in its application's name; or the answer, if it can't be asked. */
export function questionOf(
  question: SessionQuestion,
  { name, version }: { readonly name: string; readonly version: string },
  open: number,
): { readonly question: SessionQuestion } | { readonly answer: SessionAnswer } {
  const isFull = open >= hostLimits.applicationQuestions
  const full = `${hostLimits.applicationQuestions} questions of ${name} about sessions wait already`
  if (question.kind === 'session') {
    const fault = isFull ? full : lookupFault(question.lookup)
    return fault === null
      ? { question: { kind: 'session', lookup: { ...question.lookup, application: name } } }
      : { answer: { kind: 'unknown', reason: fault } }
  }
  const fault = isFull ? full : orderFault(question.order)
  return fault === null
    ? { question: { kind: 'order', order: { ...question.order, application: name, version } } }
    : { answer: { kind: 'refused', reason: fault, again: isFull, isOpen: false } }
}
