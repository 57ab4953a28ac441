// Text of the application's (JavaScript's strings) and text of the wire's (latin1, a character a byte, which holds UTF-8).

/** The text that UTF-8 bytes mean; what isn't UTF-8 stays as it is, a character a byte. */
export function fromWire(bytes: string): string {
  let text = ''
  let from = 0
  for (let at = 0; at < bytes.length;) {
    const first = bytes.charCodeAt(at)
    if (first < 0x80) {
      at++
      continue
    }
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    const code = first >= 0xc2 && first <= 0xf4 ? codePoint(bytes, at, length) : -1
    if (code < 0) return bytes
    text += bytes.slice(from, at) + String.fromCodePoint(code)
    at += length
    from = at
  }
  return text + bytes.slice(from)
}

const LEAST: readonly number[] = [0, 0, 0x80, 0x800, 0x10000]

/** The character that `length` bytes at `at` encode; -1 if they don't. */
function codePoint(bytes: string, at: number, length: number): number {
  let code = bytes.charCodeAt(at) & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const next = bytes.charCodeAt(at + i)
    if ((next & 0xc0) !== 0x80 || next > 0xff) return -1
    code = (code << 6) | (next & 0x3f)
  }
  const isSurrogate = code >= 0xd800 && code <= 0xdfff
  return code < (LEAST[length] as number) || code > 0x10ffff || isSurrogate ? -1 : code
}

/** Its UTF-8 bytes, a character each. */
export function toWire(text: string): string {
  let bytes = ''
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (code < 0x80) bytes += character
    else if (code < 0x800) bytes += String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f))
    else if (code < 0x10000) {
      bytes += String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    } else {
      bytes += String.fromCharCode(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 0x3f),
        0x80 | ((code >> 6) & 0x3f),
        0x80 | (code & 0x3f),
      )
    }
  }
  return bytes
}
