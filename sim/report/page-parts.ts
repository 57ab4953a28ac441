/// <reference lib="dom" />
// Part of the page's script (page-script.ts): what its drawings share.

import type { Chronicle, Way } from './chronicle.ts'

export interface PageData {
  readonly chronicle: Chronicle
  /** The call that is shown first. */
  readonly call: number | null
  readonly scenario: string
  /** How often the run fails when all after that time is drawn again. */
  readonly doom: readonly { readonly at: number; readonly runs: number; readonly failed: number }[]
}

export interface View {
  readonly data: PageData
  call: number | null
  /** What the time line shows. */
  from: number
  until: number
  /** The time of what the reader looks at. */
  cursor: number | null
  /** Where the ladder has a time. */
  place: (at: number) => number
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found
}

export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  inside: readonly (Node | string)[] = [],
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...inside)
  return made
}

export function seconds(us: number): string {
  return (us / 1_000_000).toFixed(6)
}

export function colourOf({ label, from, to }: Way): string {
  if (typeof from === 'number' && typeof to === 'number') return 'var(--passed)'
  const status = Number.parseInt(label, 10)
  if (Number.isNaN(status)) return 'var(--request)'
  return status < 200 ? 'var(--provisional)' : status < 300 ? 'var(--success)' : 'var(--refusal)'
}
