// Each bound and each waiting time of limits.ts is reached, by real replicas in memory (testing/bench.ts). Those that one
// part alone shows are reached beside it: judge.test.ts, freshness.test.ts, keeper.test.ts, and in store/, raft/, timer/.

import { describe, expect, test } from 'vitest'
import type { Life, ReplicaId } from '../base/brand.ts'
import { micros, millis, seconds } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { label, phone, request, response } from '../call/testing/phone.ts'
import { timers } from '../transaction/timers.ts'
import type { EntryBody, PassId } from '../wire/entry.ts'
import { encodeBody, encodeFrame } from '../wire/codec.ts'
import type { Frame, PassFrame } from '../wire/frame.ts'
import { limits } from './limits.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', nextHop.host, nextHop.port)
const onStream = phone('caller', '127.36.0.2', 5062, '1.11.1/9')

const invite = (callId: string, from = caller): string =>
  request(from, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })

/** A replica that doesn't lead and owns the groups of `callIds`, another that doesn't lead, and the leader. */
function parts(bench: Bench): { readonly leader: ReplicaId; readonly owner: ReplicaId; readonly other: ReplicaId } {
  const [owner, other] = bench.followers() as [ReplicaId, ReplicaId]
  return { leader: bench.leader(), owner, other }
}

const labels = (bench: Bench): readonly string[] => bench.takeSent().map(({ data }) => label(data))

const least = micros(1)
const before = (duration: Duration): Duration => (duration - least) as Duration

test('looks: a question for calls reads so many groups, and says from where the next one goes on', () => {
  const bench = new Bench().begin()
  const leader = bench.leader()
  const ids = Array.from({ length: limits.looks + 50 }, (_, at) => `many-${at}`)
  for (const callId of ids) bench.step(leader, { kind: 'sip', flow: caller.flow, data: invite(callId) })
  bench.settle()
  bench.pass(seconds(1))
  const found: string[] = []
  const pages: number[] = []
  for (let from: number | undefined = 0; from !== undefined;) {
    const { body, next } = bench.ask(leader, { kind: 'calls', local: true, from })
    pages.push((body as readonly { readonly callId: string }[]).length)
    found.push(...(body as readonly { readonly callId: string }[]).map(({ callId }) => callId))
    from = next
  }
  expect(found.toSorted()).toEqual(ids.toSorted())
  expect(pages).toHaveLength(2)
  expect(pages[0]).toBeGreaterThanOrEqual(limits.looks)
  expect(bench.ask(leader, { kind: 'call', callId: 'many-9', local: true }).status).toBe(200)
})

