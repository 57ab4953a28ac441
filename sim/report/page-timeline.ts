/// <reference lib="dom" />
// Part of the page's script (page-script.ts): the time line, what its replicas were, and the way around in it.

import { byId, colourOf, seconds, svg } from './page-parts.ts'
import type { View } from './page-parts.ts'

export function show(view: View, from: number, until: number): void {
  view.from = from
  view.until = until
  drawTimeline(view)
}

export function zoom(view: View, factor: number, at: number): void {
  const { end } = view.data.chronicle
  const span = Math.min(end, Math.max(200, (view.until - view.from) * factor))
  const from = at - ((at - view.from) / (view.until - view.from)) * span
  const clamped = Math.min(Math.max(0, from), end - span)
  show(view, clamped, clamped + span)
}

export function pan(view: View, by: number): void {
  const span = view.until - view.from
  const from = Math.min(Math.max(0, view.from + by), view.data.chronicle.end - span)
  show(view, from, from + span)
}

/** The time line as long as the call. */
export function fitCall(view: View): void {
  const { ways, end } = view.data.chronicle
  const times = ways.filter(({ call }) => call === view.call).map(({ sentAt }) => sentAt)
  if (times.length === 0) return
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const margin = Math.max(50_000, (last - first) / 20)
  show(view, Math.max(0, first - margin), Math.min(end, last + margin))
}

export function drawTimeline(view: View): void {
  const host = byId('timeline')
  const gutter = 84
  const width = Math.max(360, host.clientWidth - 24)
  const { chronicle, doom } = view.data
  const top = 26
  const doomHeight = doom.length > 0 ? 64 : 0
  const lane = 40
  const callTop = top + doomHeight + chronicle.plan.replicas * lane
  const height = callTop + 34
  const x = (at: number): number => gutter + ((at - view.from) / (view.until - view.from)) * (width - gutter - 6)
  const clip = svg('clipPath', { id: 'clip' }, [svg('rect', { x: gutter, y: 0, width: width - gutter, height })])
  const inside = svg('g', { 'clip-path': 'url(#clip)' })
  const picture = svg('svg', { width, height, role: 'img', 'aria-label': 'time line of the replicas' }, [
    svg('defs', {}, [clip, hatch('paused'), hatch('cut')]),
    ...drawAxis(view, x, width, height),
    inside,
  ])
  if (doomHeight > 0) {
    picture.append(svg('text', { x: 0, y: top + 22, class: 'small' }, ['P(failure)']))
    inside.append(...drawDoom(view, x, top, doomHeight - 16))
  }
  for (let replica = 1; replica <= chronicle.plan.replicas; replica++) {
    const y = top + doomHeight + (replica - 1) * lane
    picture.append(svg('text', { x: 0, y: y + 22 }, [`replica ${replica}`]))
    inside.append(...drawLane(view, replica, x, y))
  }
  picture.append(svg('text', { x: 0, y: callTop + 18 }, [view.call === null ? 'no call' : `call ${view.call}`]))
  inside.append(...drawTicks(view, x, callTop))
  // What befalls the set and not one replica hangs from the axis.
  for (const { at, replica, kind, text } of chronicle.happenings) {
    if (replica !== null || kind !== 'other') continue
    const title = svg('title', {}, [`${seconds(at)} s: ${text}`])
    inside.append(svg('path', { d: `M${x(at) - 5} 17 h10 l-5 8 z`, fill: 'var(--cut)' }, [title]))
  }
  const failure = chronicle.result.failure
  if (failure !== null) inside.append(verticalLine(x(failure.at), height, 'var(--bad)', ''))
  if (view.cursor !== null) inside.append(verticalLine(x(view.cursor), height, 'var(--soft)', '3 3'))
  host.replaceChildren(picture)
}

export function verticalLine(at: number, height: number, stroke: string, dashes: string): SVGElement {
  return svg('line', { x1: at, x2: at, y1: 18, y2: height, stroke, 'stroke-width': 1.5, 'stroke-dasharray': dashes })
}

