// What leaves a replica as bytes and comes back: bodies and entries of the log, frames, records on disk. Each begins with
// the number of its format (formats.ts). Decoding says what is wrong; what we encode is ours and of its type.
// What is decoded is in shape, field by field, and owns its memory: it keeps no frame, block or reused buffer alive. Only what is on
// its way into the store, entries and parts of snapshots, is views: the store copies what it keeps.
//
//     body, frame, record, part of a snapshot:  format, 1 byte | MessagePack
//     a raise, as a body:                       0, 1 byte | the format, 1 byte
//     entry:                                    stamp, 8 bytes, big-endian | body
//
// The leader stamps a body without looking inside, and followers keep an entry as bytes until they apply it.

import { assert } from '../base/assert.ts'
import { bytePool } from '../base/bytes.ts'
import { type Stamp, stamp as stampOf } from '../base/instant.ts'
import { type Result, err, ok } from '../base/result.ts'
import { bodyFormat } from './entry-shapes.ts'
import type { Entry, EntryBody } from './entry.ts'
import { KNOWN_FORMATS, OLDEST_FORMAT } from './formats.ts'
import type { FormatNumber, Formats } from './formats.ts'
import { frameFormat } from './frame-shapes.ts'
import type { Frame } from './frame.ts'
import { diskFormat } from './record-shapes.ts'
import type { DiskRecord } from './record.ts'
import { stampShape } from './shapes.ts'
import { snapshotFormat } from './snapshot-shapes.ts'
import type { SnapshotPart } from './snapshot.ts'

const STAMP_BYTES = 8
const entryRoom = bytePool()
/** The first byte of a raise, which is of no format; the one that it names follows. */
const RAISE = 0

// Writers say the format, which is the set's active one; those that don't know it yet write the oldest, which all read. Readers
// say what they read.

/** A body as its proposer sends it to the leader. */
export function encodeBody(body: EntryBody, format: FormatNumber = OLDEST_FORMAT): Uint8Array {
  return body.kind === 'raise' ? Uint8Array.of(RAISE, body.format) : bodyFormat.encode(body, format)
}

export function decodeBody(
  bytes: Uint8Array,
  formats: Formats = KNOWN_FORMATS,
  lent = false,
): Result<EntryBody, string> {
  if (bytes[0] !== RAISE) return bodyFormat.decode(bytes, formats, lent)
  const format = bytes[1]
  if (bytes.length !== 2 || format === undefined || format < 2) return err('body: a raise without a format')
  return ok({ kind: 'raise', format })
}

/** Whether a body, not looked into, is a raise: only the leader makes one. */
export function isRaise(body: Uint8Array): boolean {
  return body[0] === RAISE
}

/** What the leader appends: its stamp and an encoded body, as it came. */
export function encodeEntry(stamp: Stamp, body: Uint8Array): Uint8Array {
  const fault = stampShape.fault(stamp)
  assert(fault === null, `encoding stamp${fault}`)
  const bytes = entryRoom(STAMP_BYTES + body.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(0, Math.floor(stamp / 0x1_0000_0000))
  view.setUint32(4, stamp % 0x1_0000_0000)
  bytes.set(body, STAMP_BYTES)
  return bytes
}

/** Its byte strings are views of `bytes`. */
export function decodeEntry(bytes: Uint8Array, formats: Formats = KNOWN_FORMATS): Result<Entry, string> {
  if (bytes.length < STAMP_BYTES) return err('entry: no stamp')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const stamp = stampOf(view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4))
  const fault = stampShape.fault(stamp)
  if (fault !== null) return err(`entry.stamp${fault}`)
  const body = decodeBody(bytes.subarray(STAMP_BYTES), formats, true)
  return body.ok ? ok({ stamp, body: body.value }) : body
}

/** The format of an encoded entry; 0 = it is a raise, or nothing. */
export function formatOfEntry(bytes: Uint8Array): number {
  return bytes[STAMP_BYTES] ?? 0
}

export function encodeFrame(frame: Frame, format: FormatNumber = OLDEST_FORMAT): Uint8Array {
  return frameFormat.encode(frame, format)
}

export function decodeFrame(bytes: Uint8Array, formats: Formats = KNOWN_FORMATS): Result<Frame, string> {
  return frameFormat.decode(bytes, formats)
}

export function encodeRecord(record: DiskRecord, format: FormatNumber = OLDEST_FORMAT): Uint8Array {
  return diskFormat.encode(record, format)
}

export function decodeRecord(bytes: Uint8Array, formats: Formats = KNOWN_FORMATS): Result<DiskRecord, string> {
  return diskFormat.decode(bytes, formats)
}

export function encodeSnapshotPart(part: SnapshotPart, format: FormatNumber = OLDEST_FORMAT): Uint8Array {
  return snapshotFormat.encode(part, format)
}

/** Its byte strings are views of `bytes`. */
export function decodeSnapshotPart(bytes: Uint8Array, formats: Formats = KNOWN_FORMATS): Result<SnapshotPart, string> {
  return snapshotFormat.decode(bytes, formats, true)
}
