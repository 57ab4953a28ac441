// What an attribute may hold (and a timer's info), checked when it is set: what the log can not keep is refused where the
// mistake is, not in a commit later. Values are copied on the way in and frozen, so that nobody changes one in place and
// wonders why the change is not replicated.

import type { AttributeValue } from '../app/contract.ts'
import { appLimits } from '../app/limits.ts'
import { packValue } from '../app/packed.ts'

declare const held: unique symbol

/** The name of an attribute that says what it holds. */
export type AttributeName<T extends AttributeValue> = string & { readonly [held]?: (value: T) => T }

/** A name to set and get an attribute by, so that the compiler knows its type: `const credit = attribute<number>('credit')`. */
export function attribute<T extends AttributeValue>(name: string): AttributeName<T> {
  return name as AttributeName<T>
}

/** A frozen copy of what the log can keep. Throws a TypeError that says why it can't. */
export function keptCopy(value: unknown, what: string): AttributeValue {
  const copy = frozenCopy(value, what)
  const packed = packValue(copy)
  if (!packed.ok) throw new TypeError(`${what}: ${packed.error}`)
  return copy
}

/** A frozen copy. Throws a TypeError that says where it is none of an attribute's types. */
export function frozenCopy(value: unknown, what: string, depth = 0): AttributeValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${what} is ${value}: use null, or a string`)
    return value
  }
  if (value instanceof Uint8Array) return value.slice()
  if (typeof value !== 'object') {
    throw new TypeError(
      `${what} is ${nameOf(value)}: attributes hold null, booleans, numbers, strings, bytes, arrays and plain objects`,
    )
  }
  if (depth === appLimits.depth) {
    throw new TypeError(`${what} is nested more than ${appLimits.depth} deep, or contains itself`)
  }
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item: unknown, i) => frozenCopy(item, `${what}[${i}]`, depth + 1)))
  }
  const kind: unknown = Object.getPrototypeOf(value)
  if (kind !== Object.prototype && kind !== null) {
    throw new TypeError(`${what} is ${nameOf(value)}: keep its fields as a plain object, or its text`)
  }
  const fields = Object.entries(value).map(
    ([name, field]: [string, unknown]) => [name, frozenCopy(field, `${what}.${name}`, depth + 1)] as const,
  )
  return Object.freeze(Object.fromEntries(fields))
}

/** What was kept, frozen; bytes can't be, so each caller gets its own. */
export function handOut(value: AttributeValue): AttributeValue {
  return value instanceof Uint8Array ? value.slice() : value
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  return `a ${(value.constructor as { readonly name?: string } | undefined)?.name ?? 'object'}`
}

/** About how many bytes a value takes on its way. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 4
  if (value instanceof Uint8Array) return value.length + 4
  if (Array.isArray(value)) return value.reduce((sum: number, item: unknown) => sum + sizeOf(item), 4)
  if (typeof value !== 'object' || value === null) return 8
  return Object.entries(value).reduce(
    (sum, [name, field]: [string, unknown]) => sum + name.length + 4 + sizeOf(field),
    4,
  )
}
