import v8 from 'node:v8'
import vm from 'node:vm'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePool, equalBytes, flat, hex, hex32, latin1Bytes, latin1Text } from './bytes.ts'

test('latin1: bytes to text and back is the identity, at every length around the block size', () => {
  for (const length of [0, 1, 8_191, 8_192, 8_193, 20_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i & 0xff)
    expect(equalBytes(latin1Bytes(latin1Text(bytes)), bytes)).toBe(true)
  }
})

test('hex: two digits a byte, eight a 32-bit number', () => {
  expect(hex(Uint8Array.of(0, 9, 0xa0, 0xff))).toBe('0009a0ff')
  expect(hex32(0)).toBe('00000000')
  expect(hex32(-1)).toBe('ffffffff')
  expect(hex32(0xabc)).toBe('00000abc')
})

test('equalBytes: length and every byte count', () => {
  expect(equalBytes(Uint8Array.of(), Uint8Array.of())).toBe(true)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
})

test('flat: the same text, whatever its characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => flat(text) === text),
    { numRuns: 100 },
  )
  const lone = `lone surrogate \ud800, quote ", backslash \\, NUL \0, CRLF \r\n`
  expect(flat(lone)).toBe(lone)
})

test('flat: a kept string does not keep the datagram that it was cut from', () => {
  v8.setFlagsFromString('--expose_gc')
  const collect = vm.runInNewContext('gc') as () => void
  const heldBy = (keep: (slice: string) => string): number => {
    collect()
    const before = v8.getHeapStatistics().used_heap_size
    const kept: string[] = []
    for (let i = 0; i < 500; i++) {
      const datagram = latin1Text(new Uint8Array(8_000).fill(65 + (i % 26)))
      kept.push(keep(datagram.slice(100, 140)))
    }
    collect()
    const held = v8.getHeapStatistics().used_heap_size - before
    return held / kept.length
  }
  expect(heldBy((slice) => slice)).toBeGreaterThan(4_000)
  expect(heldBy(flat)).toBeLessThan(1_000)
})

test('bytePool: pieces have their length and never overlap, large ones have memory of their own', () => {
  const room = bytePool()
  const lengths = [0, 1, 600, 4_096, 4_097, 16_384, 100_000]
  const pieces = Array.from({ length: 200 }, (_, i) => room(lengths[i % lengths.length] as number).fill(i))
  for (const [i, piece] of pieces.entries()) {
    expect(piece.length).toBe(lengths[i % lengths.length])
    expect(piece.every((byte) => byte === i)).toBe(true)
    if (piece.length > 4_096) expect(piece.buffer.byteLength).toBe(piece.length)
  }
})
