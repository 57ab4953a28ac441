// A plan as a scenario of sim/scenarios.ts, ready to be pasted there: what differs from a calm run, in a few lines, set as the
// formatter would set them.

import type { Plan } from '../plan.ts'
import { calm } from '../scenarios.ts'

const second = 1_000_000
const widthMost = 120

/** Source text: a word, or a list in brackets that is broken over lines where it doesn't fit. */
type Source = string | { readonly open: string; readonly items: readonly Source[]; readonly close: string }

/** An element of `scenarios`. It needs `calm` and `second` of that file, and gives this very plan. */
export function scenarioText(name: string, story: string, plan: Plan): string {
  const fields: readonly Source[] = [
    `name: ${quoted(name)}`,
    `story: ${quoted(story)}`,
    prefixed('plan: ', planSource(plan)),
  ]
  return `${broken({ open: '{', items: fields, close: '}' }, 2)},\n`
}

function planSource(plan: Plan): Source {
  const calmPlan = calm(plan.seed, plan.calls, plan.faults, plan.safetyUntil / second)
  const isUsualLength = plan.safetyUntil === calm(0, [], []).safetyUntil
  const call: Source = {
    open: 'calm(',
    items: [
      String(plan.seed),
      literal(plan.calls),
      literal(plan.faults),
      ...(isUsualLength ? [] : [String(plan.safetyUntil / second)]),
    ],
    close: ')',
  }
  const changed = Object.entries(plan).filter(([key, value]) => !isSame(value, calmPlan[key as keyof Plan]))
  if (changed.length === 0) return call
  const fields = changed.map(([key, value]) => prefixed(`${key}: `, literal(value, key)))
  return { open: '{', items: [prefixed('...', call), ...fields], close: '}' }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function literal(value: unknown, field = ''): Source {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return times.has(field) ? time(value) : number(value)
  if (Array.isArray(value)) return { open: '[', items: value.map((one) => literal(one)), close: ']' }
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, one]) => one !== undefined)
  return { open: '{', items: fields.map(([key, one]) => prefixed(`${key}: `, literal(one, key))), close: '}' }
}

/** Fields that are written in seconds where that is exact. */
const times: ReadonlySet<string> = new Set(['at', 'until', 'restartAfter', 'length', 'by', 'safetyUntil'])

function time(us: number): string {
  const seconds = us / second
  if (us === 0 || us % (second / 100) !== 0 || seconds * second !== us) return number(us)
  return seconds === 1 ? 'second' : `${seconds} * second`
}

function number(value: number): string {
  return Math.abs(value) < 10_000 ? String(value) : String(value).replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, '_')
}

/** One line, whatever the text has. */
function quoted(text: string): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return plain.includes("'") && !plain.includes('"') ? `"${plain}"` : `'${plain.replaceAll("'", "\\'")}'`
}

function prefixed(prefix: string, source: Source): Source {
  return typeof source === 'string' ? prefix + source : { ...source, open: prefix + source.open }
}

/** With its brackets on lines of their own. */
function broken(source: Exclude<Source, string>, indent: number): string {
  const pad = ' '.repeat(indent)
  const lines = source.items.map((item) => `${pad}  ${set(item, indent + 2)},`)
  return [`${indent === 2 ? pad : ''}${source.open}`, ...lines, `${pad}${source.close}`].join('\n')
}

function set(source: Source, indent: number): string {
  if (typeof source === 'string') return source
  const line = oneLine(source)
  const holdsRecords = source.items.some((item) => typeof item !== 'string' && item.open.endsWith('{'))
  const fits = indent + line.length < widthMost && (source.items.length < 2 || !holdsRecords)
  return fits || source.items.length === 0 ? line : broken(source, indent)
}

function oneLine(source: Source): string {
  if (typeof source === 'string') return source
  const inside = source.items.map(oneLine).join(', ')
  return source.open.endsWith('{') ? `${source.open} ${inside} ${source.close}` : source.open + inside + source.close
}
