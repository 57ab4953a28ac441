// The demo's phones, one against the other, without a set between.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { buildResponse } from '../sip/build.ts'
import { parseMessage } from '../sip/message.ts'
import { demoMain } from './demo-command.ts'
import { DemoCallee, DemoCaller } from './demo-phones.ts'

const own = { host: '127.45.7.1', port: 5060 }
const far = { host: '127.45.7.2', port: 5070 }
const open: { close(): unknown }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
  vi.restoreAllMocks()
})

async function caller(holdMs = 50): Promise<DemoCaller> {
  const phone = new DemoCaller(own, far, far, holdMs)
  open.push(phone)
  await phone.open()
  return phone
}

/** Answers with these statuses, one after another, and then with the last one. */
async function answering(statuses: readonly number[]): Promise<Socket> {
  const socket = createSocket('udp4')
  open.push(socket)
  let next = 0
  socket.on('message', (bytes, { port, address }) => {
    const asked = parseMessage(bytes.toString('latin1'))
    if (!asked.ok || asked.value.kind !== 'request' || asked.value.method === 'ACK') return
    const status = statuses[Math.min(next++, statuses.length - 1)] ?? 200
    socket.send(buildResponse(asked.value, status, undefined, { toTag: 'far' }), port, address)
  })
  socket.bind(far.port, far.host)
  await once(socket, 'listening')
  return socket
}

test('a call is placed, answered, acknowledged and hung up', async () => {
  const callee = new DemoCallee(far, own)
  open.push(callee)
  await callee.open()
  const phone = await caller()
  const calls = [phone.call(), phone.call()]
  await vi.waitFor(() => expect(calls.map(({ state }) => state)).toEqual(['ended', 'ended']), 5_000)
})

test('an INVITE that is lost on its way comes again', async () => {
  const phone = await caller()
  const call = phone.call()
  const callee = new DemoCallee(far, own)
  open.push(callee)
  await callee.open()
  await vi.waitFor(() => expect(call.state).toBe('ended'), 10_000)
})

test.each([
  [[486], 'INVITE got 486'],
  [[200, 481], 'BYE got 481'],
])('answers %o: the call is lost, and it is said why: %s', async (statuses, reason) => {
  await answering(statuses)
  const phone = await caller()
  const call = phone.call()
  await vi.waitFor(() => expect(call).toMatchObject({ state: 'lost', reason }), 5_000)
})

test.each([
  [['--kills', '0'], '--kills 0: give a whole number from 1 to 20'],
  [['--rate', 'x'], '--rate x: give'],
  [['--net', '10.0.0'], 'addresses on loopback'],
])('%o is wrong usage: %s', async (args, text) => {
  let said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((bytes) => {
    said += String(bytes)
    return true
  })
  expect(await demoMain(args, '')).toBe(64)
  expect(said).toContain(text)
})
