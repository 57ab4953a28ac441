/// <reference lib="dom" />
// One plot of the last minutes: a title, the value of now, and a line or two. Who can't see it is told the value, the least and
// the most.

import { make, setText, svg } from './dom.ts'
import { amount } from './words.ts'

export interface PlotLine {
  readonly name: string
  /** A class of the style sheet that gives its colour. */
  readonly className: string
}

export interface PlotOptions {
  readonly title: string
  readonly unit: string
  /** The first one's value is written large. */
  readonly lines: readonly PlotLine[]
}

/** A second, and the value of each line then; null = none was measured. */
export interface PlotPoint {
  readonly at: number
  readonly values: readonly (number | null)[]
}

/** A picture begins with a minute, and becomes wider as there is more to show. */
const SPANS = [60_000, 120_000, 300_000]

/** How far back a picture goes that has something to show from there on, milliseconds. */
export function spanOf(oldest: number, now: number): number {
  return SPANS.find((span) => now - oldest <= span) ?? (SPANS.at(-1) as number)
}

const HEIGHT = 64
/** Without a point for so long a line breaks off. */
const GAP_MS = 5_000

export class Plot {
  readonly figure: HTMLElement
  readonly #options: PlotOptions
  readonly #value: HTMLElement
  readonly #others: HTMLElement
  readonly #most: HTMLElement
  readonly #picture: SVGElement

  constructor(options: PlotOptions) {
    this.#options = options
    this.#value = make('span', { class: 'value' }, '–')
    this.#others = make('span', { class: 'others' })
    this.#most = make('span', { class: 'most', 'aria-hidden': 'true' })
    this.#picture = svg('svg', {
      role: 'img',
      class: 'plot',
      height: HEIGHT,
      width: '100%',
      'aria-label': options.title,
    })
    const unit = make('span', { class: 'unit' }, options.unit)
    const caption = make('figcaption', {}, make('span', { class: 'title' }, options.title))
    const now = make('p', { class: 'now' }, this.#value, unit, this.#others)
    this.figure = make('figure', {}, caption, now, make('div', { class: 'frame' }, this.#picture, this.#most))
  }

  draw(points: readonly PlotPoint[], now: number, span: number): void {
    const { lines, title, unit } = this.#options
    const shown = points.filter(({ at }) => at > now - span)
    const last = shown.at(-1)?.values ?? []
    setText(this.#value, words(latest(shown, 0)))
    const others = lines.slice(1).map(({ name }, i) => `${name}: ${words(latest(shown, i + 1))}`)
    setText(this.#others, others.join(' · '))
    const all = shown.flatMap(({ values }) => values.filter((value) => value !== null))
    // Room for its number above the line.
    const top = ceiling(1.1 * Math.max(0, ...all))
    setText(this.#most, top === 0 ? '' : amount(top))
    this.#picture.setAttribute('aria-label', label(title, unit, last[0] ?? null, all))
    const width = Math.max(80, this.#picture.clientWidth)
    const x = (at: number): number => width - ((now - at) / span) * width
    const y = (value: number): number => HEIGHT - 2 - (top === 0 ? 0 : (value / top) * (HEIGHT - 8))
    const drawn = [
      svg('line', { x1: 0, x2: width, y1: HEIGHT - 1.5, y2: HEIGHT - 1.5, class: 'base' }),
      ...lines.toReversed().flatMap(({ className }, back) => {
        const at = lines.length - 1 - back
        const runs = runsOf(shown, at).map((run) => run.map((point) => [x(point.at), y(point.value)] as const))
        return runs.flatMap((run) => drawRun(run, className, at === 0))
      }),
    ]
    this.#picture.replaceChildren(...drawn)
  }
}

function drawRun(run: readonly (readonly [number, number])[], className: string, isFirst: boolean): SVGElement[] {
  const [first, last] = [run[0], run.at(-1)]
  if (first === undefined || last === undefined) return []
  const path = run.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
  if (run.length === 1) return [svg('circle', { cx: first[0], cy: first[1], r: 1.5, class: `dot ${className}` })]
  const line = svg('path', { d: path, class: `line ${className}` })
  const area = `${path}L${last[0].toFixed(1)} ${HEIGHT - 2}L${first[0].toFixed(1)} ${HEIGHT - 2}Z`
  return isFirst ? [svg('path', { d: area, class: `area ${className}` }), line] : [line]
}

/** What was measured, in runs without a gap. */
export function runsOf(
  points: readonly PlotPoint[],
  line: number,
): readonly (readonly { readonly at: number; readonly value: number }[])[] {
  const runs: { at: number; value: number }[][] = []
  for (const { at, values } of points) {
    const value = values[line] ?? null
    if (value === null) continue
    const run = runs.at(-1)
    const before = run?.at(-1)
    if (run !== undefined && before !== undefined && at - before.at <= GAP_MS) run.push({ at, value })
    else runs.push([{ at, value }])
  }
  return runs
}

/** The newest measurement, if it is not old. */
function latest(points: readonly PlotPoint[], line: number): number | null {
  const end = points.at(-1)?.at ?? 0
  return (
    points.findLast(({ at, values }) => end - at <= GAP_MS && (values[line] ?? null) !== null)?.values[line] ?? null
  )
}

/** A round number that is not below it: 1, 2 or 5 times a power of ten. */
export function ceiling(value: number): number {
  if (value <= 0) return 0
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((one) => one * power >= value) ?? 10) * power
}

function words(value: number | null): string {
  return value === null ? '–' : amount(value)
}

function label(title: string, unit: string, now: number | null, all: readonly number[]): string {
  if (all.length === 0) return `${title}: nothing was measured lately`
  const [least, most] = [Math.min(...all), Math.max(...all)]
  return `${title}, ${unit}: now ${words(now)}; lately from ${words(least)} to ${words(most)}`
}
