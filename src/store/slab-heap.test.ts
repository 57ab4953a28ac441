import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlabHeap, slotSizes } from './slab-heap.ts'
import type { SlotRef } from './slab-heap.ts'

/** Fills a slot with a pattern of its own. */
function stamp(heap: SlabHeap, ref: SlotRef, size: number, mark: number): void {
  heap.bytesOf(ref).fill(mark, heap.offsetOf(ref), heap.offsetOf(ref) + size)
}

function isStamped(heap: SlabHeap, ref: SlotRef, size: number, mark: number): boolean {
  const at = heap.offsetOf(ref)
  return heap
    .bytesOf(ref)
    .subarray(at, at + size)
    .every((byte) => byte === mark)
}

test('slots never overlap, whatever is allocated and released; what is released is used again', () => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 3_000 }), pick: fc.nat(), keep: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new SlabHeap()
      const kept: { ref: SlotRef; size: number; mark: number }[] = []
      for (const [i, { size, pick, keep }] of steps.entries()) {
        if (keep || kept.length === 0) {
          const slot = { ref: heap.allocate(size), size, mark: 1 + (i % 255) }
          expect(heap.sizeOf(slot.ref)).toBeGreaterThanOrEqual(size)
          stamp(heap, slot.ref, size, slot.mark)
          kept.push(slot)
        } else {
          const [gone] = kept.splice(pick % kept.length, 1)
          if (gone !== undefined) heap.release(gone.ref)
        }
      }
      for (const { ref, size, mark } of kept) expect(isStamped(heap, ref, size, mark)).toBe(true)
      for (const { ref } of kept) heap.release(ref)
      expect(heap.bytes).toBe(0)
    }),
  )
})

test('a record above the largest class lies alone, and goes whole', () => {
  const heap = new SlabHeap()
  const large = heap.allocate(10_000_001)
  expect(heap.sizeOf(large)).toBe(10_000_008)
  expect(heap.bytes).toBe(10_000_008)
  heap.release(large)
  expect(heap.bytes).toBe(0)
})

test('what is lost to size classes is about a quarter at most', () => {
  for (const [i, size] of slotSizes.entries()) {
    if (size > 128) expect(size / ((slotSizes[i - 1] ?? 0) + 1)).toBeLessThanOrEqual(1.32)
  }
  const heap = new SlabHeap()
  for (let i = 0; i < 100_000; i++) heap.allocate(500)
  expect(heap.bytes / (100_000 * 500)).toBeLessThan(1.3)
})

test('a store that holds little takes little', () => {
  const heap = new SlabHeap()
  for (const size of [40, 100, 300, 900, 2_000]) heap.allocate(size)
  expect(heap.bytes).toBeLessThan(32_768)
})
