// SipHash-2-4 (Aumasson and Bernstein, 2012) for what must not be guessed or steered: rendezvous, branches, the MAC of
// group keys. And a fast 64-bit mix for comparing stores, where nobody attacks.

import { latin1Bytes } from './bytes.ts'

/** The 128-bit key as four little-endian 32-bit words. */
export interface HashKey {
  readonly k0: number
  readonly k1: number
  readonly k2: number
  readonly k3: number
}

/** A 64-bit hash as two unsigned 32-bit halves. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/** The key of 16 bytes. */
export function hashKey(bytes: Uint8Array): HashKey {
  const word = (at: number): number =>
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  return { k0: word(0), k1: word(4), k2: word(8), k3: word(12) }
}

// The state is four 64-bit words v0..v3 in eight 32-bit halves, low before high; module-level scratch, overwritten by each
// hash, never read across hashes.
const v = new Int32Array(8)

/** SipRounds (paper, figure 2.1), the state held in locals meanwhile: a 64-bit sum is two 32-bit ones with a carry. */
function rounds(count: number): void {
  let a = v[0] as number
  let A = v[1] as number
  let b = v[2] as number
  let B = v[3] as number
  let c = v[4] as number
  let C = v[5] as number
  let d = v[6] as number
  let D = v[7] as number
  for (let i = 0; i < count; i++) {
    // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
    let sum = (a + b) | 0
    A = (A + B + (sum >>> 0 < a >>> 0 ? 1 : 0)) | 0
    let high = (B << 13) | (b >>> 19)
    b = ((b << 13) | (B >>> 19)) ^ sum
    B = high ^ A
    a = A
    A = sum
    // v2 += v3; v3 <<<= 16; v3 ^= v2
    sum = (c + d) | 0
    C = (C + D + (sum >>> 0 < c >>> 0 ? 1 : 0)) | 0
    c = sum
    high = (D << 16) | (d >>> 16)
    d = ((d << 16) | (D >>> 16)) ^ c
    D = high ^ C
    // v0 += v3; v3 <<<= 21; v3 ^= v0
    sum = (a + d) | 0
    A = (A + D + (sum >>> 0 < a >>> 0 ? 1 : 0)) | 0
    a = sum
    high = (D << 21) | (d >>> 11)
    d = ((d << 21) | (D >>> 11)) ^ a
    D = high ^ A
    // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    sum = (c + b) | 0
    C = (C + B + (sum >>> 0 < c >>> 0 ? 1 : 0)) | 0
    high = (B << 17) | (b >>> 15)
    b = ((b << 17) | (B >>> 15)) ^ sum
    B = high ^ C
    c = C
    C = sum
  }
  v[0] = a
  v[1] = A
  v[2] = b
  v[3] = B
  v[4] = c
  v[5] = C
  v[6] = d
  v[7] = D
}

function absorb(low: number, high: number): void {
  v[6] = (v[6] as number) ^ low
  v[7] = (v[7] as number) ^ high
  rounds(2)
  v[0] = (v[0] as number) ^ low
  v[1] = (v[1] as number) ^ high
}

/** The key against the constants "somepseudorandomlygeneratedbytes". */
function start(key: HashKey): void {
  v[0] = key.k0 ^ 0x70736575
  v[1] = key.k1 ^ 0x736f6d65
  v[2] = key.k2 ^ 0x6e646f6d
  v[3] = key.k3 ^ 0x646f7261
  v[4] = key.k0 ^ 0x6e657261
  v[5] = key.k1 ^ 0x6c796765
  v[6] = key.k2 ^ 0x79746573
  v[7] = key.k3 ^ 0x74656462
}

function finish(): Hash64 {
  v[4] = (v[4] as number) ^ 0xff
  rounds(4)
  return {
    low: ((v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number)) >>> 0,
    high: ((v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number)) >>> 0,
  }
}

/** Four bytes as a little-endian word; what lies past `length` counts as 0. */
function word(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = Math.min(at + 4, length) - 1; i >= at; i--) value = (value << 8) | (bytes[i] as number)
  return value
}

function hashFirst(key: HashKey, bytes: Uint8Array, length: number): Hash64 {
  start(key)
  let at = 0
  for (; at + 8 <= length; at += 8) absorb(word(bytes, at, length), word(bytes, at + 4, length))
  // The last block: the bytes that are left, and the length's low byte on top.
  absorb(word(bytes, at, length), word(bytes, at + 4, length) | ((length & 0xff) << 24))
  return finish()
}

/** SipHash-2-4 of bytes. */
export function sipHash(key: HashKey, bytes: Uint8Array): Hash64 {
  return hashFirst(key, bytes, bytes.length)
}

