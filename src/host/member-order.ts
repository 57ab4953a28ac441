// Orders that change the set, as they come to an admin address: `POST /members/KIND` with a JSON object.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { parseMemberRequest } from '../wire/member-shapes.ts'
import type { MemberRequest } from '../wire/member-request.ts'
import { parseAddress } from './address.ts'

/** `join` is what replicas ask each other. */
export type MemberOrder = Exclude<MemberRequest['kind'], 'join'>

/** What each says besides `place`. */
const fields: Readonly<Record<MemberOrder, readonly string[]>> = {
  add: ['peer', 'admin'],
  remove: [],
  replace: ['id', 'peer', 'admin'],
  transfer: [],
  rebootstrap: ['lose'],
}

export const memberOrders = Object.keys(fields) as readonly MemberOrder[]

export function isMemberOrder(word: string): word is MemberOrder {
  return Object.hasOwn(fields, word)
}

/** What is left out is null. */
export function readMemberOrder(
  kind: MemberOrder,
  given: Readonly<Record<string, unknown>>,
): Result<MemberRequest, string> {
  const known = ['place', ...fields[kind]]
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined) return err(`unknown "${unknown}"; ${kind} takes ${known.join(', ')}`)
  for (const name of ['peer', 'admin']) {
    const address = given[name]
    const read = typeof address === 'string' ? parseAddress(address) : null
    if (read !== null && !read.ok) return err(`${name}: ${read.error}`)
  }
  const request = { kind, ...Object.fromEntries(known.map((name) => [name, given[name] ?? null])) }
  const read = parseMemberRequest(JSON.stringify(request))
  return read.ok ? ok(read.value) : err(read.error)
}
