import type { Stamp } from '../base/instant.ts'
import { describe, expect, test } from 'vitest'
import type { AppAnswer, AppCall, ApplicationInfo, HandlerName } from '../app/contract.ts'
import { must } from '../base/assert.ts'
import { replicaId } from '../base/brand.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import { instant, micros, plus, stamp } from '../base/instant.ts'
import type { Outgoing } from '../call/contract.ts'
import type { FiredTimer, Serving } from '../store/view.ts'
import { TestLog, callback, deletion, dialog, group, groupOf, put, start } from '../store/testing/log.ts'
import type { Commit, Flow, PassId } from '../wire/entry.ts'
import { decodeBody, decodeFrame } from '../wire/codec.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import { parsed, phone, request, response } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Links } from './links.ts'
import { Outbox } from './outbox.ts'
import { Owner } from './owner.ts'
import type { UnsentSend } from './owner-ports.ts'
import { Passing } from './passing.ts'

const [one, two] = [start(1), start(2)]
const now = instant(1_000_000)

/** The rooms of replica 1 on a log written by hand. */
class Rooms {
  readonly log = new TestLog()
  readonly outbox = new Outbox()
  readonly links = new Links(one, this.outbox)
  readonly proposed: Uint8Array[] = []
  readonly sent: Outgoing[] = []
  /** Sends that weren't made, and went to another owner. */
  readonly failed: UnsentSend[] = []
  /** What can be asked. */
  applications: readonly ApplicationInfo[] = []
  readonly owner: Owner
  readonly passing: Passing
  isStale = false
  refs = 0

  constructor() {
    const { outbox, links } = this
    const { store } = this.log
    const context = () => ({
      now,
      cluster: stamp(now),
      settings: {
        sip: { host: '127.37.0.1', port: 5060 },
        nextHop: { host: '127.37.0.3', port: 5064, transport: null },
      },
      keys: {
        current: store.keyGeneration,
        at: (time: Stamp) => store.keyAt(time),
        key: (generation: number) => store.key(generation),
      },
      format: 2 as const,
      acceptsCalls: true,
      keepsRelays: true,
      view: () => null,
      counter: (name: string) => store.counter(name),
      admit: () => 'admit' as const,
      applications: this.applications,
      applied: store.appliedIndex,
    })
    const shared = { life: one, store, outbox, links, context }
    this.owner = new Owner({
      ...shared,
      propose: (proposal) => this.proposed.push(proposal()),
      hurry: () => {},
      send: (outgoing) => this.sent.push(outgoing) > 0,
      wasLent: () => false,
      handled: (ref) => this.passing.handled(ref),
      passedOn: (ref, to) => this.passing.passedOn(ref, to),
      unsent: (unsent) => this.failed.push(unsent),
      dropped: (ref) => this.passing.forget(ref),
    })
    this.passing = new Passing(
      {
        ...shared,
        owner: this.owner,
        bans: { isBanned: () => false },
        nextRef: () => ++this.refs,
        stale: () => this.isStale,
        now: () => now,
        detached: () => false,
        standIn: () => null,
        isLending: () => false,
        answer: () => {},
      },
      now,
    )
  }

  serving(admit: readonly Life[], remove: readonly Life[] = []): void {
    const before: Serving = this.log.store.serving()
    this.log.serving(admit, remove)
    this.owner.servingChanged(before, this.log.store.serving())
  }

  pulse(at: number): readonly FiredTimer[] {
    const fired = this.log.pulse(at)
    this.owner.fired(fired)
    return fired
  }
}

test('3, takeover: a group that ended and began again at another owner before it was taken over is not touched', () => {
  const rooms = new Rooms()
  rooms.serving([one, two])
  const key = groupOf(rooms.log, two)
  rooms.log.commit(key, { puts: [put(0)], timers: [deletion('x', 10, dialog())] })
  // Gained while stale; the group goes, the other comes back and makes it anew.
  rooms.serving([], [two])
  expect(rooms.owner.isGained(key)).toBe(true)
  rooms.pulse(2_000)
  rooms.serving([start(2, 2)])
  expect(rooms.owner.isGained(key)).toBe(false)
})