export function hatch(kind: string): SVGElement {
  return svg(
    'pattern',
    { id: `hatch-${kind}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    [svg('rect', { width: 3, height: 6, fill: `var(--${kind})` })],
  )
}

/** Round times, as many as have room. */
export function drawAxis(view: View, x: (at: number) => number, width: number, height: number): readonly SVGElement[] {
  const span = view.until - view.from
  const wanted = span / Math.max(2, width / 110)
  const grain = Array.from({ length: 8 }, (_, i) => 10 ** (i + 1)).flatMap((one) => [one, 2 * one, 5 * one])
  const step = grain.find((one) => one >= wanted) ?? span
  const marks: SVGElement[] = []
  for (let at = Math.ceil(view.from / step) * step; at <= view.until; at += step) {
    const digits = Math.max(0, 7 - String(step).length)
    marks.push(svg('line', { x1: x(at), x2: x(at), y1: 18, y2: height, stroke: 'var(--line)' }))
    marks.push(
      svg('text', { x: x(at), y: 12, class: 'soft small', 'text-anchor': 'middle' }, [
        `${(at / 1e6).toFixed(digits)} s`,
      ]),
    )
  }
  return marks
}

export function drawDoom(view: View, x: (at: number) => number, top: number, height: number): readonly SVGElement[] {
  const points = view.data.doom.map(({ at, runs, failed }) => ({ at, part: failed / Math.max(1, runs), runs, failed }))
  const y = (part: number): number => top + 6 + (1 - part) * height
  const path = points.map(({ at, part }, i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(part)}`).join(' ')
  const dots = points.map(({ at, part, runs, failed }) =>
    svg('circle', { cx: x(at), cy: y(part), r: 3, fill: 'var(--bad)' }, [
      svg('title', {}, [`all after ${seconds(at)} s drawn again: ${failed} of ${runs} fail`]),
    ]),
  )
  const rules = [0, 0.5, 1].map((part) =>
    svg('line', {
      x1: 0,
      x2: 4_000,
      y1: y(part),
      y2: y(part),
      stroke: 'var(--line)',
      'stroke-dasharray': part === 0.5 ? '4 4' : '',
    }),
  )
  return [...rules, svg('path', { d: path, fill: 'none', stroke: 'var(--bad)', 'stroke-width': 1.5 }), ...dots]
}

/** What a replica was: role, term and epoch; whether it was away; whether it owned the call. */
export function drawLane(view: View, replica: number, x: (at: number) => number, top: number): readonly SVGElement[] {
  const { stances, absences, reigns, happenings, end } = view.data.chronicle
  const own = stances.filter((one) => one.replica === replica)
  const away = absences.filter((one) => one.replica === replica)
  const drawn: SVGElement[] = []
  own.forEach(({ at, role, term, epoch }, i) => {
    const dies = away.find(({ kind, from }) => kind === 'dead' && from >= at)?.from ?? end
    const until = Math.min(own[i + 1]?.at ?? end, dies)
    const kind = role === 'leader' ? 'leader' : role === 'follower' ? 'follower' : 'candidate'
    drawn.push(
      ...band(x(at), x(until), top + 6, kind, `${role}, term ${term}, epoch ${epoch}`, `${term}/${epoch}`, seconds(at)),
    )
  })
  for (const { kind, from, until, text } of away) {
    const [a, b] = [x(from), x(until ?? end)]
    const fill = kind === 'dead' ? 'none' : `url(#hatch-${kind})`
    const stroke = kind === 'dead' ? 'var(--dead)' : `var(--${kind})`
    const height = kind === 'cut' ? 6 : 20
    drawn.push(
      svg(
        'rect',
        {
          x: a,
          y: top + 6,
          width: Math.max(1, b - a),
          height,
          fill,
          stroke,
          'stroke-dasharray': kind === 'dead' ? '3 3' : '',
        },
        [svg('title', {}, [`${seconds(from)} s: ${text}${until === null ? '' : `, until ${seconds(until)} s`}`])],
      ),
    )
    if (b - a > 60 && kind !== 'cut') {
      const middle = { x: Math.max(a, 84) + 6, y: top + 20, class: 'small label' }
      drawn.push(svg('text', middle, [kind]))
    }
  }
  const mine = reigns.filter(({ call }) => call === view.call)
  mine.forEach(({ at, owner }, i) => {
    const until = mine[i + 1]?.at ?? end
    if (owner !== replica) return
    drawn.push(
      svg('rect', { x: x(at), y: top + 28, width: Math.max(1, x(until) - x(at)), height: 4, fill: 'var(--owner)' }, [
        svg('title', {}, [`owns call ${view.call} from ${seconds(at)} s`]),
      ]),
    )
  })
  const shown = new Set(['death', 'pause', 'cut', 'reset', 'other'])
  for (const { at, kind, text } of happenings.filter((one) => one.replica === replica && shown.has(one.kind))) {
    const colour = kind === 'death' ? 'bad' : kind === 'pause' ? 'paused' : 'cut'
    drawn.push(
      svg('path', { d: `M${x(at) - 5} ${top - 3} h10 l-5 8 z`, fill: `var(--${colour})` }, [
        svg('title', {}, [`${seconds(at)} s: ${text}`]),
      ]),
    )
  }
  return drawn
}

export function band(
  a: number,
  b: number,
  top: number,
  kind: string,
  long: string,
  short: string,
  at: string,
): readonly SVGElement[] {
  const width = Math.max(0, b - a)
  const title = svg('title', {}, [`${long}, from ${at} s`])
  const left = Math.max(a, 84) + 6
  const room = b - left
  const words = room > long.length * 6.4 ? long : room > short.length * 7 + 8 ? short : ''
  const text = svg('text', { x: left, y: top + 14, class: 'small', style: `fill: var(--${kind}-ink)` }, [words])
  return [
    svg('rect', { x: a, y: top, width, height: 20, fill: `var(--${kind})`, stroke: 'var(--panel)' }, [title]),
    text,
  ]
}

/** The call's messages as ticks. */
export function drawTicks(view: View, x: (at: number) => number, top: number): readonly SVGElement[] {
  const ways = view.data.chronicle.ways.filter(({ call }) => call === view.call)
  return ways.map((way) =>
    svg(
      'line',
      { x1: x(way.sentAt), x2: x(way.sentAt), y1: top + 6, y2: top + 24, stroke: colourOf(way), 'stroke-width': 2 },
      [svg('title', {}, [`${seconds(way.sentAt)} s: ${way.label}`])],
    ),
  )
}

export function wireTimeline(view: View, onPick: (at: number) => void): void {
  const host = byId('timeline')
  const timeAt = (clientX: number): number => {
    const box = host.getBoundingClientRect()
    const part = (clientX - box.left - 12 - 84) / Math.max(1, host.clientWidth - 24 - 90)
    return view.from + Math.min(1, Math.max(0, part)) * (view.until - view.from)
  }
  host.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault()
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        pan(view, ((event.deltaX + event.deltaY) / 800) * (view.until - view.from))
      } else zoom(view, event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.clientX))
    },
    { passive: false },
  )
  let grabbed: { readonly x: number; readonly from: number; readonly until: number } | null = null
  let moved = false
  host.addEventListener('pointerdown', (event) => {
    grabbed = { x: event.clientX, from: view.from, until: view.until }
    moved = false
    host.setPointerCapture(event.pointerId)
    host.classList.add('dragging')
  })
  host.addEventListener('pointermove', (event) => {
    if (grabbed === null || Math.abs(event.clientX - grabbed.x) < 3) return
    moved = true
    const perPixel = (grabbed.until - grabbed.from) / Math.max(1, host.clientWidth - 114)
    pan(view, grabbed.from - (event.clientX - grabbed.x) * perPixel - view.from)
  })
  host.addEventListener('pointerup', (event) => {
    host.classList.remove('dragging')
    if (grabbed !== null && !moved) onPick(timeAt(event.clientX))
    grabbed = null
  })
  for (const [id, factor] of [
    ['in', 0.5],
    ['out', 2],
  ] as const) {
    byId(`zoom-${id}`).addEventListener('click', () => zoom(view, factor, view.cursor ?? (view.from + view.until) / 2))
  }
  byId('zoom-call').addEventListener('click', () => fitCall(view))
  byId('zoom-all').addEventListener('click', () => show(view, 0, view.data.chronicle.end))
}
