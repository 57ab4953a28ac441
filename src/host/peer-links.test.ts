import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { memberId, replicaId, replicaOf } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import type { InputBody } from '../replica/input.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'
import { joinFrames } from './frame-stream.ts'
import { hostLimits } from './limits.ts'
import { KnownPeers } from './known-peers.ts'
import { SparseLog } from './log.ts'
import { parseJoining, parseKnowledge, printHello, printQuestion } from './peer-hello.ts'
import { PeerLinks } from './peer-links.ts'
import { securePeerClient, securePeerServer } from './peer-security.ts'
import { PeerServer } from './peer-server.ts'
import type { PeerParts } from './peer-server.ts'

const HOST = '127.40.2.1'
const SET = '0123456789abcdef'
const SECRET = '5e'.repeat(32)
const membership = { set: SET, secret: SECRET }
let lastPort = 8_160

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean()
})

interface End {
  readonly server: PeerServer
  readonly links: PeerLinks
  readonly formats: PeerParts['formats']
  readonly inputs: InputBody[]
  readonly lines: string[]
  /** Who dialled, and the port that it gave. */
  readonly met: string[]
  /** Dials the other. */
  open(): void
  /** `up 2.b.1`, `closed`, `refused` in order. */
  states(): string[]
  frames(): string[]
}

interface Wish {
  readonly life?: string
  readonly set?: string
  readonly secret?: string
  readonly folder?: string
  readonly formats?: Formats
  /** What its set writes. */
  readonly active?: number
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-peer-'))
  cleanups.push(() => rmSync(path, { recursive: true }))
  return path
}

function knownPeers(path: string): KnownPeers {
  const known = KnownPeers.load(path)
  if (!known.ok) throw new Error(known.error)
  return known.value
}

/** One replica of two: id 1 or 2, its port and the other's. */
function end(id: 1 | 2, port: number, otherPort: number, wish: Wish = {}): End {
  const inputs: InputBody[] = []
  const met: string[] = []
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const parts: PeerParts = {
    set: wish.set ?? SET,
    secret: wish.secret ?? SECRET,
    replica: replicaOf((wish.life ?? `${id}.aa.1`) as Life),
    life: (wish.life ?? `${id}.${id === 1 ? 'aa' : 'bb'}.1`) as Life,
    address: { host: HOST, port },
    founders: [replicaId(1), replicaId(2)],
    known: knownPeers(wish.folder ?? folder()),
    formats: { own: wish.formats ?? KNOWN_FORMATS, active: wish.active ?? 1 },
    log: new SparseLog(log),
    give: (input) => void inputs.push(input),
    met: (peer, at) => void met.push(`${peer} at ${at === null ? '?' : at.port}`),
  }
  const server = new PeerServer(parts)
  const links = new PeerLinks(parts, (place) => (place === 3 - id ? { host: HOST, port: otherPort } : null))
  cleanups.push(
    () => server.close(),
    () => links.close(),
  )
  const states = (): string[] =>
    inputs.flatMap((input) => {
      if (input.kind !== 'link') return []
      return [input.state.kind === 'up' ? `up ${input.state.life}` : input.state.kind]
    })
  const frames = (): string[] =>
    inputs.flatMap((input) => (input.kind === 'peer' ? [`${input.from} ${Buffer.from(input.frame).toString()}`] : []))
  const open = (): void => links.follow({ kind: 'peers', members: [{ id: replicaId(3 - id), peer: null }], gone: [] })
  return { server, links, formats: parts.formats, inputs, lines, met, open, states, frames }
}

const to = (end: End, id: number, text: string): void => end.links.send(replicaId(id), Buffer.from(text))

async function dial(port: number): Promise<Socket> {
  const socket = createConnection({ host: HOST, port })
  socket.on('error', () => undefined)
  cleanups.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A stranger that knows the set's secret, or another one. */
async function dialSecurely(port: number, as = membership): Promise<TLSSocket> {
  const socket = securePeerClient(await dial(port), as)
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk)))
  await once(socket, 'close')
  return text
}

