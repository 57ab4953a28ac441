import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { GroupKey } from '../base/brand.ts'
import { group, put, start, TestLog } from '../store/testing/log.ts'
import { limits } from './limits.ts'
import { Takeovers } from './takeovers.ts'

const one = start(1)
const groups = 40

const move = fc.oneof(
  fc.record({ kind: fc.constant('owners' as const), replica: fc.constantFrom(2, 3) }),
  fc.record({ kind: fc.constant('owners' as const), replica: fc.constantFrom(2, 3) }),
  fc.record({ kind: fc.constant('begin' as const), n: fc.nat(groups) }),
  fc.record({ kind: fc.constant('ask' as const), n: fc.nat(groups) }),
  fc.record({ kind: fc.constant('next' as const), most: fc.integer({ min: 1, max: 5 }) }),
)

/** All that is gained, at once and plainly. */
function gained(log: TestLog, before: ReturnType<TestLog['store']['serving']>): readonly GroupKey[] {
  const { store } = log
  return [...store.groups()].filter((key) => store.ownerOf(key) === one && store.ownerUnder(before, key) !== one)
}

test('each group that is gained is taken over once, and no other one, however owners change while it is looked for', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (moves, looks) => {
      const log = new TestLog()
      log.serving([one, start(2), start(3)])
      for (let n = 0; n < groups / 2; n++) log.commit(group(n), { puts: [put(0)] })
      const takeovers = new Takeovers(log.store, one, looks)
      const pending = new Set<GroupKey>()
      const lives = new Map([2, 3].map((replica) => [replica, 1]))
      const take = (key: GroupKey): void => {
        expect([key, takeovers.take(key)]).toEqual([key, pending.delete(key)])
      }
      for (const each of moves) {
        if (each.kind === 'owners') {
          const before = log.store.serving()
          const n = lives.get(each.replica) ?? 1
          const serves = before.members.find(({ life }) => life === start(each.replica, n))
          if (serves === undefined) lives.set(each.replica, n + 1)
          log.serving(
            serves === undefined ? [start(each.replica, n + 1)] : [],
            serves === undefined ? [] : [serves.life],
          )
          takeovers.changed(before)
          for (const key of gained(log, before)) pending.add(key)
          for (const key of pending) if (log.store.ownerOf(key) !== one) pending.delete(key)
        } else if (each.kind === 'next') {
          for (const key of takeovers.next(each.most).keys) take(key)
        } else {
          const key = group(each.n)
          if (log.store.ownerOf(key) !== one) continue
          if (each.kind === 'ask') expect(takeovers.has(key)).toBe(pending.has(key))
          else {
            take(key)
            if (log.store.groupVersion(key) === 0) log.commit(key, { puts: [put(0)] })
          }
        }
        // Beyond its bound it takes over more than it must.
        if (moves.filter(({ kind }) => kind === 'owners').length > limits.sweeps) fc.pre(false)
      }
      while (takeovers.busy) for (const key of takeovers.next(3).keys) take(key)
      expect([...pending]).toEqual([])
    }),
  )
})

test('when owners go to and fro all the time, what is owned is taken over, and what is remembered is bounded', () => {
  const log = new TestLog()
  log.serving([one, start(2)])
  for (let n = 0; n < groups; n++) log.commit(group(n), { puts: [put(0)] })
  const takeovers = new Takeovers(log.store, one, 1)
  for (let n = 2; n < 20; n++) {
    const before = log.store.serving()
    if (n % 2 === 0) log.serving([], [start(2, n / 2)])
    else log.serving([start(2, (n + 1) / 2)])
    takeovers.changed(before)
  }
  const taken = new Set<GroupKey>()
  while (takeovers.busy) for (const key of takeovers.next(7).keys) if (takeovers.take(key)) taken.add(key)
  expect(taken.size).toBe([...log.store.groups()].filter((key) => log.store.ownerOf(key) === one).length)
})

test('who stays beside those that served gains nothing, and looks at no group', () => {
  const log = new TestLog()
  log.serving([one, start(2)])
  for (let n = 0; n < groups; n++) log.commit(group(n), { puts: [put(0)] })
  const takeovers = new Takeovers(log.store, one)
  for (const admitted of [start(3), start(3, 2)]) {
    const before = log.store.serving()
    log.serving([admitted])
    takeovers.changed(before)
    expect(gained(log, before)).toEqual([])
    expect(takeovers.busy).toBe(false)
  }
})

test('a change of owners walks through no groups, however many were taken over for the one before', () => {
  const log = new TestLog()
  log.serving([one, start(2), start(3)])
  const many = 250
  for (let n = 0; n < many; n++) log.commit(group(n), { puts: [put(0)] })
  const takeovers = new Takeovers(log.store, one, 5)
  const without = (n: number): void => {
    if (n > 1) log.serving([start(3, n)])
    const before = log.store.serving()
    log.serving([], [start(3, n)])
    takeovers.changed(before)
  }
  without(1)
  without(2)
  // All that the first change brought: the sweep for the second one has not come to them.
  let taken = 0
  for (let turn = 0; turn < many / 5; turn++) for (const key of takeovers.next(5).keys) if (takeovers.take(key)) taken++
  expect(taken).toBeGreaterThan(25)
  const asked = [vi.spyOn(log.store, 'ownerOf'), vi.spyOn(log.store, 'ownerUnder')]
  without(3)
  // What is found and waits, at most a turn's.
  expect(asked.reduce((calls, spy) => calls + spy.mock.calls.length, 0)).toBeLessThan(20)
  expect(takeovers.busy).toBe(true)
})
