// The shapes of what may be asked of the set's membership (member-request.ts). It travels as JSON, so that a frame's format
// needs no record for each.

import { MOST_PLACE } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type {
  AddMember,
  BanRequest,
  BanSource,
  JoinSet,
  LeftSet,
  MemberRequest,
  Rebootstrap,
  RemoveMember,
  ReplaceMember,
  TransferLeadership,
  UnbanSource,
} from './member-request.ts'
import { integer, list, oneOf, orNull, record, text, variants } from './shape.ts'
import type { Shape } from './shape.ts'
import { replicaShape } from './shapes.ts'

/** A year. */
export const MOST_BAN_SECONDS = 31_536_000

const place = integer<number>(1, MOST_PLACE)
const address = text<string>(1, 255)

const add = record<AddMember>({ kind: oneOf(['add']), place, peer: address, admin: address })
const remove = record<RemoveMember>({ kind: oneOf(['remove']), place })
const replace = record<ReplaceMember>({
  kind: oneOf(['replace']),
  place,
  id: orNull(replicaShape),
  peer: orNull(address),
  admin: orNull(address),
})
const transfer = record<TransferLeadership>({ kind: oneOf(['transfer']), place: orNull(place) })
const join = record<JoinSet>({
  kind: oneOf(['join']),
  place,
  incarnation: text(1, 64),
  peer: address,
  admin: address,
})

const rebootstrap = record<Rebootstrap>({ kind: oneOf(['rebootstrap']), place, lose: list(place, 255) })

const left = record<LeftSet>({ kind: oneOf(['left']), place })

const ban = record<BanSource>({
  kind: oneOf(['ban']),
  source: text(1, 64),
  seconds: orNull(integer<number>(1, MOST_BAN_SECONDS)),
})
const unban = record<UnbanSource>({ kind: oneOf(['unban']), source: text(1, 64) })

const requests = { add, remove, replace, transfer, join, rebootstrap }
const request = variants<MemberRequest>(requests)
const asked = variants<MemberRequest | LeftSet>({ ...requests, left })
const bans = variants<BanRequest>({ ban, unban })

/** Reads a request's JSON. */
export function parseMemberRequest(json: string): Result<MemberRequest, string> {
  return parse(json, request)
}

/** ... or what an `ask` frame carries besides. */
export function parseAsked(json: string): Result<MemberRequest | LeftSet, string> {
  return parse(json, asked)
}

export function parseBanRequest(json: string): Result<BanRequest, string> {
  return parse(json, bans)
}

/** Why it is no request about banned sources; null = it is one. */
export function banFault(value: unknown): string | null {
  const fault = bans.fault(value)
  return fault === null ? null : `a ban${fault}`
}

function parse<T>(json: string, shape: Shape<T>): Result<T, string> {
  try {
    const value: unknown = JSON.parse(json)
    const fault = shape.fault(value)
    return fault === null ? ok(value as T) : err(`the request${fault}`)
  } catch {
    return err('the request is not JSON')
  }
}