test('frames arrive whole, in order, under the life that said hello', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  const two = end(2, b, a)
  await Promise.all([one.server.open(), two.server.open()])
  one.open()
  two.open()
  await vi.waitFor(() => expect([one.states(), two.states()]).toEqual([['up 2.bb.1'], ['up 1.aa.1']]))
  for (const text of ['a', '', 'c']) to(one, 2, text)
  expect(two.frames()).toEqual([])
  one.links.flush()
  to(two, 1, 'x'.repeat(300_000))
  two.links.flush()
  await vi.waitFor(() => expect(two.frames()).toEqual(['1.aa.1 a', '1.aa.1 ', '1.aa.1 c']))
  await vi.waitFor(() => expect(one.frames()[0]?.length).toBe(300_007))
})

test('nobody listens: refused, said once, until a life answers', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  one.open()
  await vi.waitFor(() => expect(one.states()).toEqual(['refused']))
  const two = end(2, b, a)
  await two.server.open()
  await vi.waitFor(() => expect(one.states()).toEqual(['refused', 'up 2.bb.1']))
})

test('a peer that dies is closed, then refused; its next life is another', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  const first = end(2, b, a)
  await first.server.open()
  one.open()
  await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1']))
  first.server.close()
  await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1', 'closed', 'refused']))
  to(one, 2, 'into the void')
  one.links.flush()
  const second = end(2, b, a, { life: '2.bb.2' })
  await second.server.open()
  await vi.waitFor(() => expect(one.states().at(-1)).toBe('up 2.bb.2'))
  expect(second.frames()).toEqual([])
})

test('a link that is lost while the peer lives is closed and up again, never refused', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  const two = end(2, b, a)
  await two.server.open()
  one.open()
  await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1']))
  // The same life dials anew: the older link goes.
  const other = await dialSecurely(b)
  other.write(hello({}))
  await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1', 'closed', 'up 2.bb.1']))
})

test.each([
  ['garbage', 'GET / HTTP/1.1\r\n\r\n', 'it does not speak as a replica does', 'peer-garbage'],
  ['a line without end', 'x'.repeat(hostLimits.helloBytes), 'it does not speak as a replica does', 'peer-garbage'],
  ['another format', '{"holdfast":"peer","format":2}\n', 'it speaks format 2 between replicas', 'peer-garbage'],
  ['formats that are no range', hello({ formats: { oldest: 2, newest: 1 } }), 'its formats are not', 'peer-garbage'],
  ['half a hello', '{"holdfast":"peer","format":1}\n', 'its hello lacks', 'peer-garbage'],
  [
    'another set',
    hello({ set: 'f'.repeat(16) }),
    `it is of set ${'f'.repeat(16)}, this is replica 2`,
    'peer-other-set',
  ],
  ['the wrong door', hello({ to: 3 }), 'it looks for replica 3, this is replica 2', 'peer-misdirected'],
  [
    'a replica that says that it is the one it dials',
    hello({ replica: 2, life: '2.aa.1' as Life }),
    'this is replica 2 itself',
    'peer-unknown',
  ],
])('the peer port hears %s: an answer, a log line, and nothing more', async (_what, words, said, code) => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const stranger = await dialSecurely(b)
  stranger.write(words)
  expect(await textOf(stranger)).toContain(said)
  expect(two.lines.join()).toContain(code)
  expect(two.inputs).toEqual([])
})

test.each([
  ['garbage', 'GET / HTTP/1.1\r\n\r\n'],
  ['a hello without TLS', hello({})],
])('the peer port hears %s from who shows no secret: no answer, a log line', async (_what, words) => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const stranger = await dial(b)
  stranger.write(words)
  expect(await textOf(stranger)).not.toContain('holdfast')
  expect(two.lines.join()).toMatch(/peer-garbage.*it does not speak as a replica does/)
  expect(two.inputs).toEqual([])
})

