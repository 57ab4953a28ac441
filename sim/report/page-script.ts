/// <reference lib="dom" />
// What runs in the page: draws the time line and the ladder of one call, from the data in the page. The functions of these
// files are put into the page as they are, so they use nothing but each other and the browser.

import {
  entriesOf,
  titleOf,
  placesOf,
  drawLadder,
  hint,
  lifeLine,
  drawEntry,
  drawWay,
  drawCommit,
  drawHappening,
  showDetail,
} from './page-ladder.ts'
import { byId, svg, seconds, colourOf } from './page-parts.ts'
import type { PageData, View } from './page-parts.ts'
import {
  show,
  zoom,
  pan,
  fitCall,
  drawTimeline,
  verticalLine,
  hatch,
  drawAxis,
  drawDoom,
  drawLane,
  band,
  drawTicks,
  wireTimeline,
} from './page-timeline.ts'

function start(): void {
  const data = JSON.parse(byId('data').textContent ?? '') as PageData
  const view: View = {
    data,
    call: data.call,
    from: 0,
    until: data.chronicle.end,
    cursor: null,
    place: () => 0,
  }
  fillCalls(view)
  wireTimeline(view, (at) => lookAt(view, at))
  wireKeys(view)
  byId('theme').addEventListener('click', () => {
    const root = document.documentElement
    root.dataset['theme'] = root.dataset['theme'] === 'dark' ? 'light' : 'dark'
  })
  addEventListener('resize', () => drawTimeline(view))
  drawTimeline(view)
  drawLadder(view)
}

function fillCalls(view: View): void {
  const select = byId('call') as HTMLSelectElement
  const { calls, result } = view.data.chronicle
  for (const { call, flow, at } of calls) {
    const mark = result.failure?.call === call ? ' (failed)' : ''
    const option = document.createElement('option')
    option.value = String(call)
    option.textContent = `${call}: ${flow}, from ${(at / 1_000_000).toFixed(2)} s${mark}`
    select.append(option)
  }
  select.value = String(view.call)
  select.addEventListener('change', () => {
    view.call = Number(select.value)
    view.cursor = null
    drawTimeline(view)
    drawLadder(view)
  })
}

function wireKeys(view: View): void {
  byId('timeline').addEventListener('keydown', (event) => {
    const span = view.until - view.from
    const middle = (view.from + view.until) / 2
    const deeds: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => pan(view, -span / 8),
      ArrowRight: () => pan(view, span / 8),
      '+': () => zoom(view, 0.5, view.cursor ?? middle),
      '-': () => zoom(view, 2, view.cursor ?? middle),
      '0': () => show(view, 0, view.data.chronicle.end),
    }
    const deed = deeds[event.key]
    if (deed === undefined) return
    event.preventDefault()
    deed()
  })
  byId('ladder').addEventListener('keydown', (event) => {
    const by =
      event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0
    if (by === 0) return
    event.preventDefault()
    const all = [...document.querySelectorAll<SVGElement>('#ladder .event')]
    const at = all.findIndex((one) => one === document.activeElement)
    all[Math.min(Math.max(0, at + by), all.length - 1)]?.focus()
  })
}

/** Scrolls the ladder to a time. */
function lookAt(view: View, at: number): void {
  view.cursor = at
  drawTimeline(view)
  byId('ladder').scrollTop = view.place(at) - 120
}

/** The script of the page. */
export const pageScript: string = [
  ...[start, fillCalls, wireKeys, lookAt],
  ...[byId, svg, seconds, colourOf],
  ...[
    show,
    zoom,
    pan,
    fitCall,
    drawTimeline,
    verticalLine,
    hatch,
    drawAxis,
    drawDoom,
    drawLane,
    band,
    drawTicks,
    wireTimeline,
  ],
  ...[
    entriesOf,
    titleOf,
    placesOf,
    drawLadder,
    hint,
    lifeLine,
    drawEntry,
    drawWay,
    drawCommit,
    drawHappening,
    showDetail,
  ],
]
  .map(String)
  .concat('start()')
  .join('\n')
