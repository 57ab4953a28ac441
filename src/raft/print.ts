// Messages, entries and Readys as canonical lines: for golden scripts, traces and logs.

import { latin1Text } from '../base/bytes.ts'
import { unreachable } from '../base/assert.ts'
import { decodeConfiguration, formatConfiguration } from './configuration.ts'
import type { RaftEntry, RaftMessage, SnapshotMetadata } from './message.ts'
import type { Ready } from './ready.ts'

/** `5/2 "text"`, `6/3 no-op`, `7/3 configuration voters=1,2,3`: index, term, content. */
export function formatEntry(entry: RaftEntry): string {
  return `${entry.index}/${entry.term} ${formatContent(entry)}`
}

/** `9/3 voters=1,2,3 learners=4`: last index and term, configuration. */
export function formatSnapshot(snapshot: SnapshotMetadata): string {
  return `${snapshot.index}/${snapshot.term} ${formatConfiguration(snapshot.configuration)}`
}

function formatContent({ kind, data }: RaftEntry): string {
  if (kind === 'normal') return `"${latin1Text(data)}"`
  if (kind === 'no-op') return kind
  const decoded = decodeConfiguration(data)
  return `configuration ${decoded.ok ? formatConfiguration(decoded.value) : `unreadable: ${decoded.error}`}`
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
  if (ready.snapshot !== null) lines.push(`install snapshot ${formatSnapshot(ready.snapshot)}`)
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
    case 'transfer-vote':
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
    case 'timeout-now':
      return ''
    case 'snapshot':
      return ` ${formatSnapshot(message.snapshot)}`
    default:
      return unreachable(message)
  }
}