test.each([
  [
    'another set',
    { set: 'f'.repeat(16) },
    'peer-other-set',
    `it is of set ${'f'.repeat(16)}, this is replica 2 of set ${SET}`,
  ],
  ['another secret', { secret: 'ab'.repeat(32) }, 'peer-other-secret', 'give all replicas the same config'],
])('who has %s is not heard, and both ends say why', async (_what, wish, code, said) => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b, wish)
  const two = end(2, b, a)
  await two.server.open()
  one.open()
  await vi.waitFor(() => expect(one.lines.join()).toContain('peer-refuses'))
  await vi.waitFor(() => expect(two.lines.join()).toContain(code))
  expect(two.lines.join()).toContain(said)
  expect([...one.states(), ...two.inputs]).toEqual([])
})

function hello(change: Partial<Parameters<typeof printHello>[0]>): string {
  return printHello({
    set: SET,
    replica: 1,
    life: '1.aa.1' as Life,
    to: 2,
    formats: KNOWN_FORMATS,
    at: null,
    ...change,
  })
}

const first = { oldest: 1, newest: 1 }
const third = { oldest: 3, newest: 3 }

test.each([
  ['reads less than the set writes', first, 'it reads format 1, and the set writes format 2 since all its members'],
  ['reads nothing that this one reads', third, 'it reads format 3, this replica formats 1 to 2: upgrade by way of'],
])('who %s is not heard, and both ends say what to do', async (_what, formats, said) => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b, { formats })
  const two = end(2, b, a, { active: 2 })
  await Promise.all([one.server.open(), two.server.open()])
  one.open()
  await vi.waitFor(() => expect(one.lines.join()).toContain('peer-refuses'))
  expect(one.lines.join()).toContain(said)
  expect(two.lines.join()).toMatch(/peer-format/)
  // Nor is it spoken to.
  two.open()
  await vi.waitFor(() => expect(two.lines.join()).toMatch(/peer-unfit|peer-refuses/))
  expect([...one.states(), ...two.states()]).toEqual([])
})

test('a release that does not say what it reads takes part until the set writes a format that it can not read', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const old = await dialSecurely(b)
  old.write(`{"holdfast":"peer","format":1,"set":"${SET}","replica":1,"life":"1.aa.1","to":2}\n`)
  old.write(joinFrames([Buffer.from('heard')]))
  await vi.waitFor(() => expect(two.frames()).toEqual(['1.aa.1 heard']))
  two.formats.active = 2
  two.server.formatRaised()
  expect(await textOf(old)).not.toContain('refused')
  const again = await dialSecurely(b)
  again.write(`{"holdfast":"peer","format":1,"set":"${SET}","replica":1,"life":"1.aa.1","to":2}\n`)
  expect(await textOf(again)).toContain('start a release that does (docs/UPGRADING.md)')
})

test('a link that comes up tells what the peer reads', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  const two = end(2, b, a, { formats: first })
  await two.server.open()
  one.open()
  await vi.waitFor(() => expect(one.inputs).toMatchObject([{ kind: 'link', state: { kind: 'up', formats: first } }]))
})

test('after hello, garbage closes the link and gives no frame', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const peer = await dialSecurely(b)
  peer.write(Buffer.concat([Buffer.from(hello({})), joinFrames([Buffer.from('good')])]))
  await vi.waitFor(() => expect(two.frames()).toEqual(['1.aa.1 good']))
  peer.write(Buffer.alloc(64, 0xff))
  await textOf(peer)
  expect(two.frames()).toEqual(['1.aa.1 good'])
  expect(two.lines.join()).toContain('is longer than any of ours')
})

test('strangers that say nothing are few and do not keep a peer out for long', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const silent = await Promise.all(Array.from({ length: hostLimits.helloWaiting }, () => dial(b)))
  const [oldest] = silent as [Socket, ...Socket[]]
  await dial(b)
  expect(await textOf(oldest)).toBe('')
  expect(two.lines.join()).toContain('peer-crowd')
  expect(silent.filter(({ destroyed }) => destroyed)).toEqual([oldest])
  // They all stay, and whoever is put out comes again.
  let isOver = false
  const again = (): void => {
    if (isOver) return
    const socket = createConnection({ host: HOST, port: b })
    cleanups.push(() => socket.destroy())
    socket.on('error', () => undefined).once('close', again)
  }
  for (const socket of silent.slice(1)) socket.once('close', again)
  cleanups.push(() => (isOver = true))
  const one = end(1, a, b)
  one.open()
  await vi.waitFor(() => expect(one.states().at(-1)).toBe('up 2.bb.1'))
  // The replica's own connection put one out at most.
  expect(silent.filter(({ destroyed }) => !destroyed).length).toBeGreaterThan(hostLimits.helloWaiting - 10)
})

