// A call's history, from the log of one replica: the same entries are applied to a store again, and what they did to the groups of that
// call is told. It is exact, since apply is: a commit that was refused then is refused now.
//
//   era 1: (snapshot) entries ......  | era 2: snapshot, entries ......  | the newest: snapshot, entries ... commit ... the end
//
// Each era but the first begins where a snapshot took the place of the log before. Of an era those entries are told that the next one's
// snapshot has; the rest is written again in the next one.

import { index as indexOf } from '../base/brand.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { Stamp } from '../base/instant.ts'
import { stamp as stampOf } from '../base/instant.ts'
import { describeEntity } from '../call/describe.ts'
import { entityValue } from '../call/entities.ts'
import { callEvents } from '../call/events.ts'
import { printFlow, sentBy } from '../call/sent.ts'
import type { Sent } from '../call/sent.ts'
import { otherSide } from '../session/dialog.ts'
import type { Side } from '../session/dialog.ts'
import type { RaftEntry, SnapshotMetadata } from '../raft/message.ts'
import type { Store } from '../store/store.ts'
import type { Applied, Entity, GroupView } from '../store/view.ts'
import { decodeEntry } from '../wire/codec.ts'
import type { Commit, Entry } from '../wire/entry.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import { makeStore, restoreLog, restoreStore } from './restore.ts'

/** A part of a log: what it goes on from, and its records. */
export interface Era {
  readonly snapshot: { readonly metadata: SnapshotMetadata; readonly parts: Iterable<Uint8Array> } | null
  readonly records: readonly Uint8Array[]
}

/** One entry of the log, as far as it is about the call; `kept`: what the oldest snapshot had of it. */
export interface TraceStep {
  readonly kind: 'kept' | 'commit' | 'refused' | 'fired'
  readonly index: number
  /** Cluster time, microseconds. */
  readonly at: Stamp
  /** False: this replica's disk doesn't know yet that it was committed. */
  readonly isCommitted: boolean
  readonly group: GroupKey
  /** The life that proposed it; null = the entry is nobody's commit. */
  readonly owner: Life | null
  /** Of a refused one, why (store/view.ts). */
  readonly outcome: string
  /** The group's version after it; 0 = the group is gone. */
  readonly version: number
  readonly changes: readonly TraceChange[]
  readonly sent: readonly Sent[]
  /** As EVENTS.md has them. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
  /** Ids of the log's timers. */
  readonly timers: {
    readonly set: readonly string[]
    readonly cancelled: readonly string[]
    readonly fired: readonly string[]
  }
}

export interface TraceChange {
  readonly tree: string
  readonly id: string
  /** Versions; 0 = it was not there, or is not any more. */
  readonly from: number
  readonly to: number
  /** `state` of its value, if it has one. */
  readonly state: string | null
  /** As `GET /calls/CALL-ID` shows it; null = it is gone. */
  readonly value: unknown
}

export interface Trace {
  readonly callId: string
  readonly groups: readonly GroupKey[]
  /** The entries that were looked through. */
  readonly first: number
  readonly last: number
  /** Entries between two eras that this replica never had: it got a snapshot instead. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly steps: readonly TraceStep[]
}

/** An error is a sentence for the user. `eras`: the oldest first, at least one. */
export function traceCall(callId: string, eras: readonly Era[]): Result<Trace, string> {
  const parts: { readonly era: Era; readonly entries: readonly RaftEntry[]; readonly commit: number }[] = []
  for (const [i, era] of eras.entries()) {
    const restored = restoreLog(era.records, era.snapshot?.metadata ?? null, KNOWN_FORMATS)
    if (!restored.ok) return restored
    const until = eras[i + 1]?.snapshot?.metadata.index
    const { entries, state } = restored.value
    const told = until === undefined ? entries : entries.filter(({ index }) => index <= until)
    parts.push({ era, entries: told, commit: until ?? state.commit })
  }
  const tracer = new Tracer(callId)
  for (const { entries } of parts) tracer.look(entries)
  try {
    for (const { era, entries, commit } of parts) tracer.play(era, entries, commit)
  } catch (error) {
    return err((error as Error).message)
  }
  return ok(tracer.trace())
}

class Tracer {
  readonly #callId: string
  /** In the order in which they were found. */
  readonly #groups = new Set<GroupKey>()
  readonly #steps: TraceStep[] = []
  readonly #gaps: { readonly from: number; readonly to: number }[] = []
  #store: Store = makeStore(0)
  #first: number | null = null

