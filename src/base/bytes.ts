// Bytes and latin1 strings. Above host/ and sim/ a SIP message is a latin1 string: one character a byte.

/** The bytes of a latin1 string; a character above U+00FF is a bug of the caller and becomes its low byte. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** The latin1 string of bytes. */
export function latin1Text(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8_192) {
    // Half the time of a spread, which goes by an iterator.
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + 8_192)) as string
  }
  return text
}

const HEX = '0123456789abcdef'

/** Two lower-case hexadecimal digits a byte. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += (HEX[byte >> 4] as string) + (HEX[byte & 15] as string)
  return text
}

/** Eight lower-case hexadecimal digits of an unsigned 32-bit number. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

/** Whether two byte strings are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The same text in a string of its own. V8 makes a slice of 13 characters or more a window onto the whole datagram and
 * keeps that alive, so what enters state is made flat first. A trip through JSON always writes the
 * characters anew, and does so natively. */
export function flat(text: string): string {
  return text.length < 13 ? text : (JSON.parse(JSON.stringify(text)) as string)
}

/** Bytes of a pool's block. */
const BLOCK_BYTES = 16_384

/** Gives out memory in pieces of larger blocks. A typed array with memory of its own costs ten times as much to make, and the
 * collector a visit to the system's allocator. A piece keeps its whole block alive: pools are for what goes soon, or in the
 * order in which it came. What is in a piece at first is not said. */
export function bytePool(): (length: number) => Uint8Array {
  let block = new Uint8Array(BLOCK_BYTES)
  let used = 0
  return (length) => {
    if (4 * length > BLOCK_BYTES) return new Uint8Array(length)
    if (used + length > BLOCK_BYTES) {
      block = new Uint8Array(BLOCK_BYTES)
      used = 0
    }
    used += length
    return new Uint8Array(block.buffer, used - length, length)
  }
}
