// Who may use a set, how much of it, and where a name leads: decisions 0026 and 0027 on a real set with a DNS server of the test's own.
// A few seconds.

import type { Socket } from 'node:dgram'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DnsServer } from '../../src/host/testing/dns-server.ts'
import { until } from './poll.ts'
import { Scene } from './scene.ts'
import { listen, sendTo } from './strangers.ts'

const SLOT = 88
const HOST = (last: number): string => `127.66.${SLOT}.${last}`
const caller = `${HOST(100)}:5060`

const scene = new Scene(SLOT)
const dns = new DnsServer()
const sockets: Socket[] = []

/** What came to an address, by first line. */
async function phoneAt(address: string, answer: (text: string) => string | null = () => null) {
  const socket = await listen(address)
  sockets.push(socket)
  const heard: string[] = []
  socket.on('message', (bytes, from) => {
    const text = bytes.toString('latin1')
    heard.push(text.slice(0, text.indexOf('\r\n')).replace(/ sip:.*/, ''))
    const said = answer(text)
    if (said !== null) socket.send(said, from.port, from.address)
  })
  return { socket, heard }
}

/** A server that gives every INVITE that final. */
function server(last: number, status: string) {
  return phoneAt(`${HOST(last)}:5080`, (text) => {
    if (!text.startsWith('INVITE ')) return null
    const copied = text.split('\r\n').filter((line) => /^(?:Via|From|Call-ID|CSeq|Record-Route):/.test(line))
    const to = `${text.split('\r\n').find((line) => line.startsWith('To:'))};tag=there`
    const contact = `Contact: <sip:there@${HOST(last)}:5080>`
    return [`SIP/2.0 ${status}`, ...copied, to, contact, 'Content-Length: 0', '', ''].join('\r\n')
  })
}

function invite(from: string, callId: string): string {
  const [host = ''] = from.split(':')
  return [
    `INVITE sip:somebody@${scene.place.sip} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from};branch=z9hG4bK-${callId}`,
    'Max-Forwards: 70',
    `From: <sip:caller@${host}>;tag=${callId}`,
    'To: <sip:somebody@example.com>',
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:caller@${from}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

beforeAll(async () => {
  const port = await dns.open(HOST(2))
  const srv = { type: 'SRV', name: '_sip._udp.pbx.example.com', port: 5_080, weight: 0 } as const
  dns.records = [
    { ...srv, target: 'one.example.com', priority: 1 },
    { ...srv, target: 'two.example.com', priority: 2 },
    { type: 'A', name: 'one.example.com', address: [127, 66, SLOT, 201] },
    { type: 'A', name: 'two.example.com', address: [127, 66, SLOT, 202] },
  ]
  await scene.set({
    nextHop: 'pbx.example.com',
    durability: 'memory',
    extra: ['--dns', `${HOST(2)}:${port}`, '--allow', `${HOST(100)}/30`, '--bounds', 'calls=1'],
  })
})
afterAll(async () => {
  for (const socket of sockets) socket.close()
  dns.close()
  await scene.end()
})

test('a stranger gets 403; a call goes to the second server of a name when the first has no room, and is the only one there may be', async () => {
  const one = await server(201, '503 Service Unavailable')
  const two = await server(202, '200 OK')
  const known = await phoneAt(caller)
  const stranger = await phoneAt(`${HOST(90)}:5060`)

  await sendTo(stranger.socket, scene.place.sip, invite(`${HOST(90)}:5060`, 'strange'))
  await until('the stranger is answered', 5_000, () => (stranger.heard.length > 0 ? true : null))
  expect(stranger.heard).toEqual(['SIP/2.0 403 Forbidden'])

  await sendTo(known.socket, scene.place.sip, invite(caller, 'first'))
  await until('the call is answered', 5_000, () => (known.heard.includes('SIP/2.0 200 OK') ? true : null))
  expect([...new Set(one.heard)]).toEqual(['INVITE', 'ACK'])
  expect(two.heard[0]).toBe('INVITE')
  expect(known.heard).not.toContain('SIP/2.0 503 Service Unavailable')

  await sendTo(known.socket, scene.place.sip, invite(caller, 'second'))
  const full = 'SIP/2.0 503 Service Unavailable'
  await until('one call more is refused', 5_000, () => (known.heard.includes(full) ? true : null))
  expect(new Set(two.heard).size).toBe(1)
})
