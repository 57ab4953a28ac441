// The words of golden scripts: what a command's arguments say, as values, and values as lines.

import type { Index } from '../../src/base/brand.ts'
import { index, replicaId, term } from '../../src/base/brand.ts'
import { latin1Bytes } from '../../src/base/bytes.ts'
import type { Result } from '../../src/base/result.ts'
import type { ConfChange } from '../../src/raft/conf-change.ts'
import { configuration } from '../../src/raft/configuration.ts'
import type { RaftEntry, RaftMessage, SnapshotMetadata } from '../../src/raft/message.ts'
import { formatEntry, formatSnapshot } from '../../src/raft/print.ts'
import type { Machine } from '../../src/raft/testing/machine.ts'

type Arguments = readonly string[]

export function matches(message: RaftMessage, which: Arguments): boolean {
  return which.every((word) => word === `${message.from}->${message.to}` || word === message.kind)
}

export function changeKind(word: string): ConfChange['kind'] {
  if (word.startsWith('v')) return 'add-voter'
  if (word.startsWith('l')) return 'add-learner'
  if (word.startsWith('r')) return 'remove'
  throw new Error(`unknown change ${word}`)
}

export function resultLine(what: string, result: Result<number, string> | null): string {
  if (result === null) return 'crashed'
  return result.ok ? `${what} at ${result.value}` : `${what} refused: ${result.error}`
}

/** The entry a script has at an index, of a term; its content tells where it is from. `3n` is term 3's no-op, `3c` a
 * configuration that is none. */
export function entryOf(at: Index, of: string): RaftEntry {
  const kind = of.endsWith('n') ? 'no-op' : of.endsWith('c') ? 'configuration' : 'normal'
  const data = latin1Bytes(kind === 'no-op' ? '' : `${at}of${of}`)
  return { index: at, term: term(Number.parseInt(of, 10)), kind, data }
}

export function valueOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text.includes(':')) return snapshotOf(text)
  if (!text.startsWith('[')) return Number(text)
  const pairs = text
    .slice(1, -1)
    .split(',')
    .filter((pair) => pair !== '')
  return pairs.map((pair) => pair.split('/')).map(([at, of]) => entryOf(index(Number(at)), of ?? ''))
}

/** `5/2:1,2,3`: last index and term, voters. */
function snapshotOf(text: string): SnapshotMetadata {
  const [place = '', voters = ''] = text.split(':')
  const [at, of] = place.split('/').map(Number)
  const ids = voters.split(',').filter((id) => id !== '')
  return {
    index: index(at ?? 0),
    term: term(of ?? 0),
    configuration: configuration(ids.map((id) => replicaId(Number(id)))),
  }
}

export function logLine(machine: Machine): string {
  const log = machine.raft?.inspect().log
  const { snapshot = null, entries } = machine.durable
  const start = log === undefined ? snapshot : log.snapshot
  const shown = log === undefined ? entries : log.tail(index(1))
  const lines = [...(start === null ? [] : [`snapshot ${formatSnapshot(start)}`]), ...shown.map(formatEntry)]
  return lines.join(', ') || 'empty'
}
