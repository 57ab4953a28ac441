import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { encodeHep, HepExport } from './hep.ts'
import type { Captured } from './hep.ts'

const message: Captured = {
  transport: 'udp',
  from: { host: '192.0.2.1', port: 5060 },
  to: { host: '192.0.2.10', port: 5080 },
  data: 'OPTIONS sip:a SIP/2.0\r\n\r\n\u00ff',
}

test('a packet, byte by byte', () => {
  const hex = encodeHep(message, 1_700_000_000_123, 7)?.toString('hex')
  const payload = Buffer.from(message.data, 'latin1').toString('hex')
  const chunks = [
    '0000000100070200000002000711',
    '00000003000ac000020100000004000ac000020a',
    '00000007000813c400000008000813d8',
    '00000009000a6553f1000000000a000a0001e078',
    '0000000b0007010000000c000a00000007',
    `0000000f0020${payload}`,
  ]
  expect(hex).toBe(`48455033007d${chunks.join('')}`)
})

test('IPv6, and TCP', () => {
  const six = {
    ...message,
    transport: 'tcp',
    from: { host: '2001:db8::1', port: 1 },
    to: { host: '::1', port: 2 },
  } as const
  const hex = encodeHep(six, 0, 1)?.toString('hex') ?? ''
  expect(hex).toContain('0000000100070a00000002000706')
  expect(hex).toContain('00000005001620010db800000000000000000000000100000006001600000000000000000000000000000001')
})

test('what is too long is dropped and counted, and the rest arrives', async () => {
  const server = createSocket('udp4')
  await new Promise<void>((resolve) => server.bind(9_060, '127.40.4.3', resolve))
  const hep = new HepExport({ host: '127.40.4.3', port: 9_060 }, 2)
  try {
    hep.capture({ ...message, data: 'x'.repeat(70_000) })
    const heard = once(server, 'message') as Promise<[Buffer]>
    hep.capture(message)
    const [bytes] = await heard
    expect(bytes.subarray(0, 4).toString()).toBe('HEP3')
    expect(bytes.readUInt16BE(4)).toBe(bytes.length)
    expect(hep.metrics()).toContain('holdfast_hep_dropped_total 1')
  } finally {
    hep.close()
    server.close()
  }
})
