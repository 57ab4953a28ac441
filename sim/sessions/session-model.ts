// One session as the promises of versioned-store.ts have it, in words that a checker can use: given what was so, and an
// operation with its answer, what is so afterwards; or that this answer can't be.

import { unreachable } from '../../src/base/assert.ts'
import { isAccepted } from './operation.ts'
import type { Operation } from './operation.ts'
import type { Versioned } from './versioned-store.ts'

export interface SessionState {
  /** Null = there is no session. */
  readonly value: string | null
  /** 0 = there is no session; null = that of a write whose answer nobody heard: above `highest`. */
  readonly version: number | null
  /** The highest version that is known to have been given out. */
  readonly highest: number
  /** Requests that took effect, and how they were answered. */
  readonly done: ReadonlyMap<string, Operation['answer']>
}

export const noSession: SessionState = { value: null, version: 0, highest: 0, done: new Map() }

/** What is so after the operation; null = it can't have been answered like that here. One whose outcome is unknown counts as
 * carried out. */
export function after(state: SessionState, operation: Operation): SessionState | null {
  if (operation.kind === 'get') return shown(state, operation.answer as Versioned | null)
  const before = state.done.get(operation.request)
  if (before !== undefined) return answersReplay(operation, before) ? state : null
  const isKnown = operation.returned !== null
  if (isKnown && !isAccepted(operation)) return refused(state, operation)
  const version = typeof operation.answer === 'number' && isKnown ? operation.answer : null
  const done = new Map(state.done).set(operation.request, isKnown ? operation.answer : null)
  switch (operation.kind) {
    case 'put':
      return written({ ...state, done }, operation.value, version)
    case 'compareAndPut': {
      const at = isAt(state, operation.expected)
      return at && written({ ...at, done }, operation.value, version)
    }
    case 'delete': {
      const at = isAt(state, operation.expected)
      return at === null || at.value === null ? null : { ...at, value: null, version: 0, done }
    }
    default:
      return unreachable(operation)
  }
}

/** The same if the session is at this version, and what we now know of it; null = it isn't. */
function isAt(state: SessionState, version: number): SessionState | null {
  if (state.version === version) return state
  return state.version === null && version > state.highest ? { ...state, version, highest: version } : null
}

function shown(state: SessionState, answer: Versioned | null): SessionState | null {
  if (answer === null) return state.value === null ? state : null
  return state.value === answer.value ? isAt(state, answer.version) : null
}

function written(state: SessionState, value: string, version: number | null): SessionState | null {
  if (version === null) return { ...state, value, version: null }
  return version > state.highest ? { ...state, value, version, highest: version } : null
}

function refused(state: SessionState, operation: Operation): SessionState | null {
  if (operation.kind === 'get' || operation.kind === 'put') return null
  // Nobody knows the version: it may be another one.
  return state.version === operation.expected ? null : state
}

function answersReplay(operation: Operation, before: Operation['answer']): boolean {
  if (operation.returned === null || !isAccepted(operation))
    return operation.kind !== 'put' || operation.returned === null
  return before === null || operation.answer === before
}
