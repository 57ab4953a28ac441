// How records lie in a segment of the log, and how a torn tail is told from damage.
//
//   record = head, payload
//   head   = length u32 | batch u32 | crc u32 | check u32          (little-endian)
//
// `crc` is the CRC-32 of the payload, rolled on from the record before it: a missing or moved record shows. `check` is
// the CRC-32 of the twelve bytes before it, so that a flipped length is seen as damage and not as a record that ends
// beyond the file. `batch` is the offset at which the write that holds this record began. One write is in flight at a
// time, and it starts only after the one before was synced; so a record with `batch` B proves that all below B had been
// on the disk, and only the last batch of the last segment can be torn. The first record of a segment is its title.

import { crc32 } from 'node:zlib'
import { hostLimits } from './limits.ts'

export const HEAD_BYTES = 16
/** Disks write whole sectors; the one that wasn't written reads as zeros (etcd's wal decides the same way). */
const SECTOR = 512

export interface Reading {
  /** Payloads in order, as views of the file. */
  readonly payloads: readonly Uint8Array[]
  /** Where the last good record ends. */
  readonly end: number
  /** The CRC that the next record rolls on from. */
  readonly crc: number
  /** Null if the file is good to its last byte. Torn: what follows `end` never was synced whole and may be cut. */
  readonly fault: { readonly torn: boolean; readonly reason: string } | null
}

/** The bytes of one write at offset `batch`, and the CRC to roll on from. */
export function frameRecords(
  payloads: readonly Uint8Array[],
  batch: number,
  crc: number,
): { bytes: Buffer; crc: number } {
  let size = 0
  for (const payload of payloads) size += HEAD_BYTES + payload.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  let rolling = crc
  for (const payload of payloads) {
    rolling = crc32(payload, rolling)
    bytes.writeUInt32LE(payload.length, at)
    bytes.writeUInt32LE(batch, at + 4)
    bytes.writeUInt32LE(rolling, at + 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 12)), at + 12)
    bytes.set(payload, at + HEAD_BYTES)
    at += HEAD_BYTES + payload.length
  }
  return { bytes, crc: rolling }
}

/** Reads a segment as far as it is good. */
export function readRecords(file: Buffer): Reading {
  const payloads: Uint8Array[] = []
  let end = 0
  let crc = 0
  while (end < file.length) {
    const start = end + HEAD_BYTES
    if (start > file.length) return fault(file, payloads, end, crc, file.length, true, 'its head is incomplete')
    if (!isHead(file, end)) {
      const sectorEnd = Math.min(file.length, Math.ceil(start / SECTOR) * SECTOR)
      return fault(file, payloads, end, crc, sectorEnd, false, 'its head is wrong')
    }
    const stop = start + file.readUInt32LE(end)
    if (stop > file.length) return fault(file, payloads, end, crc, file.length, true, 'it is incomplete')
    const payload = file.subarray(start, stop)
    const next = crc32(payload, crc)
    if (next !== file.readUInt32LE(end + 8)) {
      return fault(file, payloads, end, crc, stop, false, 'its checksum is wrong')
    }
    payloads.push(payload)
    crc = next
    end = stop
  }
  return { payloads, end, crc, fault: null }
}

function isHead(file: Buffer, at: number): boolean {
  return (
    file.readUInt32LE(at) <= hostLimits.recordBytes && file.readUInt32LE(at + 12) === crc32(file.subarray(at, at + 12))
  )
}

/** The record at `end` is bad. `incomplete`: the file ends in it; else it is torn only if a sector of it is all zeros.
 * `stop` is the end of what is known to belong to it. */
function fault(
  file: Buffer,
  payloads: readonly Uint8Array[],
  end: number,
  crc: number,
  stop: number,
  incomplete: boolean,
  reason: string,
): Reading {
  const torn = (incomplete || hasZeroSector(file, end, stop)) && !hasLaterBatch(file, end)
  return { payloads, end, crc, fault: { torn, reason } }
}

function hasZeroSector(file: Buffer, from: number, to: number): boolean {
  let at = from
  while (at < to) {
    const sectorEnd = Math.min(to, (Math.floor(at / SECTOR) + 1) * SECTOR)
    if (file.subarray(at, sectorEnd).every((byte) => byte === 0)) return true
    at = sectorEnd
  }
  return false
}

/** Whether a record lies behind `end` whose write began behind `end`: then what is at `end` had been synced. */
function hasLaterBatch(file: Buffer, end: number): boolean {
  for (let at = end + 1; at + HEAD_BYTES <= file.length; at++) {
    const batch = file.readUInt32LE(at + 4)
    if (batch > end && batch <= at && isHead(file, at)) return true
  }
  return false
}
