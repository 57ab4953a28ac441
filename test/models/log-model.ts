// The log in memory against a list that forgets nothing: appended, cut, committed, handed out, applied, compacted, replaced by a
// snapshot.

import fc from 'fast-check'
import { index, term } from '../../src/base/brand.ts'
import { noConfiguration } from '../../src/raft/configuration.ts'
import { entryBytes, RaftLog } from '../../src/raft/log.ts'
import type { RaftEntry, SnapshotMetadata } from '../../src/raft/message.ts'
import { command, findByWalks, holds, same } from './model.ts'
import type { Model } from './model.ts'

interface Plain {
  entries: RaftEntry[]
  commit: number
  handedOut: number
  applied: number
  snapshot: number
  purged: number
  term: number
  readonly appliesAtOnce: boolean
}

type Command = fc.Command<Plain, RaftLog>

const few = fc.integer({ min: 1, max: 4 })
const some = fc.nat({ max: 4 })

const commands: fc.Arbitrary<Command>[] = [
  fc
    .tuple(few, fc.nat({ max: 2 }))
    .map(([count, more]) => changing(`append ${count}`, (m, log) => append(m, log, count, more))),
  some.map((back) => changing(`cut ${back}`, (m, log) => cut(m, log, back))),
  few.map((by) => changing(`commit ${by}`, (m, log) => commit(m, log, by))),
  fc.nat({ max: 200 }).map((bytes) => changing(`take ${bytes}`, (m, log) => take(m, log, bytes))),
  few.map((by) => changing(`apply ${by}`, (m, log) => apply(m, log, by))),
  fc
    .tuple(some, some)
    .map(([back, keep]) => changing(`compact ${back} ${keep}`, (m, log) => compact(m, log, back, keep))),
  few.map((ahead) => changing(`restore ${ahead}`, (m, log) => restore(m, log, ahead))),
  fc
    .tuple(fc.nat({ max: 30 }), fc.nat({ max: 12 }))
    .map(([at, of]) => command(`hint ${at} ${of}`, (m, log) => hint(m, log, at, of))),
  fc
    .tuple(fc.nat({ max: 30 }), few, fc.nat({ max: 200 }))
    .map(([from, count, bytes]) =>
      command(`slice ${from} ${count} ${bytes}`, (m, log) => slice(m, log, from, count, bytes)),
    ),
  fc
    .tuple(fc.nat({ max: 30 }), fc.nat({ max: 12 }))
    .map(([at, of]) => command(`up to date ${at} ${of}`, (m, log) => upToDate(m, log, at, of))),
]

export const logModel: Model = {
  key: 'log',
  name: 'the log answers as a list that forgets nothing, and hands out each committed entry once, in order',
  find: async (search) =>
    (await findByWalks(commands, () => start(true), search)) ??
    (await findByWalks(commands, () => start(false), search)),
}

function start(appliesAtOnce: boolean): { model: Plain; real: RaftLog } {
  const zero = { commit: 0, handedOut: 0, applied: 0, snapshot: 0, purged: 0, term: 1 }
  return { model: { ...zero, entries: [], appliesAtOnce }, real: new RaftLog([], index(0), null, appliesAtOnce) }
}

/** All that both know is compared after each change. */
function changing(name: string, run: (model: Plain, log: RaftLog) => void): Command {
  return command(name, (model, log) => {
    run(model, log)
    compare(model, log)
  })
}

function compare(model: Plain, log: RaftLog): void {
  const { entries, commit, handedOut, applied, snapshot, purged } = model
  same('last', entries.length, log.last)
  same('its term', entries.at(-1)?.term ?? 0, log.lastTerm)
  same('first', purged + 1, log.first)
  same('commit, handed out, applied', [commit, handedOut, applied], [log.commit, log.handedOut, log.applied])
  same('the snapshot', snapshot, log.snapshot?.index ?? 0)
  same('the tail', nameAll(entries.slice(purged)), nameAll(log.tail(log.first)))
  for (let at = purged; at <= entries.length + 1; at++)
    same(`the term at ${at}`, at === 0 ? 0 : (entries[at - 1]?.term ?? null), log.termAt(index(at)))
  same('what is missing of its own entries', null, log.firstMissing(entries))
}

function append(model: Plain, log: RaftLog, count: number, more: number): void {
  model.term += more
  const { entries } = model
  const added = Array.from({ length: count }, (_, i) => entry(entries.length + 1 + i, model.term, i * 10))
  log.append(added)
  entries.push(...added)
}

