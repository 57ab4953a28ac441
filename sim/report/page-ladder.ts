/// <reference lib="dom" />
// Part of the page's script (page-script.ts): the ladder of one call, and the text of what is pointed at.

import type { Committed, Happening, Way } from './chronicle.ts'
import { byId, colourOf, seconds, svg } from './page-parts.ts'
import type { View } from './page-parts.ts'
import { drawTimeline } from './page-timeline.ts'

/** Where things are in the ladder. */
interface Places {
  readonly place: (at: number) => number
  readonly rows: ReadonlyMap<Entry, number>
  readonly gaps: readonly (readonly [y: number, passed: number])[]
}

interface Entry {
  readonly at: number
  readonly title: string
  readonly detail: string
  readonly way: Way | null
  readonly commit: Committed | null
  readonly happening: Happening | null
}

/** All that the ladder shows, by time. */
export function entriesOf(view: View): readonly Entry[] {
  const { ways, commits, happenings } = view.data.chronicle
  const blank = { way: null, commit: null, happening: null }
  const own = ways
    .filter(({ call }) => call === view.call)
    .map((way) => ({ ...blank, way, at: way.arrivedAt ?? way.sentAt, title: titleOf(way), detail: way.text }))
  const decided = commits
    .filter(({ call }) => call === view.call)
    .map((commit) => ({
      ...blank,
      commit,
      at: commit.at,
      title: `entry ${commit.index}, ${commit.outcome}`,
      detail: `${commit.what}\n\nproposed by ${commit.replica}; on disk by then at ${commit.acknowledgedBy.join(', ') || 'nobody but the leader'}`,
    }))
  const last = Math.max(0, ...own.map(({ at }) => at), ...decided.map(({ at }) => at)) + 1_000_000
  const first = Math.min(...own.map(({ way }) => way.sentAt), last)
  const started = new Set<number | null>()
  const later = happenings.filter(({ at, kind, replica }) => {
    const isFirstStart = kind === 'start' && !started.has(replica)
    if (isFirstStart) started.add(replica)
    return at <= last && !isFirstStart
  })
  const near = later.filter(({ at }) => at >= first - 1_000_000)
  const befell = (later.length <= 16 ? later : near).map((happening) => ({
    ...blank,
    happening,
    at: happening.at,
    title: happening.replica === null ? 'the set' : `replica ${happening.replica}`,
    detail: happening.text,
  }))
  return [...own, ...decided, ...befell].sort((a, b) => a.at - b.at)
}

export function titleOf({ label, from, to, sentAt, arrivedAt, isRepeat }: Way): string {
  const name = (party: string | number | null): string =>
    party === null ? 'the set' : typeof party === 'number' ? `replica ${party}` : party
  const took = arrivedAt === null ? 'never arrived' : `took ${((arrivedAt - sentAt) / 1_000).toFixed(3)} ms`
  return `${label}${isRepeat ? ' again' : ''}: ${name(from)} to ${name(to)}, ${took}`
}

/** Time runs down, and faster where nothing happens. What is no message has a row of its own. */
export function placesOf(entries: readonly Entry[]): Places {
  const ways = entries.flatMap(({ way }) => (way === null ? [] : [way]))
  const arrivals = new Set(ways.map(({ sentAt, arrivedAt }) => arrivedAt ?? sentAt))
  const departures = new Set(ways.map(({ sentAt }) => sentAt))
  const times = [...new Set([...entries.map(({ at }) => at), ...departures])].sort((a, b) => a - b)
  const known = new Map<number, number>()
  const rows = new Map<Entry, number>()
  const gaps: (readonly [number, number])[] = []
  let y = 20
  let lastRow = 0
  let lastNote = -20
  const nextRow = (): number => (lastRow = y = Math.max(y, lastRow + 20))
  times.forEach((time, i) => {
    const passed = time - (times[i - 1] ?? time)
    if (passed > 400_000) {
      gaps.push([y + 22, passed])
      y += 40
    } else y += Math.min(16, passed / 1_500)
    for (const entry of entries) if (entry.at === time && entry.way === null) rows.set(entry, (lastNote = nextRow()))
    if (departures.has(time)) y = Math.max(y, lastNote + 14)
    if (arrivals.has(time)) nextRow()
    known.set(time, y)
  })
  const place = (time: number): number => {
    const next = times.findIndex((one) => one > time)
    return known.get(time) ?? (next < 0 ? y : (known.get(times[Math.max(0, next - 1)] ?? 0) ?? 20))
  }
  return { place, rows, gaps }
}

