// Orders about banned sources, as they come to an admin address: `POST /bans/add` and `/bans/remove` with a JSON object.

import { err } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { hasEverybody, parseBlock, printBlock } from '../proxy/access.ts'
import type { BanRequest } from '../wire/member-request.ts'
import { MOST_BAN_SECONDS, parseBanRequest } from '../wire/member-shapes.ts'

export type BanOrder = 'add' | 'remove'

/** `{"source":"192.0.2.0/24","seconds":3600}`; without seconds it lasts until it is taken back. */
export function readBanOrder(order: BanOrder, given: Readonly<Record<string, unknown>>): Result<BanRequest, string> {
  const known = order === 'add' ? ['source', 'seconds'] : ['source']
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined) return err(`unknown "${unknown}"; ${order} takes ${known.join(', ')}`)
  const { source, seconds = null } = given
  if (typeof source !== 'string') return err('"source" should be a block of addresses, as "192.0.2.0/24"')
  const block = parseBlock(source)
  if (!block.ok) return block
  if (order === 'add' && hasEverybody([block.value])) {
    return err(`${source} is everybody: ban a smaller block, or end the set`)
  }
  const isTime = typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0 && seconds <= MOST_BAN_SECONDS
  if (seconds !== null && !isTime) return err(`"seconds" should be a whole number from 1 to ${MOST_BAN_SECONDS}`)
  const named = { source: printBlock(block.value) }
  const request = order === 'add' ? { kind: 'ban', ...named, seconds } : { kind: 'unban', ...named }
  return parseBanRequest(JSON.stringify(request))
}
