// Frames on a TCP stream between replicas: a length (u32, little-endian) and that many bytes.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { hostLimits } from './limits.ts'

const LENGTH_BYTES = 4

/** The frames as one buffer, for one write. */
export function joinFrames(frames: readonly Uint8Array[]): Buffer {
  let size = 0
  for (const frame of frames) size += LENGTH_BYTES + frame.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const frame of frames) {
    bytes.writeUInt32LE(frame.length, at)
    bytes.set(frame, at + LENGTH_BYTES)
    at += LENGTH_BYTES + frame.length
  }
  return bytes
}

/** Puts frames together again from the pieces a stream gives. Linear: a byte is copied twice at most. */
export class FrameReader {
  #pieces: Buffer[] = []
  #size = 0
  /** Bytes to have before anything can be cut. */
  #needed = LENGTH_BYTES

  /** The frames that are whole now; an error is garbage, after which the stream is of no use. */
  push(piece: Buffer): Result<readonly Uint8Array[], string> {
    this.#pieces.push(piece)
    this.#size += piece.length
    if (this.#size < this.#needed) return ok([])
    const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#size)
    const frames: Uint8Array[] = []
    let at = 0
    this.#needed = LENGTH_BYTES
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at)
      if (length > hostLimits.frameBytes) return err(`a frame of ${length} bytes is longer than any of ours`)
      const end = at + LENGTH_BYTES + length
      if (end > bytes.length) {
        this.#needed = LENGTH_BYTES + length
        break
      }
      frames.push(bytes.subarray(at + LENGTH_BYTES, end))
      at = end
    }
    this.#pieces = at === bytes.length ? [] : [bytes.subarray(at)]
    this.#size = bytes.length - at
    return ok(frames)
  }
}
