// A ladder diagram for the terminal: one call, a row an event, time on the left, a column for each phone and replica.
//
//      seconds   caller               1                    2                  callee
//     3.840512     |------INVITE----->|                    |                    |
//     3.841102     |                  |.......INVITE......>|                    |      passed on to the owner
//     3.843001     |                  |                    * commit 6 (acks 1): ...
//
// `|` runs, `:` is stopped, nothing: dead.

import { formatTime } from '../trace.ts'
import { callToShow } from './chronicle.ts'
import type { Absence, Chronicle, Happening, Party } from './chronicle.ts'

const width = 120
const firstColumn = 17
const rowsMost = 110
/** Longer silences get a row of their own. */
const silence = 400_000

interface Row {
  readonly at: number
  draw(line: Line): void
}

/** The ladder of the failing call, or of the given one. */
export function ladderText(chronicle: Chronicle, call: number | null = callToShow(chronicle)): string {
  const columns = new Columns(chronicle.plan.replicas)
  const rows = [
    ...arrows(chronicle, call),
    ...commits(chronicle, call),
    ...owners(chronicle, call),
    ...happenings(chronicle),
  ]
  rows.sort((a, b) => a.at - b.at)
  const left = rows.length - rowsMost
  const shown: readonly (Row | null)[] =
    left <= 0 ? rows : [...rows.slice(0, rowsMost / 2), null, ...rows.slice(rows.length - rowsMost / 2)]
  const lines: string[] = [caption(chronicle, call), '', columns.heading()]
  let last: number | null = null
  for (const row of shown) {
    if (row === null) {
      lines.push(`${' '.repeat(firstColumn)}... ${left} rows are left out here; --html shows them all ...`)
      continue
    }
    if (last !== null && row.at - last > silence)
      lines.push(columns.line(null, chronicle.absences, (last + row.at) / 2).text)
    const line = columns.line(row.at, chronicle.absences, row.at)
    row.draw(line)
    lines.push(line.text)
    last = row.at
  }
  return `${lines.join('\n')}\n`
}

function caption({ calls, plan }: Chronicle, call: number | null): string {
  const found = calls.find((one) => one.call === call)
  const what = found === undefined ? 'no call' : `call ${found.call} (${found.flow})`
  return `seed ${plan.seed}, ${what}: ---> SIP, ...> passed on between replicas, * committed, x lost, ~ under way at the end`
}

function arrows({ ways, end, plan }: Chronicle, call: number | null): readonly Row[] {
  return ways
    .filter((way) => call !== null && way.call === call)
    .map((way): Row => {
      const label = way.isRepeat ? `${way.label} again` : way.label
      const isPassed = typeof way.from === 'number' && typeof way.to === 'number'
      const { from, to, arrivedAt } = way
      if (arrivedAt === null || to === null)
        return {
          at: way.sentAt,
          draw: (line) => line.lost(from, to, label, way.sentAt + plan.udp.delayMost > end ? '~' : 'x'),
        }
      return { at: arrivedAt, draw: (line) => line.arrow(from, to, label, isPassed ? '.' : '-') }
    })
}

function commits({ commits: all }: Chronicle, call: number | null): readonly Row[] {
  return all
    .filter((commit) => call !== null && commit.call === call)
    .map(({ at, replica, index, what, outcome, acknowledgedBy }) => ({
      at,
      draw: (line) =>
        line.mark(replica, `${sign(outcome)} ${index} (acks ${acknowledgedBy.join(',') || 'none'}): ${what}`),
    }))
}

function sign(outcome: string): string {
  if (outcome === 'fired') return '* fires'
  return outcome === 'accepted' ? '* commit' : `! rejected (${outcome})`
}

function owners({ reigns }: Chronicle, call: number | null): readonly Row[] {
  return reigns
    .filter((reign) => call !== null && reign.call === call)
    .map(({ at, owner }) => ({
      at,
      draw: (line) => line.mark(owner, owner === null ? 'nobody owns it' : '= owns the call'),
    }))
}

function happenings({ happenings: all }: Chronicle): readonly Row[] {
  return all
    .filter((happening, i) => !isFirstStart(happening, i, all))
    .map((happening): Row => ({
      at: happening.at,
      draw: (line) => line.mark(happening.replica, `${signs[happening.kind]} ${happening.text}`),
    }))
}

