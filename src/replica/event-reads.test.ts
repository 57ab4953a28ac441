import { beforeEach, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { groupKey, index, life, replicaId } from '../base/brand.ts'
import { instant, micros, plus, stamp } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { EntryBody } from '../wire/entry.ts'
import { SlabIndex } from '../store/slab-index.ts'
import { Store } from '../store/store.ts'
import { EventReads, parsePlace, printPlace } from './event-reads.ts'
import type { EventsAnswer, EventsQuery } from './event-reads.ts'
import type { Reply } from './effect.ts'
import { limits } from './limits.ts'
import { makeStore } from './restore.ts'

const OWNER = life(replicaId(1), 'reads', 1)
let store: Store
let reads: EventReads
let serial: number
let now: Instant

beforeEach(() => {
  serial = 0
  now = instant(0)
  const follow = {
    tree: 'SipSession' as const,
    committed: ({ puts }: { readonly puts: readonly { readonly id: string }[] }) => puts.map(({ id }) => `{"${id}"}`),
    fired: () => [],
  }
  store = new Store(new SlabIndex(), { deleteSlack: micros(0), history: 64, follow: { by: follow, keep: 4 } })
  apply({ kind: 'serving', replaces: index(0), admit: [OWNER], remove: [] })
  reads = new EventReads(store)
})

function apply(body: EntryBody): void {
  store.apply(index(store.appliedIndex + 1), { stamp: stamp(store.appliedIndex), body })
}

/** A commit of so many events: at entry 2, 3, ... */
function commit(...ids: readonly string[]): void {
  const group = groupKey('0123456789abcdef')
  const part = { deletes: [], timers: [], cancels: [], holds: null, opened: [], done: [] }
  const puts = ids.map((id) => ({ tree: 'SipSession' as const, id, expected: 0, bytes: Uint8Array.of(1) }))
  const place = { proposer: OWNER, since: index(1), judged: index(1), serial: ++serial, lowestOpen: serial, onto: 0 }
  apply({ kind: 'commit', group, expected: store.groupVersion(group), ...place, puts, ...part })
}

const ask = (after: string | null, waits = false, id = 1): Reply | null => {
  const query: EventsQuery = { kind: 'events', after: after === null ? null : parsePlace(after), waits }
  return reads.add({ kind: 'admin', id, query }, now)
}

const shown = (reply: Reply | null): string => {
  const { events, next, gap } = must(reply, 'it is answered').body as EventsAnswer
  const lost = gap === null ? '' : `lost ${gap.from} to ${gap.to}: `
  return `${lost}${events.map(({ id, text }) => `${id} ${text}`).join(', ') || 'nothing'}; next ${printPlace(next)}`
}

test('each event comes after the one that was read last, also within an entry', () => {
  commit('a', 'b')
  commit('c')
  expect(shown(ask('0.0'))).toBe('2.1 {"a"}, 2.2 {"b"}, 3.1 {"c"}; next 3.1')
  expect(shown(ask('2.1'))).toBe('2.2 {"b"}, 3.1 {"c"}; next 3.1')
  expect(shown(ask('2.2'))).toBe('3.1 {"c"}; next 3.1')
  expect(shown(ask('3.1'))).toBe('nothing; next 4.0')
  expect(shown(ask(null))).toBe('nothing; next 4.0')
})

test('a read that finds nothing waits for the next event, or for some seconds', () => {
  commit('a')
  expect(ask('2.1', true)).toBeNull()
  expect(reads.take(now)).toEqual([])
  expect(reads.deadline()).toBe(limits.eventWait)
  commit('b')
  expect(reads.take(now).map(shown)).toEqual(['3.1 {"b"}; next 3.1'])
  expect(ask('3.1', true)).toBeNull()
  now = plus(now, limits.eventWait)
  expect(reads.take(now).map(shown)).toEqual(['nothing; next 4.0'])
  expect(reads.deadline()).toBeNull()
})

test('what is not kept any more is told, exactly', () => {
  for (const id of ['a', 'b', 'c', 'd', 'e']) commit(id, `${id}2`)
  // Entries 5 and 6 are left.
  expect(shown(ask('4.2'))).toBe('5.1 {"d"}, 5.2 {"d2"}, 6.1 {"e"}, 6.2 {"e2"}; next 6.2')
  expect(shown(ask('4.1'))).toMatch(/^lost 4\.1 to 4\.2: 5\.1 /)
  expect(shown(ask('2.1', true))).toMatch(/^lost 2\.1 to 4\.2: 5\.1 /)
  expect(shown(ask('0.0'))).toMatch(/^5\.1 /)
})

test('a place that this replica has not come to waits, and says how far it is', () => {
  commit('a')
  expect(ask('9.1', true)).toBeNull()
  now = plus(now, limits.eventWait)
  const [reply] = reads.take(now)
  expect(reply?.body).toEqual({ events: [], next: { index: 9, n: 1 }, gap: null, applied: 2 })
})

test('no more wait than may', () => {
  for (let i = 0; i < limits.eventReads; i++) expect(ask('2.1', true, i)).toBeNull()
  expect(ask('2.1', true)).toMatchObject({ status: 503, body: { error: '64 wait for events already' } })
})

test('a replica that keeps none says so', () => {
  const none = new EventReads(makeStore(0))
  const query: EventsQuery = { kind: 'events', after: null, waits: true }
  expect(none.add({ kind: 'admin', id: 1, query }, now)).toMatchObject({
    status: 404,
    body: { error: 'no events are kept: events.keep is 0 in the config file' },
  })
})
