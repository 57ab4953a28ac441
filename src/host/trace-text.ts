// A call's history for a person: a ladder in the terminal, and the same as one HTML file.

import type { TraceChange, TraceStep, Trace } from '../replica/trace.ts'
import type { Sent } from '../call/sent.ts'

/** Columns between two of: caller, set, callee. */
const WIDTH = 22
const INDENT = ' '.repeat(11)

export function traceText(trace: Trace): string {
  const { callId, groups, first, last, gaps, steps } = trace
  const lines = [`${callId}: group ${groups.join(', ')}; entries ${first} to ${last} were looked through`]
  for (const { from, to } of gaps)
    lines.push(`this replica never had entries ${from} to ${to}: it got a snapshot instead`)
  lines.push('', `${INDENT}${ladderLine('caller', 'set', 'callee')}`)
  const began = steps[0]?.at ?? 0
  let owner: string | null = null
  for (const step of steps) {
    lines.push(`${seconds(step.at - began).padStart(9)}  ${headOf(step)}`)
    if (step.owner !== null && owner !== null && step.owner !== owner)
      lines.push(`${INDENT}the owner is another one now: ${step.owner} after ${owner}`)
    owner = step.owner ?? owner
    for (const change of step.changes) lines.push(`${INDENT}${changeText(change)}`)
    for (const event of step.events) lines.push(`${INDENT}event ${eventText(event)}`)
    for (const sent of step.sent) lines.push(`${INDENT}${arrowOf(sent)}`)
  }
  return `${lines.join('\n')}\n`
}

function seconds(micros: number): string {
  return `+${(micros / 1_000_000).toFixed(3)}`
}

/** What the entry is. */
function headOf({ kind, index, owner, outcome, version, isCommitted, timers, at }: TraceStep): string {
  const when = new Date(at / 1_000).toISOString()
  const sure = isCommitted ? '' : ' (not known to be committed)'
  switch (kind) {
    case 'kept':
      return `#${index} ${when} as the oldest snapshot that is kept has it, v${version}`
    case 'commit':
      return `#${index} ${when} ${owner} commits v${version}${timersText(timers)}${sure}`
    case 'refused':
      return `#${index} ${when} ${owner} was refused: ${outcome}${sure}`
    case 'fired': {
      const gone = version === 0 ? '; nothing is left of the call' : ''
      return `#${index} ${when} timer ${timers.fired.join(', ')} fires${gone}${sure}`
    }
  }
}

function timersText({ set, cancelled }: TraceStep['timers']): string {
  const parts = [...set.map((id) => `sets ${id}`), ...cancelled.map((id) => `cancels ${id}`)]
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`
}

function changeText({ tree, id, from, to, state }: TraceChange): string {
  if (to === 0) return `${tree} ${id} is gone`
  const versions = from === 0 || from === to ? `v${to}` : `v${from} -> v${to}`
  return `${tree} ${id} ${versions}${state === null ? '' : ` ${state}`}`
}

function eventText({ event, cause, by, status }: Readonly<Record<string, unknown>>): string {
  const more = [cause, by, status].filter((value) => value !== undefined && value !== null)
  return `${String(event)}${more.length === 0 ? '' : ` (${more.map(String).join(', ')})`}`
}

function arrowOf({ label, side, to }: Sent): string {
  if (side === 'callee') return ladderLine('|', `|${filled(` ${label} `)}>`, '|', to)
  if (side === 'caller') return ladderLine(`|<${filled(` ${label} `)}`, '|', '|', to)
  return `${ladderLine('|', '|', '|', '')} ${label} to ${to}`
}

function filled(text: string): string {
  const room = WIDTH - 2
  const cut = text.length > room ? text.slice(0, room) : text
  return cut.padStart(cut.length + ((room - cut.length) >> 1), '-').padEnd(room, '-')
}

function ladderLine(caller: string, set: string, callee: string, more = ''): string {
  return `${caller.padEnd(WIDTH)}${set.padEnd(WIDTH)}${callee}${more === '' ? '' : ` ${more}`}`
}

const STYLE = `body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;vertical-align:top;text-align:left;border-top:1px solid #8884}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}.arrow{font-family:ui-monospace,monospace;white-space:pre}
.refused{opacity:.6}summary{cursor:pointer}`

/** One file that needs nothing else. */
export function tracePage(trace: Trace): string {
  const { callId, groups, first, last, gaps, steps } = trace
  const began = steps[0]?.at ?? 0
  const rows = steps.map((step) => {
    const cells = [seconds(step.at - began), escaped(headOf(step)), stepCell(step)]
    return `<tr class="${step.kind}"><td>${cells.join('</td><td>')}</td></tr>`
  })
  const lost = gaps.map(
    ({ from, to }) => `<p>This replica never had entries ${from} to ${to}: it got a snapshot instead.</p>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(callId)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(callId)}</h1>
<p>Group ${escaped(groups.join(', '))}; entries ${first} to ${last} of the log were looked through.</p>
${lost.join('\n')}
<table><thead><tr><th>seconds</th><th>entry</th><th>what changed, and what left</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>
`
}

function stepCell({ changes, events, sent }: TraceStep): string {
  return [
    ...changes.map(
      (change) =>
        `<details><summary>${escaped(changeText(change))}</summary><pre>${escaped(JSON.stringify(change.value, null, 2))}</pre></details>`,
    ),
    ...events.map((event) => `<div>event ${escaped(eventText(event))}</div>`),
    ...sent.map((message) => {
      const line = `<span class="arrow">${escaped(arrowOf(message))}</span>`
      if (message.text === null) return `<div>${line}</div>`
      return `<details><summary>${line}</summary><pre>${escaped(message.text)}</pre></details>`
    }),
  ].join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
