// What strangers and broken machines send, against a real set that carries calls meanwhile: nobody crashes, nothing hangs,
// memory stays bounded, 100 of 100 calls are as if nothing had happened, and what a user wants to know is said.

import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../../src/base/random.ts'
import { securePeerClient } from '../../src/host/peer-security.ts'
import { until } from './poll.ts'
import { signalPid } from './programs.ts'
import { phones, Scene } from './scene.ts'
import { missingTools } from './sipp.ts'
import { answerAll, dial, listen, sendTo, untilClosed } from './strangers.ts'
import { make, tortures } from './torture.ts'
import type { Ends } from './torture.ts'
import type { ReplicaSet } from './replica-set.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const SLOT = 61
const CALLS = 100
/** What a replica may take more than at its start, in MB: ten thousand connections with their buffers are the most of it. */
const MORE_MB = 200

describe.skipIf(missing !== null)('bad input, while calls go on', () => {
  const scene = new Scene(SLOT)
  const { sip, peer } = scene.place
  const ends: Ends = { sip, caller: `127.66.${SLOT}.120:5060`, callee: `127.66.${SLOT}.150:5080` }
  let set: ReplicaSet
  let pids: readonly number[] = []
  let before: readonly number[] = []
  const halves: { readonly socket: Socket; readonly closed: Promise<string> }[] = []

  beforeAll(async () => {
    set = await scene.set({ restart: 'never' })
    await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
    pids = set.ids.map((id) => set.pid(id))
    before = pids.map(residentMb)
    // Half a message each, in its headers and in its body: the last test sees what became of them.
    const whole = make(ends, 0, { body: 'a body of which only half is sent' })
    for (const half of [whole.slice(0, 100), whole.slice(0, -10)]) {
      const socket = await dial(sip, half)
      halves.push({ socket, closed: untilClosed(socket) })
    }
  })
  afterAll(async () => {
    for (const { socket } of halves) socket.destroy()
    await scene.end()
  })

  const phonesOfOurs: { close(): void }[] = []
  afterEach(() => {
    for (const phone of phonesOfOurs.splice(0)) phone.close()
  })

  async function phoneAt(address: string): Promise<Awaited<ReturnType<typeof listen>>> {
    const phone = await listen(address)
    phonesOfOurs.push(phone)
    return phone
  }

  /** Something bad happens during a hundred calls: neither they nor the set notice. */
  async function expectUnharmed(happens: () => Promise<void>): Promise<void> {
    const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: CALLS, holdMs: 500 })
    try {
      await happens()
      const ended = await load.caller.reaches(
        'all calls end',
        40_000,
        ({ successful, failed }) => successful + failed >= CALLS,
      )
      expect(ended).toMatchObject({ created: CALLS, successful: CALLS, failed: 0, unexpected: 0 })
      // The callee stays a while, for a BYE that comes again.
      expect(load.callee.stats()).toMatchObject({ failed: 0, unexpected: 0 })
    } finally {
      await Promise.all([load.caller.destroy(), load.callee.destroy()])
    }
    await expectWell()
  }

  async function expectWell(): Promise<void> {
    for (const id of set.ids) {
      await until(`/health of replica ${id} is 200`, 10_000, async () => ((await set.healthy(id)) ? true : null))
    }
    expect(set.ids.map((id) => set.pid(id))).toEqual(pids)
    expect(set.events.filter(({ event }) => event === 'exit')).toEqual([])
    for (const [at, pid] of pids.entries()) expect(residentMb(pid)).toBeLessThan((before[at] as number) + MORE_MB)
  }

  /** A line in the log of some replica. */
  function said(what: RegExp): Promise<true> {
    return until(`said: ${what}`, 10_000, () => (what.test(set.stderr()) ? true : null))
  }

  /** The sum of all counters whose names begin so, over all replicas. */
  async function counted(prefix: string): Promise<number> {
    const texts = await Promise.all(set.ids.map((id) => set.metrics(id)))
    const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith(`holdfast_${prefix}`))
    return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
  }

  /** The set answers a request to itself on a new connection. */
  async function expectAnswerOnStream(): Promise<void> {
    const via = `SIP/2.0/TCP ${ends.caller};branch=z9hG4bKalive`
    const socket = await dial(
      sip,
      make(ends, 0, { start: `OPTIONS sip:${sip} SIP/2.0`, headers: { Via: via, Route: null } }),
    )
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    await until('OPTIONS on a new connection is answered', 5_000, () => (text.startsWith('SIP/2.0 200 ') ? true : null))
    socket.destroy()
  }

  test('RFC 4475: every kind of malformed message is answered, relayed or dropped', async () => {
    const [caller, callee] = [await phoneAt(ends.caller), await phoneAt(ends.callee)]
    const statuses = new Map<number, number>()
    caller.on('message', (bytes) => {
      const text = bytes.toString('latin1')
      const number = Number(/torture-?(\d+)/.exec(text)?.[1])
      statuses.set(number, Number(text.split(' ')[1]))
    })
    answerAll(callee)
    const all = tortures(ends)
    const dropped = await counted('sip_dropped_')
    const silent = all.filter(({ fate }) => fate === 'dropped')
    await expectUnharmed(async () => {
      for (const { text } of all) await sendTo(caller, sip, text)
      const done = (): true | null => (statuses.size >= all.length - silent.length ? true : null)
      await until('all answers', 5_000, done).catch(() => null)
      const fates = all.map(({ section }, at) => {
        const status = statuses.get(at + 1)
        return `${section}: ${status === undefined ? 'dropped' : status === 200 ? 'relayed' : status}`
      })
      expect(fates).toEqual(all.map(({ section, fate }) => `${section}: ${fate}`))
      expect((await counted('sip_dropped_')) - dropped).toBe(silent.length)
    })
  })

  test('RFC 3261 16: an unknown method is relayed, and so is its answer', async () => {
    const [caller, callee] = [await phoneAt(ends.caller), await phoneAt(ends.callee)]
    const answers: string[] = []
    caller.on('message', (bytes) => void answers.push(bytes.toString('latin1')))
    answerAll(callee)
    await expectUnharmed(async () => {
      await sendTo(caller, sip, make(ends, 1, { method: 'HOLDFAST' }))
      await until('its 200', 5_000, () => answers.find((text) => text.includes('CSeq: 7 HOLDFAST')) ?? null)
    })
    expect(answers.every((text) => text.startsWith('SIP/2.0 200 '))).toBe(true)
  })

  test('RFC 3261 18.1.1: a request too long for a datagram, to a phone without TCP, comes by UDP after all', async () => {
    const [caller, callee] = [await phoneAt(ends.caller), await phoneAt(ends.callee)]
    const [asked, answers]: string[][] = [[], []]
    callee.on('message', (bytes) => void asked?.push(bytes.toString('latin1')))
    caller.on('message', (bytes) => void answers?.push(bytes.toString('latin1')))
    answerAll(callee)
    await expectUnharmed(async () => {
      await sendTo(caller, sip, make(ends, 1, { method: 'MESSAGE', body: 'x'.repeat(1_400) }))
      await until('its 200', 5_000, () => answers?.find((text) => text.includes('CSeq: 7 MESSAGE')) ?? null)
    })
    expect(
      asked?.filter((text) => text.startsWith('MESSAGE ')).map((text) => /Via: SIP\/2.0\/(\w+)/.exec(text)?.[1]),
    ).toEqual(['UDP'])
  })

  test('64 kB of noise, a hundred times by datagram and ten times by stream', async () => {
    const draw = random(4475)
    const noise = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, () => draw.below(256))
    // The largest datagram that IPv4 carries.
    const [largest, whole] = [noise(65_507), noise(2 * 65_536)]
    const caller = await phoneAt(ends.caller)
    const answers: string[] = []
    caller.on('message', (bytes) => void answers.push(bytes.toString('latin1')))
    const received = await counted('sip_received_total')
    await expectUnharmed(async () => {
      const streams = await Promise.all(Array.from({ length: 10 }, () => dial(sip, whole)))
      for (let at = 0; at < 100; at++) await sendTo(caller, sip, largest)
      // Nothing in it ends a message: a stream without boundaries is closed.
      await Promise.all(streams.map(untilClosed))
      await said(/"code":"stream-broken"/)
    })
    expect((await counted('sip_received_total')) - received).toBeGreaterThan(100)
    expect(answers).toEqual([])
  })

  test('a header that never ends is not waited for: its connection is closed, and the log says why', async () => {
    await expectUnharmed(async () => {
      const socket = await dial(sip, `OPTIONS sip:bob@example.com SIP/2.0\r\nSubject: ${'long '.repeat(20_000)}`)
      await untilClosed(socket)
      await said(/a connection is closed: .*/)
    })
  })

  test('10,000 open connections that say nothing: a new one is served', async () => {
    const open: Socket[] = []
    await expectUnharmed(async () => {
      for (let batch = 0; batch < 100; batch++) {
        open.push(...(await Promise.all(Array.from({ length: 100 }, () => dial(sip)))))
      }
      expect(open).toHaveLength(10_000)
      await expectAnswerOnStream()
      await expectWell()
    })
    for (const socket of open) socket.destroy()
  })

  test('garbage on the peer port: it is cut off, and the log names where it came from', async () => {
    const port = replicaPort(peer, 1)
    await expectUnharmed(async () => {
      for (const garbage of [
        'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n',
        '{"holdfast":"peer"}\n',
        '\n',
        'x'.repeat(65_536),
      ]) {
        const socket = await dial(port, garbage)
        expect(await untilClosed(socket)).not.toMatch(/holdfast|set/)
      }
      await said(/"code":"peer-garbage".*"from":"127\.[\d.]+:\d+".*does not speak as a replica does/)
    })
  })

  test('silent connections to the peer port are closed, and keep no replica out', async () => {
    await expectUnharmed(async () => {
      const sockets = await Promise.all(Array.from({ length: 200 }, () => dial(replicaPort(peer, 2))))
      await Promise.all(sockets.map(untilClosed))
      await said(/"code":"peer-crowd"/)
      await said(/"code":"peer-silent".*did not say hello/)
    })
  })

  test("a wrong set's replica on the peer port: both sets are named", async () => {
    await expectUnharmed(async () => {
      const socket = securePeerClient(await dial(replicaPort(peer, 1)), { set: 'f'.repeat(16), secret: 'f'.repeat(64) })
      socket.on('error', () => undefined)
      expect(await untilClosed(socket)).toBe('')
      await said(/"code":"peer-other-set".*it is of set f{16}, this is replica 1 of set [0-9a-f]{16}/)
    })
  })

  test('a SIP peer on TCP that asks and never reads: its connection is reset, the others go on', async () => {
    const via = `SIP/2.0/TCP ${ends.caller};branch=z9hG4bKslow`
    const from = `"${'slow '.repeat(800)}" <sip:slow@example.com>;tag=1`
    const ask = make(ends, 0, { start: `OPTIONS sip:${sip} SIP/2.0`, headers: { Via: via, Route: null, From: from } })
    await expectUnharmed(async () => {
      const socket = await dial(sip)
      socket.pause()
      const closed = new Promise((resolve) => socket.once('close', resolve))
      for (let sent = 0; sent < 10_000 && !socket.destroyed; sent++) {
        if (!socket.write(ask)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed])
      }
      await said(/"code":"slow-peer".*its far end does not read/)
      await expectAnswerOnStream()
      socket.destroy()
    })
  })

  test('a replica that reads nothing more: the others go on without it, and it comes back', async () => {
    const slow = set.ids.find((id) => id !== set.leader) as number
    await expectUnharmed(async () => {
      signalPid(set.pid(slow), 'SIGSTOP')
      try {
        const others = set.ids.filter((id) => id !== slow)
        await until('it is out', 4_000, async () => {
          const all = await Promise.all(others.map((id) => set.status(id)))
          return all.every(({ serving }) => serving.every(({ id }) => id !== slow)) ? true : null
        })
      } finally {
        signalPid(set.pid(slow), 'SIGCONT')
      }
    })
    await set.statuses('all three serve', 20_000, ({ serving }) => serving.length === 3)
    await expectWell()
  })

  test('half a message that never ends is closed in the end, and the log says so', async () => {
    await until('both are closed', 40_000, () => (halves.every(({ socket }) => socket.closed) ? true : null))
    await said(/"code":"half-message".*its message never ended/)
    await expectWell()
  })
})

/** A replica's peer port: that of the set and its id. */
function replicaPort(peer: string, id: number): string {
  const colon = peer.lastIndexOf(':')
  return `${peer.slice(0, colon)}:${Number(peer.slice(colon + 1)) + id}`
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1_024
}
