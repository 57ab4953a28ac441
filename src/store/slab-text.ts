// Texts in slabs: one byte a character where that is enough, as it nearly always is, else two. A text's head is its length in
// characters, doubled, plus one if it is wide.

import { latin1Text } from '../base/bytes.ts'

/** What `head` of a text in a slab is, and how many bytes follow for it. */
export function textHead(text: string): number {
  let codes = 0
  for (let i = 0; i < text.length; i++) codes |= text.charCodeAt(i)
  return 2 * text.length + (codes > 0xff ? 1 : 0)
}

export function textBytes(head: number): number {
  return (head & 1) === 1 ? head - 1 : head >>> 1
}

export function writeText(bytes: Uint8Array, at: number, head: number, text: string): void {
  if ((head & 1) === 0) {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
    return
  }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    bytes[at + 2 * i] = code
    bytes[at + 2 * i + 1] = code >>> 8
  }
}

export function readText(bytes: Uint8Array, at: number, head: number): string {
  const length = head >>> 1
  if ((head & 1) === 0) return latin1Text(bytes.subarray(at, at + length))
  let text = ''
  for (let i = at; i < at + 2 * length; i += 2) {
    text += String.fromCharCode((bytes[i] as number) | ((bytes[i + 1] as number) << 8))
  }
  return text
}

export function isText(bytes: Uint8Array, at: number, head: number, text: string): boolean {
  if (head >>> 1 !== text.length) return false
  if ((head & 1) === 1) return readText(bytes, at, head) === text
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}
