// One value of each kind that replicas write for one another, with every field filled: what test/formats.test.ts keeps the bytes of.

import { groupKey, index, life, replicaId, term } from '../../src/base/brand.ts'
import { micros, seconds, stamp } from '../../src/base/instant.ts'
import type { EntityValue } from '../../src/call/entities.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import type { EgressId, EntryBody, PassId } from '../../src/wire/entry.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { DiskRecord } from '../../src/wire/record.ts'
import type { SnapshotPart } from '../../src/wire/snapshot.ts'
import { pack } from '../../src/wire/pack.ts'

const one = life(replicaId(1), '0a1b2c3d', 4)
const two = life(replicaId(2), 'ffee0011', 1)
const bytes = Uint8Array.of(0, 1, 127, 128, 255)
const dialog = { tree: 'Dialog', id: 'd\u00e91' } as const
const targets = [dialog, { tree: 'Transaction', id: 't' }] as const
const configuration = {
  voters: { incoming: [replicaId(1), replicaId(2)], outgoing: [replicaId(2), replicaId(3)] },
  learners: [replicaId(4)],
  learnersNext: [replicaId(3)],
  autoLeave: true,
}

type OfKind<T extends { readonly kind: string }, K extends T['kind'] = T['kind']> = {
  readonly [Kind in K]: T & { readonly kind: Kind }
}

const row = {
  place: 4,
  generation: 2,
  incarnation: '0a1b2c3d',
  gone: 1,
  wanted: true,
  awaited: false,
  peer: '127.0.0.4:8164',
  admin: '127.0.0.4:8064',
}

/** Without a raise, which is the same in all formats. */
export const bodies: OfKind<Exclude<EntryBody, { kind: 'raise' }>> = {
  commit: {
    kind: 'commit',
    group: groupKey('0123456789abcdef'),
    expected: 7,
    proposer: one,
    since: index(3),
    judged: index(70_000),
    serial: 300,
    lowestOpen: 299,
    onto: 298,
    puts: [{ ...dialog, expected: 2, bytes }],
    deletes: [{ tree: 'SipSession', id: 's', expected: 1 }],
    timers: [
      { id: 'expiry', after: micros(32_000_000), action: { kind: 'delete', targets } },
      { id: 'C', after: micros(180_000_000), action: { kind: 'callback' } },
    ],
    cancels: ['old'],
    holds: [
      { counter: 'early', limit: 1_000 },
      { counter: 'confirmed', limit: null },
    ],
    opened: [{ id: 'bye', bytes }],
    done: ['probe'],
  },
  serving: { kind: 'serving', replaces: index(3), admit: [one], remove: [two] },
  pulse: { kind: 'pulse', limit: 1_000, audit: { index: index(69_999), hash: '00ff00ff00ff00ff' } },
  book: { kind: 'book', replaces: index(3), rows: [row] },
  key: { kind: 'key', generation: 1, key: Uint8Array.from({ length: 16 }, (_, i) => 16 * i) },
}

const head = { from: replicaId(1), to: replicaId(2), term: term(5) }
const entry = { term: term(4), index: index(70_001), kind: 'normal', data: bytes } as const
const metadata = { index: index(70_000), term: term(4), configuration }

export const messages: OfKind<RaftMessage> = {
  'pre-vote': { kind: 'pre-vote', ...head, lastIndex: index(9), lastTerm: term(4) },
  vote: { kind: 'vote', ...head, lastIndex: index(9), lastTerm: term(4) },
  'transfer-vote': { kind: 'transfer-vote', ...head, lastIndex: index(9), lastTerm: term(4) },
  'pre-vote-response': { kind: 'pre-vote-response', ...head, granted: true },
  'vote-response': { kind: 'vote-response', ...head, granted: false },
  append: {
    kind: 'append',
    ...head,
    prevIndex: index(70_000),
    prevTerm: term(4),
    entries: [
      entry,
      { ...entry, index: index(70_002), kind: 'no-op', data: new Uint8Array(0) },
      { ...entry, index: index(70_003), kind: 'configuration' },
    ],
    commit: index(69_000),
  },
  'append-response': {
    kind: 'append-response',
    ...head,
    index: index(70_000),
    rejected: true,
    hintIndex: index(8),
    hintTerm: term(3),
  },
  heartbeat: { kind: 'heartbeat', ...head, commit: index(69_000), context: 12 },
  'heartbeat-response': { kind: 'heartbeat-response', ...head, context: 12 },
  'read-index': { kind: 'read-index', ...head, context: 13 },
  'read-index-response': { kind: 'read-index-response', ...head, context: 13, index: index(70_000) },
  'timeout-now': { kind: 'timeout-now', ...head },
  snapshot: { kind: 'snapshot', ...head, snapshot: metadata },
}

