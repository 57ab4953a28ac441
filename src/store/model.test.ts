// The store against the plainest model of design.md 2, 4 and 5 that one can write: lists, filters and sorts, nothing
// incremental. Both get the same random logs.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GroupKey } from '../base/brand.ts'
import { stamp } from '../base/instant.ts'
import type { Commit, EntityRef, Entry } from '../wire/entry.ts'
import { decodeEntry, encodeBody, encodeEntry } from '../wire/codec.ts'
import { byText, refKey } from './order.ts'
import { Store } from './store.ts'
import { TestLog, applyChecked, callback, deletion, dialog, group, put, start } from './testing/log.ts'
import type { CommitOutcome } from './view.ts'

interface ModelGroup {
  version: number
  last: string
  entities: Map<string, number>
  timers: { id: string; deadline: number; targets: readonly EntityRef[] | null }[]
  intents: string[]
  holds: readonly string[]
}

class Model {
  readonly groups = new Map<GroupKey, ModelGroup>()
  readonly seen = new Set<string>()
  readonly lowest = new Map<string, number>()
  now = 0

  commit(commit: Commit, at: number, owns: boolean): CommitOutcome {
    this.now = Math.max(this.now, at)
    const name = `${commit.proposer} ${commit.serial}`
    if (this.seen.has(name) || commit.serial < (this.lowest.get(commit.proposer) ?? 0)) return 'duplicate'
    this.seen.add(name)
    this.lowest.set(commit.proposer, Math.max(commit.lowestOpen, this.lowest.get(commit.proposer) ?? 0))
    if (!owns) return 'not-owner'
    const was = this.groups.get(commit.group)
    const is: ModelGroup = was ?? { version: 0, last: '', entities: new Map(), timers: [], intents: [], holds: [] }
    if (commit.expected !== is.version) return 'version'
    if (commit.onto !== 0 && is.last !== `${commit.proposer} ${commit.onto}`) return 'version'
    const changes = [...commit.puts, ...commit.deletes]
    if (new Set(changes.map(refKey)).size < changes.length) return 'version'
    if (changes.some((change) => (is.entities.get(refKey(change)) ?? 0) !== change.expected)) return 'version'
    const entities = new Map(is.entities)
    for (const change of commit.deletes) entities.delete(refKey(change))
    for (const change of commit.puts) entities.set(refKey(change), change.expected + 1)
    if (entities.size === 0) {
      this.groups.delete(commit.group)
      return 'accepted'
    }
    const total = (counter: string): number =>
      [...this.groups.values()].flatMap(({ holds }) => holds).filter((held) => held === counter).length
    const full = (commit.holds ?? []).some(({ counter, limit }) => {
      const wanted = (commit.holds ?? []).filter((hold) => hold.counter === counter).length
      const held = is.holds.filter((name) => name === counter).length
      return limit !== null && wanted > held && total(counter) - held + wanted > limit
    })
    if (full) return 'limit'
    const set = new Set([...commit.cancels, ...commit.timers.map(({ id }) => id)])
    const opened = commit.opened.map(({ id }) => id)
    this.groups.set(commit.group, {
      version: is.version + 1,
      last: name,
      entities,
      timers: [
        ...is.timers.filter(({ id }) => !set.has(id)),
        ...commit.timers.map(({ id, after, action }) => ({
          id,
          deadline: this.now + after,
          targets: action.kind === 'delete' ? action.targets : null,
        })),
      ],
      intents: [...is.intents.filter((id) => !commit.done.includes(id) && !opened.includes(id)), ...opened],
      holds: commit.holds?.map(({ counter }) => counter) ?? is.holds,
    })
    return 'accepted'
  }

  pulse(at: number, limit: number): string[] {
    this.now = Math.max(this.now, at)
    const fired: string[] = []
    const touched = new Set<ModelGroup>()
    while (fired.length < limit) {
      const [next] = [...this.groups]
        .flatMap(([key, of]) => of.timers.map((timer) => ({ key, of, timer })))
        .filter(({ timer }) => timer.deadline <= this.now)
        .sort((a, b) => a.timer.deadline - b.timer.deadline || byText(a.key, b.key) || byText(a.timer.id, b.timer.id))
      if (next === undefined) break
      const { key, of, timer } = next
      fired.push(`${timer.deadline} ${key} ${timer.id}`)
      of.timers = of.timers.filter((other) => other !== timer)
      for (const target of timer.targets ?? []) of.entities.delete(refKey(target))
      if (timer.targets === null) of.intents = [...of.intents.filter((id) => id !== timer.id), timer.id]
      touched.add(of)
      if (of.entities.size === 0) this.groups.delete(key)
    }
    for (const of of touched) of.version++
    return fired
  }
}

