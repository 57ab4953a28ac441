// How much one may ask of the set, as people write it: `calls=1000,in=600,rate=50`.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { CallBounds } from '../call/contract.ts'
import { BOUNDS } from './config-options.ts'
import { complaintsOf } from './config-shape.ts'

/** Of the command line. */
export function parseBounds(text: string): Result<CallBounds, string> {
  const value: Record<string, number> = {}
  for (const part of text.split(',')) {
    const [name = '', count = '', ...rest] = part.trim().split('=')
    if (rest.length > 0 || name in value || !/^\d+$/.test(count))
      return err(`"${part}" is not NAME=NUMBER, once for each name`)
    value[name] = Number(count)
  }
  const [wrong] = complaintsOf(BOUNDS, value, '', 'the bounds')
  return wrong === undefined ? ok(value as CallBounds) : err(wrong.said.replace('the bounds: ', ''))
}