test('1, not after: a send that came back to a sleeper is for its successor to judge', () => {
  const rooms = new Rooms()
  rooms.serving([one, two])
  const key = groupOf(rooms.log, one)
  const flow = { transport: 'tcp', host: '127.37.0.2', port: 5062, stream: `${one}/1` } as const
  const unsent = {
    origin: { group: key, what: 'answer UPDATE a' },
    flow,
    data: 'SIP/2.0 200 OK',
    reason: 'late',
  } as const
  rooms.owner.unsent(unsent)
  rooms.serving([], [one])
  rooms.owner.frozen = false
  rooms.owner.turn(now, true)
  expect(rooms.failed).toEqual([unsent])
  expect(rooms.sent).toEqual([])
})

test('5: a callback whose group a later timer of the same pulse took is not performed', () => {
  const rooms = new Rooms()
  rooms.serving([one])
  const key = groupOf(rooms.log, one)
  rooms.log.commit(key, { puts: [put(0)], timers: [callback('e.1', 10), deletion('x', 20, dialog())] })
  expect(rooms.pulse(2_000)).toHaveLength(2)
  rooms.owner.frozen = false
  rooms.owner.turn(now, true)
  expect(rooms.proposed).toEqual([])
  expect(rooms.owner.busy).toBe(false)
})

test('3, passing on: what comes between the first serving entry and the set key waits for the key', () => {
  const rooms = new Rooms()
  rooms.serving([one])
  rooms.owner.frozen = false
  rooms.links.change({ kind: 'link', peer: replicaId(2), state: { kind: 'up', life: two, formats: KNOWN_FORMATS } })
  const caller = phone('caller', '127.37.0.2', 5062, `${two}/1`)
  const flow: Flow = caller.flow
  const data = request(caller, 'MESSAGE', 'sip:callee@example.com')
  const judged = rooms.log.store.serving().version
  const pass = { kind: 'pass', keeper: two, hops: 1, judged, flow, data, to: null } as const
  rooms.passing.onPass({ ...pass, id: `${two}#1` as PassId }, now)
  rooms.passing.tellKeepers()
  expect(told(rooms)).toEqual([])
  rooms.log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) })
  rooms.passing.retryAhead(now)
  expect(rooms.sent.map((out) => out.data.slice(0, 7))).toEqual(['MESSAGE'])
})

test('3, passing on: what went in a circle is passed again half a second later, though nothing else has changed', () => {
  const rooms = new Rooms()
  rooms.log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) })
  rooms.serving([two])
  rooms.links.change({ kind: 'link', peer: replicaId(2), state: { kind: 'up', life: two, formats: KNOWN_FORMATS } })
  const caller = phone('caller', '127.37.0.2', 5062, `${two}/1`)
  rooms.passing.receive(caller.flow, request(caller, 'MESSAGE', 'sip:callee@example.com'), now)
  expect(told(rooms)).toEqual(['pass'])
  rooms.passing.onHandled({ kind: 'handled', ids: [`${one}#1` as PassId], outcome: 'hops' })
  rooms.passing.turn(now)
  expect(told(rooms)).toEqual(['pass'])
  rooms.passing.onHandled({ kind: 'handled', ids: [`${one}#1` as PassId], outcome: 'hops' })
  rooms.passing.turn(plus(now, micros(limits.passAgain - 1)))
  expect(told(rooms)).toEqual([])
  rooms.passing.turn(plus(now, limits.passAgain))
  expect(told(rooms)).toEqual(['pass'])
})

/** Asked about a call that begins, in a group of its own; what it was asked since the last look. */
function asking(handlers: readonly HandlerName[] = ['doInvite']): {
  readonly rooms: Rooms
  readonly key: GroupKey
  readonly asked: () => readonly AppCall[]
} {
  const rooms = new Rooms()
  rooms.log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) })
  rooms.serving([one])
  rooms.owner.frozen = false
  rooms.applications = [{ name: 'a', version: '1', handlers }]
  const caller = phone('caller', '127.37.0.2', 5062)
  const key = groupOf(rooms.log, one)
  rooms.owner.message(key, parsed(request(caller, 'INVITE', 'sip:callee@example.com')), caller.flow, 1)
  const asked = (): readonly AppCall[] =>
    rooms.outbox.take().flatMap((effect) => (effect.kind === 'ask' ? [effect.call] : []))
  return { rooms, key, asked }
}

const onward: AppAnswer = {
  kind: 'done',
  ops: [{ kind: 'proxy', request: '1', plan: { targets: [], recurse: false, timeout: null } }],
  result: null,
}

/** The commit that was proposed last. */
function proposal(rooms: Rooms): Commit {
  const body = decodeBody(must(rooms.proposed.at(-1), 'a proposal'), KNOWN_FORMATS)
  if (!body.ok || body.value.kind !== 'commit') throw new Error('not a commit')
  return body.value
}

