// How the store orders and names things: by UTF-16 codes, never by locale.

import type { EntityRef } from '../wire/entry.ts'

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return byText(a.id, b.id)
}

/** One text for a tree and an id; trees have no slash. */
export function refKey(ref: EntityRef): string {
  return `${ref.tree}/${ref.id}`
}