function isFirstStart(happening: Happening, place: number, all: readonly Happening[]): boolean {
  return (
    happening.kind === 'start' &&
    !all.slice(0, place).some((one) => one.replica === happening.replica && one.kind === 'start')
  )
}

const signs: Readonly<Record<Happening['kind'], string>> = {
  start: '^',
  death: 'X',
  pause: 'Z',
  wake: '^',
  cut: '/',
  heal: '^',
  reset: '/',
  leader: '=',
  serving: '=',
  other: '!',
  failure: '***',
}

class Columns {
  readonly #replicas: number
  readonly #gap: number

  constructor(replicas: number) {
    this.#replicas = replicas
    this.#gap = Math.min(24, Math.floor((width - firstColumn - 6) / (replicas + 1)))
  }

  at(party: Party): number {
    const place = party === 'caller' ? 0 : party === 'callee' ? this.#replicas + 1 : party
    return firstColumn + place * this.#gap
  }

  get parties(): readonly Party[] {
    return ['caller', ...Array.from({ length: this.#replicas }, (_, i) => i + 1), 'callee']
  }

  heading(): string {
    const line = new Line(this)
    line.put(5, 'seconds')
    for (const party of this.parties) line.put(this.at(party) - Math.floor(String(party).length / 2), String(party))
    return line.text
  }

  /** The life lines at that time. */
  line(time: number | null, absences: readonly Absence[], at: number): Line {
    const line = new Line(this)
    if (time !== null) line.put(0, formatTime(time))
    for (const party of this.parties) line.put(this.at(party), lifeLine(party, absences, at))
    return line
  }
}

function lifeLine(party: Party, absences: readonly Absence[], at: number): string {
  const away = absences.filter(
    ({ replica, from, until }) => replica === party && from <= at && at < (until ?? Infinity),
  )
  if (away.some(({ kind }) => kind === 'dead')) return ' '
  return away.some(({ kind }) => kind === 'paused') ? ':' : '|'
}

function fitted(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 2))}..`
}

/** One row of characters. */
class Line {
  readonly #columns: Columns
  #text = ''.padEnd(width)

  constructor(columns: Columns) {
    this.#columns = columns
  }

  get text(): string {
    return this.#text.trimEnd()
  }

  put(at: number, text: string): void {
    const room = text.slice(0, width - at)
    this.#text = this.#text.slice(0, at) + room + this.#text.slice(at + room.length)
  }

  arrow(from: Party, to: Party, label: string, dash: string): void {
    const [a, b] = [this.#columns.at(from), this.#columns.at(to)]
    if (a === b) return this.mark(from, label)
    this.#shaft(Math.min(a, b) + 1, Math.max(a, b) - 1, label, dash)
    if (a < b) this.put(b - 1, '>')
    else this.put(b + 1, '<')
  }

  /** Half the way there; of a message to the set nobody knows to whom. */
  lost(from: Party, to: Party | null, label: string, head: string): void {
    const a = this.#columns.at(from)
    const isRightwards = to === null ? from === 'caller' : this.#columns.at(to) > a
    const room = Math.max(label.length + 6, 12)
    const b = isRightwards ? a + room : a - room
    this.#shaft(Math.min(a, b) + 1, Math.max(a, b) - 1, label, '-')
    this.put(isRightwards ? b - 1 : b + 1, head)
  }

  /** At a column, or across; to the right of the column, or to its left if there is more room. */
  mark(party: Party | null, text: string): void {
    if (party === null) return this.put(firstColumn + 2, fitted(text, width - firstColumn - 2))
    const at = this.#columns.at(party)
    const [right, left] = [width - at, at - firstColumn - 2]
    if (text.length <= right || right >= left) return this.put(at, fitted(text, right))
    // The sign stays in its column.
    const [sign = '', ...words] = text.split(' ')
    const before = fitted(words.join(' '), left)
    this.put(at - before.length - 1, `${before} ${sign}`)
  }

  #shaft(from: number, to: number, label: string, dash: string): void {
    const length = to - from + 1
    const shown = label.length > length - 3 ? label.slice(0, Math.max(0, length - 3)) : label
    const before = Math.floor((length - shown.length) / 2)
    this.put(from, dash.repeat(before) + shown + dash.repeat(length - before - shown.length))
  }
}