describe('who serves', () => {
  test('silence: an owner that stopped is out after 500 ms, and what was kept for it goes to the next', () => {
    const bench = new Bench().begin()
    const { leader, owner, other } = parts(bench)
    const [callId] = bench.callIds(owner, 1) as [string]
    bench.stop(owner)
    bench.sip(other, caller.flow, invite(callId))
    bench.pass(millis(300))
    expect([bench.serving(leader).length, labels(bench)]).toEqual([3, []])
    // Heard at its last answer to a heartbeat, judged with the next round.
    bench.pass((limits.silence + limits.heartbeat - millis(300)) as Duration)
    expect(bench.serving(leader)).not.toContain(owner)
    expect(labels(bench).toSorted()).toEqual(['100 INVITE', 'INVITE'])
  })

  test('a refused reconnect is a death at once', () => {
    const bench = new Bench().begin()
    const { leader, owner } = parts(bench)
    bench.kill(owner)
    expect(bench.serving(leader)).toEqual(bench.ids.filter((id) => id !== owner))
  })

  test('prompt: a leader whose address refuses is succeeded within milliseconds, and its calls are taken over', () => {
    const bench = new Bench().begin()
    const { leader, other } = parts(bench)
    const [callId] = bench.callIds(leader, 1) as [string]
    bench.sip(other, caller.flow, invite(callId))
    expect(labels(bench).toSorted()).toEqual(['100 INVITE', 'INVITE'])
    const notices = bench.notices.length
    bench.kill(leader)
    bench.pass((2 * limits.prompt) as Duration)
    const [led] = bench.notices.slice(notices).filter(({ kind }) => kind === 'leader')
    expect(led).not.toMatchObject({ id: leader })
    expect(bench.serving(bench.leader())).not.toContain(leader)
    // The stored INVITE is sent again by timer A, after 2*T1 (docs/decisions/0013).
    bench.pass((2 * timers.t1) as Duration)
    expect(labels(bench)).toContain('INVITE')
  })

  test('stall: a leader that was stopped for 50 ms and more judges nobody by the silence it slept through', () => {
    const [slept, awake] = [stoppedFor(micros(limits.stall + 1_000)), stoppedFor(millis(limits.stall / 2_000))]
    expect(slept).toBe(3)
    expect(awake).toBe(2)
  })

  test('ready: said when all serve, or one does and 5 s have passed', () => {
    const all = new Bench().begin()
    expect(all.notices.filter(({ kind }) => kind === 'ready')).toHaveLength(3)
    const two = new Bench([3])
    const start = two.now
    two.pass(before(limits.readyWait))
    expect([two.serving().length, two.notices.filter(({ kind }) => kind === 'ready').length]).toEqual([2, 0])
    two.pass(least)
    const ready = two.notices.filter(({ kind }) => kind === 'ready')
    expect(ready.map(({ at }) => at - start)).toEqual([limits.readyWait, limits.readyWait])
  })

  test('detached: no leader for a second, and /health says so', () => {
    const bench = new Bench().begin()
    const { leader, owner, other } = parts(bench)
    const health = (): unknown => bench.ask(other, { kind: 'health' }).body
    bench.loses = () => true
    bench.stop(leader)
    bench.stop(owner)
    bench.pass((limits.detached - limits.heartbeat) as Duration)
    expect(health()).not.toMatchObject({ reason: expect.stringContaining('detached') })
    bench.pass((limits.heartbeat + millis(1)) as Duration)
    expect(health()).toMatchObject({ reason: expect.stringContaining('detached') })
  })
})

/** How many serve after a follower's silence of less than 500 ms, and a stop of the leader over its end. */
function stoppedFor(duration: Duration): number {
  const bench = new Bench().begin()
  const { leader, owner } = parts(bench)
  let heard = bench.now
  bench.loses = (_frame, from, to) => {
    if (from === owner && to === leader) heard = bench.now
    return false
  }
  bench.pass(limits.heartbeat)
  bench.loses = (_frame, from) => from === owner
  bench.pass((limits.silence - millis(20) - (bench.now - heard)) as Duration)
  const count = bench.serving(leader).length
  expect(count).toBe(3)
  // To the next heartbeat: from there on it sleeps past its deadline.
  bench.pass(((bench.replica(leader).deadline() as number) - bench.now) as Duration)
  bench.stop(leader)
  bench.pass((limits.heartbeat + duration) as Duration)
  bench.resume(leader)
  return bench.serving(leader).length
}

