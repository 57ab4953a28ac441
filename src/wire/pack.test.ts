import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codec, pack, unpack } from './pack.ts'

const key = fc.string({ maxLength: 20 }).filter((name) => name !== '__proto__')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, 63, 64, 127, 128, -1, -33, 2 ** 32, 2 ** 53 - 1, 0.5),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
    fc.uint8Array({ maxLength: 100 }).map((array) => Uint8Array.from(array)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
}))

const reason = (bytes: readonly number[], records: readonly (readonly string[])[] = []): string | null => {
  const result = codec(records).unpack(Uint8Array.from(bytes))
  return result.ok ? null : result.error
}
const nested = (depth: number): number[] => Array.from({ length: depth }, () => 0x91)
const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0))

describe('values', () => {
  test('what is packed is unpacked to the same value', () => {
    fc.assert(
      fc.property(value, (packed) => {
        expect(unpack(pack(packed))).toEqual({ ok: true, value: packed })
      }),
      { numRuns: 300 },
    )
  })

  test('a fresh and a used packer give equal bytes', () => {
    const structures = [['a', 'b'], ['b', 'a'], ['a']]
    const used = codec(structures)
    const field = fc.oneof(fc.string(), fc.nat(), fc.array(fc.string({ maxLength: 3 })))
    const record = fc.oneof(
      fc.record({ a: field, b: field }, { noNullPrototype: true }),
      fc.record({ b: field, a: field }, { noNullPrototype: true }),
      fc.record({ a: field }, { noNullPrototype: true }),
    )
    fc.assert(
      fc.property(record, (packed) => {
        expect(codec(structures).pack(packed)).toEqual(used.pack(packed))
      }),
    )
  })

  test('packing does not alias an earlier result', () => {
    const first = pack('first')
    const copy = first.slice()
    for (let i = 0; i < 10; i++) pack('other')
    expect(first).toEqual(copy)
  })

  test('what is no value of ours is refused when unpacked', () => {
    for (const wrong of [undefined, { a: undefined }, new Date(0), 1n, new Map([[1, 1]])]) {
      expect(unpack(pack(wrong)).ok).toBe(false)
    }
  })
})

describe('hostile bytes', () => {
  test('extensions, among them record definitions, are refused', () => {
    expect(reason([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01])).toBe('a type that is not allowed')
    expect(reason([0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0])).toBe('a type that is not allowed')
    expect(reason([0xd6, 0xff, 0, 0, 0, 0])).toBe('a type that is not allowed')
    expect(reason([0xc1])).toBe('a type that is not allowed')
    expect(reason([0xcf, 0, 0, 0, 0, 0, 0, 0, 1])).toBe('a type that is not allowed')
  })

  test('a key may not name an object’s prototype, however it is spelled, nor be other than a string', () => {
    const proto = ascii('__proto__')
    expect(reason([0x81, 0xa9, ...proto, 0x80])).toBe('a key that is not allowed')
    expect(reason([0x81, 0xd9, 9, ...proto, 0x80])).toBe('a key that is not allowed')
    expect(reason([0x81, 0xda, 0, 9, ...proto, 0x80])).toBe('a key that is not allowed')
    expect(reason([0x81, 0xdb, 0, 0, 0, 9, ...proto, 0x80])).toBe('a key that is not allowed')
    expect(reason([0x81, 0x01, 0x01])).toBe('a key that is not allowed')
    expect(reason([0x81, 0x90, 0x01])).toBe('a key that is not allowed')
    const made = unpack(pack({ constructor: 1, toString: 2 }))
    expect(made.ok && Object.getPrototypeOf(made.value)).toBe(Object.prototype)
  })

  test('lengths that lie are refused before anything is allocated', () => {
    expect(reason([0xdd, 0xff, 0xff, 0xff, 0xff])).toBe('ends too early')
    expect(reason([0xdf, 0x7f, 0xff, 0xff, 0xff])).toBe('ends too early')
    expect(reason([0xc6, 0xff, 0xff, 0xff, 0xff])).toBe('ends too early')
    expect(reason([0xdb, 0, 0, 0, 2, 0x61])).toBe('ends too early')
    expect(reason([0x92, 0xc0])).toBe('ends too early')
    expect(reason([])).toBe('ends too early')
    expect(reason([0xc0, 0xc0])).toBe('bytes after the value')
  })

  test('depth and number of values are bounded', () => {
    expect(reason([...nested(31), 0xc0])).toBe(null)
    expect(reason([...nested(100_000), 0xc0])).toBe('nested too deep')
    const million = 1024 * 1024
    const nils = new Uint8Array(5 + million).fill(0xc0)
    nils.set([0xdd, 0, 0x10, 0, 0])
    expect(unpack(nils)).toEqual({ ok: false, error: 'too many values' })
    expect(unpack(new Uint8Array(32 * 1024 * 1024 + 1))).toEqual({ ok: false, error: 'too many bytes' })
  })

  test('with records, unknown ones and maps are refused', () => {
    expect(reason([0x40, 0xc0], [['a']])).toBe(null)
    expect(reason([0x41, 0xc0], [['a']])).toBe('an unknown record')
    expect(reason([0x81, 0xa1, 0x61, 0xc0], [['a']])).toBe('a map')
  })

  test('random bytes are a value or a reason, never thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        const result = unpack(noise)
        // What is let in can be packed: nothing else got through.
        if (result.ok) pack(result.value)
      }),
      { numRuns: 2_000 },
    )
  })
})
