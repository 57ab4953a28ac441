// Values that begin with the number of their format, one byte: written in any format that this release knows, read in any of
// those that the reader admits. What a number means never changes; `npm test` compares it with the bytes in testing/golden.

import { err } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { reads, unreadable } from './formats.ts'
import type { FormatNumber, Formats } from './formats.ts'
import type { Coder } from './shape.ts'

export interface Versioned<T> {
  encode(value: T, format: FormatNumber): Uint8Array
  /** `lent`: what is decoded may be views of `bytes`. */
  decode(bytes: Uint8Array, formats: Formats, lent?: boolean): Result<T, string>
}

export function versioned<T>(name: string, coders: Readonly<Record<FormatNumber, Coder<T>>>): Versioned<T> {
  const byNumber = new Map<number, Coder<T>>(Object.entries(coders).map(([number, coder]) => [Number(number), coder]))
  return {
    encode(value, format) {
      const bytes = coders[format].encode(value, 1)
      bytes[0] = format
      return bytes
    },
    decode(bytes, formats, lent = false) {
      const format = bytes[0]
      if (format === undefined) return err(`${name}: empty`)
      const coder = byNumber.get(format)
      if (coder === undefined || !reads(formats, format)) return err(`${name}: ${unreadable(format, formats)}`)
      return coder.decode(bytes, lent, 1)
    },
  }
}
