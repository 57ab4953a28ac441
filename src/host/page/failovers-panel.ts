/// <reference lib="dom" />
// Who led and who was gone in the last minutes, as a time line; and each death with how long it was felt.

import { byId, fillRows, setText, svg } from './dom.ts'
import { spanOf } from './plot.ts'
import type { FailoverNews } from './shapes.ts'
import { clock, duration } from './words.ts'

const GUTTER = 76
const LANE = 26
const TOP = 18
/** Of a picture's time. */
const MARKS = 4

export class FailoversPanel {
  #news: FailoverNews = { list: [], stretches: [] }

  set news(news: FailoverNews) {
    this.#news = news
    const { list } = news
    byId('failover-none').hidden = list.length > 0
    byId('failover-table').hidden = list.length === 0
    fillRows(
      byId('failover-rows'),
      list.map(({ replica, at, why, led, leaderMs, ownersMs, backMs }) => ({
        key: `${replica} ${at}`,
        cells: [
          clock(at),
          `replica ${replica}${led ? ', the leader' : ''}`,
          why,
          led ? waited(leaderMs) : 'it did not lead',
          waited(ownersMs),
          waited(backMs),
        ],
      })),
    )
  }

  draw(replicas: readonly number[], now: number): void {
    const picture = byId('lanes') as unknown as SVGElement
    const width = Math.max(240, picture.clientWidth)
    const height = TOP + replicas.length * LANE
    picture.setAttribute('height', String(height))
    const span = spanOf(Math.min(now, ...this.#news.stretches.map(({ from }) => from)), now)
    const x = (at: number): number =>
      Math.max(GUTTER, width - ((now - at) / span) * (width - GUTTER)) - (at >= now ? 1 : 0)
    const drawn: SVGElement[] = []
    for (let ago = 0; ago < span; ago += span / MARKS) {
      const at = x(now - ago)
      drawn.push(svg('line', { x1: at, x2: at, y1: TOP - 4, y2: height, class: 'grid' }))
      const text = ago === 0 ? 'now' : ago < 60_000 ? `${ago / 1_000} s` : `${ago / 60_000} min`
      drawn.push(svg('text', { x: at - 3, y: 11, class: 'small', 'text-anchor': 'end' }, text))
    }
    replicas.forEach((replica, lane) => {
      const y = TOP + lane * LANE
      drawn.push(svg('text', { x: 0, y: y + 16 }, `replica ${replica}`))
      for (const { state, from, until, replica: whose } of this.#news.stretches) {
        if (whose !== replica || (until ?? now) < now - span) continue
        const [a, b] = [x(from), x(until ?? now)]
        const words = `replica ${replica}: ${state}, from ${clock(from)}${until === null ? '' : ` to ${clock(until)}`}`
        const bar = { x: a, y: y + 3, width: Math.max(2, b - a), height: LANE - 8, rx: 2, class: `bar ${state}` }
        drawn.push(svg('rect', bar, svg('title', {}, words)))
        if (b - a > 54) drawn.push(svg('text', { x: a + 6, y: y + 16, class: `small on-${state}` }, state))
      }
    })
    picture.replaceChildren(...drawn)
    picture.setAttribute('aria-label', this.#label())
  }

  #label(): string {
    const { list } = this.#news
    if (list.length === 0) return 'time line of the replicas: none was gone'
    return `time line of the replicas: ${list.length} times one was gone, as the table below tells`
  }

  /** What is to be read out when something has happened. */
  told(text: string): void {
    setText(byId('said'), `${clock(Date.now())} ${text}`)
  }
}

function waited(ms: number | null): string {
  return ms === null ? 'not yet' : ms === 0 ? 'at once' : duration(ms)
}
