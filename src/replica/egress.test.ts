import type { Stamp } from '../base/instant.ts'
import { describe, expect, test } from 'vitest'
import { groupKey, index, replicaId } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { instant, millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { label, phone, request, response } from '../call/testing/phone.ts'
import { groupOfCallId } from '../proxy/token.ts'
import { encodeFrame } from '../wire/codec.ts'
import type { EgressId } from '../wire/entry.ts'
import type { Frame } from '../wire/frame.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import { Egress } from './egress.ts'
import { limits } from './limits.ts'
import { Links } from './links.ts'
import { Outbox } from './outbox.ts'
import { makeStore } from './restore.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'
import type { Sent } from './testing/bench.ts'

/** Nothing goes from one of its groups to another. */
const alone = { settings: { sip: { host: '127.36.0.1', port: 5060 } } } as const

const callee = phone('callee', nextHop.host, nextHop.port)

interface Ringing {
  readonly bench: Bench
  readonly holder: ReplicaId
  readonly owner: ReplicaId
  readonly callId: string
  /** The callee refuses, at the owner's. */
  refuse(): void
}

/** A call from a phone whose stream another replica than the call's owner holds; neither leads. */
function ringing(): Ringing {
  const bench = new Bench().begin()
  const [owner, holder] = bench.followers() as [ReplicaId, ReplicaId]
  const [callId] = bench.callIds(owner, 1) as [string]
  const caller = phone('caller', '127.36.0.2', 5062, `${bench.lifeOf(holder)}/1`)
  bench.sip(holder, caller.flow, request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId }))
  const invite = bench.takeSent().find(({ data }) => data.startsWith('INVITE'))
  const busy = response(callee, invite?.data ?? '', 486)
  return { bench, holder, owner, callId, refuse: () => bench.sip(owner, callee.flow, busy) }
}

const refusals = (sent: readonly Sent[]): readonly string[] =>
  sent
    .filter(({ data }) => label(data).startsWith('486'))
    .map(({ by, flow }) => `${by} ${flow.stream === '' ? 'a new connection' : flow.stream}`)

/** The first frame of that kind is lost. */
function lose(bench: Bench, kind: Frame['kind']): void {
  let left = 1
  bench.loses = (frame) => frame.kind === kind && left-- > 0
}

