// What an option of the config file may be, as data: one description is what a file is checked against, what editors complete
// (a JSON Schema), and what docs/CONFIG.md says.

import type { Result } from '../base/result.ts'

export type Shape =
  /** `read` says what is wrong with a text, where more than its pattern can be. `isSecret`: what stands there is never shown. */
  | {
      readonly kind: 'text'
      readonly right: string
      readonly pattern?: RegExp
      readonly read?: (text: string) => Result<unknown, string>
      readonly isSecret?: boolean
    }
  /** A number from `least` to `most`. */
  | {
      readonly kind: 'number'
      readonly right: string
      readonly isWhole: boolean
      readonly least: number
      readonly most: number
    }
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly right: string; readonly values: readonly (string | number | null)[] }
  | {
      readonly kind: 'list'
      readonly right: string
      readonly least: number
      readonly most: number
      readonly of: Shape
    }
  | { readonly kind: 'object'; readonly fields: Fields }
  /** Names of the file's own; `key` says what is wrong with one. */
  | {
      readonly kind: 'map'
      readonly right: string
      readonly least: number
      readonly key: (name: string) => string | null
      /** How the place of one is written. */
      readonly isQuoted?: boolean
      readonly of: Shape
    }
  /** One of several, told apart by `typeof`: the first whose type fits is meant. */
  | { readonly kind: 'either'; readonly right: string; readonly of: readonly Shape[] }

export type Fields = Readonly<Record<string, Field>>

export interface Field {
  readonly shape: Shape
  readonly isRequired?: boolean
  /** What holds where it is left out, as the file would say it; a function of nothing else. Absent: said in `why`, or required. */
  readonly usual?: string | number | boolean | null
  /** What it is for. */
  readonly what: string
  /** Why that is its default, or its bound. */
  readonly why?: string
  /** How a change of it takes effect: `reload`, as replicas run; `restart` of each replica, one after another; `file`: by itself, once the file it names has
   * changed; `start`: of all at once; `never`: what makes the set what it is. */
  readonly change: 'reload' | 'restart' | 'start' | 'file' | 'never'
  /** The release since which it is there, where that isn't the first. */
  readonly since?: string
}

export interface Complaint {
  /** `replicas[0].peer`; '' = the whole. */
  readonly place: string
  /** The place, what is wrong, and what would be right. */
  readonly said: string
}

/** Everything that is wrong with a value, in the order of the file. `whole`: what the value itself is called. */
export function complaintsOf(shape: Shape, value: unknown, place: string, whole = 'the file'): readonly Complaint[] {
  const name = place === '' ? whole : place
  const wrong = (right: string): readonly Complaint[] => {
    if (shape.kind === 'text' && shape.isSecret === true) return [{ place, said: `${name}: it should be ${right}` }]
    return [{ place, said: `${name}: ${JSON.stringify(value) ?? 'it is missing'} should be ${right}` }]
  }
  switch (shape.kind) {
    case 'text': {
      if (typeof value !== 'string' || value === '' || shape.pattern?.test(value) === false) return wrong(shape.right)
      const read = shape.read?.(value)
      return read === undefined || read.ok ? [] : [{ place, said: `${name}: ${read.error}` }]
    }
    case 'number': {
      const isRight = typeof value === 'number' && Number.isFinite(value) && (!shape.isWhole || Number.isInteger(value))
      return isRight && value >= shape.least && value <= shape.most ? [] : wrong(shape.right)
    }
    case 'flag':
      return typeof value === 'boolean' ? [] : wrong('true or false')
    case 'choice':
      return shape.values.some((one) => one === value) ? [] : wrong(shape.right)
    case 'list': {
      if (!Array.isArray(value) || value.length < shape.least || value.length > shape.most) return wrong(shape.right)
      return value.flatMap((item: unknown, i) => complaintsOf(shape.of, item, `${place}[${i}]`))
    }
    case 'object':
      return isObject(value) ? fieldComplaints(shape.fields, value, place, name) : wrong('an object')
    case 'map': {
      if (!isObject(value) || Object.keys(value).length < shape.least) return wrong(shape.right)
      return Object.entries(value).flatMap(([key, item]) => {
        const here = shape.isQuoted === true ? `${place}[${JSON.stringify(key)}]` : inside(place, key)
        const trouble = shape.key(key)
        return trouble === null
          ? complaintsOf(shape.of, item, here)
          : [{ place: here, said: `${here}: ${JSON.stringify(key)} ${trouble}` }]
      })
    }
    case 'either': {
      const meant = shape.of.find((one) => mayBe(one, value))
      return meant === undefined ? wrong(shape.right) : complaintsOf(meant, value, place)
    }
  }
}

function fieldComplaints(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  place: string,
  name: string,
): readonly Complaint[] {
  const known = Object.keys(fields)
  const unknown = Object.keys(value).flatMap((key): readonly Complaint[] => {
    if (Object.hasOwn(fields, key)) return []
    return [{ place: inside(place, key), said: `${name}: unknown "${key}"; known are ${known.join(', ')}` }]
  })
  const wrong = Object.entries(fields).flatMap(([key, field]) => {
    const item = value[key]
    if (item === undefined && field.isRequired !== true) return []
    return complaintsOf(field.shape, item, inside(place, key))
  })
  return [...unknown, ...wrong]
}

function inside(place: string, key: string): string {
  return place === '' ? key : `${place}.${key}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value of that type is meant as one of this shape. */
function mayBe(shape: Shape, value: unknown): boolean {
  switch (shape.kind) {
    case 'text':
      return typeof value === 'string' && value !== ''
    case 'number':
      return typeof value === 'number'
    case 'flag':
      return typeof value === 'boolean'
    case 'choice':
      return shape.values.some((one) => one === value)
    case 'list':
      return Array.isArray(value)
    case 'object':
    case 'map':
      return isObject(value)
    case 'either':
      return shape.of.some((one) => mayBe(one, value))
  }
}

/** The same as a JSON Schema (draft 2020-12), for editors. What depends on several options is not in it: `holdfast check` has that. */
export function schemaOf(shape: Shape): Record<string, unknown> {
  switch (shape.kind) {
    case 'text':
      return { type: 'string', ...(shape.pattern === undefined ? { minLength: 1 } : { pattern: shape.pattern.source }) }
    case 'number': {
      const most = shape.most === Infinity ? {} : { maximum: shape.most }
      return { type: shape.isWhole ? 'integer' : 'number', minimum: shape.least, ...most }
    }
    case 'flag':
      return { type: 'boolean' }
    case 'choice':
      return { enum: shape.values }
    case 'list': {
      const bounds = { ...(shape.least > 0 ? { minItems: shape.least } : {}), maxItems: shape.most }
      return {
        type: 'array',
        items: schemaOf(shape.of),
        ...(shape.most === Infinity ? { minItems: shape.least } : bounds),
      }
    }
    case 'object': {
      const entries = Object.entries(shape.fields)
      const required = entries.filter(([, field]) => field.isRequired === true).map(([name]) => name)
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
        ...(required.length === 0 ? {} : { required }),
        additionalProperties: false,
      }
    }
    case 'map':
      return { type: 'object', minProperties: shape.least, additionalProperties: schemaOf(shape.of) }
    case 'either':
      return { anyOf: shape.of.map(schemaOf) }
  }
}

function fieldSchema({ shape, what, why, usual }: Field): Record<string, unknown> {
  const description = why === undefined ? what : `${what} ${why}`
  return { description, ...schemaOf(shape), ...(usual === undefined ? {} : { default: usual }) }
}