const flow = { transport: 'tcp', host: '127.0.0.1', port: 5060, stream: '1.0a1b2c3d.4/17' } as const
const data = 'BYE sip:caf\u00e9@127.0.0.1 SIP/2.0\r\n\r\n'
const origin = { group: '0123456789abcdef', what: 'final' }
const to = { group: groupKey('0123456789abcdef'), application: 'prepaid', key: 'tenant 7', chain: bytes }

export const frames: OfKind<Frame> = {
  raft: {
    kind: 'raft',
    messages: Object.values(messages),
    clock: { cluster: stamp(1_700_000_000_000_000), wall: stamp(1_700_000_000_000_001) },
    applied: index(69_999),
  },
  propose: { kind: 'propose', bodies: [bytes] },
  pass: { kind: 'pass', id: '1.0a1b2c3d.4#7' as PassId, keeper: one, hops: 2, judged: index(3), flow, data, to },
  'passed-on': { kind: 'passed-on', id: '1.0a1b2c3d.4#7' as PassId, to },
  handled: { kind: 'handled', ids: ['1.0a1b2c3d.4#7' as PassId], outcome: 'hops' },
  egress: {
    kind: 'egress',
    id: '1.0a1b2c3d.4#8' as EgressId,
    judged: index(3),
    flow,
    data,
    within: micros(300_000),
    origin,
  },
  sent: { kind: 'sent', ids: ['1.0a1b2c3d.4#8' as EgressId] },
  unsent: { kind: 'unsent', flow, data, origin: null, reason: 'no-stream' },
  snapshot: { kind: 'snapshot', id: 1, number: 1, metadata, parts: [bytes], isLast: false },
  'snapshot-ack': { kind: 'snapshot-ack', id: 1, number: 1 },
  relay: { kind: 'relay', to: replicaId(3), from: one, frame: bytes },
  leave: { kind: 'leave' },
  ask: { kind: 'ask', id: 7, request: '{"kind":"remove","place":4}' },
  answer: { kind: 'answer', id: 7, status: 404, body: '{"ok":false,"error":"the set has no replica 4"}' },
  order: {
    kind: 'order',
    id: '3.0a1b2c3d.4#7',
    group: groupKey('0123456789abcdef'),
    until: stamp(1_700_000_002_000_000),
    order: bytes,
  },
  ordered: { kind: 'ordered', id: '3.0a1b2c3d.4#7', status: 200, body: bytes },
}

export const records: OfKind<DiskRecord> = {
  life: { kind: 'life', set: '00112233445566ff', replica: 1, incarnation: '0a1b2c3d', start: 4 },
  state: { kind: 'state', state: { term: term(5), vote: replicaId(2), commit: index(69_000) } },
  entry: { kind: 'entry', entry },
}

export const parts: OfKind<SnapshotPart> = {
  head: {
    kind: 'head',
    index: index(70_000),
    stamp: stamp(1_700_000_000_000_000),
    fired: 12,
    keys: [Uint8Array.from({ length: 16 }, (_, i) => 16 * i)],
    keysSince: [stamp(1_699_000_000_000_000)],
    history: [{ version: index(3), members: [{ life: one, since: index(3) }] }],
    serials: [{ life: one, lowest: 299, consumed: [300] }],
    format: 2,
  },
  book: { kind: 'book', version: index(4), rows: [row] },
  events: {
    kind: 'events',
    after: index(41),
    told: 2,
    items: [{ index: index(50), texts: ['{"event":"call-started"}'] }],
  },
  group: {
    kind: 'group',
    key: groupKey('0123456789abcdef'),
    version: 7,
    by: one,
    serial: 300,
    entities: [{ ...dialog, version: 2, stamp: stamp(1_700_000_000_000_000), bytes }],
    timers: [{ id: 'expiry', deadline: stamp(1_700_000_032_000_000), action: { kind: 'delete', targets } }],
    intents: [{ id: 'bye', bytes, opened: index(60_000) }],
    holds: [{ counter: 'confirmed', limit: 1_000 }],
  },
  end: { kind: 'end', groups: 1, hash: '00ff00ff00ff00ff' },
}