test('a crowd from one address puts out itself, not one who came from elsewhere before it', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const patient = createConnection({ host: HOST, port: b, localAddress: '127.40.2.9' })
  cleanups.push(() => patient.destroy())
  await once(patient, 'connect')
  const crowd = await Promise.all(Array.from({ length: 2 * hostLimits.helloWaiting }, () => dial(b)))
  await vi.waitFor(() => expect(crowd.filter(({ readableEnded }) => !readableEnded).length).toBeGreaterThan(0))
  const secure = securePeerClient(patient, membership)
  await once(secure, 'secureConnect')
  secure.write(hello({}))
  expect(String(await once(secure, 'data'))).toContain('2.bb.1')
})

test('a life that is over is not heard after its successor', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const two = end(2, b, a)
  await two.server.open()
  const later = await dialSecurely(b)
  later.write(hello({ life: '1.aa.2' as Life }))
  await once(later, 'data')
  const earlier = await dialSecurely(b)
  earlier.write(hello({}))
  expect(await textOf(earlier)).toContain('1.aa.1 is over: 1.aa.2 has been here')
})

test('a replica that comes with another disk is refused, also by the next life of who knew it (design.md 10)', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const kept = folder()
  const first = end(2, b, a, { folder: kept })
  await first.server.open()
  const peer = await dialSecurely(b)
  peer.write(hello({}))
  await once(peer, 'data')
  first.server.close()
  const second = end(2, b, a, { folder: kept, life: '2.bb.2' })
  await second.server.open()
  const wiped = await dialSecurely(b)
  wiped.write(hello({ life: '1.cc.1' as Life }))
  expect(await textOf(wiped)).toContain(
    'replica 1 comes with another disk (incarnation cc, known is aa): it could vote twice',
  )
})

test('a peer that does not read: its link is reset, and memory stays bounded', async () => {
  const [a, b] = [++lastPort, ++lastPort]
  const one = end(1, a, b)
  const server = securePeerServer(membership, () => undefined)
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined)
    cleanups.push(() => socket.destroy())
    socket.write('{"holdfast":"peer","format":1,"life":"2.bb.1"}\n')
    socket.pause()
  })
  server.listen({ host: HOST, port: b })
  cleanups.push(() => server.close())
  one.open()
  await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1']))
  const large = new Uint8Array(16 * 1_024 * 1_024)
  await vi.waitFor(() => {
    one.links.send(replicaId(2), large)
    one.links.flush()
    expect(one.lines.join()).toContain('peer-slow')
  })
  await vi.waitFor(() => expect(one.states().slice(0, 2)).toEqual(['up 2.bb.1', 'closed']))
})

