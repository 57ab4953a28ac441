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

/** CRC-32 (as in zlib) of `bytes`, rolled on from `before`. The host's is native; below it there is no Node. */
export type Checksum = (bytes: Uint8Array, before: number) => number

export const HEAD_BYTES = 16
/** Of titles and of how records lie in a file. Each record has its own; this one is as in the first format. */
export const TITLE_FORMAT = 1

/** What is wrong with a file whose title is of another format. */
export function unknownTitle(format: unknown): string {
  return (
    `a title of format ${String(format)}, and this release reads titles of format ${TITLE_FORMAT}: ` +
    'start a release that reads it (docs/UPGRADING.md)'
  )
}
/** One record: the largest append is far below; a length above this is damage. */
const RECORD_BYTES = 32 * 1_024 * 1_024
/** Disks write whole sectors; the one that wasn't written reads as zeros (etcd's wal decides the same way). */
export const SECTOR = 512
/** CRC-32's, as zlib has it: lowest bit first. */
const POLYNOMIAL = 0xedb88320

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

/** The bytes of one write at offset `batch`, and the CRC to roll on from. They lie in `room`, if that is large enough. */
export function frameRecords(
  payloads: readonly Uint8Array[],
  batch: number,
  crc: number,
  checksum: Checksum,
  room?: Uint8Array,
): { readonly bytes: Uint8Array; readonly crc: number } {
  let size = 0
  for (const payload of payloads) size += HEAD_BYTES + payload.length
  const bytes = room !== undefined && room.length >= size ? room.subarray(0, size) : new Uint8Array(size)
  const view = viewOf(bytes)
  let at = 0
  let rolling = crc
  for (const payload of payloads) {
    rolling = checksum(payload, rolling)
    view.setUint32(at, payload.length, true)
    view.setUint32(at + 4, batch, true)
    view.setUint32(at + 8, rolling, true)
    view.setUint32(at + 12, checksum(bytes.subarray(at, at + 12), 0), true)
    bytes.set(payload, at + HEAD_BYTES)
    at += HEAD_BYTES + payload.length
  }
  return { bytes, crc: rolling }
}

/** Reads a segment as far as it is good. */
export function readRecords(file: Uint8Array, checksum: Checksum): Reading {
  const segment: Segment = { file, view: viewOf(file), checksum }
  const payloads: Uint8Array[] = []
  let end = 0
  let crc = 0
  const bad = (stop: number, incomplete: boolean, reason: string, isFlipped = false): Reading => ({
    payloads,
    end,
    crc,
    fault: { torn: !isFlipped && isTorn(segment, end, stop, incomplete), reason },
  })
  while (end < file.length) {
    const start = end + HEAD_BYTES
    if (start > file.length) return bad(file.length, true, 'its head is incomplete')
    if (!isHead(segment, end)) {
      const sectorEnd = Math.min(file.length, Math.ceil(start / SECTOR) * SECTOR)
      const head = file.subarray(end, start - 4)
      const other = checksum(head, 0) ^ segment.view.getUint32(start - 4, true)
      return bad(sectorEnd, false, 'its head is wrong', isOneBit(other, head.length))
    }
    const stop = start + segment.view.getUint32(end, true)
    if (stop > file.length) return bad(file.length, true, 'it is incomplete')
    const payload = file.subarray(start, stop)
    const next = checksum(payload, crc)
    const other = next ^ segment.view.getUint32(end + 8, true)
    if (other !== 0) return bad(stop, false, 'its checksum is wrong', isOneBit(other, payload.length))
    payloads.push(payload)
    crc = next
    end = stop
  }
  return { payloads, end, crc, fault: null }
}

interface Segment {
  readonly file: Uint8Array
  readonly view: DataView
  readonly checksum: Checksum
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function isHead({ file, view, checksum }: Segment, at: number): boolean {
  if (view.getUint32(at, true) > RECORD_BYTES) return false
  return view.getUint32(at + 12, true) === checksum(file.subarray(at, at + 12), 0)
}

/** Whether the bad record at `end` never was synced whole. `incomplete`: the file ends in it; else only if a sector of it is
 * all zeros. `stop` is the end of what is known to belong to it. */
function isTorn(segment: Segment, end: number, stop: number, incomplete: boolean): boolean {
  return (incomplete || hasZeroSector(segment.file, end, stop)) && !hasLaterBatch(segment, end)
}

/** Whether two checksums differ as they do when one bit of so many bytes is flipped, or one of the checksum's own. A record may have
 * zeros where a sector ends or begins; then this tells a bit that flipped in it from a sector that was not written. */
function isOneBit(difference: number, bytes: number): boolean {
  const wanted = difference >>> 0
  if ((wanted & (wanted - 1)) === 0) return true
  // What the last bit does to a CRC-32; each bit before it goes through the register once more.
  let effect = POLYNOMIAL
  for (let bit = 0; bit < 8 * bytes; bit++) {
    if (effect === wanted) return true
    effect = ((effect >>> 1) ^ (effect & 1 ? POLYNOMIAL : 0)) >>> 0
  }
  return false
}

function hasZeroSector(file: Uint8Array, from: number, to: number): boolean {
  let at = from
  while (at < to) {
    const sectorEnd = Math.min(to, (Math.floor(at / SECTOR) + 1) * SECTOR)
    if (file.subarray(at, sectorEnd).every((byte) => byte === 0)) return true
    at = sectorEnd
  }
  return false
}

/** Whether a record lies behind `end` whose write began behind `end`: then what is at `end` had been synced. */
function hasLaterBatch(segment: Segment, end: number): boolean {
  const { file, view } = segment
  for (let at = end + 1; at + HEAD_BYTES <= file.length; at++) {
    const batch = view.getUint32(at + 4, true)
    if (batch > end && batch <= at && isHead(segment, at)) return true
  }
  return false
}