describe('passing on', () => {
  test('kept: 10,000 messages wait without a quorum; the next is dropped and counted, an INVITE on a stream gets 503', () => {
    const bench = alone()
    for (let at = 0; at < limits.kept; at++) bench.step(1 as ReplicaId, sipInput(caller, `kept-${at}`))
    expect(bench.metric(1 as ReplicaId, 'inputs_kept')).toBe(limits.kept)
    bench.step(1 as ReplicaId, sipInput(caller, 'one too many'))
    bench.step(1 as ReplicaId, sipInput(onStream, 'another'))
    const dropped = ['inputs_kept', 'sip_dropped_full'].map((name) => bench.metric(1 as ReplicaId, name))
    expect(dropped).toEqual([limits.kept, 2])
    const [sent, ...more] = bench.takeSent()
    expect(more).toEqual([])
    expect(sent?.data).toMatch(/^SIP\/2.0 503 .*\r\n(?:.*\r\n)*Retry-After: 32\r\n/)
    expect(sent?.flow).toEqual(onStream.flow)
    expect(bench.lines.filter(({ code }) => code === 'passing-full')).toHaveLength(1)
  })

  test('keptOnStreams: what comes on a stream and can not be refused has room where datagrams are dropped', () => {
    const bench = alone()
    const one = 1 as ReplicaId
    for (let at = 0; at < limits.kept; at++) bench.step(one, sipInput(caller, `kept-${at}`))
    const bye = (from: typeof caller, callId: string): string =>
      request(from, 'BYE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })
    bench.step(one, { kind: 'sip', flow: caller.flow, data: bye(caller, 'datagram') })
    expect(bench.metric(one, 'inputs_kept')).toBe(limits.kept)
    for (let at = 0; at <= limits.keptOnStreams; at++)
      bench.step(one, { kind: 'sip', flow: onStream.flow, data: bye(onStream, `stream-${at}`) })
    expect(bench.metric(one, 'inputs_kept')).toBe(limits.kept + limits.keptOnStreams)
    expect(bench.metric(one, 'sip_dropped_full')).toBe(2)
  })

  test('keptFor: what nobody took in 64*T1 is forgotten and counted', () => {
    const bench = alone()
    bench.sip(1 as ReplicaId, caller.flow, invite('kept'))
    bench.pass(before(limits.keptFor))
    expect(bench.metric(1 as ReplicaId, 'inputs_kept')).toBe(1)
    bench.pass(least)
    const after = ['inputs_kept', 'sip_dropped_expired'].map((name) => bench.metric(1 as ReplicaId, name))
    expect(after).toEqual([0, 1])
    expect(bench.takeSent()).toEqual([])
  })

  test('hops: the fourth pass of a message is not made; it is counted, and its keeper is told', () => {
    const bench = new Bench().begin()
    const { leader, owner, other } = parts(bench)
    const [callId] = bench.callIds(owner, 1) as [string]
    const frames = watch(bench)
    for (const hops of [limits.hops - 1, limits.hops]) bench.step(other, passed(bench, leader, callId, hops))
    bench.settle()
    expect(frames.flatMap((frame) => (frame.kind === 'pass' ? [frame.hops] : []))).toEqual([limits.hops])
    expect(bench.metric(other, 'passes_in_a_circle')).toBe(1)
    const told = frames.flatMap((frame) => (frame.kind === 'handled' && frame.outcome === 'hops' ? frame.ids : []))
    expect(told).toEqual([`${bench.lifeOf(leader)}#${limits.hops}`])
  })

  test('busy: with 5,000 messages kept new calls get 503, and those that are up go on', () => {
    const bench = new Bench().begin()
    const { owner, other } = parts(bench)
    const [mine, theirs] = [bench.callIds(other, 2), bench.callIds(owner, limits.busy, 'kept')]
    bench.sip(other, caller.flow, invite(mine[0] as string))
    const [forwarded] = bench.takeSent().filter(({ data }) => data.startsWith('INVITE'))
    bench.stop(owner)
    for (const callId of theirs) bench.step(other, sipInput(caller, callId))
    bench.settle()
    bench.sip(other, caller.flow, invite(mine[1] as string))
    expect(labels(bench)).toEqual(['503 INVITE'])
    bench.sip(other, callee.flow, response(callee, forwarded?.data ?? '', 200))
    expect(labels(bench)).toEqual(['200 INVITE'])
  })
})

/** Replica 1 of a set whose others stopped. */
function alone(): Bench {
  const bench = new Bench().begin()
  for (const id of bench.ids) if (id !== 1) bench.stop(id)
  bench.pass(seconds(3))
  bench.takeSent()
  return bench
}

const sipInput = (from: typeof caller, callId: string): Parameters<Bench['step']>[1] => ({
  kind: 'sip',
  flow: from.flow,
  data: invite(callId, from),
})

/** A message that `keeper` keeps, passed to a replica for the `hops`th time. */
function passed(bench: Bench, keeper: ReplicaId, callId: string, hops: number): Parameters<Bench['step']>[1] {
  const from: Life = bench.lifeOf(keeper)
  const judged = bench.replica(keeper).store.serving().version
  const id = `${from}#${hops}` as PassId
  const data = invite(callId)
  const frame: PassFrame = { kind: 'pass', id, keeper: from, hops, judged, flow: caller.flow, data, to: null }
  return { kind: 'peer', from, frame: encodeFrame(frame) }
}

/** All frames that replicas send from now on. */
function watch(bench: Bench): Frame[] {
  const frames: Frame[] = []
  bench.loses = (frame) => {
    frames.push(frame)
    return false
  }
  return frames
}

describe('the log', () => {
  test('lazy: a commit that nothing waits for leaves after 20 ms', () => {
    const { bench, owner, answer } = calling()
    const frames = watch(bench)
    const proposals = (): number => frames.filter(({ kind }) => kind === 'propose').length
    bench.sip(owner, callee.flow, answer(180))
    expect(labels(bench)).toEqual(['180 INVITE'])
    bench.pass(before(limits.lazy))
    expect(proposals()).toBe(0)
    bench.pass(least)
    expect(proposals()).toBe(1)
  })

  test('reproposal: an open commit is proposed again after 500 ms, then twice as long each time, up to 4 s', () => {
    const { bench, owner, answer } = calling()
    const times: number[] = []
    bench.loses = (frame) => {
      if (frame.kind !== 'propose') return false
      times.push(bench.now)
      return true
    }
    bench.sip(owner, callee.flow, answer(200))
    bench.pass(seconds(12))
    const waits = times.slice(1).map((at, i) => (at - (times[i] as number)) / 1_000)
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000])
    expect(labels(bench)).not.toContain('200 INVITE')
  })

  test('servingHistory: a commit judged by one of the last 64 serving entries counts; an older one is made anew', () => {
    expect(rejectedAfter(limits.servingHistory - 2)).toBe(0)
    expect(rejectedAfter(limits.servingHistory)).toBe(1)
  })

  test('pulse: 1,000 timers fire with one entry, the rest with the next', () => {
    const bench = new Bench().begin()
    const leader = bench.leader()
    // A refused call leaves two timers: its transactions are forgotten after 64*T1.
    for (let at = 0; at < limits.pulse / 2 + 1; at++) bench.step(leader, sipInput(caller, `refused-${at}`))
    bench.settle()
    answerAll(bench, leader, 486)
    const pulses = (): number => bench.entries(leader).filter((body: EntryBody) => body.kind === 'pulse').length
    const earlier = pulses()
    bench.pass(seconds(40))
    const { groups, timersFired } = bench.replica(leader).store.counts()
    expect([groups, timersFired, pulses() - earlier]).toEqual([0, limits.pulse + 2, 2])
  })
})

