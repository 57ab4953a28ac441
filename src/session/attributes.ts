// Attributes of a SipApplicationSession or SipSession (JSR 289 6.1.4, 6.2.3): names with what an application keeps under them,
// packed. What it is, the application alone knows; here it is bytes, so that nobody can change it but by another commit.

import { asText } from './fields.ts'
import type { FieldReader } from './fields.ts'
import { assert } from '../base/assert.ts'

export interface PackedAttribute {
  readonly name: string
  /** As wire/pack.ts packed the value. */
  readonly bytes: Uint8Array
}

/** Sorted by name: one order, whatever the order in which they were set. */
export function withAttribute(
  attributes: readonly PackedAttribute[],
  name: string,
  bytes: Uint8Array,
): readonly PackedAttribute[] {
  const others = withoutAttribute(attributes, name)
  const at = others.findIndex((other) => other.name > name)
  return at < 0 ? [...others, { name, bytes }] : others.toSpliced(at, 0, { name, bytes })
}

/** The same list if it has none of that name. */
export function withoutAttribute(attributes: readonly PackedAttribute[], name: string): readonly PackedAttribute[] {
  return attributes.some((one) => one.name === name) ? attributes.filter((one) => one.name !== name) : attributes
}

export function attributeFields(attributes: readonly PackedAttribute[]): readonly unknown[] {
  return attributes.flatMap(({ name, bytes }) => [name, bytes])
}

export function readAttributes(fields: FieldReader): readonly PackedAttribute[] {
  const list = fields.list()
  assert(list.length % 2 === 0, 'an attribute without its value')
  const attributes: PackedAttribute[] = []
  for (let i = 0; i < list.length; i += 2) {
    const bytes = list[i + 1]
    assert(bytes instanceof Uint8Array, 'the value of an attribute is not bytes')
    attributes.push({ name: asText(list[i]), bytes })
  }
  return attributes
}
