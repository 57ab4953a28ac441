// How much one may ask of the set, as people write it: `calls=1000,in=600,rate=50`, or an object of the config file.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { CallBounds } from '../call/contract.ts'

const NAMES = ['calls', 'in', 'out', 'route', 'rate'] as const
const MOST = 1_000_000
const RIGHT = `a whole number from 1 to ${MOST}`

/** Of the command line. */
export function parseBounds(text: string): Result<CallBounds, string> {
  const value: Record<string, number> = {}
  for (const part of text.split(',')) {
    const [name = '', count = '', ...rest] = part.trim().split('=')
    if (rest.length > 0 || name in value || !/^\d+$/.test(count))
      return err(`"${part}" is not NAME=NUMBER, once for each name`)
    value[name] = Number(count)
  }
  return readBounds(value)
}

export function readBounds(value: Readonly<Record<string, unknown>>): Result<CallBounds, string> {
  for (const [name, count] of Object.entries(value)) {
    if (!NAMES.some((known) => known === name)) return err(`unknown "${name}"; known are ${NAMES.join(', ')}`)
    const isCount = typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= MOST
    if (!isCount) return err(`${name}: ${JSON.stringify(count)} should be ${RIGHT}`)
  }
  return ok(value as CallBounds)
}