// Characters on their way into a hash; overwritten by each.
const characters = new Uint8Array(512)

/** SipHash-2-4 of a latin1 string, and of what follows it, if anything does; a character above U+00FF counts by its low byte. */
export function sipHashText(key: HashKey, text: string, more = ''): Hash64 {
  const length = text.length + more.length
  if (length > characters.length) return sipHash(key, latin1Bytes(text + more))
  for (let i = 0; i < text.length; i++) characters[i] = text.charCodeAt(i)
  for (let i = 0; i < more.length; i++) characters[text.length + i] = more.charCodeAt(i)
  return hashFirst(key, characters, length)
}

/** Sixteen lower-case hexadecimal digits. */
export function hashHex(hash: Hash64): string {
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0')
}

/** A fast, unkeyed 64-bit hash of bytes in two 32-bit lanes: for comparing stores, not for anything an attacker picks. */
export function mixBytes(seed: number, bytes: Uint8Array): Hash64 {
  let a = (seed ^ 0x9e3779b9) | 0
  let b = (seed ^ 0x85ebca6b ^ bytes.length) | 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    a = Math.imul(a ^ byte, 0x01000193)
    b = (Math.imul(b, 31) + byte) | 0
  }
  return finalMix(a, b)
}

/** As `mixBytes`, of a string's UTF-16 codes. */
export function mixText(seed: number, text: string): Hash64 {
  let a = (seed ^ 0x9e3779b9) | 0
  let b = (seed ^ 0x85ebca6b ^ text.length) | 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = (Math.imul(b, 31) + code) | 0
  }
  return finalMix(a, b)
}

// Both lanes of `mixFact`; overwritten by each.
const lanes = new Int32Array(2)

/** As `mixBytes`, of words and numbers one after another and of bytes: each with its kind and length, so no two facts read the
 * same. Makes no text of them: a store does this seven times for a commit. */
export function mixFact(fact: readonly (string | number)[], bytes?: Uint8Array): Hash64 {
  lanes[0] = 0x9e3779b9 ^ fact.length
  lanes[1] = 0x85ebca6b
  for (const part of fact) {
    if (typeof part === 'string') mixWord(part)
    else mixNumber(part)
  }
  if (bytes !== undefined) mixContent(bytes)
  return finalMix(lanes[0] as number, lanes[1] as number)
}

// One step of a lane: the next 32 bits, a product, and a turn, which brings high bits down.

function mixNumber(value: number): void {
  const high = Math.floor(value / 0x1_0000_0000) | 0
  let a = Math.imul((lanes[0] as number) ^ value, 0x01000193)
  let b = Math.imul(((lanes[1] as number) + value) | 0, 0x2c1b3c6d)
  a = Math.imul(((a << 13) | (a >>> 19)) ^ high, 0x01000193)
  b = Math.imul((((b << 17) | (b >>> 15)) + high) | 0, 0x2c1b3c6d)
  lanes[0] = (a << 13) | (a >>> 19)
  lanes[1] = (b << 17) | (b >>> 15)
}

function mixWord(word: string): void {
  let a = (lanes[0] as number) ^ (word.length << 8) ^ 0x73
  let b = (lanes[1] as number) + word.length
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    a = (a << 13) | (a >>> 19)
    b = Math.imul((b + code) | 0, 0x2c1b3c6d)
    b = (b << 17) | (b >>> 15)
  }
  lanes[0] = a
  lanes[1] = b
}

function mixContent(bytes: Uint8Array): void {
  let a = (lanes[0] as number) ^ (bytes.length << 8) ^ 0x62
  let b = (lanes[1] as number) + bytes.length
  let at = 0
  for (; at + 4 <= bytes.length; at += 4) {
    const four =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    a = Math.imul(a ^ four, 0x01000193)
    a = (a << 13) | (a >>> 19)
    b = Math.imul((b + four) | 0, 0x2c1b3c6d)
    b = (b << 17) | (b >>> 15)
  }
  const rest = word(bytes, at, bytes.length)
  a = Math.imul(a ^ rest, 0x01000193)
  b = Math.imul((b + rest) | 0, 0x2c1b3c6d)
  lanes[0] = (a << 13) | (a >>> 19)
  lanes[1] = (b << 17) | (b >>> 15)
}

function finalMix(a: number, b: number): Hash64 {
  let low = Math.imul(a ^ (a >>> 16), 0x7feb352d) ^ b
  let high = Math.imul(b ^ (b >>> 15), 0x846ca68b) ^ a
  low = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d)
  high = Math.imul(high ^ (high >>> 16), 0x297a2d39)
  return { low: (low ^ (low >>> 16)) >>> 0, high: (high ^ (high >>> 15)) >>> 0 }
}
