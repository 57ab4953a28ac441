// An application's timers at whole replicas: they fire in the log, and whoever owns the session by then runs the callback.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { seconds } from '../base/instant.ts'
import type { ApplicationInfo, Op } from '../app/contract.ts'
import { newTimer } from '../app/testing/stage.ts'
import { phone, request } from '../call/testing/phone.ts'
import { Trio } from './testing/trio.ts'
import type { AskedBy } from './testing/trio.ts'

const caller = phone('caller', '127.38.1.2', 5062)
const application: ApplicationInfo = {
  name: 'prepaid',
  version: '1',
  handlers: ['doInvite', 'timeout', 'sessionExpired'],
}
const proxy: Op = { kind: 'proxy', request: '1', plan: { targets: [], recurse: false, timeout: null } }

/** A call rings, and its application has set a timer of three seconds, which comes again every two. */
function ringing(): { readonly trio: Trio; readonly owner: ReplicaId } {
  const trio = new Trio(3, {}, [application]).begin()
  trio.sip(trio.leader(), caller.flow, request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060'))
  trio.pass(20)
  const asked = last(trio)
  trio.answer(asked, newTimer('t1', 3, { period: seconds(2), info: 'balance' }), proxy)
  trio.pass(20)
  return { trio, owner: asked.by }
}

function last(trio: Trio): AskedBy {
  return must(trio.calls.at(-1), 'somebody was asked')
}

const timeouts = (trio: Trio): readonly ReplicaId[] =>
  trio.calls.filter(({ handler }) => handler === 'timeout').map(({ by }) => by)

test('[JSR 9] [JSR question 3] a timer that one replica set fires once, at the replica that owns its session by then', () => {
  const { trio, owner } = ringing()
  trio.kill(owner)
  trio.pass(2_900)
  expect(timeouts(trio)).toEqual([])
  trio.pass(2_000)
  const [by, ...more] = timeouts(trio)
  expect([by === owner, more]).toEqual([false, []])
  expect(last(trio)).toMatchObject({ subject: 't1', view: { timers: [{ id: 't1', info: 'balance' }] } })
})

test('[JSR 20] [JSR question 3] an owner that dies in the callback has fired nothing: the next one is asked, and its answer counts', () => {
  const { trio, owner } = ringing()
  trio.pass(3_100)
  expect(timeouts(trio)).toEqual([owner])
  const first = last(trio)
  trio.kill(owner)
  trio.pass(1_500)
  expect(timeouts(trio)).toHaveLength(2)
  expect(last(trio).due).toBe(first.due)
  trio.answer(last(trio), { kind: 'set-attribute', of: '', name: 'calls', value: 1 })
  trio.pass(20)
  // Of fixed rate: two seconds after it was due, whoever died meanwhile.
  const { by } = last(trio)
  const [group = ''] = trio.replica(by).store.groups()
  const deadline = trio
    .replica(by)
    .store.group(group as never)
    ?.timers.find(({ id }) => id === 't.t1')?.deadline
  expect((deadline ?? 0) - ((first.due ?? 0) + 2_000_000)).toBeLessThan(50_000)
  trio.pass(2_000)
  expect(timeouts(trio)).toHaveLength(3)
  expect(last(trio).view.attributes).toEqual([{ name: 'calls', value: 1 }])
})

test('[JSR 22] a timer that is cancelled in its callback has no other one, at any replica', () => {
  const { trio, owner } = ringing()
  trio.pass(3_100)
  trio.answer(last(trio), { kind: 'cancel-timer', id: 't1' })
  trio.pass(20)
  trio.kill(owner)
  trio.pass(10_000)
  expect(timeouts(trio)).toEqual([owner])
})

test('[JSR 4] [JSR 6] a session that expires while its owner dies expires at the next one, once; extended there, it goes on', () => {
  const { trio, owner } = ringing()
  trio.pass(3_100)
  trio.answer(last(trio), { kind: 'cancel-timer', id: 't1' }, { kind: 'set-expires', after: seconds(5) })
  trio.pass(4_900)
  trio.kill(owner)
  trio.pass(2_000)
  const expired = trio.calls.filter(({ handler }) => handler === 'sessionExpired')
  expect(expired.map(({ by }) => by === owner)).toEqual([false])
  trio.answer(last(trio), { kind: 'set-expires', after: seconds(60) })
  trio.pass(20_000)
  expect(trio.calls.filter(({ handler }) => handler === 'sessionExpired')).toHaveLength(1)
})
