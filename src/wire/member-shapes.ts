// The shapes of what may be asked of the set's membership (member-request.ts). It travels as JSON, so that a frame's format
// needs no record for each.

import { MOST_PLACE } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type {
  AddMember,
  JoinSet,
  MemberRequest,
  Rebootstrap,
  RemoveMember,
  ReplaceMember,
  TransferLeadership,
} from './member-request.ts'
import { integer, list, oneOf, orNull, record, text, variants } from './shape.ts'
import { replicaShape } from './shapes.ts'

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

const shape = variants<MemberRequest>({ add, remove, replace, transfer, join, rebootstrap })

/** Reads a request's JSON. */
export function parseMemberRequest(json: string): Result<MemberRequest, string> {
  try {
    const value: unknown = JSON.parse(json)
    const fault = shape.fault(value)
    return fault === null ? ok(value as MemberRequest) : err(`the request${fault}`)
  } catch {
    return err('the request is not JSON')
  }
}
