/// <reference lib="dom" />
// The calls that are up, some at a time: of a large set only a part is fetched, and of that a screenful shown.

import { byId, fillRows, make, setText } from './dom.ts'
import type { CallRow } from './shapes.ts'
import { duration, replicaOfLife } from './words.ts'

/** Rows on the screen. */
const SHOWN = 12

interface Part {
  readonly rows: readonly CallRow[]
  /** Where the next part begins; null = this is the last. */
  readonly next: number | null
}

export class CallsPanel {
  readonly #open: (callId: string) => void
  readonly #links = new Map<string, HTMLElement>()
  /** Where the parts begin that were gone through, the one that is shown last. */
  #marks: readonly number[] = [0]
  #skip = 0
  #part: Part = { rows: [], next: null }
  #chosen = ''

  constructor(open: (callId: string) => void) {
    this.#open = open
    byId('calls-next').addEventListener('click', () => void this.#forward())
    byId('calls-back').addEventListener('click', () => void this.#back())
    const search = byId('calls-search') as HTMLFormElement
    search.addEventListener('submit', (event) => {
      event.preventDefault()
      const callId = (byId('calls-wanted') as HTMLInputElement).value.trim()
      if (callId !== '') this.#open(callId)
    })
  }

  set chosen(callId: string) {
    this.#chosen = callId
    this.#draw()
  }

  /** What is shown, as it is now. */
  async refresh(): Promise<void> {
    const part = await fetchPart(this.#marks.at(-1) ?? 0)
    if (part === null) return
    this.#part = part
    this.#draw()
  }

  async #forward(): Promise<void> {
    if (this.#skip + SHOWN < this.#part.rows.length) this.#skip += SHOWN
    else if (this.#part.next !== null) {
      this.#marks = [...this.#marks, this.#part.next]
      this.#skip = 0
      await this.refresh()
    }
    this.#draw()
  }

  async #back(): Promise<void> {
    if (this.#skip > 0) this.#skip = Math.max(0, this.#skip - SHOWN)
    else if (this.#marks.length > 1) {
      this.#marks = this.#marks.slice(0, -1)
      await this.refresh()
    }
    this.#draw()
  }

  #draw(): void {
    const { rows, next } = this.#part
    if (this.#skip >= rows.length) this.#skip = Math.max(0, rows.length - SHOWN)
    const now = Date.now()
    const shown = rows.slice(this.#skip, this.#skip + SHOWN)
    byId('calls-none').hidden = rows.length > 0 || this.#marks.length > 1
    byId('calls-table').hidden = rows.length === 0
    fillRows(
      byId('call-rows'),
      shown.map(({ callId, state, owner, since }) => ({
        key: callId,
        className: callId === this.#chosen ? 'chosen' : '',
        cells: [
          this.#link(callId),
          state === 'early' ? 'rings' : 'answered',
          owner === null ? 'nobody yet' : `replica ${replicaOfLife(owner)}`,
          duration(Math.max(0, now - since / 1_000)),
        ],
      })),
    )
    for (const known of [...this.#links.keys()]) {
      if (!shown.some(({ callId }) => callId === known)) this.#links.delete(known)
    }
    const isFirst = this.#skip === 0 && this.#marks.length === 1
    const isLast = this.#skip + SHOWN >= rows.length && next === null
    byId('calls-pager').hidden = isFirst && isLast
    usable('calls-back', !isFirst)
    usable('calls-next', !isLast)
    const [from, to] = [this.#skip + 1, this.#skip + shown.length]
    const part = this.#marks.length === 1 && next === null ? '' : `, part ${this.#marks.length}`
    setText(byId('calls-place'), rows.length === 0 ? '' : `${from} to ${to} of ${rows.length}${part}`)
  }

  #link(callId: string): HTMLElement {
    const known = this.#links.get(callId)
    if (known !== undefined) return known
    const link = make('a', { href: `#call=${encodeURIComponent(callId)}`, class: 'call-id' }, callId)
    this.#links.set(callId, link)
    return link
  }
}

function usable(id: string, isUsable: boolean): void {
  byId(id).setAttribute('aria-disabled', isUsable ? 'false' : 'true')
}

/** The newest first; null = nobody answered. */
async function fetchPart(from: number): Promise<Part | null> {
  try {
    const answer = await fetch(`calls?from=${from}`)
    if (!answer.ok) return null
    const rows = (await answer.json()) as CallRow[]
    const next = /from=(\d+)/.exec(answer.headers.get('Link') ?? '')?.[1]
    return { rows: rows.sort((a, b) => b.since - a.since), next: next === undefined ? null : Number(next) }
  } catch {
    return null
  }
}
