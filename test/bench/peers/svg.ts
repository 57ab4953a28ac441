// Pictures of the figures: bars and lines, as SVG that needs nothing else.

const WIDTH = 720
const LEFT = 190
const RIGHT = 70
const COLOURS = ['#2f6fab', '#e08a2c', '#4c9a5b', '#a2559c', '#777777']

export interface Bar {
  readonly label: string
  /** Stacked, from the left. */
  readonly parts: readonly number[]
}

export interface Bars {
  readonly title: string
  readonly unit: string
  /** What the parts of a bar are; a single one needs no name. */
  readonly parts?: readonly string[]
  readonly bars: readonly Bar[]
}

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Lines {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
  /** Steps of ten are of one length. */
  readonly logarithmicX?: boolean
}

export function barChart({ title, unit, parts = [], bars }: Bars): string {
  const sums = bars.map((bar) => bar.parts.filter(Number.isFinite).reduce((sum, part) => sum + part, 0))
  const top = Math.max(...sums, Number.MIN_VALUE)
  const scale = (WIDTH - LEFT - RIGHT) / top
  const rows = bars.flatMap((bar, row) => {
    const y = 60 + row * 30
    let x = LEFT
    const pieces = bar.parts.map((part, i) => {
      const width = Number.isFinite(part) ? part * scale : 0
      const piece = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="20" fill="${colour(i)}"/>`
      x += width
      return piece
    })
    const sum = sums[row] ?? 0
    const label = `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escape(bar.label)}</text>`
    return [label, ...pieces, `<text x="${(x + 6).toFixed(1)}" y="${y + 15}">${amount(sum)} ${escape(unit)}</text>`]
  })
  return picture(title, 70 + bars.length * 30, [...legend(parts.length > 1 ? parts : []), ...rows])
}

export function lineChart({ title, x, y, lines, logarithmicX = false }: Lines): string {
  const [height, left, right, top, bottom] = [300, 60, WIDTH - 30, 60, 255]
  const points = lines.flatMap((line) => line.points)
  const place = (value: number): number => (logarithmicX ? Math.log10(Math.max(value, 1)) : value)
  const xs = points.map(([value]) => place(value))
  const [least, most] = [logarithmicX ? Math.min(...xs) : 0, Math.max(...xs)]
  const highest = Math.max(...points.map(([, value]) => value), Number.MIN_VALUE)
  const atX = (value: number): number => left + ((place(value) - least) / (most - least || 1)) * (right - left)
  const atY = (value: number): number => bottom - (value / highest) * (bottom - top)
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const at = atY(part * highest).toFixed(1)
    return [
      `<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="#dddddd"/>`,
      `<text x="${left - 6}" y="${Number(at) + 4}" text-anchor="end">${amount(part * highest)}</text>`,
    ]
  })
  const ticks = [...new Set(points.map(([value]) => value))].map(
    (value) => `<text x="${atX(value).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${amount(value)}</text>`,
  )
  const drawn = lines.flatMap((line, i) => {
    const path = line.points.map(([px, py]) => `${atX(px).toFixed(1)},${atY(py).toFixed(1)}`)
    const dots = path.map((point) => {
      const [cx, cy] = point.split(',')
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour(i)}"/>`
    })
    return [`<polyline fill="none" stroke="${colour(i)}" stroke-width="2" points="${path.join(' ')}"/>`, ...dots]
  })
  const axes = [
    `<text x="${right}" y="${bottom + 34}" text-anchor="end">${escape(x)}</text>`,
    `<text x="8" y="${top - 10}">${escape(y)}</text>`,
  ]
  return picture(title, height, [...legend(lines.map(({ name }) => name)), ...grid, ...ticks, ...axes, ...drawn])
}

function legend(names: readonly string[]): string[] {
  let x = LEFT
  return names.flatMap((name, i) => {
    const at = x
    x += 30 + name.length * 7
    return [
      `<rect x="${at}" y="32" width="10" height="10" fill="${colour(i)}"/>`,
      `<text x="${at + 14}" y="41">${escape(name)}</text>`,
    ]
  })
}

function picture(title: string, height: number, inside: readonly string[]): string {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="12">`
  const lines = [
    ...[open, `<title>${escape(title)}</title>`, '<rect width="100%" height="100%" fill="white"/>'],
    ...[`<text x="8" y="20" font-size="14">${escape(title)}</text>`, ...inside, '</svg>', ''],
  ]
  return lines.join('\n')
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length] as string
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : `${Number(value.toPrecision(3))}`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