/** How many commits of an owner are rejected that was judged so many serving entries ago, and is still the owner. */
function rejectedAfter(servingEntries: number): number {
  const { bench, owner, answer } = calling()
  const [leader, other] = [bench.leader(), bench.followers()[1] as ReplicaId]
  const late: Frame[] = []
  bench.loses = (frame, from) => frame.kind === 'propose' && from === owner && late.push(frame) > 0
  bench.sip(owner, callee.flow, answer(200))
  bench.loses = () => false
  const entries = (): number => bench.entries(leader).filter(({ kind }) => kind === 'serving').length
  const end = entries() + servingEntries
  while (entries() < end) {
    const replaces = bench.replica(leader).store.serving().version
    const remove = [bench.lifeOf(other)]
    const bodies = [encodeBody({ kind: 'serving', replaces, admit: [], remove })]
    // Removed by us, and admitted again by the leader's judgement.
    bench.step(leader, { kind: 'peer', from: bench.lifeOf(other), frame: encodeFrame({ kind: 'propose', bodies }) })
    bench.settle()
  }
  for (const frame of late) {
    bench.step(leader, { kind: 'peer', from: bench.lifeOf(owner), frame: encodeFrame(frame) })
  }
  bench.pass(seconds(1))
  expect(labels(bench)).toContain('200 INVITE')
  return bench.metric(owner, 'commits_rejected_not_owner')
}