export function drawLadder(view: View): void {
  const host = byId('ladder')
  const { replicas } = view.data.chronicle.plan
  const entries = entriesOf(view)
  const { place, rows, gaps } = placesOf(entries)
  view.place = place
  const width = Math.max(560 + (replicas - 3) * 120, host.clientWidth - 16)
  const gap = (width - 86 - 110) / (replicas + 1)
  const x = (party: string | number): number =>
    86 + 34 + gap * (party === 'caller' ? 0 : party === 'callee' ? replicas + 1 : Number(party))
  const bottom = place(Math.max(0, ...entries.map(({ at }) => at))) + 40
  const heading = svg('svg', { width, height: 28, class: 'columns' })
  const picture = svg('svg', { width, height: bottom, role: 'group', 'aria-label': 'ladder of the call' })
  for (const party of ['caller', ...Array.from({ length: replicas }, (_, i) => i + 1), 'callee']) {
    const name = typeof party === 'number' ? `replica ${party}` : party
    heading.append(svg('text', { x: x(party), y: 18, 'text-anchor': 'middle' }, [name]))
    picture.append(...lifeLine(view, party, x(party), bottom))
  }
  for (const [y, passed] of gaps) {
    picture.append(svg('text', { x: 8, y, class: 'soft small' }, [`· ${(passed / 1e6).toFixed(1)} s ·`]))
  }
  let lastTime = 0
  for (const entry of entries) {
    const y = rows.get(entry) ?? place(entry.at)
    if (y - lastTime >= 15) picture.append(svg('text', { x: 4, y: y + 4, class: 'soft mono' }, [seconds(entry.at)]))
    if (y - lastTime >= 15) lastTime = y
    picture.append(drawEntry(view, entry, y, x, width))
  }
  host.replaceChildren(heading, picture)
  byId('detail').replaceChildren(hint())
}

export function hint(): HTMLElement {
  const text = document.createElement('p')
  text.className = 'soft'
  text.textContent =
    'Point at a message, a commit or a mark, or move through them with the arrow keys, to read it here.'
  return text
}

export function lifeLine(view: View, party: string | number, at: number, bottom: number): readonly SVGElement[] {
  const rule = { x1: at, x2: at, y1: 0, y2: bottom, stroke: 'var(--soft)', 'stroke-width': 1 }
  const drawn = [svg('line', rule)]
  const end = view.data.chronicle.end
  for (const { replica, kind, from, until } of view.data.chronicle.absences) {
    if (replica !== party || kind === 'cut') continue
    const [y1, y2] = [view.place(from), until === null || until >= end ? bottom : view.place(until)]
    drawn.push(svg('line', { ...rule, y1, y2, stroke: 'var(--panel)', 'stroke-width': 3 }))
    const dashes = kind === 'dead' ? '1 7' : '6 4'
    drawn.push(
      svg('line', { ...rule, y1, y2, stroke: `var(--${kind})`, 'stroke-width': 2, 'stroke-dasharray': dashes }),
    )
  }
  const mine = view.data.chronicle.reigns.filter(({ call }) => call === view.call)
  mine.forEach(({ at: since, owner }, i) => {
    if (owner !== party) return
    const [y1, y2] = [view.place(since), i + 1 < mine.length ? view.place(mine[i + 1]?.at ?? end) : bottom]
    drawn.push(
      svg('line', { ...rule, y1, y2, stroke: 'var(--owner)', 'stroke-width': 4, opacity: 0.55 }, [
        svg('title', {}, ['owns the call']),
      ]),
    )
  })
  return drawn
}

export function drawEntry(
  view: View,
  entry: Entry,
  y: number,
  x: (party: string | number) => number,
  width: number,
): SVGElement {
  const group = svg('g', {
    class: 'event',
    tabindex: 0,
    role: 'button',
    'aria-label': `${seconds(entry.at)} s ${entry.title}`,
  })
  const { way, commit, happening } = entry
  if (way !== null) group.append(...drawWay(view, way, x))
  else if (commit !== null) group.append(...drawCommit(commit, x(commit.replica), y))
  else if (happening !== null)
    group.append(...drawHappening(happening, happening.replica === null ? 96 : x(happening.replica), y, width))
  const choose = (): void => {
    for (const other of document.querySelectorAll('.event.chosen')) other.classList.remove('chosen')
    group.classList.add('chosen')
    showDetail(entry)
    view.cursor = entry.at
    drawTimeline(view)
  }
  group.addEventListener('mouseenter', choose)
  group.addEventListener('focus', choose)
  group.addEventListener('click', () => group.focus())
  return group
}

