// What an owner asked of a store, and what it was answered: a history is a list of these.

import { unreachable } from '../../src/base/assert.ts'
import { OutcomeUnknown } from './versioned-store.ts'
import type { AsyncVersionedStore, Awaitable, Versioned } from './versioned-store.ts'

/** A question to a store. `request` names a write: the same name again is a replay, not a second write. */
export type Question =
  | { readonly kind: 'get'; readonly session: string }
  | { readonly kind: 'put'; readonly session: string; readonly value: string; readonly request: string }
  | {
      readonly kind: 'compareAndPut'
      readonly session: string
      readonly expected: number
      readonly value: string
      readonly request: string
    }
  | { readonly kind: 'delete'; readonly session: string; readonly expected: number; readonly request: string }

/** As the store's method of that name answers. */
export type Answer = Versioned | number | boolean | null

export type Operation = Question & {
  readonly owner: string
  /** When it was asked and when it was answered: any clock that all owners share; only compared. `returned` is null if the
   * outcome is unknown: then it took effect once, at any time after `called`, or never. */
  readonly called: number
  readonly returned: number | null
  /** Meaningless while the outcome is unknown. */
  readonly answer: Answer
}

/** What a store that throws OutcomeUnknown has answered. */
const unknownOutcome: unique symbol = Symbol('unknown outcome')
export type Outcome = Answer | typeof unknownOutcome

/** Asks; an unknown outcome is a value, every other error is thrown on. */
export function ask(store: AsyncVersionedStore, question: Question): Awaitable<Outcome> {
  try {
    const answer = put(store, question)
    return isLater(answer) ? answer.then((value): Outcome => value, outcomeOf) : answer
  } catch (error) {
    return outcomeOf(error)
  }
}

function put(store: AsyncVersionedStore, question: Question): Awaitable<Answer> {
  switch (question.kind) {
    case 'get':
      return store.get(question.session)
    case 'put':
      return store.put(question.session, question.value, question.request)
    case 'compareAndPut':
      return store.compareAndPut(question.session, question.expected, question.value, question.request)
    case 'delete':
      return store.delete(question.session, question.expected, question.request)
    default:
      return unreachable(question)
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof OutcomeUnknown) return unknownOutcome
  throw error
}

export function isLater<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** The operation that a question and its outcome make. Throws if the answer is of the wrong kind. */
export function operationOf(
  owner: string,
  question: Question,
  called: number,
  returned: number,
  outcome: Outcome,
): Operation {
  if (outcome === unknownOutcome) return { ...question, owner, called, returned: null, answer: null }
  if (!fits(question, outcome)) {
    throw new TypeError(`${question.kind} answered ${JSON.stringify(outcome)}; it should be ${shapes[question.kind]}`)
  }
  return { ...question, owner, called, returned, answer: outcome }
}

const shapes = {
  get: '{ version, value }, or null for no session',
  put: 'the new version, an integer from 1',
  compareAndPut: 'the new version, an integer from 1, or null for refused',
  delete: 'true, or false for refused',
} as const

function fits({ kind }: Question, answer: Answer | undefined): boolean {
  const isVersion = (version: unknown): boolean => Number.isSafeInteger(version) && (version as number) > 0
  if (kind === 'delete') return typeof answer === 'boolean'
  if (kind === 'put' || (kind === 'compareAndPut' && answer !== null)) return isVersion(answer)
  if (answer === null) return true
  return typeof answer === 'object' && typeof answer.value === 'string' && isVersion(answer.version)
}

/** The version that a write was given, or a get has shown; null = refused, unknown, no session, or a delete. */
export function versionOf({ returned, answer }: Operation): number | null {
  if (returned === null) return null
  if (typeof answer === 'number') return answer
  return typeof answer === 'object' ? (answer?.version ?? null) : null
}

export function isAccepted(operation: Operation): boolean {
  return (
    operation.returned !== null && operation.kind !== 'get' && operation.answer !== null && operation.answer !== false
  )
}

/** `A2 (compareAndPut on version 1) became version 2`. */
export function tell(operation: Operation): string {
  const { kind, owner, answer } = operation
  if (kind === 'get') {
    const shown = answer as Versioned | null
    return `${owner} was shown ${shown === null ? 'no session' : `${shown.value} at version ${shown.version}`}`
  }
  const what = kind === 'put' ? 'put' : `${kind} on version ${operation.expected}`
  const name = `${operation.request} (${what})`
  if (operation.returned === null) return `${name} has an unknown outcome`
  if (!isAccepted(operation)) return `${name} was refused`
  return kind === 'delete' ? `${name} deleted it` : `${name} became version ${String(answer)}`
}
