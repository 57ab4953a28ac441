// What leaves a replica as bytes and comes back: bodies and entries of the log, frames, records on disk. Each begins with
// the version of its format. Decoding says what is wrong; what we encode is ours and of its type.
// What is decoded is in shape, field by field, and owns its memory: it keeps no frame, block or reused buffer alive.
//
//     body, frame, record, part of a snapshot:  version, 1 byte | MessagePack
//     entry:                                    stamp, 8 bytes, big-endian | body
//
// The leader stamps a body without looking inside, and followers keep an entry as bytes until they apply it.

import { assert } from '../base/assert.ts'
import { type Stamp, stamp as stampOf } from '../base/instant.ts'
import { type Result, err, ok } from '../base/result.ts'
import { bodyFormat } from './entry-shapes.ts'
import type { Entry, EntryBody } from './entry.ts'
import { frameFormat } from './frame-shapes.ts'
import type { Frame } from './frame.ts'
import { diskFormat } from './record-shapes.ts'
import type { DiskRecord } from './record.ts'
import { stampShape } from './shapes.ts'
import { snapshotFormat } from './snapshot-shapes.ts'
import type { SnapshotPart } from './snapshot.ts'

const STAMP_BYTES = 8

/** A body as its proposer sends it to the leader. */
export function encodeBody(body: EntryBody): Uint8Array {
  return bodyFormat.encode(body)
}

export function decodeBody(bytes: Uint8Array): Result<EntryBody, string> {
  return bodyFormat.decode(bytes)
}

/** What the leader appends: its stamp and an encoded body, as it came. */
export function encodeEntry(stamp: Stamp, body: Uint8Array): Uint8Array {
  const fault = stampShape.fault(stamp)
  assert(fault === null, `encoding stamp${fault}`)
  const bytes = new Uint8Array(STAMP_BYTES + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(stamp / 0x1_0000_0000))
  view.setUint32(4, stamp % 0x1_0000_0000)
  bytes.set(body, STAMP_BYTES)
  return bytes
}

export function decodeEntry(bytes: Uint8Array): Result<Entry, string> {
  if (bytes.length < STAMP_BYTES) return err('entry: no stamp')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const stamp = stampOf(view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4))
  const fault = stampShape.fault(stamp)
  if (fault !== null) return err(`entry.stamp${fault}`)
  const body = bodyFormat.decode(bytes.subarray(STAMP_BYTES))
  return body.ok ? ok({ stamp, body: body.value }) : body
}

export function encodeFrame(frame: Frame): Uint8Array {
  return frameFormat.encode(frame)
}

export function decodeFrame(bytes: Uint8Array): Result<Frame, string> {
  return frameFormat.decode(bytes)
}

export function encodeRecord(record: DiskRecord): Uint8Array {
  return diskFormat.encode(record)
}

export function decodeRecord(bytes: Uint8Array): Result<DiskRecord, string> {
  return diskFormat.decode(bytes)
}

export function encodeSnapshotPart(part: SnapshotPart): Uint8Array {
  return snapshotFormat.encode(part)
}

export function decodeSnapshotPart(bytes: Uint8Array): Result<SnapshotPart, string> {
  return snapshotFormat.decode(bytes)
}
