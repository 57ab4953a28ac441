// What the admin address shows (interface.md), as JSON values. Calls, groups, entities, timers, intents and hash are the whole
// set's, as of the applied index.

import type { Stamp } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { timeBounds } from '../base/histogram.ts'
import type { Histogram } from '../base/histogram.ts'
import { generationOf, placeOf, replicaOf } from '../base/brand.ts'
import type { GroupKey, ReplicaId } from '../base/brand.ts'
import { callIdsOf, describeCalls, describeEntity } from '../call/describe.ts'
import { groupOfCallId } from '../proxy/token.ts'
import type { AppContext } from '../app/context.ts'
import { findSession } from '../app/found-session.ts'
import type { Lookup, LookupAnswer } from '../app/orders.ts'
import { CONFIRMED_CALLS, EARLY_CALLS, sessionsOf } from '../session/holds.ts'
import { isJoint, membersOf } from '../raft/configuration.ts'
import { allVoters } from '../raft/quorum.ts'
import type { RaftStatus } from '../raft/status.ts'
import type { Store } from '../store/store.ts'
import type { GroupView } from '../store/view.ts'
import { bansOf } from './bans.ts'
import type { Reply } from './effect.ts'
import type { AdminInput, DiskInput } from './input.ts'
import { limits } from './limits.ts'
import type { MembersView, MemberView } from '../wire/member-request.ts'
import type { PlaceView } from './member-plan.ts'
import type { ReplicaOptions } from './options.ts'
import { formatsOf } from './restore.ts'

/** What an answer is drawn from. */
export interface Picture {
  readonly options: ReplicaOptions
  readonly store: Store
  readonly context: AppContext
  readonly raft: RaftStatus
  /** How far the set is from what the member book says. */
  readonly plan: readonly PlaceView[]
  readonly counters: readonly (readonly [string, number])[]
  readonly commitTimes: Pick<Histogram, 'counts' | 'sum'>
  readonly detached: boolean
  readonly stale: boolean
  /** It was told to end. */
  readonly leaving: boolean
  /** Why the log's disk has no room; null = it has. */
  readonly full: DiskInput['reason'] | null
  readonly kept: number
  readonly openCommits: number
}

/** Whether it waits for a read barrier. */
export function isLookup({ query }: AdminInput): boolean {
  if (query.kind === 'session') return true
  return (query.kind === 'calls' || query.kind === 'call') && query.local !== true
}

const askLocally = '?local=1 shows what this replica knows'

export function tooMany({ id, query }: AdminInput): Reply {
  if (query.kind === 'session')
    return unknown(id, `${limits.sessionLookups} lookups of sessions wait already: ask again`)
  return { kind: 'reply', id, status: 503, body: { error: `${limits.lookups} lookups wait already; ${askLocally}` } }
}

export function unconfirmed({ id, query }: AdminInput): Reply {
  const within = `within ${limits.lookup / 1_000_000} s`
  if (query.kind === 'session') {
    const { atLeast } = query.lookup
    const lacking = atLeast === null ? 'no quorum confirmed' : `this replica did not come to index ${atLeast}`
    return unknown(id, `${lacking} ${within}: ask again`)
  }
  const error = `no quorum confirmed ${within} that nothing newer is committed; ${askLocally}`
  return { kind: 'reply', id, status: 503, body: { error } }
}

function unknown(id: number, reason: string): Reply {
  const body: LookupAnswer = { kind: 'unknown', reason }
  return { kind: 'reply', id, status: 503, body }
}

export function answer(input: AdminInput, picture: Picture): Reply {
  const { query } = input
  const reply = (status: number, body: unknown): Reply => ({ kind: 'reply', id: input.id, status, body })
  switch (query.kind) {
    case 'health': {
      const reason = illness(picture)
      return reason === null ? reply(200, { ok: true }) : reply(503, { ok: false, reason })
    }
    case 'status':
      return reply(200, statusOf(picture))
    case 'glance':
      return reply(200, glanceOf(picture))
    case 'calls': {
      const { found, next } = look(picture.store, query.from ?? 0, describeCalls)
      return {
        ...reply(
          200,
          found.map(({ key, what }) => ({ ...what, owner: picture.store.ownerOf(key) })),
        ),
        ...next,
      }
    }
    case 'call': {
      const { call, next } = callOf(picture.store, query.callId, query.from ?? 0)
      if (call !== null) return reply(200, call)
      return { ...reply(404, { error: `no call ${query.callId}: see /calls for those that are alive` }), ...next }
    }
    case 'session':
      return sessionOf(input.id, query.lookup, picture)
    case 'metrics':
      return reply(200, metricsOf(picture))
    case 'members':
      return reply(200, membersView(picture))
    case 'bans':
      return reply(200, bansOf(picture.store))
    case 'versions': {
      const { store } = picture
      const count = (one: (typeof query.of)[number]) => store.counter(sessionsOf(one.name, one.version))
      return reply(
        200,
        query.of.map((one) => ({ ...one, sessions: count(one) })),
      )
    }
    case 'ban':
    case 'order':
    case 'member':
    case 'events':
      // Answered by orders.ts, members.ts and event-reads.ts.
      return unreachable(query as never)
    default:
      return unreachable(query)
  }
}

