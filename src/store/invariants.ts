// What must hold of the store after every entry, and from before it to after it (the project's invariants of the log 5, 6, 11 and 12,
// as far as one store can tell). Checked in all tests of the store and in the simulator, never in the product: a check returns what is
// wrong, or null. That stores are equal at equal index is for who has several.

import type { Index } from '../base/brand.ts'
import { replicaOf } from '../base/brand.ts'
import type { Stamp } from '../base/instant.ts'
import type { Commit, EntryBody } from '../wire/entry.ts'
import { refKey } from './order.ts'
import type { Store } from './store.ts'
import type { Applied, Entity, FiredTimer, GroupView } from './view.ts'

/** What `checkApplied` compares. */
export interface StoreObservation {
  readonly index: Index
  readonly stamp: Stamp
  readonly fired: number
  readonly serving: Index
  readonly groups: number
  readonly entities: number
  /** Of the group that a commit is about. */
  readonly group: GroupView | null
}

/** To be asked right before the entry is applied. */
export function observeStore(store: Store, body: EntryBody | null): StoreObservation {
  const { groups, entities, timersFired: fired } = store.counts()
  return {
    index: store.appliedIndex,
    stamp: store.lastStamp,
    fired,
    serving: store.serving().version,
    groups,
    entities,
    group: body?.kind === 'commit' ? store.group(body.group) : null,
  }
}

/** What is wrong with the way from `before` to what the store is now, with one entry applied between. */
export function checkApplied(before: StoreObservation, applied: Applied, store: Store): string | null {
  const after = observeStore(store, applied.kind === 'commit' ? applied.commit : null)
  if (after.index !== before.index + 1) return `applied ${after.index} after ${before.index}`
  if (after.stamp < before.stamp) return `its time fell from ${before.stamp} to ${after.stamp}`
  const fired = applied.kind === 'pulse' ? applied.fired.length : 0
  if (after.fired !== before.fired + fired) return `${after.fired - before.fired} timers fired, told were ${fired}`
  const admits = applied.kind === 'serving' && applied.accepted
  if (after.serving !== (admits ? after.index : before.serving)) return `serving is of ${after.serving}`
  if (applied.kind === 'commit') {
    if (applied.outcome !== 'accepted') return checkRefused(before, after)
    return checkAccepted(applied.commit, before.group, after.group)
  }
  if (applied.kind === 'pulse') return checkFired(applied.fired, store)
  const same = after.groups === before.groups && after.entities === before.entities
  return same ? null : `groups or entities changed by a ${applied.kind}`
}

/** Whole or not at all: what is refused changes no group. */
function checkRefused(before: StoreObservation, after: StoreObservation): string | null {
  const same = after.groups === before.groups && after.entities === before.entities
  const [was, is] = [before.group?.version ?? 0, after.group?.version ?? 0]
  return same && was === is ? null : `a refused commit changed its group from version ${was} to ${is}`
}

/** Version +1 a commit and an entity, from 1 where there was none. */
function checkAccepted(commit: Commit, before: GroupView | null, after: GroupView | null): string | null {
  const was = before?.version ?? 0
  if (was !== commit.expected) return `a commit that expects version ${commit.expected} was accepted on ${was}`
  if (after === null) return null
  if (after.version !== was + 1) return `group ${after.key} went from version ${was} to ${after.version}`
  const old = new Map((before?.entities ?? []).map((entity) => [refKey(entity), entity]))
  const deleted = new Set(commit.deletes.map(refKey))
  const put = new Set(commit.puts.map(refKey))
  for (const entity of after.entities) {
    const key = refKey(entity)
    const known = deleted.has(key) ? undefined : old.get(key)
    const expected = (known?.version ?? 0) + (put.has(key) ? 1 : 0)
    if (entity.version !== expected)
      return `entity ${key} of ${after.key} has version ${entity.version}, not ${expected}`
  }
  const gone = [...old.keys()].find((key) => !deleted.has(key) && !after.entities.some((each) => refKey(each) === key))
  return gone === undefined ? null : `entity ${gone} of ${after.key} is gone, and was not deleted`
}

/** In (deadline, group, id) order, each when it was due; what fired is not pending any more. */
function checkFired(fired: readonly FiredTimer[], store: Store): string | null {
  let last: FiredTimer | null = null
  for (const timer of fired) {
    if (timer.deadline > store.lastStamp) return `timer ${timer.id} of ${timer.group} fired before its time`
    if (last !== null && last.deadline > timer.deadline)
      return `timer ${timer.id} of ${timer.group} fired after a later one`
    const pending = store.group(timer.group)?.timers.some(({ id }) => id === timer.id) ?? false
    if (pending) return `timer ${timer.id} of ${timer.group} fired and is pending`
    last = timer
  }
  return null
}

/** What is wrong with the store as it is: looks at all of it. */
export function checkStore(store: Store): string | null {
  const sums = { groups: 0, entities: 0, timersPending: 0, intentsOpen: 0 }
  const held = new Map<string, number>()
  let earliest: number | null = null
  for (const key of store.groups()) {
    const view = store.group(key)
    if (view === null) return `group ${key} is listed, and not there`
    const wrong = checkGroup(view, store)
    if (wrong !== null) return `group ${key}: ${wrong}`
    sums.groups++
    sums.entities += view.entities.length
    sums.timersPending += view.timers.length
    sums.intentsOpen += view.intents.length
    for (const { counter } of view.holds) held.set(counter, (held.get(counter) ?? 0) + 1)
    for (const { deadline } of view.timers) earliest = Math.min(earliest ?? deadline, deadline)
  }
  const counts = store.counts()
  for (const name of Object.keys(sums) as (keyof typeof sums)[])
    if (counts[name] !== sums[name]) return `it counts ${counts[name]} ${name}, and has ${sums[name]}`
  for (const [name, count] of held)
    if (store.counter(name) !== count) return `counter ${name} is ${store.counter(name)}, groups hold ${count}`
  const next = store.nextDeadline()
  if ((next === null) !== (earliest === null))
    return `its next deadline is ${next ?? 'none'}, of its timers ${earliest ?? 'none'}`
  if (next !== null && earliest !== null && next < earliest) return `its next deadline ${next} is before all timers'`
  return checkServing(store)
}

function checkGroup({ key, version, entities, timers, intents }: GroupView, store: Store): string | null {
  if (entities.length === 0) return 'it has no entity'
  if (version < 1 || version !== store.groupVersion(key)) return `its version is ${version}`
  const late = entities.find(
    (entity) => entity.version < 1 || entity.version > version || entity.stamp > store.lastStamp,
  )
  if (late !== undefined) return `entity ${refKey(late)} is of version ${late.version} and ${late.stamp}`
  const texts = [
    entities.map((entity: Entity) => refKey(entity)),
    timers.map(({ id }) => id),
    intents.map(({ id }) => id),
  ]
  if (texts.some((list) => new Set(list).size !== list.length)) return 'it has something twice'
  const ahead = intents.find(({ opened }) => opened > store.appliedIndex)
  return ahead === undefined ? null : `intent ${ahead.id} was opened at ${ahead.opened}`
}

function checkServing(store: Store): string | null {
  const { version, members } = store.serving()
  if (version > store.appliedIndex) return `serving is of ${version}, applied is ${store.appliedIndex}`
  const replicas = new Set(members.map(({ life }) => replicaOf(life)))
  if (replicas.size !== members.length) return 'two lives of one replica serve'
  const future = members.find(({ since }) => since > version)
  return future === undefined ? null : `${future.life} serves since ${future.since}`
}
