// Messages, entries and Readys as canonical lines: for golden scripts, traces and logs.

import { latin1Text } from '../base/bytes.ts'
import { unreachable } from '../base/assert.ts'
import type { RaftEntry, RaftMessage } from './message.ts'
import type { Ready } from './ready.ts'

/** `5/2 "text"`, `6/3 no-op`: index, term, content. */
export function formatEntry(entry: RaftEntry): string {
  const content = entry.kind === 'normal' ? `"${latin1Text(entry.data)}"` : entry.kind
  return `${entry.index}/${entry.term} ${content}`
}

/** `1->2 append term=2 prev=3/1 commit=2 [4/2 "x"]` */
export function formatMessage(message: RaftMessage): string {
  const { from, to, kind, term } = message
  return `${from}->${to} ${kind} term=${term}${formatBody(message)}`
}

/** A line for each part that isn't empty. */
export function formatReady(ready: Ready): readonly string[] {
  const lines: string[] = []
  if (ready.state !== null) {
    lines.push(`state term=${ready.state.term} vote=${ready.state.vote ?? '-'} commit=${ready.state.commit}`)
  }
  if (ready.entries.length > 0) lines.push(`append ${ready.entries.map(formatEntry).join(', ')}`)
  if (ready.committed.length > 0) lines.push(`committed ${ready.committed.map(formatEntry).join(', ')}`)
  for (const read of ready.reads) lines.push(`read context=${read.context} index=${read.index}`)
  for (const message of ready.messages) lines.push(formatMessage(message))
  for (const message of ready.afterPersist) lines.push(`after persist: ${formatMessage(message)}`)
  return lines
}

function formatBody(message: RaftMessage): string {
  switch (message.kind) {
    case 'pre-vote':
    case 'vote':
      return ` last=${message.lastIndex}/${message.lastTerm}`
    case 'pre-vote-response':
    case 'vote-response':
      return message.granted ? ' granted' : ' refused'
    case 'append': {
      const entries = message.entries.map(formatEntry).join(', ')
      return ` prev=${message.prevIndex}/${message.prevTerm} commit=${message.commit} [${entries}]`
    }
    case 'append-response':
      if (!message.rejected) return ` index=${message.index}`
      return ` rejected index=${message.index} hint=${message.hintIndex}/${message.hintTerm}`
    case 'heartbeat':
      return ` commit=${message.commit} context=${message.context}`
    case 'heartbeat-response':
    case 'read-index':
      return ` context=${message.context}`
    case 'read-index-response':
      return ` context=${message.context} index=${message.index}`
    default:
      return unreachable(message)
  }
}