/** A call that is forwarded by its owner, and the callee's answers to it. */
function calling(): { bench: Bench; owner: ReplicaId; answer: (status: number) => string } {
  const bench = new Bench().begin()
  const { owner } = parts(bench)
  const [callId] = bench.callIds(owner, 1) as [string]
  bench.sip(owner, caller.flow, invite(callId))
  const [forwarded] = bench.takeSent().filter(({ data }) => data.startsWith('INVITE'))
  return { bench, owner, answer: (status) => response(callee, forwarded?.data ?? '', status) }
}

/** The callee answers every INVITE that has come to it. */
function answerAll(bench: Bench, at: ReplicaId, status: number): void {
  const invites = bench.takeSent().filter(({ data }) => data.startsWith('INVITE'))
  for (const { data } of invites)
    bench.step(at, { kind: 'sip', flow: callee.flow, data: response(callee, data, status) })
  bench.settle()
}

describe('an owner', () => {
  test('notAfter: what waited longer than 300 ms for its system call comes back, and is sent again if it still stands', () => {
    const bench = new Bench().begin()
    const { owner } = parts(bench)
    const [callId] = bench.callIds(owner, 1) as [string]
    bench.sip(owner, caller.flow, invite(callId))
    const [send] = bench.takeSent().filter(({ data }) => data.startsWith('INVITE'))
    if (send === undefined) throw new Error('an INVITE was sent')
    expect(send.notAfter - send.at).toBe(limits.notAfter)
    bench.pass((limits.notAfter + 1) as Duration)
    bench.takeSent()
    bench.step(owner, { kind: 'unsent', send, reason: 'late' })
    bench.settle()
    expect(bench.takeSent()).toMatchObject([{ data: send.data, notAfter: bench.now + limits.notAfter }])
  })

  test('takeoverBatch: 200 groups are taken over in one step, the rest in the next ones', () => {
    const bench = new Bench().begin()
    const { leader, owner, other } = parts(bench)
    const calls = 3 * limits.takeoverBatch
    for (const callId of bench.callIds(owner, calls)) bench.step(owner, sipInput(caller, callId))
    bench.settle()
    answerAll(bench, owner, 486)
    bench.takeSent()
    bench.kill(owner)
    // Each final that has no ACK yet is sent once (design.md 4).
    const finals = bench.takeSent().filter(({ data }) => label(data) === '486 INVITE')
    const perStep = new Map<number, number>()
    for (const { step, by } of finals) {
      expect([leader, other]).toContain(by)
      perStep.set(step, (perStep.get(step) ?? 0) + 1)
    }
    expect([finals.length, Math.max(...perStep.values())]).toEqual([calls, limits.takeoverBatch])
  })

  test('performances: 200 intents are performed at a time, the rest once those are done', () => {
    const bench = new Bench().begin()
    const { owner } = parts(bench)
    const calls = limits.performances + 10
    for (const callId of bench.callIds(owner, calls)) bench.step(owner, sipInput(caller, callId))
    bench.settle()
    answerAll(bench, owner, 180)
    // Up to timer C, whose intents end with a commit: while that is on its way they are being performed.
    bench.pass(before(timers.timerC))
    bench.takeSent()
    bench.loses = (frame) => frame.kind === 'propose'
    bench.pass(millis(100))
    expect(bench.metric(owner, 'commits_open')).toBe(limits.performances)
    bench.loses = () => false
    bench.pass(limits.reproposal)
    expect(bench.metric(owner, 'commits_open')).toBe(0)
    const cancels = bench.takeSent().flatMap(({ data }) => (label(data) === 'CANCEL' ? [data] : []))
    expect(new Set(cancels).size).toBe(calls)
  })
})
