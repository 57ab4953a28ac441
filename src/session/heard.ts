// Which messages of a group its application has handled, and changed something by: put in the commit of that change. Whoever keeps such
// a message, or repeats it, gives it to the next owner again; its handler doesn't run again.

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { asText, readFields } from './fields.ts'

export interface Heard {
  readonly kind: 'heard'
  /** Oldest first. */
  readonly marks: readonly HeardMark[]
}

export interface HeardMark {
  /** Tells one message from others. */
  readonly mark: string
  /** Cluster time. */
  readonly at: Stamp
}

/** Other entities of its tree have other shapes. */
export const HEARD_SHAPE = 20

export function heardFields({ marks }: Heard): readonly unknown[] {
  return [HEARD_SHAPE, marks.flatMap(({ mark, at }) => [mark, at])]
}

export function readHeard(value: unknown): Heard {
  const list = readFields(value, HEARD_SHAPE).list()
  const marks: HeardMark[] = []
  for (let i = 0; i + 1 < list.length; i += 2) marks.push({ mark: asText(list[i]), at: stamp(Number(list[i + 1])) })
  return { kind: 'heard', marks }
}
