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
  /** Where the dialler itself is reached; null = it doesn't say. */
  readonly at: string | null
}

/** The answer: the acceptor's life and what it reads, or why it won't listen. */
export type Answer = { readonly life: Life; readonly formats: Formats } | Refusal

export interface Refusal {
  readonly refused: string
  /** The dialler was removed from the set; or another incarnation of its place is here than the one it looks for. */
  readonly because?: 'removed' | 'succeeded'
}

/** From a process without a log, instead of a hello: `who`, what do you know of my place; `join`, who am I to be. */
export interface Question {
  readonly ask: 'who' | 'join'
  readonly set: string
  readonly place: number
  readonly incarnation: string
  readonly peer: string
  readonly admin: string
}

/** What a replica knows of a place of its set, for who has no log and wants to know whether there is a set. */
export interface Knowledge {
  /** It has no log either. */
  readonly isFresh: boolean
  /** Its log began with that place, in generation 0, as a voter. */
  readonly isFounder: boolean
  /** The incarnation of generation 0 that it has met; null = none. */
  readonly met: string | null
}

/** As `MemberAnswer` has it. */
export interface Joining {
  readonly id: number | null
  readonly error: string | null
}

export function printHello(hello: Hello): string {
  return printLine({ ...hello })
}

export function printQuestion(question: Question): string {
  return printLine({ ...question })
}

export function printKnowledge(knowledge: Knowledge): string {
  return printLine({ ...knowledge })
}

export function printJoining(joining: Joining): string {
  return printLine({ ...joining })
}

export function printAnswer(answer: Answer): string {
  return printLine({ ...answer })
}

function printLine(fields: Record<string, unknown>): string {
  return `${JSON.stringify({ holdfast: 'peer', format: PEER_FORMAT, ...fields })}\n`
}

export function parseHello(line: string): Result<Hello, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { set, replica, life, to, at = null } = value.value
  if (typeof set !== 'string' || typeof replica !== 'number' || typeof to !== 'number' || !isLifeOf(life, replica)) {
    return err('its hello lacks set, replica, life or to')
  }
  const formats = formatsOf(value.value)
  const where = typeof at === 'string' ? at : null
  return formats.ok ? ok({ set, replica, life, to, formats: formats.value, at: where }) : formats
}

/** Null: it is none; then it is a hello. */
export function parseQuestion(line: string): Question | null {
  const value = parseLine(line)
  if (!value.ok) return null
  const { ask, set, place, incarnation, peer, admin } = value.value
  if ((ask !== 'who' && ask !== 'join') || !Number.isInteger(place)) return null
  for (const field of [set, incarnation, peer, admin]) if (typeof field !== 'string' || field.length > 255) return null
  return { ask, set, place, incarnation, peer, admin } as Question
}

export function parseKnowledge(line: string): Result<Knowledge, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { isFresh, isFounder, met, refused } = value.value
  if (typeof refused === 'string') return err(refused)
  if (typeof isFresh !== 'boolean' || typeof isFounder !== 'boolean') return err('it runs a release without joining')
  return ok({ isFresh, isFounder, met: typeof met === 'string' ? met : null })
}

export function parseJoining(line: string): Result<number, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { id, error, refused } = value.value
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return ok(id)
  return err(String(error ?? refused ?? 'it runs a release without joining'))
}

export function parseAnswer(line: string, from: number): Result<Answer, string> {
  const value = parseLine(line)
  if (!value.ok) return value
  const { refused, because, life } = value.value
  if (typeof refused === 'string') {
    return ok(because === 'removed' || because === 'succeeded' ? { refused, because } : { refused })
  }
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
