import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupKey, index, life, replicaId, term } from '../base/brand.ts'
import { micros, stamp } from '../base/instant.ts'
import type { RaftEntry, RaftMessage } from '../raft/message.ts'
import {
  decodeBody,
  decodeEntry,
  decodeFrame,
  decodeRecord,
  encodeBody,
  encodeEntry,
  encodeFrame,
  encodeRecord,
} from './codec.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import { bodyFormat } from './entry-shapes.ts'
import type { EgressId, EntityRef, EntryBody, Flow, PassId, TimerAction, Tree } from './entry.ts'
import type { Frame } from './frame.ts'
import type { DiskRecord } from './record.ts'

const latin1 = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength,
  })
const time = fc.integer({ min: 0, max: 4_000_000_000_000_000 })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Uint8Array.from(array))
const indexes = count.map(index)
const lives = fc
  .record({
    replica: fc.integer({ min: 1, max: 9 }),
    incarnation: fc.constantFrom('a', '0f3c', 'B.7'),
    start: fc.nat(),
  })
  .map(({ replica, incarnation, start }) => life(replicaId(replica), incarnation, start))
const tree = fc.constantFrom<Tree>('ServletContext', 'SipApplicationSession', 'SipSession', 'Dialog', 'Transaction')
const ref: fc.Arbitrary<EntityRef> = fc.record({ tree, id: latin1(100) }, { noNullPrototype: true })
const many = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(items, { maxLength: 4 })
const shaped = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>

const action: fc.Arbitrary<TimerAction> = fc.oneof(
  shaped({ kind: fc.constant('delete' as const), targets: many(ref) }),
  shaped({ kind: fc.constant('callback' as const) }),
)

const body: fc.Arbitrary<EntryBody> = fc.oneof(
  shaped({
    kind: fc.constant('commit' as const),
    group: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => groupKey(n.toString(16).padStart(16, '0'))),
    expected: count,
    proposer: lives,
    since: indexes,
    judged: indexes,
    serial: fc.integer({ min: 1 }),
    lowestOpen: fc.integer({ min: 1 }),
    onto: count,
    puts: many(shaped({ tree, id: latin1(100), expected: count, bytes })),
    deletes: many(shaped({ tree, id: latin1(20), expected: count })),
    timers: many(shaped({ id: latin1(20), after: time.map(micros), action })),
    cancels: many(latin1(20)),
    holds: fc.option(many(shaped({ counter: latin1(20), limit: fc.option(count) }))),
    opened: many(shaped({ id: latin1(20), bytes })),
    done: many(latin1(20)),
  }),
  shaped({ kind: fc.constant('serving' as const), replaces: indexes, admit: many(lives), remove: many(lives) }),
  shaped({
    kind: fc.constant('pulse' as const),
    limit: fc.integer({ min: 1, max: 1_000 }),
    audit: fc.option(shaped({ index: indexes, hash: fc.constantFrom('00000000000000ff', 'abcdef0123456789') })),
  }),
  shaped({
    kind: fc.constant('key' as const),
    generation: fc.integer({ min: 1 }),
    key: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => Uint8Array.from(array)),
  }),
)

const raftEntry: fc.Arbitrary<RaftEntry> = shaped<RaftEntry>({
  term: count.map(term),
  index: fc.integer({ min: 1 }).map(index),
  kind: fc.constantFrom('normal', 'no-op', 'configuration'),
  data: bytes,
})
const head = {
  from: fc.integer({ min: 1, max: 9 }).map(replicaId),
  to: fc.integer({ min: 1, max: 9 }).map(replicaId),
  term: count.map(term),
}
const replicas = many(fc.integer({ min: 1, max: 9 }).map(replicaId))
const raftMessage: fc.Arbitrary<RaftMessage> = fc.oneof(
  shaped({
    kind: fc.constantFrom('pre-vote' as const, 'vote' as const, 'transfer-vote' as const),
    ...head,
    lastIndex: indexes,
    lastTerm: count.map(term),
  }),
  shaped({
    kind: fc.constantFrom('pre-vote-response' as const, 'vote-response' as const),
    ...head,
    granted: fc.boolean(),
  }),
  shaped({
    kind: fc.constant('append' as const),
    ...head,
    prevIndex: fc.nat().map(index),
    prevTerm: count.map(term),
    entries: many(raftEntry),
    commit: indexes,
  }).map((append) => ({
    ...append,
    entries: append.entries.map((entry, i) => ({ ...entry, index: index(append.prevIndex + 1 + i) })),
  })),
  shaped({
    kind: fc.constant('append-response' as const),
    ...head,
    index: indexes,
    rejected: fc.boolean(),
    hintIndex: indexes,
    hintTerm: count.map(term),
  }),
  shaped({ kind: fc.constant('heartbeat' as const), ...head, commit: indexes, context: count }),
  shaped({ kind: fc.constant('heartbeat-response' as const), ...head, context: count }),
  shaped({ kind: fc.constant('read-index' as const), ...head, context: count }),
  shaped({ kind: fc.constant('read-index-response' as const), ...head, context: count, index: indexes }),
  shaped({ kind: fc.constant('timeout-now' as const), ...head }),
  shaped({
    kind: fc.constant('snapshot' as const),
    ...head,
    snapshot: shaped({
      index: indexes,
      term: count.map(term),
      configuration: shaped({
        voters: shaped({ incoming: replicas, outgoing: replicas }),
        learners: replicas,
        learnersNext: replicas,
        autoLeave: fc.boolean(),
      }),
    }),
  }),
)