describe('an application that is asked (decision 0031)', () => {
  test('is asked again, on the newer state, when the commit of its answer falls; its answer counts once', () => {
    const { rooms, asked } = asking()
    const [first] = asked()
    rooms.owner.answered(first?.id ?? 0, onward)
    expect(rooms.proposed).toHaveLength(1)
    rooms.owner.outcome(proposal(rooms), 'version')
    rooms.owner.turn(now, true)
    const [second] = asked()
    expect(second?.handler).toBe('doInvite')
    rooms.owner.answered(first?.id ?? 0, onward)
    expect(rooms.proposed).toHaveLength(1)
    rooms.owner.answered(second?.id ?? 0, onward)
    expect(rooms.proposed).toHaveLength(2)
  })

  test('is not asked again when timers fire between its answer and the commit: that is proposed again as it is', () => {
    const { rooms, key, asked } = asking(['doInvite', 'doProvisionalResponse'])
    const accept = (): void => {
      const commit = proposal(rooms)
      expect(rooms.log.give(commit)).toBe('accepted')
      rooms.owner.outcome(commit, 'accepted')
      rooms.owner.turn(now, true)
    }
    rooms.owner.answered(asked()[0]?.id ?? 0, onward)
    accept()
    const callee = phone('callee', '127.37.0.3', 5064)
    const invite = must(
      rooms.sent.find(({ data }) => data.startsWith('INVITE')),
      'an INVITE that leaves',
    ).data
    rooms.owner.message(key, parsed(response(callee, invite, 180)), callee.flow, 2)
    rooms.owner.answered(asked()[0]?.id ?? 0, { kind: 'done', ops: [], result: null })
    const made = proposal(rooms)
    // Timer C, the session's expiry: its owner is asked for something, and nothing is changed.
    expect(new Set(rooms.pulse(300_000_000).map(({ action }) => action.kind))).toEqual(new Set(['callback']))
    expect(rooms.log.give(made)).toBe('version')
    rooms.owner.outcome(made, 'version')
    expect(asked()).toEqual([])
    const again = proposal(rooms)
    expect([again.puts, again.timers]).toEqual([made.puts, made.timers])
    expect([again.expected - made.expected, again.serial - made.serial]).toEqual([1, 1])
    accept()
  })

  test('is asked once though its owner sleeps meanwhile: what it says counts when that is fresh again', () => {
    const { rooms, asked } = asking()
    const [first] = asked()
    rooms.owner.frozen = true
    rooms.owner.answered(first?.id ?? 0, onward)
    expect(rooms.proposed).toEqual([])
    rooms.owner.frozen = false
    rooms.owner.turn(now, true)
    expect(asked()).toEqual([])
    expect(rooms.proposed).toHaveLength(1)
  })

  test('that is still busy when its owner is fresh again is not asked anew', () => {
    const { rooms, asked } = asking()
    const [first] = asked()
    rooms.owner.frozen = true
    rooms.owner.frozen = false
    rooms.owner.turn(now, true)
    expect(asked()).toEqual([])
    rooms.owner.answered(first?.id ?? 0, onward)
    expect(rooms.proposed).toHaveLength(1)
  })

  test('what it said to an owner that slept, and is none any more, counts for nothing', () => {
    const { rooms, asked } = asking()
    const [first] = asked()
    rooms.owner.frozen = true
    rooms.owner.answered(first?.id ?? 0, onward)
    rooms.serving([two], [one])
    rooms.owner.frozen = false
    rooms.owner.turn(now, true)
    expect(rooms.proposed).toEqual([])
  })

  test.each(['INVITE', 'MESSAGE', 'SUBSCRIBE'])(
    'that is not loaded lets no %s pass: 503, and when to try again',
    (method) => {
      const { rooms, asked } = asking()
      asked()
      rooms.applications = [{ name: 'a', version: '', handlers: ['doInvite'] }]
      const caller = phone('caller', '127.37.0.2', 5062)
      const other = request(caller, method, 'sip:callee@example.com', { callId: 'other', branch: 'z9hG4bK-other' })
      rooms.owner.message(group(99), parsed(other), caller.flow, 2)
      expect(asked()).toEqual([])
      expect(rooms.sent.map(({ data }) => data.slice(0, 11))).toEqual(['SIP/2.0 503'])
      expect(rooms.sent[0]?.data).toContain('Retry-After: 5')
      expect(rooms.proposed).toEqual([])
    },
  )

  test('is asked by the next owner when the group goes there', () => {
    const { rooms, asked } = asking()
    const [first] = asked()
    rooms.serving([two], [one])
    rooms.owner.answered(first?.id ?? 0, onward)
    expect(rooms.proposed).toEqual([])
    expect(rooms.owner.deadline()).toBeNull()
  })
})