describe('members that come and go', () => {
  const none = { kind: 'peers', members: [] } as const

  test('who dials and is not known is told of, with the address that it gives', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const one = end(1, a, b)
    const two = end(2, b, a)
    await Promise.all([one.server.open(), two.server.open()])
    one.open()
    await vi.waitFor(() => expect(two.met).toEqual([`1 at ${a}`]))
    two.links.met(replicaId(1), { host: HOST, port: a })
    await vi.waitFor(() => expect(two.states()).toEqual(['up 1.aa.1']))
  })

  test('who was removed is cut off, not heard when it dials again, and learns why', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const one = end(1, a, b)
    const two = end(2, b, a)
    await Promise.all([one.server.open(), two.server.open()])
    one.open()
    await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1']))
    two.server.follow({ ...none, gone: [{ place: 1, generation: 0, newest: 0 }] })
    await vi.waitFor(() => expect(one.states().slice(0, 3)).toEqual(['up 2.bb.1', 'closed', 'removed']))
    to(one, 2, 'still here')
    one.links.flush()
    expect(two.frames()).toEqual([])
    expect(two.lines.join()).toContain('peer-removed')
  })

  test('of the starts that came and went, none is dialled or remembered: there is room for the next', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const path = folder()
    const one = end(1, a, b, { folder: path })
    await one.server.open()
    for (let generation = 1; generation <= hostLimits.links + 2; generation++) {
      const id = memberId(2, generation)
      const gone = [{ place: 2, generation: -1, newest: generation }]
      one.links.follow({ kind: 'peers', members: [{ id, peer: `${HOST}:${b}` }], gone })
      one.server.follow({ kind: 'peers', members: [{ id, peer: null }], gone })
      expect(knownPeers(path).incarnationOf(memberId(2, generation - 1))).toBeNull()
      if (generation > 2 && generation <= hostLimits.links) continue
      const two = end(2, b, a, { life: `${id}.cc${generation}.1` })
      await two.server.open()
      two.links.met(replicaId(1), { host: HOST, port: a })
      await vi.waitFor(() => expect(one.states().at(-1)).toBe(`up ${id}.cc${generation}.1`))
      await vi.waitFor(() => expect(one.met).toContain(`${id} at ${b}`))
      two.links.close()
      two.server.close()
    }
  })

  test('who is gone is not dialled any more', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const one = end(1, a, b)
    one.open()
    await vi.waitFor(() => expect(one.states()).toEqual(['refused']))
    one.links.follow({ ...none, gone: [{ place: 2, generation: 0, newest: 0 }] })
    const two = end(2, b, a)
    await two.server.open()
    two.open()
    await vi.waitFor(() => expect(two.states()).toEqual(['refused']))
    expect(two.met).toEqual([])
  })

  test('where another incarnation of the place answers, the one that is looked for is over', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const one = end(1, a, b)
    const next = end(2, b, a, { life: '1002.cc.1' })
    await next.server.open()
    one.open()
    await vi.waitFor(() => expect(one.states()).toEqual(['refused']))
  })
})

describe('a process without a log asks', () => {
  const question = { set: SET, place: 2, incarnation: 'cc', peer: '127.0.0.1:9', admin: '127.0.0.1:8' }

  test('what is known of its place: a founder’s, and with which disk it was met', async () => {
    const [a, b] = [++lastPort, ++lastPort]
    const one = end(1, a, b)
    const two = end(2, b, a)
    await Promise.all([one.server.open(), two.server.open()])
    const ask = async (place: number): Promise<string> => {
      const socket = await dialSecurely(a)
      socket.write(printQuestion({ ...question, place, ask: 'who' }))
      return textOf(socket)
    }
    const knows = (line: string) => parseKnowledge(line.trim())
    // Its log is not read yet: of who is out of the set it remembers nothing else.
    expect(await ask(2)).toBe('')
    one.server.follow({ kind: 'peers', members: [{ id: replicaId(2), peer: null }], gone: [] })
    expect(knows(await ask(2))).toEqual({ ok: true, value: { isFresh: false, isFounder: true, met: null } })
    one.open()
    await vi.waitFor(() => expect(one.states()).toEqual(['up 2.bb.1']))
    expect(knows(await ask(2))).toEqual({ ok: true, value: { isFresh: false, isFounder: true, met: 'bb' } })
    expect(knows(await ask(4))).toEqual({ ok: true, value: { isFresh: false, isFounder: false, met: null } })
  })

  test('who it is to be: the replica hears the request, and its answer goes back', async () => {
    const a = ++lastPort
    const one = end(1, a, ++lastPort)
    await one.server.open()
    const socket = await dialSecurely(a)
    socket.write(printQuestion({ ...question, ask: 'join' }))
    await vi.waitFor(() => expect(one.inputs).toHaveLength(1))
    const { ask: _, set: __, ...request } = { ...question, ask: 'join' }
    expect(one.inputs).toEqual([
      { kind: 'admin', id: -1, query: { kind: 'member', request: { kind: 'join', ...request } } },
    ])
    const body = { ok: true, place: 2, id: replicaId(1002), stage: { kind: 'joining' }, said: '' }
    one.server.reply({ kind: 'reply', id: -1, status: 202, body })
    expect(parseJoining((await textOf(socket)).trim())).toEqual({ ok: true, value: 1002 })
  })
})
