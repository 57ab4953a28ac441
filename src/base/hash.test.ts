import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { latin1Bytes } from './bytes.ts'
import { hashHex, hashKey, mixBytes, mixFact, mixText, sipHash, sipHashText } from './hash.ts'

const key = hashKey(Uint8Array.from({ length: 16 }, (_, i) => i))
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

// The reference implementation's vectors_sip64: key 00..0f, message 00, 00 01, ... ; here as numbers, high byte first.
test.each([
  [0, '726fdb47dd0e0e31'],
  [1, '74f839c593dc67fd'],
  [2, '0d6c8009d9a94f5a'],
  [3, '85676696d7fb7e2d'],
  [7, 'ab0200f58b01d137'],
  [8, '93f5f5799a932462'],
  [15, 'a129ca6149be45e5'], // appendix A of the paper
])('SipHash-2-4 of %i bytes', (length, expected) => {
  expect(hashHex(sipHash(key, counting(length)))).toBe(expected)
})

/** The paper's definition in 64-bit arithmetic, slow and plain. */
function plainSipHash(bytes: Uint8Array): bigint {
  const word = (at: number): bigint => {
    let value = 0n
    for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(padded[at + i] ?? 0)
    return value
  }
  const cut = (value: bigint): bigint => BigInt.asUintN(64, value)
  const rotate = (value: bigint, by: bigint): bigint => cut(value << by) | (value >> (64n - by))
  const padded = new Uint8Array((Math.floor(bytes.length / 8) + 1) * 8)
  padded.set(bytes)
  padded[padded.length - 1] = bytes.length & 0xff
  const k0 = 0x0706050403020100n
  const k1 = 0x0f0e0d0c0b0a0908n
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n
  const round = (): void => {
    v0 = cut(v0 + v1)
    v2 = cut(v2 + v3)
    v1 = rotate(v1, 13n) ^ v0
    v3 = rotate(v3, 16n) ^ v2
    v0 = rotate(v0, 32n)
    v2 = cut(v2 + v1)
    v0 = cut(v0 + v3)
    v1 = rotate(v1, 17n) ^ v2
    v3 = rotate(v3, 21n) ^ v0
    v2 = rotate(v2, 32n)
  }
  for (let at = 0; at < padded.length; at += 8) {
    v3 ^= word(at)
    round()
    round()
    v0 ^= word(at)
  }
  v2 ^= 0xffn
  for (let i = 0; i < 4; i++) round()
  return v0 ^ v1 ^ v2 ^ v3
}

test('SipHash-2-4: the 32-bit halves agree with 64-bit arithmetic on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(hashHex(sipHash(key, bytes))).toBe(plainSipHash(bytes).toString(16).padStart(16, '0'))
    }),
    { numRuns: 300 },
  )
})

test('sipHashText is sipHash of the latin1 bytes, short and long', () => {
  for (const length of [0, 1, 7, 8, 31, 511, 512, 513, 2_000]) {
    const text = String.fromCharCode(...Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff))
    expect(sipHashText(key, text)).toEqual(sipHash(key, latin1Bytes(text)))
  }
})

test('a text hash leaves nothing behind for the next', () => {
  const before = sipHashText(key, 'abc')
  sipHashText(key, '\xff'.repeat(40))
  expect(sipHashText(key, 'abc')).toEqual(before)
})

test('the key matters in each of its bytes', () => {
  const hashes = new Set<string>()
  for (let i = 0; i < 16; i++) {
    const bytes = counting(16)
    bytes[i] = 0x80
    hashes.add(hashHex(sipHash(hashKey(bytes), counting(5))))
  }
  expect(hashes.size).toBe(16)
})

test('mixBytes and mixText: seed, order and length count; both halves are unsigned', () => {
  const seen = new Set<string>()
  const inputs = [Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(1, 2), Uint8Array.of(2, 1)]
  for (const seed of [0, 1]) for (const bytes of inputs) seen.add(hashHex(mixBytes(seed, bytes)))
  expect(seen.size).toBe(10)
  const texts = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    const hash = mixText(7, `call-${i}`)
    expect(hash.high >= 0 && hash.low >= 0).toBe(true)
    texts.add(hashHex(hash))
  }
  expect(texts.size).toBe(20_000)
})

test('mixFact: kinds, lengths, order and every bit count', () => {
  const bytes = Uint8Array.from({ length: 9 }, (_, i) => i)
  const facts: (readonly [readonly (string | number)[], Uint8Array?])[] = [
    [[]],
    [['']],
    [['', '']],
    [[0]],
    [[0, 0]],
    [['a', 'b']],
    [['b', 'a']],
    [['ab']],
    [['ab', '']],
    [['1']],
    [[1]],
    [[97]],
    [[2 ** 32]],
    [[2 ** 32 + 1]],
    [[1, 2 ** 32]],
    [[2 ** 52]],
    [['a', 'b'], bytes],
    [['a', 'b'], new Uint8Array(0)],
    [['a', 'b'], new Uint8Array(1)],
    [['a', 'b'], new Uint8Array(8)],
  ]
  const seen = new Set(facts.map(([fact, more]) => hashHex(mixFact(fact, more))))
  expect(seen.size).toBe(facts.length)
  // Each bit of the content alone, and each pair of them.
  const hashes = new Set<string>([hashHex(mixFact([], bytes))])
  const flip = (...bits: readonly number[]): string => {
    const flipped = Uint8Array.from(bytes)
    for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    return hashHex(mixFact([], flipped))
  }
  for (let a = 0; a < 72; a++) for (let b = a; b < 72; b++) hashes.add(a === b ? flip(a) : flip(a, b))
  expect(hashes.size).toBe(1 + (72 * 73) / 2)
})