/** So many requests outside of calls, and the Call-IDs of those that went on. */
function backlog(count: number): readonly string[] {
  const caller = phone('caller', '127.37.0.2', 5062, `${two}/1`)
  return Array.from({ length: count }, (_, n) =>
    request(caller, 'MESSAGE', 'sip:callee@example.com', { callId: `m${n}`, branch: `z9hG4bK-m${n}` }),
  )
}

function wentOn(rooms: Rooms): readonly string[] {
  return rooms.sent.map(({ data }) => /^Call-ID: (.*)\r$/m.exec(data)?.[1] ?? data)
}

/** After each turn, how many there are, until nothing is due at once. */
function turns(rooms: Rooms, isBusy: () => boolean, count: () => number): readonly number[] {
  const counts = [count()]
  while (isBusy()) {
    rooms.passing.turn(now)
    rooms.owner.turn(now, true)
    counts.push(count())
  }
  return counts
}

const { inTurn } = limits

test('a backlog is worked off in turns that are short, in order, and nothing that comes meanwhile overtakes it', () => {
  const rooms = new Rooms()
  rooms.log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) })
  rooms.serving([one])
  rooms.owner.frozen = false
  rooms.isStale = true
  const messages = backlog(2 * inTurn + 50)
  const flow: Flow = { transport: 'tcp', host: '127.37.0.2', port: 5062, stream: `${one}/1` }
  for (const data of messages.slice(0, -1)) rooms.passing.receive(flow, data, now)
  rooms.isStale = false
  rooms.passing.giveWaiting()
  rooms.passing.receive(flow, messages.at(-1) ?? '', now)
  const isBusy = (): boolean => rooms.passing.deadline() === now
  expect(turns(rooms, isBusy, () => rooms.sent.length)).toEqual([inTurn, 2 * inTurn, 2 * inTurn + 50])
  expect(wentOn(rooms)).toEqual(messages.map((_, n) => `m${n}`))
})

test('what others pass on is worked off in such turns too', () => {
  const rooms = new Rooms()
  rooms.log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) })
  rooms.serving([one])
  rooms.owner.frozen = false
  const flow: Flow = { transport: 'tcp', host: '127.37.0.2', port: 5062, stream: `${two}/1` }
  const judged = rooms.log.store.serving().version
  const messages = backlog(inTurn + 50)
  for (const [n, data] of messages.entries()) {
    const pass = { kind: 'pass', keeper: two, hops: 1, judged, flow, data, to: null } as const
    rooms.passing.onPass({ ...pass, id: `${two}#${n}` as PassId }, now)
  }
  const isBusy = (): boolean => rooms.passing.deadline() === now
  expect(turns(rooms, isBusy, () => rooms.sent.length)).toEqual([inTurn, inTurn + 50])
  expect(wentOn(rooms)).toEqual(messages.map((_, n) => `m${n}`))
})

test('sends that came back, too old after a pause, are looked at some in a turn: all at once, they would be too old again', () => {
  const rooms = new Rooms()
  rooms.serving([one, two])
  const key = groupOf(rooms.log, one)
  const { flow } = phone('caller', '127.37.0.2', 5062)
  const unsent = (n: number) =>
    ({ origin: { group: key, what: `answer UPDATE ${n}` }, flow, data: 'SIP/2.0 200 OK', reason: 'late' }) as const
  for (let n = 0; n < 2 * inTurn + 50; n++) rooms.owner.unsent(unsent(n))
  rooms.serving([], [one])
  rooms.owner.frozen = false
  const counts = turns(
    rooms,
    () => rooms.owner.busy,
    () => rooms.failed.length,
  )
  expect(counts).toEqual([0, inTurn, 2 * inTurn, 2 * inTurn + 50])
})

function told(rooms: Rooms): readonly string[] {
  const frames = rooms.outbox.take().flatMap((effect) => (effect.kind === 'peer' ? [decodeFrame(effect.frame)] : []))
  return frames.map((frame) => (frame.ok ? frame.value.kind : frame.error))
}
