import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameRecords, HEAD_BYTES, readRecords, SECTOR } from './segment.ts'

type Batches = readonly (readonly Uint8Array[])[]

/** A segment of these batches, and where each batch begins. */
function segment(batches: Batches): { readonly file: Buffer; readonly starts: readonly number[] } {
  const parts: Uint8Array[] = []
  const starts: number[] = []
  let at = 0
  let crc = 0
  for (const batch of batches) {
    const framed = frameRecords(batch, at, crc, crc32)
    starts.push(at)
    parts.push(framed.bytes)
    at += framed.bytes.length
    crc = framed.crc
  }
  return { file: Buffer.concat(parts), starts }
}

/** Not all zeros, so that no sector of a record reads as one that was not written. */
const payload = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => bytes.map((byte) => byte | 1))
const batches = fc.array(fc.array(payload, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 })

const plain = (payloads: readonly Uint8Array[]): number[][] => payloads.map((bytes) => [...bytes])

test('what was framed is read back, record by record', () => {
  fc.assert(
    fc.property(batches, (all) => {
      const { file } = segment(all)
      const reading = readRecords(file, crc32)
      expect(reading.fault).toBe(null)
      expect(reading.end).toBe(file.length)
      expect(plain(reading.payloads)).toEqual(plain(all.flat()))
    }),
  )
})

test('a file that ends in its last batch is torn there, and keeps every record before', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (all, draw) => {
      const { file, starts } = segment(all)
      const last = starts.at(-1) ?? 0
      const cut = last + (draw % (file.length - last))
      const reading = readRecords(file.subarray(0, cut), crc32)
      expect(reading.fault?.torn ?? 'whole').toBe(reading.end < cut ? true : 'whole')
      expect(reading.payloads.length).toBeGreaterThanOrEqual(all.slice(0, -1).flat().length)
      expect(plain(reading.payloads)).toEqual(plain(all.flat().slice(0, reading.payloads.length)))
    }),
  )
})

test('one flipped bit never reads as other records, and is never torn but in a batch that may not have been synced', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.nat(7), (all, draw, bit) => {
      const { file, starts } = segment(all)
      const place = draw % file.length
      file[place] = (file[place] as number) ^ (1 << bit)
      const reading = readRecords(file, crc32)
      expect(reading.fault).not.toBe(null)
      expect(reading.end).toBeLessThanOrEqual(place)
      expect(plain(reading.payloads)).toEqual(plain(all.flat().slice(0, reading.payloads.length)))
      const mayBeTorn = place >= (starts.at(-1) ?? 0)
      expect(reading.fault?.torn === true && !mayBeTorn).toBe(false)
    }),
  )
})

const filled = (length: number): Uint8Array => new Uint8Array(length).fill(7)

test('a sector of zeros in the last batch is a write that did not happen: torn', () => {
  const { file, starts } = segment([[filled(100)], [filled(3_000)]])
  file.fill(0, 1_024, 1_536)
  expect(readRecords(file, crc32)).toMatchObject({ end: starts[1], fault: { torn: true } })
})

test('a sector of zeros before a later batch is damage: it had been synced', () => {
  const { file, starts } = segment([[filled(100)], [filled(3_000)], [filled(10)]])
  file.fill(0, 1_024, 1_536)
  expect(readRecords(file, crc32)).toMatchObject({ end: starts[1], fault: { torn: false } })
})

test('zeros after the last record, as a file system leaves them when it grew a file first, are torn', () => {
  const { file } = segment([[filled(100)]])
  const reading = readRecords(Buffer.concat([file, Buffer.alloc(2_000)]), crc32)
  expect(reading).toMatchObject({ end: file.length, fault: { torn: true } })
})

test('a complete last record with a wrong checksum and no zero sector is damage', () => {
  const { file, starts } = segment([[filled(100)], [filled(100)]])
  file[file.length - 1] = 8
  expect(readRecords(file, crc32)).toMatchObject({
    end: starts[1],
    fault: { torn: false, reason: 'its checksum is wrong' },
  })
})

test('a flipped length is damage, not a record that ends beyond the file', () => {
  const { file, starts } = segment([[filled(100)], [filled(100)], [filled(100)]])
  file.writeUInt32LE(1_000_000, starts[1] as number)
  expect(readRecords(file, crc32)).toMatchObject({ end: starts[1], fault: { torn: false } })
})

test('a record taken out of the middle shows: checksums roll on', () => {
  const { file, starts } = segment([[filled(100)], [filled(100)], [filled(100)]])
  const without = Buffer.concat([file.subarray(0, starts[1]), file.subarray(starts[2])])
  expect(readRecords(without, crc32).end).toBe(100 + HEAD_BYTES)
})

test('a bit that flipped in a last record with zeros where a sector begins is damage; the same zeros unwritten are torn', () => {
  const payload = new Uint8Array(512 - 116 - HEAD_BYTES + 5).fill(7, 0, -5)
  const { file, starts } = segment([[filled(100)], [payload]])
  const at = starts[1] as number
  expect(file.length).toBe(SECTOR + 5)
  for (let bit = 8 * at; bit < 8 * file.length; bit++) {
    file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(readRecords(file, crc32)).toMatchObject({ end: at, fault: { torn: false } })
    file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7))
  }
  file.fill(0, at, SECTOR)
  expect(readRecords(file, crc32)).toMatchObject({ end: at, fault: { torn: true } })
})
