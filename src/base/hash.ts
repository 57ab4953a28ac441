// SipHash-2-4 (Aumasson and Bernstein, 2012) for what must not be guessed or steered: rendezvous, branches, the MAC of
// group keys. And a fast 64-bit mix for comparing stores, where nobody attacks.

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

// The state is four 64-bit words in eight 32-bit halves; module-level scratch, overwritten by each call, never read
// across calls.
const v = new Int32Array(8)

function addInto(a: number, b: number): void {
  const lowA = v[a] as number
  const low = (lowA + (v[b] as number)) | 0
  const carry = low >>> 0 < lowA >>> 0 ? 1 : 0
  v[a] = low
  v[a + 1] = ((v[a + 1] as number) + (v[b + 1] as number) + carry) | 0
}

function rotateXor(a: number, by: number, b: number): void {
  const low = v[a] as number
  const high = v[a + 1] as number
  const rotatedLow = by === 32 ? high : by < 32 ? (low << by) | (high >>> (32 - by)) : 0
  const rotatedHigh = by === 32 ? low : by < 32 ? (high << by) | (low >>> (32 - by)) : 0
  v[a] = rotatedLow ^ (v[b] as number)
  v[a + 1] = rotatedHigh ^ (v[b + 1] as number)
}

function swapHalves(a: number): void {
  const low = v[a] as number
  v[a] = v[a + 1] as number
  v[a + 1] = low
}

function round(): void {
  addInto(0, 2)
  rotateXor(2, 13, 0)
  swapHalves(0)
  addInto(4, 6)
  rotateXor(6, 16, 4)
  addInto(0, 6)
  rotateXor(6, 21, 0)
  addInto(4, 2)
  rotateXor(2, 17, 4)
  swapHalves(4)
}

function absorb(low: number, high: number): void {
  v[6] = (v[6] as number) ^ low
  v[7] = (v[7] as number) ^ high
  round()
  round()
  v[0] = (v[0] as number) ^ low
  v[1] = (v[1] as number) ^ high
}

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
  round()
  round()
  round()
  round()
  return {
    low: ((v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number)) >>> 0,
    high: ((v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number)) >>> 0,
  }
}

function sip(key: HashKey, length: number, at: (i: number) => number): Hash64 {
  start(key)
  const whole = length - (length % 8)
  for (let i = 0; i < whole; i += 8) {
    absorb(
      at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24),
      at(i + 4) | (at(i + 5) << 8) | (at(i + 6) << 16) | (at(i + 7) << 24),
    )
  }
  let low = 0
  let high = (length & 0xff) << 24
  for (let i = whole; i < length; i++) {
    const place = i - whole
    if (place < 4) low |= at(i) << (8 * place)
    else high |= at(i) << (8 * (place - 4))
  }
  absorb(low, high)
  return finish()
}

/** SipHash-2-4 of bytes. */
export function sipHash(key: HashKey, bytes: Uint8Array): Hash64 {
  return sip(key, bytes.length, (i) => bytes[i] as number)
}

/** SipHash-2-4 of a latin1 string; a character above U+00FF counts by its low byte. */
export function sipHashText(key: HashKey, text: string): Hash64 {
  return sip(key, text.length, (i) => text.charCodeAt(i) & 0xff)
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

function finalMix(a: number, b: number): Hash64 {
  let low = Math.imul(a ^ (a >>> 16), 0x7feb352d) ^ b
  let high = Math.imul(b ^ (b >>> 15), 0x846ca68b) ^ a
  low = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d)
  high = Math.imul(high ^ (high >>> 16), 0x297a2d39)
  return { low: (low ^ (low >>> 16)) >>> 0, high: (high ^ (high >>> 15)) >>> 0 }
}
