// A set of two releases: it writes the lower format until all its members read the higher one (docs/UPGRADING.md). The older release
// is this one, kept at format 1; that it writes what older ones read is shown by test/formats.test.ts.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { millis, seconds, stamp } from '../base/instant.ts'
import { phone, request } from '../call/testing/phone.ts'
import { decodeFrame, decodeRecord, encodeBody, encodeEntry, encodeFrame, formatOfEntry } from '../wire/codec.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import type { MemberRequest } from '../wire/member-request.ts'
import { Bench, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)

/** So many new calls. */
function calls(bench: Bench, count: number, name: string): void {
  for (let i = 0; i < count; i++) {
    const callId = `${name}-${i}`
    const at = must(bench.ids.filter((id) => bench.runs(id))[i % 2], 'two run')
    bench.sip(
      at,
      caller.flow,
      request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` }),
    )
    bench.pass(millis(50))
  }
}

const active = (bench: Bench): readonly number[] => bench.ids.map((id) => bench.replica(id).store.format)

const groups = (bench: Bench, id: ReplicaId): number => [...bench.replica(id).store.groups()].length

/** It dies, and its successor reads formats up to that one; null = as this release does. */
function install(bench: Bench, id: ReplicaId, most: number | null): void {
  bench.kill(id)
  bench.pass(millis(500))
  bench.restart(id, most)
  bench.pass(seconds(5))
  expect(bench.serving()).toHaveLength(3)
}

/** The formats of the records on a disk, and of the entries in them. */
function onDisk(bench: Bench, id: ReplicaId): ReadonlySet<number> {
  const formats = new Set<number>()
  for (const bytes of bench.recordsOf(id)) {
    formats.add(must(bytes[0], 'a record is not empty'))
    const record = decodeRecord(bytes)
    if (!record.ok || record.value.kind !== 'entry' || record.value.entry.kind !== 'normal') continue
    formats.add(formatOfEntry(record.value.entry.data))
  }
  return formats
}

function expectEqual(bench: Bench): void {
  const hashes = (): ReadonlySet<string> =>
    new Set(bench.ids.map((id) => `${bench.replica(id).store.appliedIndex} ${bench.replica(id).store.hash()}`))
  for (let i = 0; i < 100 && hashes().size > 1; i++) bench.pass(millis(200))
  expect(hashes().size).toBe(1)
}

describe('the format of a set', () => {
  test('a new set writes the newest format that all its members read, as soon as they are up', () => {
    const bench = new Bench().begin()
    calls(bench, 3, 'a')
    expect(active(bench)).toEqual([2, 2, 2])
    expect(bench.entries(bench.leader()).filter(({ kind }) => kind === 'raise')).toEqual([{ kind: 'raise', format: 2 }])
    expect(bench.ask(bench.leader(), { kind: 'status' }).body).toMatchObject({
      formats: { active: 2, oldest: 1, newest: 2 },
    })
  })

  test('one member that does not read it holds the set at the lower one: on the wire, in the log, on every disk', () => {
    const bench = new Bench([], 3, {}, 'wal', [2, 1, 2]).begin()
    calls(bench, 5, 'a')
    expect(active(bench)).toEqual([1, 1, 1])
    expect([...bench.formatsSent]).toEqual([1])
    for (const id of bench.ids) expect([...onDisk(bench, id)]).toEqual([1])
    expectEqual(bench)
  })

  test('one that is down holds it there, too: nobody knows what it will read when it comes back', () => {
    const bench = new Bench([3]).begin()
    calls(bench, 3, 'a')
    expect(bench.replica(bench.leader()).store.format).toBe(1)
  })

  test('if it is lost for good, an operator gives it up: the format rises, and a fresh one takes its place', () => {
    const bench = new Bench([3]).begin()
    const replace: MemberRequest = { kind: 'replace', place: 3, id: null, peer: null, admin: null }
    const leader = bench.leader()
    const [other] = bench.followers() as [ReplicaId]
    expect(bench.request(other, replace)).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining(`ask replica ${leader}, the leader`) },
    })
    expect(bench.request(leader, { kind: 'add', place: 4, peer: 'a:1', admin: 'a:2' })).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('while 3 is down or runs an older release') },
    })
    bench.pass(seconds(5))
    expect(bench.replica(leader).store.format).toBe(1)
    expect(bench.request(leader, replace)).toMatchObject({ status: 503, body: { error: /ask again/ } })
    bench.pass(millis(10))
    expect(bench.request(leader, replace)).toMatchObject({ status: 202, body: { stage: { kind: 'awaited' } } })
    expect(bench.join(3, 'fresh')).toBe(1_003)
    bench.pass(seconds(5))
    expect(bench.serving()).toHaveLength(3)
    expect(bench.replica(leader).raft.configuration.voters.incoming).toEqual([1, 2, 1_003])
  })

  test('not for one that lives with an older release, nor while the config file keeps it', () => {
    const bench = new Bench([], 3, {}, 'wal', [2, 2, 1]).begin()
    for (let times = 0; times < 4; times++) {
      for (const id of bench.ids) expect(bench.request(id, { kind: 'remove', place: 3 })).toMatchObject({ status: 503 })
      bench.pass(millis(500))
    }
    expect(active(bench)).toEqual([1, 1, 1])
    const kept = new Bench([3], 3, {}, 'wal', [1, 1, 1]).begin()
    expect(kept.request(kept.leader(), { kind: 'remove', place: 3 })).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('formats.most') },
    })
  })

  test('the majority is lost before the format has risen: one goes on alone, and then it rises', () => {
    const bench = new Bench([3]).begin()
    const [one, two] = bench.ids as [ReplicaId, ReplicaId]
    bench.kill(two)
    bench.pass(seconds(3))
    expect(bench.request(one, { kind: 'rebootstrap', place: 1, lose: [2, 3] })).toMatchObject({ status: 200 })
    bench.pass(seconds(2))
    expect(bench.replica(one).store.format).toBe(2)
    expect(bench.replica(one).store.book.isGone(two)).toBe(true)
  })

  test('an upgrade, one replica after another: the format rises after the last one, and calls live through it', () => {
    const bench = new Bench([], 3, {}, 'wal', [1, 1, 1]).begin()
    calls(bench, 5, 'a')
    for (const id of bench.ids) {
      expect(active(bench)).toEqual([1, 1, 1])
      expect([...bench.formatsSent]).toEqual([1])
      install(bench, id, null)
      calls(bench, 3, `after-${id}`)
    }
    expect(active(bench)).toEqual([2, 2, 2])
    expect([...bench.formatsSent]).toEqual([1, 2])
    expectEqual(bench)
    expect(groups(bench, bench.leader())).toBe(14)
    expect([...onDisk(bench, bench.leader())].sort()).toEqual([0, 1, 2])
  })

  test('a roll back before that: what the newer release wrote, the older one reads', () => {
    const bench = new Bench([], 3, {}, 'wal', [1, 1, 1]).begin()
    const [one, two] = bench.ids as [ReplicaId, ReplicaId]
    install(bench, one, null)
    install(bench, two, null)
    calls(bench, 5, 'a')
    install(bench, two, 1)
    install(bench, one, 1)
    calls(bench, 5, 'b')
    expect(active(bench)).toEqual([1, 1, 1])
    expectEqual(bench)
    expect(groups(bench, one)).toBe(10)
  })

  test('after it there is no way back: an older release refuses the disk, and says what to do', () => {
    const bench = new Bench().begin()
    calls(bench, 5, 'a')
    const id = must(bench.followers()[0], 'a follower')
    bench.kill(id)
    expect(() => bench.restart(id, 1)).toThrow(
      'its log has records of format 2, and this replica reads format 1, because formats.most keeps it there: ' +
        'take that out of its config file',
    )
    bench.restart(id, null)
    bench.pass(seconds(5))
    expectEqual(bench)
  })

  test('it is kept in a snapshot', () => {
    const bench = new Bench([], 3, { every: 10_000, kept: 5 }).begin()
    const away = must(bench.followers()[0], 'a follower')
    bench.kill(away)
    calls(bench, 30, 'a')
    bench.restart(away)
    bench.pass(seconds(5))
    expect(bench.metric(away, 'snapshots_installed')).toBe(1)
    for (const id of bench.ids) bench.kill(id)
    for (const id of bench.ids) bench.restart(id)
    expect(active(bench)).toEqual([2, 2, 2])
    bench.pass(seconds(10))
    expectEqual(bench)
  })
})

describe('what is ahead of the set', () => {
  test('a raise that its replica does not read ends it, and nothing after it is applied', () => {
    const bench = new Bench([], 3, {}, 'wal', [2, 2, 1]).begin()
    const old = must(bench.ids[2], 'three')
    const leader = bench.leader()
    // It is rolled back in the very moment in which the leader raises: the leader still takes it for what it was.
    bench.ignoresFormats = true
    for (const id of bench.ids) {
      if (id !== old) bench.step(id, linkUp(bench, old))
    }
    if (leader === old) throw new Error('another one leads')
    bench.pass(seconds(1))
    expect(bench.stopped.map(({ by }) => by)).toEqual([old])
    expect(bench.stopped[0]?.reason).toMatch(
      /^from entry \d+ on the set writes format 2, and this replica reads format 1, because formats\.most keeps it there/,
    )
    const applied = bench.replica(old).store.appliedIndex
    calls(bench, 3, 'a')
    expect(bench.replica(old).store.appliedIndex).toBe(applied)
    expect(bench.replica(old).store.format).toBe(1)
    expect(bench.replica(leader).store.appliedIndex).toBeGreaterThan(applied)
  })

  test('an entry of a format that was not raised to does nothing at any replica, also at those that could read it', () => {
    const bench = new Bench([], 3, {}, 'wal', [1, 2, 2]).begin()
    const { version } = bench.replica(bench.leader()).store.serving()
    const body = encodeBody(
      { kind: 'serving', replaces: version, admit: [], remove: [bench.lifeOf(bench.leader())] },
      2,
    )
    propose(bench, body)
    expect(bench.serving()).toHaveLength(3)
    expect(bench.lines.filter(({ code }) => code === 'entry-unreadable')).toHaveLength(3)
    expectEqual(bench)
  })

  test('a question that only the next format has is not answered before the raise to it is applied', () => {
    const bench = new Bench([], 3, {}, 'wal', [1, 2, 2]).begin()
    const leader = bench.leader()
    expect(bench.formatsOf(leader).newest).toBe(2)
    const from = bench.lifeOf(must(bench.followers()[0], 'a follower'))
    const request = JSON.stringify({ kind: 'remove', place: 1 })
    bench.step(leader, { kind: 'peer', from, frame: encodeFrame({ kind: 'ask', id: 1, request }, 2) })
    bench.settle()
    expect([...bench.formatsSent]).toEqual([1])
  })

  test('a raise that a peer proposes is not appended: it is the leader who knows what all read', () => {
    const bench = new Bench([], 3, {}, 'wal', [1, 2, 2]).begin()
    propose(bench, encodeBody({ kind: 'raise', format: 2 }))
    propose(bench, encodeBody({ kind: 'raise', format: 77 }))
    expect(bench.entries(bench.leader()).filter(({ kind }) => kind === 'raise')).toEqual([])
    expect(bench.stopped).toEqual([])
  })
})

test('a raise that skips a format is nothing, at every replica alike', () => {
  const bench = new Bench([], 1).begin()
  const raft = bench.replica(bench.leader()).raft
  const entry = encodeEntry(stamp(1), encodeBody({ kind: 'raise', format: 9 }))
  expect(raft.propose(entry, bench.now).ok).toBe(true)
  bench.pass(seconds(1))
  expect(bench.stopped).toEqual([])
  expect(active(bench)).toEqual([2])
})

test('a frame of a later release is dropped and told', () => {
  const bench = new Bench().begin()
  const [to, from] = bench.ids as [ReplicaId, ReplicaId]
  const frame = encodeFrame({ kind: 'sent', ids: [] }, 2)
  frame[0] = 9
  expect(decodeFrame(frame).ok).toBe(false)
  bench.step(to, { kind: 'peer', from: bench.lifeOf(from), frame })
  expect(bench.lines.at(-1)?.message).toBe(
    `a frame from ${bench.lifeOf(from)} can't be read: frame: format 9, and this replica reads formats 1 to 2: ` +
      'start a release that reads it (docs/UPGRADING.md)',
  )
})

function linkUp(bench: Bench, to: ReplicaId) {
  const state = { kind: 'up', life: bench.lifeOf(to), formats: KNOWN_FORMATS } as const
  return { kind: 'link', peer: to, state } as const
}

/** A follower sends the leader that body. */
function propose(bench: Bench, body: Uint8Array): void {
  const from = bench.lifeOf(must(bench.followers()[0], 'a follower'))
  bench.step(bench.leader(), { kind: 'peer', from, frame: encodeFrame({ kind: 'propose', bodies: [body] }) })
  bench.settle()
  bench.pass(seconds(1))
}