/** Why this replica can't serve calls now; null = it can. */
function illness({ detached, stale, leaving, store, raft, full }: Picture): string | null {
  if (leaving) return 'draining: this replica was told to end'
  if (detached) return 'detached: no leader heard for a second, or (at the leader) no quorum'
  if (raft.leader === null) return 'an election is under way'
  if (stale) return 'catching up with the set'
  if (store.serving().members.length === 0) return 'no replica serves yet'
  if (full === 'no-space') return "the log's disk is full: new calls get 503"
  if (full === 'limit') return 'the log on disk has reached its limit: new calls get 503'
  return null
}

function statusOf({ options, store, raft, detached, leaving, kept, openCommits }: Picture): unknown {
  const counts = store.counts()
  const serving = store.serving()
  const [, incarnation] = options.life.split('.')
  return {
    replica: placeOf(options.id),
    id: options.id,
    generation: generationOf(options.id),
    incarnation,
    life: options.life,
    set: options.set,
    durability: options.durability ?? 'wal',
    role: raft.role === 'pre-candidate' ? 'candidate' : raft.role,
    leader: raft.leader === null ? null : placeOf(raft.leader),
    term: raft.term,
    commitIndex: raft.commit,
    appliedIndex: store.appliedIndex,
    voters: raft.voters.map(placeOf),
    learners: raft.configuration.learners.map(placeOf),
    joint: isJoint(raft.configuration),
    serving: serving.members.map(({ life, since }) => ({ id: placeOf(replicaOf(life)), life, since })),
    epoch: serving.version,
    formats: { active: store.format, ...formatsOf(options) },
    detached,
    draining: leaving,
    groups: counts.groups,
    entities: counts.entities,
    calls: { early: store.counter(EARLY_CALLS), confirmed: store.counter(CONFIRMED_CALLS) },
    timers: { pending: counts.timersPending, fired: counts.timersFired },
    intents: { open: counts.intentsOpen },
    kept,
    openCommits,
    storeHash: { index: store.appliedIndex, hash: store.hash() },
  }
}

/** `commitTimes`: since this replica started, by `timeBounds`. */
function glanceOf(picture: Picture): unknown {
  const { store, commitTimes } = picture
  return { status: statusOf(picture), upcoming: upcoming(store), commitTimes: commitTimes.counts }
}

/** The timers that fire next, and the calls of their groups. */
function upcoming(store: Store): unknown {
  return store.upcomingTimers(limits.upcomingTimers).map(({ group, id, deadline, action }) => {
    const view = store.group(group)
    const calls = view === null ? [] : callIdsOf(view)
    return { group, id, deadline, action: action.kind, owner: store.ownerOf(group), calls }
  })
}

function membersView({ raft, store, plan }: Picture): MembersView {
  const { configuration, leader } = raft
  const { voters, learners } = configuration
  const serving = store.serving().members.map(({ life }) => replicaOf(life))
  const viewed = (id: ReplicaId, { row, stage, id: current }: PlaceView): MemberView => {
    const peer = raft.peers.find((one) => one.id === id)
    const match = id === raft.id && raft.role === 'leader' ? raft.last : (peer?.match ?? null)
    const book = store.book.addressOf(id)
    return {
      place: row.place,
      id,
      generation: generationOf(id),
      role: learners.includes(id) ? 'learner' : allVoters(voters).includes(id) ? 'voter' : 'none',
      // Founders have no row of their own before the first change.
      wanted: row.wanted && id === current,
      serves: serving.includes(id),
      stage,
      peer: book?.peer ?? '',
      admin: book?.admin ?? '',
      match,
      lag: match === null ? null : raft.last - match,
    }
  }
  return {
    leader: leader === null ? null : placeOf(leader),
    voters: voters.incoming.map(placeOf),
    learners: learners.map(placeOf),
    joint: isJoint(configuration),
    members: plan.flatMap((view) => {
      const here = membersOf(configuration).filter((id) => placeOf(id) === view.row.place)
      const all = view.id === null || here.includes(view.id) ? here : [...here, view.id]
      return all.map((id) => viewed(id, view))
    }),
  }
}

interface Found<T> {
  readonly key: GroupKey
  readonly what: T
}

