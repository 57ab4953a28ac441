// Entities are kept as short tuples: no field names in the log. The first element is the tuple's shape number, so that a
// later version of the code can tell what it reads.

import { assert, must } from '../base/assert.ts'

/** Reads a tuple field by field. What we packed ourselves has the right shape, so a mismatch is a bug. */
export interface FieldReader {
  text(): string
  textOrNull(): string | null
  number(): number
  flag(): boolean
  list(): readonly unknown[]
  bytes(): Uint8Array
}

export function readFields(value: unknown, shape: number): FieldReader {
  assert(Array.isArray(value) && value[0] === shape, `an entity is not of shape ${shape}`)
  const tuple = value as readonly unknown[]
  let at = 0
  const next = (): unknown => {
    at++
    assert(at < tuple.length, `an entity of shape ${shape} is too short`)
    return tuple[at]
  }
  return {
    text: () => asText(next()),
    textOrNull: () => {
      const field = next()
      return field === null ? null : asText(field)
    },
    number: () => {
      const field = next()
      assert(typeof field === 'number', 'an entity field is not a number')
      return field
    },
    flag: () => next() === 1,
    list: () => {
      const field = next()
      assert(Array.isArray(field), 'an entity field is not a list')
      return field as readonly unknown[]
    },
    bytes: () => {
      const field = next()
      assert(field instanceof Uint8Array, 'an entity field is not bytes')
      return field
    },
  }
}

/** The shape of a tuple of ours, where a kind has several. */
export function shapeOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined
}

/** The index of `value` in `names`: how a state is written. */
export function codeOf<T extends string>(names: readonly T[], value: T): number {
  const code = names.indexOf(value)
  assert(code >= 0, `no code for ${value}`)
  return code
}

export function nameOf<T extends string>(names: readonly T[], code: number): T {
  return must(names[code], `no name for code ${code}`)
}

export function asText(field: unknown): string {
  assert(typeof field === 'string', 'an entity field is not a text')
  return field
}
