// MessagePack for wire/, through msgpackr, which no other file touches. Known shapes are packed as records of preset
// `structures`, everything else of our own making as plain maps; nothing is ever learned from what is packed or unpacked,
// so a fresh and a used packer give equal bytes.
//
// Problem: msgpackr trusts its input more than a link or a disk deserves. A record definition in the bytes overwrites a
// preset structure for good; extensions make regular expressions, errors and dates; nesting is limited by the stack alone.
// So every input first passes a gate (gate.ts), which walks the tokens once and lets through only what `pack` writes.
// What is unpacked owns its memory: byte strings are views into one copy of the input, never into a frame or a reused buffer; but
// where the input itself is asked for, views of that.

// '/pack' is msgpackr without its native string reader, whose strings are slices that pin whole frames.
import { Packr } from 'msgpackr/pack'
import { assert } from '../base/assert.ts'
import { bytePool } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { gate } from './gate.ts'

/** The keys of one record, in the order in which objects have them when they are packed. */
export type Structure = readonly string[]

export interface Codec {
  /** The bytes of a value of null, booleans, numbers, strings, Uint8Arrays, arrays and objects; any other is a bug. They
   * begin after `head` bytes, which are the caller's. */
  pack(value: unknown, head?: number): Uint8Array
  /** The value behind `head` bytes, which shares no memory with `bytes`; or why these are not one. `lent`: its byte strings
   * are views of `bytes`, of the plain kind: a Buffer's `slice` copies nothing. */
  unpack(bytes: Uint8Array, lent?: boolean, head?: number): Result<unknown, string>
}

/** msgpackr: leave its buffer as it was; we have copied the result. */
const RESET_BUFFER = 1024

/** A codec of records with these structures; of plain maps if there are none. */
export function codec(structures: readonly Structure[]): Codec {
  // One more, and msgpackr would name each in two bytes, which the gate takes for something else.
  assert(structures.length <= 32, 'a format has at most 32 records')
  const records = structures.length > 0
  const packr = new Packr({
    ...(records
      ? { structures: structures.map((keys) => [...keys]), maxSharedStructures: structures.length, maxOwnStructures: 0 }
      : { useRecords: false, variableMapSize: true }),
    mapsAsObjects: true,
    // Byte strings are views into the copy that is unpacked.
    copyBuffers: false,
    useToJSON: false,
  })
  const room = bytePool()
  const widths = structures.map((keys) => keys.length)
  return {
    pack(value, head = 0) {
      const scratch: Uint8Array = packr.pack(value, RESET_BUFFER)
      const bytes = room(head + scratch.length)
      bytes.set(scratch, head)
      return bytes
    },
    unpack(bytes, lent = false, head = 0) {
      const fault = gate(bytes, widths, head)
      if (fault !== null) return err(fault)
      try {
        // To copy the head too costs less than a view of what is behind it.
        const own = lent ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : room(bytes.length)
        if (!lent) own.set(bytes)
        return ok(packr.unpack(own, { start: head }) as unknown)
      } catch (error) {
        return err(`MessagePack: ${error instanceof Error ? error.message : 'unreadable'}`)
      }
    },
  }
}

const values = codec([])

/** The bytes of an entity's value (null, booleans, numbers, strings, Uint8Arrays, arrays, plain objects; strings are
 * latin1 or well-formed Unicode). Keys are packed in their order: equal bytes need equal order. */
export function pack(value: unknown): Uint8Array {
  return values.pack(value)
}

/** What `pack` packed. */
export function unpack(bytes: Uint8Array): Result<unknown, string> {
  return values.unpack(bytes)
}
