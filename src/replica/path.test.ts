// A phone that is reached by its registration's Path (docs/decisions/0029), at whatever replica a request for it arrives, and after the
// one that held its connection has died.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { label, parsed, phone, request, response } from '../call/testing/phone.ts'
import type { Phone } from '../call/testing/phone.ts'
import { values } from '../sip/message.ts'
import { limits } from './limits.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const registrar = phone('registrar', nextHop.host, nextHop.port)
const CONTACT = 'sip:bob@192.168.1.7:5071;transport=tcp;ob'

function bobAt(bench: Bench, holder: ReplicaId): Phone {
  return { ...phone('bob', '127.36.0.7', 40_000, `${bench.lifeOf(holder)}/9`), contact: CONTACT }
}

/** Bob registers on a connection that `holder` holds; the Path that the registrar gets. */
function register(bench: Bench, holder: ReplicaId, number: number): readonly string[] {
  const bob = bobAt(bench, holder)
  const headers = [['Supported', 'path, outbound']] as const
  const text = request(bob, 'REGISTER', `sip:${sip.host}`, { headers, callId: 'registration', cseq: number })
  bench.sip(holder, bob.flow, text.replace(`<${CONTACT}>`, `<${CONTACT}>;reg-id=1`))
  const left = must(
    bench.takeSent().find(({ data }) => data.startsWith('REGISTER')),
    'the REGISTER',
  )
  return values(parsed(left.data), 'Path')
}

/** The registrar calls by that Path; who sent what on which flow. */
function call(bench: Bench, at: ReplicaId, callId: string, path: readonly string[]): readonly string[] {
  const headers = path.map((value) => ['Route', value] as const)
  bench.sip(at, registrar.flow, request(registrar, 'INVITE', CONTACT, { headers, callId }))
  bench.pass(limits.passAgain)
  // A final comes again until its ACK.
  const lines = bench
    .takeSent()
    .filter(({ data }) => label(data) !== '100 INVITE')
    .map(({ by, flow, data }) => `${by}: ${label(data)} ${flow.stream === '' ? flow.host : flow.stream}`)
  return [...new Set(lines)]
}

test('the INVITE leaves at the replica that holds the phone’s connection, wherever it came and whoever owns the call', () => {
  const bench = new Bench().begin()
  const [holder, other] = bench.followers() as [ReplicaId, ReplicaId]
  const path = register(bench, holder, 1)
  const stream = bobAt(bench, holder).flow.stream
  for (const [i, owner] of bench.ids.entries()) {
    const [callId] = bench.callIds(owner, 1) as [string]
    expect([i, call(bench, other, callId, path)]).toEqual([i, [`${holder}: INVITE ${stream}`]])
  }
})

test('when that replica has died: 430, until the phone has registered on another connection', () => {
  const bench = new Bench().begin()
  const [holder, other] = bench.followers() as [ReplicaId, ReplicaId]
  const old = register(bench, holder, 1)
  bench.kill(holder)
  bench.pass(limits.passAgain)
  const [first, second] = bench.callIds(other, 2) as [string, string]
  expect(call(bench, other, first, old)).toEqual([`${other}: 430 INVITE ${registrar.flow.host}`])
  const path = register(bench, other, 2)
  expect(path).not.toEqual(old)
  expect(call(bench, other, second, path)).toEqual([`${other}: INVITE ${bobAt(bench, other).flow.stream}`])
})

test('when it died with the INVITE in its hands: the phone may have it and ring, so there is no 430, and its answer goes up', () => {
  const bench = new Bench().begin()
  const [holder, other] = bench.followers() as [ReplicaId, ReplicaId]
  const path = register(bench, holder, 1)
  const [callId] = bench.callIds(other, 1) as [string]
  bench.loses = (frame) => frame.kind === 'sent'
  const headers = path.map((value) => ['Route', value] as const)
  bench.sip(other, registrar.flow, request(registrar, 'INVITE', CONTACT, { headers, callId }))
  const invite = must(
    bench.takeSent().find(({ data }) => data.startsWith('INVITE')),
    'the INVITE',
  )
  expect(invite.by).toBe(holder)
  bench.loses = () => false
  bench.kill(holder)
  bench.pass(limits.passAgain)
  bench.pass(limits.passAgain)
  const back = { ...bobAt(bench, other), name: 'bob' }
  bench.sip(other, back.flow, response(back, invite.data, 200))
  const heard = bench.takeSent().filter(({ flow }) => flow.host === registrar.flow.host)
  expect(new Set(heard.map(({ data }) => label(data)))).toEqual(new Set(['200 INVITE']))
})
