// Memory by hand for millions of small records: large byte arrays ("slabs") cut into slots of one size each, so that the
// garbage collector sees a few hundred objects, not millions (design.md 2). A record is named by a number, 0 = none.
//
//   slab      slots of one size class (sizes grow by a quarter), with a free list that runs through its free slots; the first
//             ones of a class are small, so that a store that holds little takes little
//   large     a record above the largest class has an array of its own
//
// Invariant: a slot is on its slab's free list exactly when it is not allocated; a slab without allocated slots is let go.

import { assert, must } from '../base/assert.ts'

/** A slot's place: the slab's number and the slot's, 2^32 of either at most. */
export type SlotRef = number

const SLAB_BYTES = 1 << 20
const LEAST_SLAB_BYTES = 1 << 12
const LEAST = 32
/** Sixteen slots a slab or more; above, a record is alone. */
const MOST = SLAB_BYTES / 16
/** A ref is slab * SLOTS + slot + 1: never 0, exact in a double up to 2^53. */
const SLOTS = SLAB_BYTES / LEAST

interface Slab {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly size: number
  /** Slot + 1 of the first free one, 0 = none; the next one's is in its first four bytes. */
  free: number
  /** Slots never used yet begin here. */
  fresh: number
  used: number
}

/** The sizes of slots, in rising order, each a multiple of eight. */
export const slotSizes: readonly number[] = sizes()

export class SlabHeap {
  readonly #slabs: (Slab | null)[] = []
  /** Numbers of slabs that were let go. */
  readonly #gaps: number[] = []
  /** Per size class: slabs that have room. */
  readonly #roomy: Set<number>[] = slotSizes.map(() => new Set())
  /** Per size class: bytes of its next slab. */
  readonly #next: number[] = slotSizes.map((size) => Math.max(LEAST_SLAB_BYTES, 4 * size))
  #bytes = 0

  /** Bytes of all slabs. */
  get bytes(): number {
    return this.#bytes
  }

  /** A slot of at least `size` bytes; what is in it is old rubbish. */
  allocate(size: number): SlotRef {
    const kind = classOf(size)
    const number = this.#roomy[kind]?.values().next().value ?? this.#addSlab(kind, size)
    const slab = this.#slab(number)
    let slot = slab.free - 1
    if (slot >= 0) slab.free = slab.view.getUint32(slot * slab.size, true)
    else slot = slab.fresh++
    slab.used++
    if (isFull(slab)) this.#roomy[kind]?.delete(number)
    return number * SLOTS + slot + 1
  }

  release(ref: SlotRef): void {
    const number = Math.floor((ref - 1) / SLOTS)
    const slab = this.#slab(number)
    const slot = (ref - 1) % SLOTS
    const kind = classOf(slab.size)
    if (--slab.used === 0) {
      this.#slabs[number] = null
      this.#gaps.push(number)
      this.#roomy[kind]?.delete(number)
      this.#bytes -= slab.bytes.length
      return
    }
    slab.view.setUint32(slot * slab.size, slab.free, true)
    slab.free = slot + 1
    this.#roomy[kind]?.add(number)
  }

  /** The slab that a record lies in, and where; valid until something is allocated or released. */
  viewOf(ref: SlotRef): DataView {
    return this.#slab(Math.floor((ref - 1) / SLOTS)).view
  }

  bytesOf(ref: SlotRef): Uint8Array {
    return this.#slab(Math.floor((ref - 1) / SLOTS)).bytes
  }

  offsetOf(ref: SlotRef): number {
    return ((ref - 1) % SLOTS) * this.#slab(Math.floor((ref - 1) / SLOTS)).size
  }

  /** Bytes of a record's slot. */
  sizeOf(ref: SlotRef): number {
    return this.#slab(Math.floor((ref - 1) / SLOTS)).size
  }

  #slab(number: number): Slab {
    return must(this.#slabs[number] ?? null, 'a ref of a slab that is there')
  }

  #addSlab(kind: number, wanted: number): number {
    const size = slotSizes[kind] ?? (wanted + 7) & ~7
    const length = this.#next[kind] ?? size
    if (kind < slotSizes.length) this.#next[kind] = Math.min(2 * length, SLAB_BYTES)
    const bytes = new Uint8Array(length)
    const number = this.#gaps.pop() ?? this.#slabs.length
    assert(number < 2 ** 32, 'slabs have 32-bit numbers')
    const view = new DataView(bytes.buffer)
    this.#slabs[number] = { bytes, view, size, free: 0, fresh: 0, used: 0 }
    this.#roomy[kind]?.add(number)
    this.#bytes += bytes.length
    return number
  }
}

function isFull({ free, fresh, size, bytes }: Slab): boolean {
  return free === 0 && (fresh + 1) * size > bytes.length
}

/** The smallest class that fits; `slotSizes.length` = none does. */
function classOf(size: number): number {
  if (size > MOST) return slotSizes.length
  let low = 0
  let high = slotSizes.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((slotSizes[middle] as number) >= size) high = middle
    else low = middle + 1
  }
  return low
}

function sizes(): number[] {
  const list: number[] = []
  for (let size = LEAST; size < MOST; size = Math.ceil((size * 1.25) / 8) * 8) list.push(size)
  list.push(MOST)
  return list
}