const flow: fc.Arbitrary<Flow> = shaped<Flow>({
  transport: fc.constantFrom(...TRANSPORTS),
  host: fc.constantFrom('127.0.0.1', '::1'),
  port: fc.nat({ max: 65_535 }),
  stream: fc.constantFrom('', '1.a.1/7'),
})
const destination = shaped({
  group: fc.constant(groupKey('0123456789abcdef')),
  application: fc.constantFrom('', 'prepaid'),
  key: fc.string({ maxLength: 256 }),
  chain: bytes,
})
const passId = latin1(30) as fc.Arbitrary<PassId>
const egressId = fc.nat({ max: 99 }).map((n) => `1.a.1#${n}` as EgressId)
const origin = fc.option(shaped({ group: latin1(16), what: latin1(30) }))
const frame: fc.Arbitrary<Frame> = fc.oneof(
  shaped({
    kind: fc.constant('raft' as const),
    messages: many(raftMessage),
    clock: shaped({ cluster: fc.option(time.map(stamp)), wall: time.map(stamp) }),
    applied: indexes,
  }),
  shaped({ kind: fc.constant('propose' as const), bodies: many(bytes) }),
  shaped({
    kind: fc.constant('pass' as const),
    id: passId,
    keeper: lives,
    hops: fc.nat({ max: 9 }),
    judged: indexes,
    flow,
    data: latin1(2_000),
    to: fc.option(destination),
  }),
  shaped({ kind: fc.constant('passed-on' as const), id: passId, to: destination }),
  shaped({
    kind: fc.constant('handled' as const),
    ids: many(passId),
    outcome: fc.constantFrom('handled' as const, 'hops' as const),
  }),
  shaped({
    kind: fc.constant('egress' as const),
    id: egressId,
    judged: indexes,
    flow,
    data: latin1(2_000),
    within: time.map(micros),
    origin,
  }),
  shaped({ kind: fc.constant('sent' as const), ids: many(egressId) }),
  shaped({
    kind: fc.constant('unsent' as const),
    flow,
    data: latin1(2_000),
    origin,
    reason: fc.constantFrom('late' as const, 'no-stream' as const, 'unreachable' as const),
  }),
  shaped({ kind: fc.constant('relay' as const), to: head.to, from: lives, frame: bytes }),
)
const diskRecord: fc.Arbitrary<DiskRecord> = fc.oneof(
  shaped({
    kind: fc.constant('life' as const),
    set: latin1(40),
    replica: fc.integer({ min: 1, max: 9 }),
    incarnation: latin1(20),
    start: count,
  }),
  shaped({
    kind: fc.constant('state' as const),
    state: shaped({ term: count.map(term), vote: fc.option(head.from), commit: indexes }),
  }),
  shaped({ kind: fc.constant('entry' as const), entry: raftEntry }),
)

/** Nobody sends a message elsewhere before applications run. */
function isOfFormat1(value: Frame): boolean {
  return value.kind !== 'passed-on' && (value.kind !== 'pass' || value.to === null)
}