/** What there is in groups, from that part of the store's index on: of a bounded number of groups, for there may be a million, and
 * calls go on. A call that is there all the while is found once. */
function look<T>(
  store: Store,
  from: number,
  see: (view: GroupView) => readonly T[],
): { readonly found: readonly Found<T>[]; readonly next: { readonly next?: number } } {
  const found: Found<T>[] = []
  let looks = 0
  for (let part = from; part < store.parts; part++) {
    if (looks >= limits.looks) return { found, next: { next: part } }
    for (const key of store.groupsIn(part)) {
      looks++
      const view = store.group(key)
      if (view !== null) for (const what of see(view)) found.push({ key, what })
    }
  }
  return { found, next: {} }
}

function sessionOf(id: number, { application, target }: Lookup, { store, context }: Picture): Reply {
  const view = store.keyGeneration === 0 ? null : findSession(target, application, store, context)
  const body: LookupAnswer = { kind: 'seen', view, index: store.appliedIndex }
  return { kind: 'reply', id, status: view === null ? 404 : 200, body }
}

/** It is in its Call-ID's group, unless its INVITE carried another one's key. */
function callOf(
  store: Store,
  callId: string,
  from: number,
): { readonly call: unknown; readonly next: { readonly next?: number } } {
  const keys = {
    current: store.keyGeneration,
    at: (time: Stamp) => store.keyAt(time),
    key: (generation: number) => store.key(generation),
  }
  const own = keys.current === 0 ? null : groupOfCallId(keys, callId)
  const view = own === null ? null : store.group(own)
  const has = (one: GroupView): boolean => describeCalls(one).some((call) => call.callId === callId)
  if (own !== null && view !== null && has(view)) return { call: groupOf(store, own, view), next: {} }
  const { found, next } = look(store, from, (one) => (has(one) ? [one] : []))
  const [first] = found
  return first === undefined ? { call: null, next } : { call: groupOf(store, first.key, first.what), next: {} }
}

function groupOf(store: Store, key: GroupKey, view: GroupView): unknown {
  return {
    group: key,
    version: view.version,
    owner: store.ownerOf(key),
    calls: describeCalls(view),
    entities: view.entities.map(describeEntity),
    timers: view.timers.map(({ id, deadline, action }) => ({ id, deadline, action: action.kind })),
    intents: view.intents.map(({ id, opened }) => ({ id, opened })),
  }
}

/** One sample of a metric; the host prints them. */
export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Of a histogram: the sum of what was measured. */
  readonly value: number
  /** Of a histogram: how many were at or below each bound, and not at or below an earlier one; the last one has none. */
  readonly buckets?: readonly (readonly [bound: number | null, count: number])[]
}

function metricsOf(picture: Picture): readonly Metric[] {
  const { store, raft, counters, commitTimes, detached, kept, openCommits, full } = picture
  const counts = store.counts()
  const gauge = (name: string, help: string, value: number): Metric => ({ name, type: 'gauge', help, value })
  return [
    ...counters.map(([name, value]): Metric => ({ name: `${name}_total`, type: 'counter', help: name, value })),
    {
      ...{ name: 'commit_seconds', type: 'histogram', value: commitTimes.sum / 1_000_000 },
      help: 'from the making of a commit by this replica until it was applied here',
      buckets: commitTimes.counts.map((count, i) => [secondsOf(timeBounds[i]), count] as const),
    },
    gauge('calls_early', 'calls not answered yet, in the set', store.counter(EARLY_CALLS)),
    gauge('calls_confirmed', 'calls answered and alive, in the set', store.counter(CONFIRMED_CALLS)),
    gauge('groups', 'groups in the store', counts.groups),
    gauge('entities', 'entities in the store', counts.entities),
    gauge('timers_pending', 'log timers that have not fired', counts.timersPending),
    gauge('intents_open', 'intents that are not done', counts.intentsOpen),
    gauge('bans', 'sources that are banned', bansOf(store).length),
    gauge('term', 'Raft term', raft.term),
    gauge('leads', '1 at the leader', raft.role === 'leader' ? 1 : 0),
    gauge('commit_index', 'last committed entry', raft.commit),
    gauge('applied_index', 'last applied entry', store.appliedIndex),
    gauge('serving', 'replicas that may own groups', store.serving().members.length),
    gauge('format', 'the format that the set writes', store.format),
    gauge('detached', '1 without a quorum', detached ? 1 : 0),
    gauge('inputs_kept', 'messages kept until their owner has handled them', kept),
    gauge('commits_open', 'own commits whose outcome is not known', openCommits),
    gauge('accepts_calls', '0 while new calls get 503', full === null ? 1 : 0),
  ]
}

function secondsOf(micros: number | undefined): number | null {
  return micros === undefined ? null : micros / 1_000_000
}
