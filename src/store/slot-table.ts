// A hash table of slots by the text that each slot holds, in 4,096 small parts: a part that is full doubles by itself, in
// microseconds, where one table of a million entries would stall (design.md 2).
//
// Each part is open addressing with linear probing; removal moves later slots back, so there are no tombstones.

import type { SlotRef } from './slab-heap.ts'

const PARTS = 4_096
const LEAST = 4
const NONE: SlotRef = 0

/** What the table asks of its user about a slot. */
export interface SlotTexts {
  textOf(ref: SlotRef): string
  isText(ref: SlotRef, text: string): boolean
}

interface Part {
  refs: Float64Array
  used: number
}

export class SlotTable {
  readonly #parts: (Part | undefined)[] = Array<undefined>(PARTS).fill(undefined)
  readonly #texts: SlotTexts
  #size = 0

  constructor(texts: SlotTexts) {
    this.#texts = texts
  }

  get size(): number {
    return this.#size
  }

  /** 0 if there is none. */
  find(text: string): SlotRef {
    const hash = hashOf(text)
    const part = this.#parts[hash & (PARTS - 1)]
    return part === undefined ? NONE : (part.refs[this.#place(part, text, hash)] as SlotRef)
  }

  /** A slot whose text is not there yet. */
  add(text: string, ref: SlotRef): void {
    const hash = hashOf(text)
    const part = (this.#parts[hash & (PARTS - 1)] ??= { refs: new Float64Array(LEAST), used: 0 })
    if (4 * (part.used + 1) > 3 * part.refs.length) this.#grow(part)
    part.refs[this.#place(part, text, hash)] = ref
    part.used++
    this.#size++
  }

  /** The slot that was there, 0 if none was. */
  remove(text: string): SlotRef {
    const hash = hashOf(text)
    const part = this.#parts[hash & (PARTS - 1)]
    if (part === undefined) return NONE
    const place = this.#place(part, text, hash)
    const ref = part.refs[place] as SlotRef
    if (ref === NONE) return NONE
    this.#close(part, place)
    part.used--
    this.#size--
    if (part.used === 0) this.#parts[hash & (PARTS - 1)] = undefined
    return ref
  }

  /** How many parts there are, numbered from 0; `textsIn` gives one's. */
  get parts(): number {
    return PARTS
  }

  partOf(text: string): number {
    return hashOf(text) & (PARTS - 1)
  }

  textsIn(part: number): readonly string[] {
    const refs = this.#parts[part]?.refs
    if (refs === undefined) return []
    const texts: string[] = []
    for (const ref of refs) if (ref !== NONE) texts.push(this.#texts.textOf(ref))
    return texts
  }

  /** All texts, in no particular order. */
  *keys(): Generator<string> {
    if (this.#size === 0) return
    for (let part = 0; part < PARTS; part++) if (this.#parts[part] !== undefined) yield* this.textsIn(part)
  }

  /** Where the text is, or the free place where it would be. */
  #place({ refs }: Part, text: string, hash: number): number {
    const mask = refs.length - 1
    let place = (hash >>> 12) & mask
    for (;;) {
      const ref = refs[place] as SlotRef
      if (ref === NONE || this.#texts.isText(ref, text)) return place
      place = (place + 1) & mask
    }
  }

  #grow(part: Part): void {
    const old = part.refs
    part.refs = new Float64Array(2 * old.length)
    for (const ref of old) {
      if (ref === NONE) continue
      const text = this.#texts.textOf(ref)
      part.refs[this.#place(part, text, hashOf(text))] = ref
    }
  }

  /** Empties a place, and moves back what would not be found past the gap (Knuth, volume 3, 6.4, algorithm R). */
  #close({ refs }: Part, place: number): void {
    const mask = refs.length - 1
    let gap = place
    for (let at = (gap + 1) & mask; refs[at] !== NONE; at = (at + 1) & mask) {
      const home = (hashOf(this.#texts.textOf(refs[at] as SlotRef)) >>> 12) & mask
      const staysReachable = gap <= at ? gap < home && home <= at : gap < home || home <= at
      if (staysReachable) continue
      refs[gap] = refs[at] as SlotRef
      gap = at
    }
    refs[gap] = NONE
  }
}

/** Spreads over both the parts (the low twelve bits) and the places within one (the rest). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 12
  return hash >>> 0
}
