// What applications keep (attributes, a timer's info) as bytes. It comes from somebody else's code: what JSON can say, and byte strings,
// within bounds; anything else gets a reason that says where it is and what would be right.

import { must } from '../base/assert.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { pack, unpack } from '../wire/pack.ts'
import type { AttributeValue } from './contract.ts'
import { appLimits } from './limits.ts'

/** Its bytes; or why there are none. */
export function packValue(value: unknown): Result<Uint8Array, string> {
  const fault = faultOf(value, '', 0, { left: appLimits.attributeBytes })
  if (fault !== null) return err(fault)
  const bytes = pack(value)
  return bytes.length > appLimits.attributeBytes ? err(tooLarge()) : ok(bytes)
}

/** What `packValue` packed. */
export function unpackValue(bytes: Uint8Array): AttributeValue {
  const unpacked = unpack(bytes)
  return must(
    unpacked.ok ? (unpacked as { readonly value: AttributeValue }) : null,
    'an attribute that can not be unpacked',
  ).value
}

/** The bytes of null. */
const PACKED_NULL = 0xc0

export function packedNull(): Uint8Array {
  return Uint8Array.of(PACKED_NULL)
}

/** A value packs to a byte for each of its parts, at least: what is wider than its bytes may be isn't walked to its end. */
interface Budget {
  left: number
}

function faultOf(value: unknown, path: string, depth: number, budget: Budget): string | null {
  budget.left -= 1
  if (budget.left < 0) return tooLarge()
  if (value === null || typeof value === 'boolean') return null
  if (typeof value === 'number')
    return Number.isFinite(value) ? null : `it has ${value}${at(path)}: use a finite number`
  if (typeof value === 'string') return textFault(value, path, budget)
  if (value instanceof Uint8Array) {
    budget.left -= value.length
    return budget.left < 0 ? tooLarge() : null
  }
  if (typeof value !== 'object') return `it has a value of type ${typeof value}${at(path)}: ${RIGHT}`
  if (depth === appLimits.depth) return `it is nested more than ${appLimits.depth} deep: keep it flatter`
  if (Array.isArray(value)) {
    if (value.length > budget.left) return tooLarge()
    return partsFault(
      Array.from(value, (part, i) => [`[${i}]`, part] as const),
      path,
      depth,
      budget,
    )
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `it has an object of a class${at(path)}: ${RIGHT}`
  const parts = Object.entries(value)
  if (parts.length > budget.left) return tooLarge()
  for (const [key] of parts) {
    const fault = key.startsWith('__proto__')
      ? `it has a key ${key}${at(path)}: name it otherwise`
      : textFault(key, path, budget)
    if (fault !== null) return fault
  }
  return partsFault(
    parts.map(([key, part]) => [`.${key}`, part] as const),
    path,
    depth,
    budget,
  )
}

const RIGHT = 'use null, booleans, numbers, strings, Uint8Arrays, lists and plain objects'

function partsFault(
  parts: readonly (readonly [name: string, part: unknown])[],
  path: string,
  depth: number,
  budget: Budget,
): string | null {
  for (const [name, part] of parts) {
    const fault = faultOf(part, path + name, depth + 1, budget)
    if (fault !== null) return fault
  }
  return null
}

function textFault(text: string, path: string, budget: Budget): string | null {
  budget.left -= text.length
  if (budget.left < 0) return tooLarge()
  return /\p{Surrogate}/u.test(text) ? `it has half a character${at(path)}: use well-formed Unicode` : null
}

function at(path: string): string {
  return path === '' ? '' : ` at ${path}`
}

function tooLarge(): string {
  return `it has more than ${appLimits.attributeBytes} bytes: keep what is large elsewhere, and its name here`
}