const ids = fc.constantFrom('a', 'b', 'c')
const few = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(items, { maxLength: 2 })
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      key: fc.integer({ min: 1, max: 3 }).map(group),
      right: fc.nat({ max: 9 }).map((n) => n > 0),
      owner: fc.nat({ max: 9 }).map((n) => n > 0),
      putIds: few(ids),
      deleteIds: few(ids),
      timers: few(
        fc.oneof(
          fc.record({ id: ids, after: fc.nat({ max: 50 }) }).map(({ id, after }) => callback(id, after)),
          fc
            .record({ id: ids, after: fc.nat({ max: 50 }), targets: few(ids) })
            .map(({ id, after, targets }) => deletion(id, after, ...targets.map(dialog))),
        ),
      ).filter((timers) => new Set(timers.map(({ id }) => id)).size === timers.length),
      cancels: few(ids),
      holds: fc.option(few(fc.record({ counter: fc.constantFrom('x', 'y'), limit: fc.option(fc.nat({ max: 3 })) }))),
      opened: fc.uniqueArray(ids, { maxLength: 2 }),
      done: few(ids),
      lag: fc.nat({ max: 3 }),
      onto: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pulse' as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), by: fc.integer({ min: -5, max: 30 }) }) },
)

function shown(store: Store): unknown {
  return [...store.groups()].sort().map((key) => {
    const view = store.group(key)
    return {
      key,
      version: view?.version,
      entities: view?.entities.map((entity) => [refKey(entity), entity.version]),
      timers: view?.timers.map(({ id, deadline }) => [id, deadline]),
      intents: view?.intents.map(({ id }) => id),
      holds: view?.holds.map(({ counter }) => counter),
    }
  })
}

function expected(model: Model): unknown {
  return [...model.groups]
    .sort(([a], [b]) => byText(a, b))
    .map(([key, of]) => ({
      key,
      version: of.version,
      entities: [...of.entities].sort(([a], [b]) => byText(a, b)),
      timers: of.timers.map(({ id, deadline }) => [id, deadline]).sort((a, b) => byText(String(a[0]), String(b[0]))),
      intents: [...of.intents].sort(),
      holds: [...of.holds].sort(),
    }))
}

function replayed(entries: readonly Entry[], through: (entry: Entry) => Entry): Store {
  const store = new Store()
  for (const entry of entries) applyChecked(store, through(entry))
  return store
}

test('any log: the store does what the model does, and its hash is a function of the log', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const log = new TestLog()
      log.serving([start(1), start(2)])
      const model = new Model()
      model.now = log.now
      const commits: Commit[] = []
      const outcomes: [unknown, unknown][] = []
      const give = (commit: Commit): void => {
        const owns = log.store.ownerOf(commit.group) === commit.proposer
        outcomes.push([log.give(commit), model.commit(commit, log.now, owns)])
      }
      for (const drawn of steps) {
        if (drawn.kind === 'time') log.now = stamp(log.now + drawn.by)
        else if (drawn.kind === 'pulse') {
          const fired = log.pulse(log.now, drawn.limit)
          const did = fired.map(({ deadline, group: key, id }) => `${deadline} ${key} ${id}`)
          outcomes.push([did, model.pulse(log.now, drawn.limit)])
        } else if (drawn.kind === 'replay') {
          const commit = commits[drawn.which % Math.max(1, commits.length)]
          if (commit !== undefined) give(commit)
        } else {
          const { key, timers, cancels, holds, done } = drawn
          const version = (id: string): number => model.groups.get(key)?.entities.get(`Dialog/${id}`) ?? 0
          const owner = log.store.ownerOf(key) ?? start(1)
          const commit = log.prepare(key, {
            ...(drawn.owner ? {} : { proposer: owner === start(1) ? start(2) : start(1) }),
            puts: drawn.putIds.map((id) => put(version(id) + (drawn.right ? 0 : 1), id)),
            deletes: drawn.deleteIds.map((id) => ({ ...dialog(id), expected: version(id) })),
            timers,
            cancels,
            holds,
            opened: drawn.opened.map((id) => ({ id, bytes: new Uint8Array(1) })),
            done,
          })
          const last = Number(model.groups.get(key)?.last.split(' ')[1] ?? 0)
          const full = {
            ...commit,
            lowestOpen: Math.max(1, commit.serial - drawn.lag),
            onto: drawn.onto ? Math.max(1, last - drawn.lag) : 0,
          }
          commits.push(full)
          give(full)
        }
        for (const [did, should] of outcomes.splice(0)) expect(did).toEqual(should)
        expect(shown(log.store)).toEqual(expected(model))
      }
      const counts = log.store.counts()
      const groups = [...model.groups.values()]
      expect(counts.entities).toBe(groups.reduce((sum, { entities }) => sum + entities.size, 0))
      expect(counts.timersPending).toBe(groups.reduce((sum, { timers }) => sum + timers.length, 0))
      expect(counts.intentsOpen).toBe(groups.reduce((sum, { intents }) => sum + intents.length, 0))
      for (const counter of ['x', 'y']) {
        expect(log.store.counter(counter)).toBe(
          groups.flatMap(({ holds }) => holds).filter((c) => c === counter).length,
        )
      }
      // The same log again, also by way of bytes, is the same store.
      expect(replayed(log.entries, (entry) => entry).hash()).toBe(log.store.hash())
      const bytes = replayed(log.entries, ({ stamp: at, body }) => {
        const decoded = decodeEntry(encodeEntry(at, encodeBody(body)))
        if (!decoded.ok) throw new Error(decoded.error)
        return decoded.value
      })
      expect(bytes.hash()).toBe(log.store.hash())
    }),
    { numRuns: 150 },
  )
})
