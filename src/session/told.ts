// A message that was handled while the group's application was busy with another one: it is to be told of it. Put in the commit of what
// the message changed, with an intent of the same name, so that no death loses it.

import { readFields } from './fields.ts'

export interface Told {
  readonly kind: 'told'
  readonly text: string
}

/** Other entities of its tree have other shapes. */
export const TOLD_SHAPE = 21

export function toldFields({ text }: Told): readonly unknown[] {
  return [TOLD_SHAPE, text]
}

export function readTold(value: unknown): Told {
  return { kind: 'told', text: readFields(value, TOLD_SHAPE).text() }
}
