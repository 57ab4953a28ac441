// The rooms of docs/examples, at whole replicas: an application key brings all who dial one room into one session.

import { expect, test } from 'vitest'
import { rooms } from '../../docs/examples/applications/rooms.ts'
import type { AppCall } from '../../src/app/contract.ts'
import { must } from '../../src/base/assert.ts'
import { phone, request } from '../../src/call/testing/phone.ts'
import { Trio } from '../../src/replica/testing/trio.ts'
import { runHandler } from '../../src/servlet/run-handler.ts'

test('[JSR 12] who dials one room at any replica is in its session; another room has another one', () => {
  const { name, handlers } = rooms
  const trio = new Trio(3, {}, [{ name, version: '1', handlers }]).begin()
  const begun: AppCall[] = []
  let asked = 0
  const call = (n: number, room: string): void => {
    const caller = phone(`caller${n}`, `127.83.2.${n}`, 5062)
    const invite = request(caller, 'INVITE', `sip:${room}@127.36.0.1`, { callId: `call-${n}` })
    trio.sip(must(trio.ids[n % 3], 'a replica'), caller.flow, invite)
    for (let turns = 0; turns < 20; turns++) {
      trio.pass(10)
      for (const question of trio.calls.slice(asked)) {
        asked++
        if (question.handler === 'doInvite') begun.push(question)
        const run = runHandler(rooms, question)
        if (run.kind === 'pending') throw new Error('it is async')
        trio.step(question.by, { kind: 'answered', id: question.id, answer: run.answer })
      }
    }
  }
  for (const n of [1, 2, 3]) call(n, 'weekly')
  call(4, 'daily')
  expect(begun.map(({ view }) => view.key)).toEqual(['weekly', 'weekly', 'weekly', 'daily'])
  expect(new Set(begun.map(({ view }) => view.id)).size).toBe(2)
  expect(begun.map(({ view }) => view.sessions.length)).toEqual([1, 2, 3, 1])
  expect(
    trio.sent.filter(({ flow, data }) => flow.host === '192.0.2.10' && data.startsWith('INVITE ')).length,
  ).toBeGreaterThan(3)
})
