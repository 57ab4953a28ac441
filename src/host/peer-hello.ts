// The first words on a link between replicas: one line of JSON each way, before any frame. A link is one-way: whoever dials
// says who it is and sends frames, the other answers with its life and sends nothing more.

import type { Life } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { FIRST_FORMATS, isFormats } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'

/** Of this greeting itself: raised when an older replica would misread it. */
const PEER_FORMAT = 1

export interface Hello {
  readonly set: string
  readonly replica: number
  readonly life: Life
  /** The replica that the dialler means to reach. */
  readonly to: number
  /** What it reads. */
  readonly formats: Formats
}

/** The answer: the acceptor's life and what it reads, or why it won't listen. */
export type Answer = { readonly life: Life; readonly formats: Formats } | { readonly refused: string }

export function printHello(hello: Hello): string {
  const { set, replica, life, to, formats } = hello
  return `${JSON.stringify({ holdfast: 'peer', format: PEER_FORMAT, set, replica, life, to, formats })}\n`
}

export function printAnswer(answer: Answer): string {
  return `${JSON.stringify({ holdfast: 'peer', format: PEER_FORMAT, ...answer })}\n`
}

export function parseHello(line: string): Result<Hello, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { set, replica, life, to } = value.value
  if (typeof set !== 'string' || typeof replica !== 'number' || typeof to !== 'number' || !isLifeOf(life, replica)) {
    return err('its hello lacks set, replica, life or to')
  }
  const formats = formatsOf(value.value)
  return formats.ok ? ok({ set, replica, life, to, formats: formats.value }) : formats
}

export function parseAnswer(line: string, from: number): Result<Answer, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { refused, life } = value.value
  if (typeof refused === 'string') return ok({ refused })
  if (!isLifeOf(life, from)) return err('its answer is not from the replica that was dialled')
  const formats = formatsOf(value.value)
  return formats.ok ? ok({ life, formats: formats.value }) : formats
}

function parseLine(line: string): Result<Record<string, unknown>, string> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return err('it does not speak as a replica does')
  }
  if (typeof value !== 'object' || value === null) return err('it does not speak as a replica does')
  const fields = value as Record<string, unknown>
  if (fields['holdfast'] !== 'peer') return err('it does not speak as a replica does')
  if (fields['format'] !== PEER_FORMAT) {
    const spoken = JSON.stringify(fields['format'])
    return err(
      `it speaks format ${spoken} between replicas, this one speaks ${PEER_FORMAT}: ` +
        'start releases that speak the same (docs/UPGRADING.md)',
    )
  }
  return ok(fields)
}

/** Releases before formats had numbers don't say. */
function formatsOf({ formats = FIRST_FORMATS }: Record<string, unknown>): Result<Formats, string> {
  return isFormats(formats) ? ok(formats) : err('its formats are not a range of numbers')
}

function isLifeOf(value: unknown, replica: number): value is Life {
  return typeof value === 'string' && /^\d+\.[0-9a-f]+\.\d+$/.test(value) && value.startsWith(`${replica}.`)
}