const party = {
  tag: 'a1',
  target: 'sip:caller@127.0.0.1:5062',
  transport: 'udp',
  cseq: 3,
  refreshed: 0,
  stream: '',
  routes: [],
} as const

export const boundParty = {
  ...party,
  tag: 'b2',
  target: 'sip:callee@127.0.0.1:5064;transport=tcp',
  transport: 'tcp',
  stream: '1.0a1b2c3d.4/17',
} as const

/** What entities hold: opaque to the log, and read by whoever takes a call over. */
export const entities: OfKind<EntityValue> = {
  'application-session': {
    kind: 'application-session',
    applicationName: 'proxy',
    created: stamp(1_700_000_000_000_000),
    hosted: null,
  },
  /** Of applications, which run at format 2 on. */
  access: { kind: 'access' },
  alias: { kind: 'alias', ...to, isDoubted: true },
  timer: {
    kind: 'timer',
    after: micros(1_500_000),
    nominal: stamp(1_700_000_001_500_000),
    period: micros(1_000_000),
    isFixedDelay: false,
    isPersistent: true,
    fired: 3,
    info: pack({ about: 'caf\u00e9', of: [1, 2.5, null, bytes] }),
  },
  session: {
    kind: 'session',
    state: 'CONFIRMED',
    callId: 'c@host',
    callerTag: 'a1',
    caller: 'sip:caller@host',
    callee: 'sip:callee@host',
    created: stamp(1_700_000_000_000_000),
    hosted: null,
    began: stamp(1_700_000_001_000_000),
    answered: stamp(1_700_000_004_000_000),
  },
  dialog: {
    kind: 'dialog',
    state: 'confirmed',
    session: '1',
    transaction: '1',
    callId: 'c@host',
    caller: party,
    callee: boundParty,
    watch: null,
  },
  invite: {
    kind: 'invite',
    key: '127.0.0.1:5062 z9hG4bK1',
    upstream: flow,
    state: 'completed',
    from: 'caller',
    cseq: 1,
    session: '1',
    dialog: '',
    cancelled: true,
    cancelAnswer: 'SIP/2.0 200 OK\r\n\r\n',
    provisional: null,
    final: 'SIP/2.0 487 Request Terminated\r\n\r\n',
    branches: [
      {
        id: '1.1',
        ordinal: 1,
        attempt: 1,
        rank: 1,
        branch: 'z9hG4bK.1.00ff',
        hop: { transport: 'udp', host: '127.0.0.1', port: 5064, stream: '' },
        state: 'completed',
        ack: 'ACK sip:callee@127.0.0.1:5064 SIP/2.0\r\n\r\n',
        cancel: null,
        answer: null,
      },
    ],
    rules: null,
  },
  told: { kind: 'told', text: 'BYE sip:callee@127.0.0.1:5064 SIP/2.0\r\n\r\n' },
  heard: { kind: 'heard', marks: [{ mark: '00112233aabbccdd', at: stamp(1_700_000_000_000_000) }] },
  /** Of format 2 on, as what asks for one. */
  ban: { kind: 'ban', source: '2001:db8::/32', since: stamp(1_700_000_000_000_000) },
  request: { kind: 'request', text: data },
  bye: { kind: 'bye', key: '127.0.0.1:5062 z9hG4bK2', upstream: flow, dialog: '1', final: 'SIP/2.0 200 OK\r\n\r\n' },
  /** Format 1 has no room for it. */
  own: {
    kind: 'own',
    dialog: '1',
    to: 'callee',
    attempt: 2,
    branch: 'z9hG4bK1.own',
    hop: flow,
    text: 'BYE sip:callee@127.0.0.1:5064 SIP/2.0\r\n\r\n',
  },
  /** An application's, which a set of format 1 doesn't run. */
  leg: {
    kind: 'leg',
    role: 'uac',
    state: 'confirmed',
    session: '2',
    callId: 'd@host',
    local: { party: '<sip:caller@host>', tag: '00ff00ff00ff00ff', cseq: 2 },
    remote: {
      party: '"Callee" <sip:callee@host>',
      tag: 'b2',
      cseq: 7,
      target: 'sip:callee@127.0.0.1:5064;transport=tcp',
      transport: 'tcp',
      stream: '1.0a1b2c3d.4/17',
    },
    routes: ['<sip:127.0.0.9:5060;lr>'],
    unacked: 3,
    ack: { cseq: 2, text: 'ACK sip:callee@127.0.0.1:5064 SIP/2.0\r\n\r\n', hop: flow },
  },
  uas: {
    kind: 'uas',
    key: '127.0.0.1:5062 z9hG4bK3',
    method: 'INVITE',
    session: '1',
    cseq: 1,
    upstream: flow,
    state: 'completed',
    cancelAnswer: 'SIP/2.0 200 OK\r\n\r\n',
    answer: 'SIP/2.0 487 Request Terminated\r\n\r\n',
    rseq: 0,
  },
  uac: {
    kind: 'uac',
    method: 'INVITE',
    session: '2',
    isInitial: true,
    cseq: 1,
    branch: 'z9hG4bK1.own',
    hop: flow,
    state: 'proceeding',
    ack: null,
    cancel: 'CANCEL sip:callee@127.0.0.1:5064 SIP/2.0\r\n\r\n',
    answer: null,
    linked: '1',
  },
}

