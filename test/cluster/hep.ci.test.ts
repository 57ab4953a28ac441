// A capture server hears what a replica receives and sends (decision 0046); one that isn't there disturbs nothing.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Machines, writeConfig } from './machines.ts'
import { until } from './poll.ts'
import { inScene } from './scene.ts'
import { listen, sendTo } from './strangers.ts'

test('a request and its answer are copied to the capture server, both ways round', async () => {
  await inScene(158, async (scene) => {
    const { sip, caller, callee } = scene.place
    const config = join(scene.folder, 'set.json')
    writeConfig(config, join(scene.folder, 'data'), scene.place, { hep: callee }, 1)
    const machines = new Machines(config)
    const phone = await listen(caller)
    const answers: string[] = []
    phone.on('message', (bytes) => answers.push(bytes.toString('latin1')))
    const options = [
      `OPTIONS sip:${sip} SIP/2.0`,
      `Via: SIP/2.0/UDP ${caller};branch=z9hG4bK-hep`,
      'Max-Forwards: 0',
      'From: <sip:a@example.com>;tag=a',
      'To: <sip:b@example.com>',
      'Call-ID: hep',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n')
    const copies: string[] = []
    try {
      machines.start(1)
      await machines.serve([1])
      // Nobody listens to the copies yet. Its SIP socket may open a moment after it serves: a phone asks again (RFC 3261 17.1.2.2).
      const asking = setInterval(() => void sendTo(phone, sip, options), 500)
      await until('an answer', 20_000, () => (answers.length > 0 ? true : null)).finally(() => clearInterval(asking))
      const server = await listen(callee)
      server.on('message', (bytes) => {
        const copy = bytes.toString('latin1')
        if (copy.includes('again')) copies.push(copy)
      })
      try {
        await sendTo(phone, sip, options.replaceAll('hep', 'again'))
        await until('two copies', 5_000, () => (copies.length >= 2 ? true : null))
      } finally {
        server.close()
      }
      expect(copies[0]).toContain('OPTIONS sip:')
      expect(copies[1]).toMatch(/SIP\/2\.0 \d{3} /)
      expect(copies.every((copy) => copy.startsWith('HEP3'))).toBe(true)
      const metrics = await (await fetch(`http://${machines.admin(1)}/metrics`)).text()
      expect(metrics).toMatch(/^holdfast_hep_sent_total [1-9]/m)
    } finally {
      phone.close()
      await machines.destroy()
    }
  })
})