const formats = ([1, 2] as const).flatMap((format) => [
  {
    name: 'body',
    format,
    // Format 1 has no room for an audit.
    values: body.map((value) => (value.kind === 'pulse' && format === 1 ? { ...value, audit: null } : value)),
    encode: (v: unknown) => encodeBody(v as EntryBody, format),
    decode: (bytes: Uint8Array) => decodeBody(bytes),
  },
  {
    name: 'frame',
    format,
    values: (format === 1 ? frame.filter(isOfFormat1) : frame) as fc.Arbitrary<unknown>,
    encode: (v: unknown) => encodeFrame(v as Frame, format),
    decode: (bytes: Uint8Array) => decodeFrame(bytes),
  },
  {
    name: 'record',
    format,
    values: diskRecord as fc.Arbitrary<unknown>,
    encode: (v: unknown) => encodeRecord(v as DiskRecord, format),
    decode: (bytes: Uint8Array) => decodeRecord(bytes),
  },
])

/** The same value with all fields in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, field]) => [key, reversed(field)]),
  )
}

function scribble(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0xee)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(scribble)
}

describe.each(formats)('$name, format $format', ({ name, format, values, encode, decode }) => {
  test('what is encoded is decoded to the same value', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual({ ok: true, value })
      }),
    )
  })

  test('the order in which an object got its fields makes no difference to its bytes', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(encode(reversed(value))).toEqual(encode(value))
      }),
    )
  })

  test('decoding again after hostile bytes gives the same: nothing is learned, no record is redefined', () => {
    // fixext 1 of type 'r' redefines record 0x40 as one with the field 'evil' (msgpackr, records extension).
    const poison = Uint8Array.of(format, 0xd4, 0x72, 0x40, 0x91, 0xa4, 0x65, 0x76, 0x69, 0x6c, 0x01)
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encode(value)
        expect(decode(poison).ok).toBe(false)
        expect(encode(value)).toEqual(encoded)
        expect(decode(encoded)).toEqual({ ok: true, value })
      }),
    )
  })

  test('a flipped, cut or lengthened byte string is a value or a reason, never thrown', () => {
    const change = fc.record({
      at: fc.nat(),
      to: fc.nat({ max: 255 }),
      cut: fc.nat(),
      tail: fc.uint8Array({ maxLength: 8 }),
    })
    fc.assert(
      fc.property(values, fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        let hostile = encode(value)
        for (const { at, to, cut, tail } of changes) {
          hostile[at % hostile.length] = to
          if (cut % 3 === 0) hostile = hostile.slice(0, 1 + (cut % hostile.length))
          if (cut % 5 === 0) hostile = Uint8Array.of(...hostile, ...tail)
        }
        const decoded = decode(hostile)
        // Whatever is accepted is in shape: it can be encoded.
        expect(decoded.ok ? encode(decoded.value).length : decoded.error.length).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })

  test('random bytes are a value or a reason, never thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(typeof decode(Uint8Array.of(format, ...noise)).ok).toBe('boolean')
      }),
      { numRuns: 1_000 },
    )
  })

  test('decoded bytes are copies: neither end sees what the other writes, and a block is kept alive at most, no frame', () => {
    fc.assert(
      fc.property(values, (value) => {
        const buffer = new Uint8Array(20_000)
        const encoded = encode(value)
        buffer.set(encoded, 100)
        const decoded = decode(buffer.subarray(100, 100 + encoded.length))
        buffer.fill(0xff)
        expect(decoded).toEqual({ ok: true, value })
        if (decoded.ok) scribble(decoded.value)
        expect(encode(value)).toEqual(encoded)
        expect(encoded.buffer.byteLength).toBeLessThanOrEqual(Math.max(16_384, encoded.length))
      }),
    )
  })

  test('an unknown format is an error that names both, and says what to do', () => {
    const error = `${name}: format 3, and this replica reads formats 1 to 2: start a release that reads it (docs/UPGRADING.md)`
    expect(decode(Uint8Array.of(3, 0xc0))).toEqual({ ok: false, error })
    expect(decode(new Uint8Array(0))).toEqual({ ok: false, error: `${name}: empty` })
  })
})

const commit = {
  kind: 'commit',
  group: groupKey('00000000000000ab'),
  expected: 1,
  proposer: life(replicaId(1), 'a', 1),
  since: index(3),
  judged: index(3),
  serial: 2,
  lowestOpen: 2,
  onto: 0,
  puts: [{ tree: 'Dialog', id: 'd', expected: 0, bytes: Uint8Array.of(1) }],
  deletes: [],
  timers: [{ id: 't', after: micros(5), action: { kind: 'delete', targets: [{ tree: 'Dialog', id: 'd' }] } }],
  cancels: [],
  holds: null,
  opened: [],
  done: [],
} as const satisfies EntryBody

describe('validation', () => {
  const put = commit.puts[0]
  const timer = commit.timers[0]
  test.each([
    ['a group key that is not 16 hex digits', { ...commit, group: 'x' }, 'body.group: expected a group key'],
    ['a negative version', { ...commit, expected: -1 }, 'body.expected: expected an integer'],
    ['a serial of 0', { ...commit, serial: 0 }, 'body.serial: expected an integer'],
    ['a fraction', { ...commit, judged: 1.5 }, 'body.judged: expected an integer'],
    ['not a number', { ...commit, since: Number.NaN }, 'body.since: expected an integer'],
    ['a life without start', { ...commit, proposer: '1.a' }, 'body.proposer: expected a life'],
    ['an unknown tree', { ...commit, puts: [{ ...put, tree: 'Tree' }] }, 'body.puts[0].tree: expected one of'],
    ['an empty id', { ...commit, puts: [{ ...put, id: '' }] }, 'body.puts[0].id: expected a string'],
    ['text for bytes', { ...commit, puts: [{ ...put, bytes: 'x' }] }, 'body.puts[0].bytes: expected 0 to'],
    [
      'a deadline beyond what adds up',
      { ...commit, timers: [{ ...timer, after: 2 ** 53 - 1 }] },
      'body.timers[0].after:',
    ],
    ['null for a list', { ...commit, done: null }, 'body.done: expected a list'],
    ['a pulse without limit', { kind: 'pulse', limit: 0, audit: null }, 'body.limit: expected an integer from 1'],
    ['a short key', { kind: 'key', generation: 1, key: new Uint8Array(15) }, 'body.key: expected 16 to 16 bytes'],
  ])('%s is refused, with its place', (_, value, reason) => {
    // Encoding asserts the same shape, so a proposer with a bug stops before its entry stops everybody.
    expect(decodeBody(encodeBody(value as EntryBody))).toEqual({ ok: false, error: expect.stringContaining(reason) })
  })

  test('a field of the wrong type is refused with its place when it comes from outside', () => {
    // The last number of the commit's head, `onto`, as nil: version, record 0x40, 'commit' 7, group 17, expected 1,
    // proposer 6, since, judged, serial, lowestOpen 1 each.
    const encoded = bodyFormat.encode(commit, 1)
    const at = 2 + 7 + 17 + 1 + 6 + 4
    expect(encoded[at]).toBe(0)
    encoded[at] = 0xc0
    expect(decodeBody(encoded)).toEqual({ ok: false, error: expect.stringMatching(/^body\.onto: expected an integer/) })
  })
})

describe('entry', () => {
  test('what an entry says is views of it, plain ones even of a Buffer, whose slices would not be copies', () => {
    const bytes = Uint8Array.of(7, 8, 9)
    const key = new Uint8Array(16).fill(5)
    const entry = Buffer.from(encodeEntry(stamp(1), encodeBody({ kind: 'key', generation: 1, key })))
    const read = decodeEntry(entry)
    if (!read.ok || read.value.body.kind !== 'key') throw new Error('it is a key')
    expect(read.value.body.key.constructor).toBe(Uint8Array)
    expect(read.value.body.key).toEqual(key)
    expect(read.value.body.key.buffer).toBe(entry.buffer)
    const copy = read.value.body.key.slice()
    entry.set(bytes, entry.length - 16)
    expect(read.value.body.key.subarray(0, 3)).toEqual(bytes)
    expect(copy).toEqual(key)
  })

  test('the leader stamps a body without looking inside', () => {
    fc.assert(
      fc.property(body, time.map(stamp), (value, at) => {
        expect(decodeEntry(encodeEntry(at, encodeBody(value, 2)))).toEqual({
          ok: true,
          value: { stamp: at, body: value },
        })
      }),
    )
    expect(encodeEntry(stamp(0x1_0000_0002), Uint8Array.of(9))).toEqual(Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2, 9))
  })

  test('a stamp that is cut off or beyond what adds up is refused', () => {
    expect(decodeEntry(new Uint8Array(7))).toEqual({ ok: false, error: 'entry: no stamp' })
    const encoded = encodeEntry(stamp(1), encodeBody(commit))
    encoded[0] = 0xff
    expect(decodeEntry(encoded)).toEqual({ ok: false, error: expect.stringMatching(/^entry\.stamp: expected/) })
  })

  test('an append keeps entry data as opaque bytes', () => {
    const data = Uint8Array.of(0xc1, 0xff, 0)
    const entry: RaftEntry = { term: term(1), index: index(1), kind: 'normal', data }
    const record = encodeRecord({ kind: 'entry', entry })
    expect(decodeRecord(record)).toEqual({ ok: true, value: { kind: 'entry', entry } })
  })
})