function cut(model: Plain, log: RaftLog, back: number): void {
  if (model.entries.length === model.commit) return
  const from = Math.max(model.commit + 1, model.entries.length - back)
  // Cut for another one of a later term: that one is what is missing.
  model.term++
  const other = entry(from, model.term, 0)
  same('what is missing', from, log.firstMissing([...model.entries.slice(0, from - 1), other])?.index ?? 0)
  log.truncate(index(from))
  model.entries.length = from - 1
}

function commit(model: Plain, log: RaftLog, by: number): void {
  model.commit = Math.min(model.entries.length, model.commit + by)
  log.commitTo(index(model.commit))
  log.commitTo(index(Math.max(0, model.commit - by)))
}

function take(model: Plain, log: RaftLog, bytes: number): void {
  const taken = log.takeCommitted(bytes)
  // As many as fit beside those that are not applied; one goes alone.
  let waiting = bytesOf(model.entries.slice(model.applied, model.handedOut))
  let end = model.handedOut
  for (; end < model.commit; end++) {
    const size = bytesOf(model.entries.slice(end, end + 1))
    if (waiting > 0 && waiting + size > bytes) break
    waiting += size
  }
  same('what is handed out', nameAll(model.entries.slice(model.handedOut, end)), nameAll(taken))
  model.handedOut = end
  if (model.appliesAtOnce) model.applied = end
}

function apply(model: Plain, log: RaftLog, by: number): void {
  model.applied = Math.min(model.handedOut, model.applied + by)
  log.appliedTo(index(model.applied))
}

function compact(model: Plain, log: RaftLog, back: number, keep: number): void {
  const at = Math.max(model.applied - back, model.snapshot)
  if (at === 0) return
  model.snapshot = at
  model.purged = Math.max(model.purged, at - keep)
  log.snapshotTaken(snapshotOf(at, model.entries[at - 1]?.term ?? 0))
  log.compact(index(Math.max(0, at - keep)))
}

function restore(model: Plain, log: RaftLog, ahead: number): void {
  const at = model.commit + ahead
  model.term++
  model.entries = Array.from({ length: at }, (_, place) => model.entries[place] ?? entry(place + 1, model.term, 0))
  model.entries[at - 1] = entry(at, model.term, 0)
  log.restore(snapshotOf(at, model.term))
  model.commit = model.handedOut = model.applied = model.snapshot = model.purged = at
}

/** The two hints by term (paper 5.3, end): the largest index at or below `at` whose term is at most `of`. */
function hint(model: Plain, log: RaftLog, at: number, of: number): void {
  const known = model.entries.slice(0, at).filter((each) => each.term <= of).length
  const expected = at <= model.purged ? at : Math.max(model.purged, known)
  same(`the last index up to ${at} of a term up to ${of}`, expected, log.lastWithTermAtMost(index(at), term(of)))
}

function slice(model: Plain, log: RaftLog, wanted: number, count: number, bytes: number): void {
  const from = Math.max(model.purged + 1, wanted)
  if (from > model.entries.length) return
  const found = log.slice(index(from), log.last, count, bytes)
  const all = model.entries.slice(from - 1, from - 1 + count)
  const fitting = all.filter((_, i) => i === 0 || bytesOf(all.slice(0, i + 1)) <= bytes)
  same('a slice', nameAll(fitting), nameAll(found))
  same('its bytes', bytesOf(fitting), log.bytesBetween(index(from - 1), index(from - 1 + found.length)))
}

/** Paper 5.4.1. */
function upToDate(model: Plain, log: RaftLog, at: number, of: number): void {
  const lastTerm = model.entries.at(-1)?.term ?? 0
  const is = of === lastTerm ? at >= model.entries.length : of > lastTerm
  holds(`a log up to ${at} of term ${of} is ${is ? '' : 'not '}up to date`, log.isUpToDate(index(at), term(of)) === is)
}

function entry(at: number, of: number, size: number): RaftEntry {
  return { index: index(at), term: term(of), kind: 'normal', data: new Uint8Array(size) }
}

function snapshotOf(at: number, of: number): SnapshotMetadata {
  return { index: index(at), term: term(of), configuration: noConfiguration }
}

function bytesOf(entries: readonly RaftEntry[]): number {
  return entries.reduce((sum, each) => sum + entryBytes(each), 0)
}

function nameAll(entries: readonly RaftEntry[]): readonly string[] {
  return entries.map((each) => `${each.index}/${each.term}/${each.data.length}`)
}
