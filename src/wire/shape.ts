// Shapes: each says what a value from outside must be, field by field, and in which order its fields are packed. What we
// encode ourselves is of its type and isn't checked again; an entry that can't be decoded does nothing, at every replica.

import { assert, must } from '../base/assert.ts'
import { type Result, err, ok } from '../base/result.ts'
import { MOST_BYTES } from './gate.ts'
import { type Structure, codec } from './pack.ts'

export interface Shape<T> {
  /** What is wrong with a value, as `path within it: what was expected`; null = it is a T. */
  fault(value: unknown): string | null
  /** The same value with its fields in the packed order. */
  tidy(value: T): unknown
  /** `tidy` changes nothing. */
  readonly isLeaf?: boolean
}

/** A shape that is packed as it is. */
function leaf<T>(expected: string, accepts: (value: unknown) => boolean): Shape<T> {
  return {
    fault: (value) => (accepts(value) ? null : `: expected ${expected}`),
    tidy: (value) => value,
    isLeaf: true,
  }
}

/** An integer from `least` to `most`. */
export function integer<T extends number>(least: number, most = Number.MAX_SAFE_INTEGER): Shape<T> {
  return leaf<T>(
    `an integer from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
  )
}

/** A string of at least `least` and at most `most` UTF-16 units. */
export function text<T extends string>(least: number, most: number): Shape<T> {
  return leaf<T>(
    `a string of ${least} to ${most} characters`,
    (value) => typeof value === 'string' && value.length >= least && value.length <= most,
  )
}

/** A string that matches; `form` must be anchored and bounded. */
export function matching<T extends string>(name: string, form: RegExp): Shape<T> {
  return leaf<T>(name, (value) => typeof value === 'string' && form.test(value))
}

export function oneOf<T extends string>(words: readonly T[]): Shape<T> {
  const known = new Set<unknown>(words)
  return leaf<T>(`one of ${words.join(', ')}`, (value) => known.has(value))
}

export const flag: Shape<boolean> = leaf<boolean>('a boolean', (value) => typeof value === 'boolean')

/** Byte strings of `least` to `most` bytes. */
export function byteString(least: number, most: number): Shape<Uint8Array> {
  return leaf<Uint8Array>(
    `${least} to ${most} bytes`,
    (value) => value instanceof Uint8Array && value.length >= least && value.length <= most,
  )
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return {
    fault: (value) => (value === null ? null : shape.fault(value)),
    tidy: (value) => (value === null ? null : shape.tidy(value)),
  }
}

/** A list of at most `most` items. */
export function list<T>(shape: Shape<T>, most: number): Shape<readonly T[]> {
  return {
    fault(value) {
      if (!Array.isArray(value) || value.length > most) return `: expected a list of at most ${most}`
      for (let i = 0; i < value.length; i++) {
        const fault = shape.fault(value[i])
        if (fault !== null) return `[${i}]${fault}`
      }
      return null
    },
    tidy: (value) => (shape.isLeaf === true ? value : value.map((item) => shape.tidy(item))),
  }
}

/** A shape with named fields; `keys` is how its objects are packed. */
export interface RecordShape<T> extends Shape<T> {
  readonly keys: Structure
}

type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> }

/** An object with exactly these fields, packed in this order. */
export function record<T extends object>(fields: Fields<T>): RecordShape<T> {
  const keys = Object.keys(fields) as (keyof T & string)[]
  const parts = keys.map((key) => ({ key, shape: fields[key] }))
  return {
    keys,
    fault(value) {
      if (typeof value !== 'object' || value === null) return ': expected a record'
      for (const { key, shape } of parts) {
        const part = (value as T)[key]
        // Nothing packed is undefined, and no field is named as what every object or list has by birth.
        if (part === undefined) return `: expected ${key}`
        const fault = shape.fault(part)
        if (fault !== null) return `.${key}${fault}`
      }
      return null
    },
    tidy(value) {
      const packed: Record<string, unknown> = {}
      for (const { key, shape } of parts) packed[key] = shape.isLeaf === true ? value[key] : shape.tidy(value[key])
      return packed
    },
  }
}

/** A union told apart by `kind`. The compiler checks that no kind is forgotten, not that each has its own shape. */
export function variants<T extends { readonly kind: string }>(table: {
  readonly [K in T['kind']]: RecordShape<never> | RecordShape<Extract<T, { readonly kind: K }>>
}): Shape<T> {
  const shapes = new Map<unknown, Shape<T>>(Object.entries(table) as [string, Shape<T>][])
  const shapeOf = (value: unknown): Shape<T> | undefined =>
    typeof value === 'object' && value !== null ? shapes.get((value as Partial<T>).kind) : undefined
  return {
    fault(value) {
      const shape = shapeOf(value)
      return shape === undefined ? ': unknown kind' : shape.fault(value)
    },
    tidy: (value) => must(shapeOf(value), 'a kind that has a shape').tidy(value),
  }
}

/** One value of a shape, as bytes. */
export interface Coder<T> {
  /** They begin after `head` bytes, which are the caller's. */
  encode(value: T, head: number): Uint8Array
  /** What begins after `head` bytes. `lent`: what is decoded may be views of `bytes`. */
  decode(bytes: Uint8Array, lent: boolean, head: number): Result<T, string>
}

/** How one format packs a shape, whose records are `records`, in this order for ever: it gives each its number. `rise` makes of
 * what an older format packed (and its shape admits) what the shape's type is today. */
export function coder<T>(
  name: string,
  shape: Shape<T>,
  records: readonly { readonly keys: Structure }[],
  rise: (packed: T) => T = (packed) => packed,
): Coder<T> {
  const { pack, unpack } = codec(records.map(({ keys }) => keys))
  return {
    encode(value, head) {
      const bytes = pack(shape.tidy(value), head)
      assert(bytes.length <= MOST_BYTES, `encoding ${name}: too many bytes`)
      return bytes
    },
    decode(bytes, lent, head) {
      const value = unpack(bytes, lent, head)
      if (!value.ok) return err(`${name}: ${value.error}`)
      const fault = shape.fault(value.value)
      return fault === null ? ok(rise(value.value as T)) : err(name + fault)
    },
  }
}
