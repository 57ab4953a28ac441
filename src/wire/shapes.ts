// The shapes of what several formats carry: numbers and names of replicas, groups and places in the log.

import type { GroupKey, Index, Life, ReplicaId, Term } from '../base/brand.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import { MOST_BYTES } from './gate.ts'
import type { Flow } from './entry.ts'
import { byteString, integer, matching, oneOf, record, text } from './shape.ts'

/** A thousand years of microseconds fit twice into what a number counts exactly: a stamp and a duration can be added. */
const MOST_TIME = Number.MAX_SAFE_INTEGER / 2 - 1

export const indexShape = integer<Index>(0)
export const termShape = integer<Term>(0)
export const stampShape = integer<Stamp>(0, MOST_TIME)
export const durationShape = integer<Duration>(0, MOST_TIME)
export const replicaShape = integer<ReplicaId>(1, 999_999_999)
export const countShape = integer<number>(0)

export const lifeShape = matching<Life>('a life', /^[1-9][0-9]{0,8}\.[!-~]{1,64}\.[0-9]{1,15}$/)
export const groupShape = matching<GroupKey>('a group key', /^[0-9a-f]{16}$/)

export const hashShape = matching<string>('a hash', /^[0-9a-f]{16}$/)

/** Ids come from SIP (branches, tags), so they may be as long as a message. */
export const idShape = text<string>(1, 65_536)
export const bytesShape = byteString(0, MOST_BYTES)
/** A SIP message: above what a datagram or a framed message may have. */
export const sipShape = text<string>(0, 1_048_576)

export const flowShape = record<Flow>({
  transport: oneOf<Transport>(TRANSPORTS),
  /** May be a name from a message. */
  host: text(0, 65_536),
  port: integer(0, 65_535),
  stream: text(0, 255),
})
