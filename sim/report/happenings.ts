// What befell replicas, read from the lines of a trace. Lines of datagrams, frames and disks tell of none; what is not known
// here is of kind `other`, so that a new kind of fault shows.

import type { Absence, Happening, HappeningKind } from './chronicle.ts'

/** What a line begins with after `[n] `, and what it is. */
const ofReplica: readonly (readonly [start: string, kind: HappeningKind])[] = [
  ['starts as ', 'start'],
  ['dies; ', 'death'],
  ['is stopped for ', 'pause'],
  ['goes on', 'wake'],
]
const routine: readonly string[] = [
  '-> ',
  '<- ',
  'writes a ',
  'persisted ',
  'link to ',
  'notice ',
  'binds ',
  'info ',
  'unsent ',
  'answers lookup ',
  'is asked for lookup ',
]

/** The happening of a line without its time, or null. */
export function happeningOf(line: string, at: number): Happening | null {
  if (/ => | is connected with \[/.test(line)) return null
  if (line.includes(' ~> ') || line.startsWith(' ') || line.startsWith('plan ') || line.startsWith('FAILURE '))
    return null
  const own = /^\[(\d+)\] (.*)$/s.exec(line)
  if (own !== null) {
    const text = own[2] ?? ''
    if (routine.some((start) => text.startsWith(start))) return null
    const kind = ofReplica.find(([start]) => text.startsWith(start))?.[1] ?? 'other'
    return { at, replica: Number(own[1]), kind, text: text.replace(/^(warn|error) /, '') }
  }
  const cut = /^(cut|heal) (\d+) (both|out|in) (\w+)$/.exec(line)
  if (cut !== null) return { at, replica: Number(cut[2]), kind: cut[1] as HappeningKind, text: cutText(line, cut) }
  const reset = /^reset of the link (\d+) - (\d+)$/.exec(line)
  if (reset !== null) return { at, replica: Number(reset[1]), kind: 'reset', text: `link to ${reset[2]} is reset` }
  return { at, replica: null, kind: 'other', text: line }
}

function cutText(line: string, [, , , way, other]: readonly string[]): string {
  const whom = other === 'all' ? 'all others' : `${other}`
  const how = way === 'both' ? '' : way === 'out' ? ', what it sends' : ', what it is sent'
  return `${line.startsWith('cut') ? 'cut off from' : 'heals to'} ${whom}${how}`
}

/** From each death to the start after it, and so on. */
export function absencesOf(happenings: readonly Happening[]): readonly Absence[] {
  const absences: Absence[] = []
  happenings.forEach((happening, i) => {
    const pair = pairs.find(([begins]) => begins === happening.kind)
    if (pair === undefined || happening.replica === null) return
    const [, ends, kind] = pair
    const over = happenings.slice(i + 1).find((later) => later.replica === happening.replica && endsIt(later, ends))
    absences.push({
      replica: happening.replica,
      kind,
      from: happening.at,
      until: over?.at ?? null,
      text: happening.text,
    })
  })
  return absences
}

const pairs = [
  ['death', ['start'], 'dead'],
  ['pause', ['wake', 'death'], 'paused'],
  ['cut', ['heal'], 'cut'],
] as const satisfies readonly (readonly [HappeningKind, readonly HappeningKind[], Absence['kind']])[]

function endsIt({ kind }: Happening, ends: readonly HappeningKind[]): boolean {
  return ends.includes(kind)
}