describe('a response on a stream that another replica holds (design.md 8)', () => {
  test('is what its question is kept for: until it has left there, the log having nothing of it', () => {
    const bench = new Bench().begin()
    const [owner, holder] = bench.followers() as [ReplicaId, ReplicaId]
    const [callId] = bench.callIds(owner, 1) as [string]
    const caller = phone('caller', '127.36.0.2', 5062, `${bench.lifeOf(holder)}/1`)
    bench.sip(holder, caller.flow, request(caller, 'MESSAGE', `sip:callee@${sip.host}:${sip.port}`, { callId }))
    const message = bench.takeSent().find(({ data }) => data.startsWith('MESSAGE'))
    lose(bench, 'egress')
    bench.sip(owner, callee.flow, response(callee, message?.data ?? '', 200))
    bench.pass(millis(100))
    expect([bench.takeSent(), bench.metric(holder, 'inputs_kept')]).toEqual([[], 1])
    bench.pass(limits.passAgain)
    expect(bench.takeSent().map(({ by, data }) => [by, label(data)])).toEqual([[holder, '200 MESSAGE']])
    bench.pass(millis(100))
    expect(bench.metric(holder, 'inputs_kept')).toBe(0)
  })

  test('leaves there, once', () => {
    const { bench, holder, refuse } = ringing()
    refuse()
    bench.pass(limits.lent)
    expect(refusals(bench.takeSent())).toEqual([`${holder} ${bench.lifeOf(holder)}/1`])
  })

  test('is lent again if the link lost it: on a stream nobody else repeats it', () => {
    const { bench, holder, refuse } = ringing()
    lose(bench, 'egress')
    refuse()
    expect(refusals(bench.takeSent())).toEqual([])
    bench.pass(limits.passAgain)
    expect(refusals(bench.takeSent())).toEqual([`${holder} ${bench.lifeOf(holder)}/1`])
  })

  test('is lent again as soon as the link is up', () => {
    const { bench, holder, owner, refuse } = ringing()
    lose(bench, 'egress')
    refuse()
    bench.link(owner, holder, 'closed')
    bench.link(owner, holder, 'up')
    bench.settle()
    expect(refusals(bench.takeSent())).toEqual([`${holder} ${bench.lifeOf(holder)}/1`])
  })

  test('goes on a new connection at once if its holder died with it', () => {
    const { bench, holder, owner, refuse } = ringing()
    bench.loses = (frame) => frame.kind === 'egress'
    refuse()
    bench.kill(holder)
    bench.pass(limits.passAgain)
    expect(refusals(bench.takeSent())).toEqual([`${owner} a new connection`])
  })

  test('goes on a new connection within 2 s if its holder is stopped, and a holder that wakes is silent', () => {
    const { bench, holder, owner, refuse } = ringing()
    bench.stop(holder)
    refuse()
    bench.pass((limits.lent - millis(1)) as Duration)
    expect(refusals(bench.takeSent())).toEqual([])
    bench.pass(millis(1))
    expect(refusals(bench.takeSent())).toEqual([`${owner} a new connection`])
    bench.resume(holder)
    bench.pass(millis(100))
    expect(refusals(bench.takeSent())).toEqual([])
  })

  test('is not sent for a replica that another one has succeeded', () => {
    const { bench, holder, owner, callId } = ringing()
    const { store } = bench.replica(holder)
    const keys = {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
    const ask = (asker: ReplicaId, judged: number): readonly string[] => {
      const frame: Frame = {
        kind: 'egress',
        id: `${bench.lifeOf(asker)}#1000` as EgressId,
        judged: index(judged),
        flow: { transport: 'tcp', host: '127.36.0.2', port: 5062, stream: `${bench.lifeOf(holder)}/1` },
        data: 'SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n',
        within: limits.notAfter,
        origin: { group: groupOfCallId(keys, callId), what: 'response 1' },
      }
      bench.step(holder, { kind: 'peer', from: bench.lifeOf(asker), frame: encodeFrame(frame) })
      bench.settle()
      return bench.takeSent().map(({ data }) => data.slice(0, 11))
    }
    const { version } = store.serving()
    expect(ask(owner, version)).toEqual(['SIP/2.0 486'])
    expect(ask(bench.leader(), version)).toEqual([])
    // It knows of a serving entry that we don't.
    expect(ask(bench.leader(), version + 1)).toEqual(['SIP/2.0 486'])
  })
})

test('an input is handled when its answer has left: an owner that hears of its commit and of its successor at once passes it on', () => {
  const bench = new Bench().begin()
  const [owner] = bench.followers() as [ReplicaId]
  const [callId] = bench.callIds(owner, 1) as [string]
  const caller = phone('caller', '127.36.0.2', 5062, `${bench.lifeOf(owner)}/1`)
  const uri = `sip:callee@${sip.host}:${sip.port}`
  bench.sip(owner, caller.flow, request(caller, 'INVITE', uri, { callId, branch: 'z9hG4bK-one' }))
  const invite = bench.takeSent().find(({ data }) => data.startsWith('INVITE'))?.data ?? ''
  bench.step(owner, { kind: 'sip', flow: callee.flow, data: response(callee, invite, 200) })
  // Answered behind the commit of the 2xx, of which the owner hears nothing until it has a successor.
  const cancel = request(caller, 'CANCEL', uri, { callId, branch: 'z9hG4bK-one' })
  bench.step(owner, { kind: 'sip', flow: caller.flow, data: cancel })
  bench.loses = (_frame, _from, to) => to === owner
  bench.settle()
  bench.loses = (_frame, from, to) => to === owner || from === owner
  bench.pass((limits.silence + limits.heartbeat * 2) as Duration)
  expect(bench.serving()).not.toContain(owner)
  expect(bench.takeSent().map(({ data }) => label(data))).not.toContain('200 CANCEL')
  bench.loses = () => false
  bench.pass((limits.silence * 2) as Duration)
  expect(bench.takeSent().map(({ data }) => label(data))).toContain('200 CANCEL')
})

test('lentMost: of responses that nobody acknowledges so many wait; beyond it the oldest is taken as sent', () => {
  const links = new Links('1.a.1' as Life, new Outbox())
  links.change({
    kind: 'link',
    peer: replicaId(2),
    state: { kind: 'up', life: '2.b.1' as Life, formats: KNOWN_FORMATS },
  })
  const back: string[] = []
  const egress = new Egress({
    life: '1.a.1' as Life,
    store: makeStore(),
    links,
    outbox: new Outbox(),
    owner: () => ({ unsent: ({ data }: { readonly data: string }) => void back.push(data) }) as never,
    ...alone,
    now: () => instant(0),
    stale: () => false,
    closed: () => false,
  })
  const flow = { transport: 'tcp', host: '127.36.0.2', port: 5062, stream: '2.b.1/1' } as const
  for (let at = 0; at <= limits.lentMost; at++) {
    expect(
      egress.send({ flow, data: `${at}`, what: 'response' } as never, groupKey(at.toString(16).padStart(16, '0'))),
    ).toBe(true)
  }
  egress.retry(instant(limits.passAgain))
  expect([back.length, back[0], back.at(-1)]).toEqual([limits.lentMost, '1', `${limits.lentMost}`])
})

test('a holder that says nothing for `lent` is told apart from one that is dead: it may wake with its streams', () => {
  const holder = '2.b.1' as Life
  const links = new Links('1.a.1' as Life, new Outbox())
  const up = (life: Life): void =>
    void links.change({ kind: 'link', peer: replicaId(2), state: { kind: 'up', life, formats: KNOWN_FORMATS } })
  up(holder)
  const back: object[] = []
  let now = 0
  const egress = new Egress({
    life: '1.a.1' as Life,
    store: makeStore(),
    links,
    outbox: new Outbox(),
    owner: () =>
      ({
        unsent: ({ reason, mayHaveLeft, isSilent }: object & Record<string, unknown>) =>
          void back.push([reason, mayHaveLeft, isSilent]),
      }) as never,
    ...alone,
    now: () => instant(now),
    stale: () => false,
    closed: () => false,
  })
  const flow = { transport: 'tcp', host: '127.36.0.2', port: 5062, stream: `${holder}/1` } as const
  const send = (): boolean =>
    egress.send({ flow, data: 'INVITE', what: 'invite' } as never, groupKey('00000000000000aa'))
  send()
  for (now = limits.passAgain; now <= limits.lent; now += limits.passAgain) {
    egress.retry(instant(now))
    send()
  }
  expect(back.slice(0, -1)).toEqual(back.slice(0, -1).map(() => ['late', undefined, undefined]))
  expect(back.at(-1)).toEqual(['no-stream', true, true])
  up('2.b.2' as Life)
  egress.retry(instant(now))
  expect(back.at(-1)).toEqual(['no-stream', true, undefined])
})

test('a holder whose sockets are closed, for it leaves, says so: the owner takes a new connection', () => {
  const [owner, holder] = ['1.a.1', '2.b.1'] as [Life, Life]
  const told: unknown[] = []
  const outbox = new Outbox()
  const egress = new Egress({
    life: holder,
    store: { ownerOf: () => owner, serving: () => ({ version: index(1) }) } as never,
    links: { send: (to: ReplicaId, frame: unknown) => told.push({ to, frame }) > 0 } as never,
    outbox,
    owner: () => undefined as never,
    ...alone,
    now: () => instant(0),
    stale: () => false,
    closed: () => true,
  })
  const flow = { transport: 'tcp', host: '127.36.0.2', port: 5062, stream: `${holder}/1` } as const
  const origin = { group: groupKey('00000000000000aa'), what: 'untracked' as const }
  const id = `${owner}#1` as EgressId
  egress.onEgress(
    { kind: 'egress', id, judged: index(1), flow, data: 'SIP/2.0 200 OK', within: limits.notAfter, origin },
    owner,
  )
  egress.tellOwners()
  expect(told).toEqual([
    { to: replicaId(1), frame: { kind: 'unsent', origin, flow, data: 'SIP/2.0 200 OK', reason: 'no-stream' } },
    { to: replicaId(1), frame: { kind: 'sent', ids: [id] } },
  ])
  expect(outbox.take()).toEqual([])
})
