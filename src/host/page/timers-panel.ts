/// <reference lib="dom" />
// The timers that fire next, in the order in which they will.

import { doing } from './call-panel.ts'
import { byId, fillRows, make, setText } from './dom.ts'
import type { Child } from './dom.ts'
import type { TimerRow } from './shapes.ts'
import { plural, replicaOfLife, soon } from './words.ts'

export class TimersPanel {
  readonly #links = new Map<string, HTMLElement>()

  draw(timers: readonly TimerRow[], pending: number, now: number): void {
    byId('timers-none').hidden = timers.length > 0
    byId('timers-table').hidden = timers.length === 0
    const more = pending > timers.length ? `, the next ${timers.length} of them here` : ''
    setText(byId('timers-count'), pending === 0 ? '' : `${plural(pending, 'timer is', 'timers are')} pending${more}`)
    const links = new Set<string>()
    fillRows(
      byId('timer-rows'),
      timers.map(({ group, id, deadline, action, owner, calls }) => {
        const key = `${group} ${id}`
        links.add(key)
        return {
          key,
          cells: [
            soon(deadline / 1_000 - now),
            this.#call(key, calls[0]),
            id,
            doing(action),
            owner === null ? '–' : `replica ${replicaOfLife(owner)}`,
          ],
        }
      }),
    )
    for (const known of [...this.#links.keys()]) if (!links.has(known)) this.#links.delete(known)
  }

  #call(key: string, callId: string | undefined): Child {
    if (callId === undefined) return 'one that is over'
    const href = `#call=${encodeURIComponent(callId)}`
    const known = this.#links.get(key)
    if (known?.getAttribute('href') === href) return known
    const link = make('a', { href, class: 'call-id' }, callId)
    this.#links.set(key, link)
    return link
  }
}