/** A provisional response of ours that is repeated (RFC 3262). */
export const reliable: EntityValue = { ...entities.uas, state: 'open', cancelAnswer: null, rseq: 2 }

/** An INVITE of two targets, one after the other, which format 1 has no room for. */
export const fork: EntityValue = {
  ...entities.invite,
  branches: entities.invite.branches.flatMap((branch) => [
    { ...branch, answer: 'SIP/2.0 486 Busy Here\r\n\r\n' },
    { ...branch, id: '1.2', ordinal: 2, rank: 2, branch: 'z9hG4bK.2.00ff', state: 'waiting', ack: null },
  ]),
}

/** An INVITE that an application proxies. */
export const ruled: EntityValue = { ...entities.invite, rules: { isRecursive: true, patience: seconds(20) } }

/** A dialog that the set may end by itself: nor for that. */
export const watched: EntityValue = {
  ...entities.dialog,
  caller: { ...party, routes: ['<sip:127.0.0.2;lr>', '<sip:127.0.0.3;lr>'] },
  watch: { acknowledged: true, expires: 1800, doubted: ['callee'] },
}

/** A dialog whose targets a request of its callee set last. */
export const refreshed: EntityValue = { ...entities.dialog, callee: { ...boundParty, refreshed: 4 } }

const attributes = [
  { name: 'balance', bytes: pack(1_250) },
  { name: 'caller', bytes: pack({ name: 'caf\u00e9', tags: ['a', true] }) },
]

/** What an application has of its session, which format 1 has no room for. */
export const hostedApplication: EntityValue = {
  ...entities['application-session'],
  applicationName: 'prepaid',
  hosted: {
    applicationVersion: '1.2.0',
    isValid: true,
    invalidateWhenReady: false,
    key: 'tenant 7',
    stateInfo: pack({ step: 2 }),
    nextSession: 3,
    nextTimer: 70_000,
    wasUsed: true,
    awaitsEnd: false,
    attributes,
  },
}

export const hostedSession: EntityValue = {
  ...entities.session,
  hosted: {
    role: 'uas',
    isValid: true,
    invalidateWhenReady: false,
    handler: 'charge',
    linked: '2',
    attributes,
  },
}