  constructor(callId: string) {
    this.#callId = callId
  }

  trace(): Trace {
    const last = this.#store.appliedIndex
    const steps = this.#steps
    return { callId: this.#callId, groups: [...this.#groups], first: this.#first ?? 0, last, gaps: this.#gaps, steps }
  }

  /** Finds the groups that ever had a session of the call: what they did before they had it is told too. */
  look(entries: readonly RaftEntry[]): void {
    for (const { kind, data } of entries) {
      const entry = kind === 'normal' ? decodeEntry(data) : null
      if (entry?.ok !== true || entry.value.body.kind !== 'commit') continue
      const { group, puts } = entry.value.body
      if (puts.some((put) => isOf(put, this.#callId))) this.#groups.add(group)
    }
  }

  play({ snapshot }: Era, entries: readonly RaftEntry[], commit: number): void {
    if (snapshot !== null && snapshot.metadata.index > this.#store.appliedIndex) this.#restore(snapshot)
    for (const { index, kind, data } of entries) {
      if (index <= this.#store.appliedIndex) continue
      this.#first ??= index
      const entry = kind === 'normal' ? decodeEntry(data) : null
      if (entry === null) this.#store.applyNoOp(index)
      else if (entry.ok) this.#apply(index, entry.value, index <= commit)
      else throw new Error(`entry ${index} can't be read: ${entry.error}`)
    }
  }

  #restore({ metadata, parts }: NonNullable<Era['snapshot']>): void {
    const had = this.#store.appliedIndex
    if (had > 0) this.#gaps.push({ from: had + 1, to: metadata.index })
    this.#store = restoreStore(makeStore(0), parts)
    this.#first ??= metadata.index + 1
    for (const key of this.#store.groups()) {
      const view = this.#store.group(key)
      if (view === null || !view.entities.some((entity) => isOf(entity, this.#callId))) continue
      this.#groups.add(key)
    }
    for (const key of this.#groups) {
      const view = this.#store.group(key)
      if (view === null) continue
      const at = stampOf(Math.max(...view.entities.map(({ stamp }) => stamp)))
      const changes = view.entities.map((entity) => changeOf(null, entity, entity))
      const about = { index: metadata.index, at, isCommitted: true, group: key, owner: null, outcome: '' }
      this.#steps.push({ kind: 'kept', ...about, version: view.version, changes, ...NOTHING })
    }
  }

  #apply(index: number, entry: Entry, isCommitted: boolean): void {
    const { body } = entry
    const about = { index, isCommitted, outcome: '' }
    if (body.kind === 'commit' && this.#groups.has(body.group)) {
      const before = this.#store.group(body.group)
      const events = callEvents.committed(body, entry.stamp, (tree, id) => entityOf(before, tree, id))
      const applied = this.#store.apply(indexOf(index), entry)
      const own = { ...about, at: this.#store.lastStamp, group: body.group, owner: body.proposer }
      this.#steps.push(this.#committed(own, body, applied, before, events))
      return
    }
    const before = body.kind === 'pulse' ? [...this.#groups].map((key) => [key, this.#store.group(key)] as const) : []
    const applied = this.#store.apply(indexOf(index), entry)
    if (applied.kind !== 'pulse') return
    for (const [group, was] of before) {
      const timers = applied.fired.filter((fired) => fired.group === group).map(({ id }) => id)
      if (timers.length === 0) continue
      const now = this.#store.group(group)
      const own = { ...about, at: this.#store.lastStamp, group, owner: null, version: now?.version ?? 0 }
      const changes = changesOf(was, now)
      this.#steps.push({ kind: 'fired', ...own, changes, ...NOTHING, timers: { ...NOTHING.timers, fired: timers } })
    }
  }

  #committed(
    about: Omit<TraceStep, 'kind' | 'version' | 'changes' | 'sent' | 'events' | 'timers'>,
    commit: Commit,
    applied: Applied,
    before: GroupView | null,
    events: readonly string[],
  ): TraceStep {
    const now = this.#store.group(commit.group)
    const version = now?.version ?? 0
    const outcome = applied.kind === 'commit' ? applied.outcome : ''
    if (outcome !== 'accepted') return { kind: 'refused', ...about, outcome, version, changes: [], ...NOTHING }
    return {
      kind: 'commit',
      ...about,
      version,
      changes: changesOf(before, now),
      sent: commit.puts.filter(({ tree }) => tree === 'Transaction').flatMap((put) => sentOf(put, before, now)),
      events: events.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>),
      timers: { set: commit.timers.map(({ id }) => id), cancelled: commit.cancels, fired: [] },
    }
  }
}

const NOTHING = { sent: [], events: [], timers: { set: [], cancelled: [], fired: [] } } as const

/** Whether it is a session of that call. */
function isOf({ tree, bytes }: Pick<Entity, 'tree' | 'bytes'>, callId: string): boolean {
  if (tree !== 'SipSession') return false
  const value = entityValue({ tree, bytes })
  return value.kind === 'session' && value.callId === callId
}

function entityOf(view: GroupView | null, tree: string, id: string): Entity | null {
  return view?.entities.find((entity) => entity.tree === tree && entity.id === id) ?? null
}

function changesOf(before: GroupView | null, now: GroupView | null): readonly TraceChange[] {
  const gone = (before?.entities ?? []).filter(({ tree, id }) => entityOf(now, tree, id) === null)
  const put = (now?.entities ?? []).flatMap((entity): readonly TraceChange[] => {
    const was = entityOf(before, entity.tree, entity.id)
    return was?.version === entity.version ? [] : [changeOf(was, entity, entity)]
  })
  return [...put, ...gone.map((was) => changeOf(was, null, was))]
}

function changeOf(was: Entity | null, is: Entity | null, { tree, id }: Entity): TraceChange {
  const value = is === null ? null : (describeEntity(is) as { readonly value: unknown }).value
  const { state } = (value ?? {}) as { readonly state?: unknown }
  return {
    tree,
    id,
    from: was?.version ?? 0,
    to: is?.version ?? 0,
    state: typeof state === 'string' ? state : null,
    value,
  }
}

function sentOf({ id }: { readonly id: string }, before: GroupView | null, now: GroupView | null): readonly Sent[] {
  const was = entityOf(before, 'Transaction', id)
  const is = entityOf(now, 'Transaction', id)
  if (is === null) return []
  const textOf = (request: string): string | null => {
    const entity = entityOf(now, 'Transaction', request)
    const value = entity === null ? null : entityValue(entity)
    return value?.kind === 'request' ? value.text : null
  }
  const all = sentBy(id, was === null ? null : entityValue(was), entityValue(is), textOf)
  return all.map((sent) => (sent.side === null ? { ...sent, side: sideOf(sent.to, now) } : sent))
}

/** Who has that address, as the call's INVITE has it; null = neither end, or both. */
function sideOf(to: string, now: GroupView | null): Side | null {
  const values = (now?.entities ?? []).filter(({ tree }) => tree === 'Transaction').map(entityValue)
  const invites = values.filter((value) => value.kind === 'invite')
  const near = invites.filter(({ upstream }) => printFlow(upstream) === to).map(({ from }) => from)
  const far = invites.filter(({ branches }) => branches.some(({ hop }) => printFlow(hop) === to))
  const sides = new Set([...near, ...far.map(({ from }) => otherSide(from))])
  return sides.size === 1 ? ([...sides][0] ?? null) : null
}
