// The moment of doom in the terminal: a bar for each time, and what happened between the last open one and the first lost one.

import { chanceOf, momentOfDoom } from '../doom.ts'
import type { DoomPoint } from '../doom.ts'
import { describeFault, timeOf } from '../fault.ts'
import { formatTime } from '../trace.ts'
import type { Chronicle } from './chronicle.ts'

const barWidth = 50
const eventsMost = 12

export function doomText(points: readonly DoomPoint[], chronicle: Chronicle): string {
  const moment = momentOfDoom(points)
  const rows = points.map((point) => {
    const bar = '#'.repeat(Math.round(chanceOf(point) * barWidth)).padEnd(barWidth, '.')
    const percent = `${Math.round(chanceOf(point) * 100)} %`.padStart(6)
    const mark = point === moment?.[1] ? '  <- doomed' : ''
    return `${formatTime(point.at)} ${percent} ${bar} ${point.failed} of ${point.runs}${mark}`
  })
  return ['    seconds  fails if all after that is drawn again', ...rows, ...verdict(moment, chronicle), ''].join('\n')
}

function verdict(moment: ReturnType<typeof momentOfDoom>, chronicle: Chronicle): readonly string[] {
  if (moment === null) return ['no moment of doom: it is as likely to fail at its beginning as at its end']
  const [open, lost] = moment
  const events = eventsBetween(chronicle, open.at, lost.at)
  const shown = events.slice(-eventsMost)
  const left = events.length - shown.length
  return [
    `doomed between ${formatTime(open.at).trim()} and ${formatTime(lost.at).trim()} s; what happened then:`,
    ...(left > 0 ? [`  (${left} more before)`] : []),
    ...(shown.length === 0 ? ['  nothing that a ladder shows'] : shown),
  ]
}

function eventsBetween({ plan, ways, commits, happenings }: Chronicle, from: number, until: number): readonly string[] {
  const name = (party: string | number | null): string => (party === null ? 'the set' : String(party))
  const all = [
    // A fault strikes some effects after it is due: from here on it will.
    ...plan.faults.map((fault) => ({ at: timeOf(fault), text: `due: ${describeFault(fault)}` })),
    ...ways.map(({ arrivedAt, sentAt, label, from: by, to }) => ({
      at: arrivedAt ?? sentAt,
      text: `${label} from ${name(by)} to ${name(to)}${arrivedAt === null ? ', which never arrives' : ''}`,
    })),
    ...commits.map(({ at, index, replica, what }) => ({ at, text: `entry ${index} of ${replica}: ${what}` })),
    ...happenings.map(({ at, replica, text }) => ({
      at,
      text: replica === null ? text : `replica ${replica} ${text}`,
    })),
  ]
  return all
    .filter(({ at }) => at > from && at <= until)
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `${formatTime(at)} ${text}`)
}