export function drawWay(view: View, way: Way, x: (party: string | number) => number): readonly SVGElement[] {
  const { from, to, sentAt, arrivedAt, label, isRepeat } = way
  const [x1, y1] = [x(from), view.place(sentAt)]
  const side = to ?? (from === 'caller' ? 'callee' : 'caller')
  const isRight = x(side) > x1
  const [x2, y2] = arrivedAt === null ? [x1 + (isRight ? 90 : -90), y1 + 6] : [x(side), view.place(arrivedAt)]
  const stroke = colourOf(way)
  const dashes = typeof from === 'number' && typeof to === 'number' ? '3 3' : ''
  const line = { x1, y1, x2, y2 }
  const back = isRight ? -8 : 8
  const tip = svg('path', { d: `M${x2} ${y2} l${back} -4 v8 z`, fill: stroke })
  const lost = svg('path', { d: `M${x2 - 4} ${y2 - 4} l8 8 m0 -8 l-8 8`, stroke: 'var(--bad)', 'stroke-width': 2 })
  const middle = {
    // Nearer to its head: no two arrive in one row.
    x: x1 + (x2 - x1) * 0.6,
    y: y1 + (y2 - y1) * 0.6 - 4,
    'text-anchor': 'middle',
    class: 'label',
    style: `fill: ${stroke}`,
  }
  return [
    svg('line', { ...line, class: 'hit' }),
    svg('line', { ...line, stroke, 'stroke-width': 1.5, 'stroke-dasharray': dashes }),
    arrivedAt === null ? lost : tip,
    svg('text', middle, [isRepeat ? `${label} ↻` : label]),
  ]
}

export function drawCommit({ index, what, outcome }: Committed, left: number, y: number): readonly SVGElement[] {
  const isFine = outcome === 'accepted' || outcome === 'fired'
  const colour = isFine ? 'var(--commit)' : 'var(--bad)'
  const words = outcome === 'accepted' ? `${index}: ${what}` : `${index} ${outcome}: ${what}`
  const shown = words.length > 44 ? `${words.slice(0, 43)}…` : words
  return [
    svg('line', { x1: left, x2: left + 9 + shown.length * 6.2, y1: y, y2: y, class: 'hit' }),
    svg('path', { d: `M${left} ${y - 6} l6 6 l-6 6 l-6 -6 z`, fill: colour }),
    svg('text', { x: left + 10, y: y + 4, class: 'label small', style: `fill: ${colour}` }, [shown]),
  ]
}

export function drawHappening(
  { replica, kind, text }: Happening,
  left: number,
  y: number,
  width: number,
): readonly SVGElement[] {
  const colours: Readonly<Record<string, string>> = {
    death: 'bad',
    failure: 'bad',
    pause: 'paused',
    cut: 'cut',
    reset: 'cut',
    other: 'cut',
    leader: 'leader',
  }
  const colour = `var(--${colours[kind] ?? 'soft'})`
  const room = Math.floor((width - left - 20) / 6.3)
  const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text
  const hit = svg('line', { x1: left, x2: left + 10 + shown.length * 6.2, y1: y, y2: y, class: 'hit' })
  const words = svg('text', { x: left + 10, y: y + 4, class: 'label small', style: `fill: ${colour}` }, [shown])
  if (kind === 'failure')
    return [svg('line', { x1: 86, x2: width, y1: y + 9, y2: y + 9, stroke: colour, 'stroke-width': 1.5 }), hit, words]
  const shape = replica === null ? '' : `M${left - 6} ${y - 5} h12 l-6 10 z`
  return [hit, svg('path', { d: shape, fill: colour }), words]
}

export function showDetail({ at, title, detail }: Entry): void {
  const heading = document.createElement('h3')
  heading.textContent = title
  const time = document.createElement('p')
  time.className = 'soft'
  time.textContent = `${seconds(at)} s`
  const text = document.createElement('pre')
  // Bodies may be no text.
  text.textContent = detail.replaceAll(/\p{Cc}/gu, (one) => ('\r\n\t'.includes(one) ? one : '·'))
  byId('detail').replaceChildren(heading, time, text)
}
