import { describe, expect, test } from 'vitest'
import { groupKey } from '../base/brand.ts'
import { micros, stamp } from '../base/instant.ts'
import type { Put } from '../wire/entry.ts'
import type { CommitBody } from './contract.ts'
import type { EntityValue } from './entities.ts'
import { fold } from './fold.ts'
import { emptyLocal } from './group.ts'
import type { Group } from './group.ts'

const nothing: CommitBody = { puts: [], deletes: [], timers: [], cancels: [], holds: null, opened: [], done: [] }
const value: EntityValue = { kind: 'request', text: 'INVITE' }

function put(id: string, expected: number, byte: number): Put {
  return { tree: 'Transaction', id, expected, bytes: Uint8Array.of(byte) }
}

function timer(id: string, after: number): CommitBody['timers'][number] {
  return { id, after: micros(after), action: { kind: 'callback' } }
}

/** A group with these entities at these versions. */
function group(versions: Readonly<Record<string, number>>): Group {
  const held = Object.entries(versions).map(
    ([id, version]) => [`Transaction/${id}`, { id, version, stamp: stamp(0), value }] as const,
  )
  return { key: groupKey('00000000000000ab'), entities: new Map(held), caps: [], ended: new Set(), local: emptyLocal }
}

describe('two commits as one (decision 0012)', () => {
  test('an entity that both put is put once: on the first one’s version, with the last one’s bytes, and +1, not +2', () => {
    const first = { ...nothing, puts: [put('a', 3, 1), put('b', 0, 1)] }
    const second = { ...nothing, puts: [put('a', 4, 2), put('c', 0, 2)] }
    const folded = fold(group({ a: 5, b: 1, c: 1 }), first, second)
    expect(folded?.commit.puts).toEqual([put('a', 3, 2), put('b', 0, 1), put('c', 0, 2)])
    expect([...(folded?.group.entities.values() ?? [])].map(({ version }) => version)).toEqual([4, 1, 1])
  })

  test('[JSR question 1] one version of a session that an application has never stands for two turns', () => {
    const of = (hosted: boolean): Group => {
      const bare = { kind: 'application-session', applicationName: 'a', created: stamp(0), hosted: null } as const
      const part = {
        applicationVersion: '1',
        isValid: true,
        invalidateWhenReady: true,
        key: null,
        stateInfo: new Uint8Array(),
      }
      const numbers = { nextSession: 1, nextTimer: 1, wasUsed: false, awaitsEnd: false, attributes: [] }
      const session = hosted ? { ...bare, hosted: { ...part, ...numbers } } : bare
      const held = { id: '1', version: 2, stamp: stamp(0), value: session }
      return { ...group({}), entities: new Map([['SipApplicationSession/1', held]]) }
    }
    const write = (expected: number): CommitBody => ({
      ...nothing,
      puts: [{ ...put('1', expected, 1), tree: 'SipApplicationSession' }],
    })
    expect(fold(of(true), write(1), write(2))).toBeNull()
    expect(fold(of(true), write(1), { ...nothing, puts: [put('7', 0, 1)] })).not.toBeNull()
    expect(fold(of(false), write(1), write(2))).not.toBeNull()
  })

  test('what the first made and the second deletes never was; what was there before is deleted at its old version', () => {
    const first = { ...nothing, puts: [put('a', 0, 1), put('b', 2, 1)] }
    const second = {
      ...nothing,
      deletes: ['a', 'b'].map((id, i) => ({ tree: 'Transaction' as const, id, expected: [1, 3][i] ?? 0 })),
    }
    const folded = fold(group({}), first, second)
    expect(folded?.commit.puts).toEqual([])
    expect(folded?.commit.deletes).toEqual([{ tree: 'Transaction', id: 'b', expected: 2 }])
  })

  test('an entity that the first deletes and the second makes anew keeps them two', () => {
    const first = { ...nothing, deletes: [{ tree: 'Transaction' as const, id: 'a', expected: 2 }] }
    expect(fold(group({ a: 1 }), first, { ...nothing, puts: [put('a', 0, 2)] })).toBeNull()
  })

  test('timers: the second one’s word counts, set or cancelled', () => {
    const first = { ...nothing, timers: [timer('e', 5), timer('c', 5), timer('x', 5)], cancels: ['k'] }
    const second = { ...nothing, timers: [timer('c', 9)], cancels: ['e'] }
    const folded = fold(group({}), first, second)
    expect(folded?.commit.timers).toEqual([timer('x', 5), timer('c', 9)])
    expect(folded?.commit.cancels).toEqual(['k', 'e'])
  })

  test('holds: the last word; intents: opened and done in one are neither', () => {
    const early = [{ counter: 'early', limit: null }]
    const first = { ...nothing, holds: early, opened: [{ id: 'i', bytes: Uint8Array.of() }] }
    expect(fold(group({}), first, nothing)?.commit.holds).toEqual(early)
    expect(fold(group({}), first, { ...nothing, holds: [] })?.commit.holds).toEqual([])
    expect(fold(group({}), first, { ...nothing, done: ['i'] })?.commit.opened).toEqual([])
  })
})
