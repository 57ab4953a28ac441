import { createSocket } from 'node:dgram'
import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { must } from '../base/assert.ts'
import type { Life } from '../base/brand.ts'
import { instant, stamp } from '../base/instant.ts'
import type { Send } from '../replica/effect.ts'
import type { InputBody, SipInput, UnsentInput } from '../replica/input.ts'
import type { Flow } from '../wire/entry.ts'
import { hostLimits } from './limits.ts'
import { SparseLog } from './log.ts'
import { SipSockets } from './sip-sockets.ts'

const HOST = '127.40.1.1'
const LIFE = '1.aa.1' as Life
const MESSAGE = 'OPTIONS sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\na\xe9b'

const cleanups: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const clean of cleanups.splice(0).reverse()) clean()
})

interface Scene {
  readonly sip: SipSockets
  readonly lines: string[]
  /** The next input of that kind, also one that has come already; each is given once. */
  next<K extends InputBody['kind']>(kind: K): Promise<Extract<InputBody, { kind: K }>>
  /** All inputs of that kind that nobody asked for by `next`. */
  all<K extends InputBody['kind']>(kind: K): readonly Extract<InputBody, { kind: K }>[]
  setTime(us: number): void
}

/** A request's and a response's header fields, but for CSeq. */
const FIELDS = 'From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nMax-Forwards: 70\r\n'
const HEAD = `sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.40.1.9;branch=z9hG4bK-1\r\n${FIELDS}`
const ANSWER = HEAD.slice(HEAD.indexOf('Via'))

let lastPort = 5_060

async function scene(host = HOST): Promise<Scene & { readonly port: number }> {
  const made = unopened(host)
  await made.sip.open()
  return made
}

function unopened(host = HOST): Scene & { readonly port: number } {
  const port = ++lastPort
  const inputs: InputBody[] = []
  const waiting: (() => void)[] = []
  const lines: string[] = []
  let now = 0
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const sip = new SipSockets({
    listeners: [
      { transport: 'udp', host, port },
      { transport: 'tcp', host, port },
    ],
    certificates: null,
    isOnlyHere: true,
    life: LIFE,
    clock: { now: () => instant(now), wall: () => stamp(0) },
    log: new SparseLog(log),
    give: (input) => {
      inputs.push(input)
      for (const wake of waiting.splice(0)) wake()
    },
  })
  cleanups.push(() => sip.close())
  async function next<K extends InputBody['kind']>(kind: K): Promise<Extract<InputBody, { kind: K }>> {
    for (;;) {
      const place = inputs.findIndex((input) => input.kind === kind)
      if (place >= 0) return must(inputs.splice(place, 1)[0], 'an input') as Extract<InputBody, { kind: K }>
      await new Promise<void>((wake) => waiting.push(wake))
    }
  }
  function all<K extends InputBody['kind']>(kind: K): readonly Extract<InputBody, { kind: K }>[] {
    return inputs.filter((input): input is Extract<InputBody, { kind: K }> => input.kind === kind)
  }
  return { sip, port, lines, next, all, setTime: (us) => void (now = us) }
}

function send(flow: Partial<Flow>, data = MESSAGE): Send {
  const full: Flow = { transport: 'udp', host: HOST, port: 5_060, stream: '', ...flow }
  return { kind: 'send', flow: full, data, notAfter: instant(300_000), origin: null }
}

/** A phone that goes on sending when the set has ended its side. */
function connectHalfOpen(port: number): Promise<Socket> {
  return connect(port, true)
}

async function connect(port: number, allowHalfOpen = false): Promise<Socket> {
  const socket = createConnection({ host: HOST, port, allowHalfOpen })
  socket.on('error', () => undefined)
  cleanups.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function listen(onSocket: (socket: Socket) => void = () => undefined): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    cleanups.push(() => socket.destroy())
    onSocket(socket)
  })
  const port = ++lastPort
  server.listen({ host: HOST, port })
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return { server, port }
}

test('a connection that brings more than a round takes is heard in order, and goes on', async () => {
  const { port, next } = await scene()
  const socket = await connect(port)
  const message = (i: number): string => `OPTIONS sip:${i} SIP/2.0\r\nContent-Length: 0\r\n\r\n`
  const count = 5 * hostLimits.fullRound
  const heard = async (from: number): Promise<void> => {
    for (let i = from; i < from + count; i++) expect((await next('sip')).data).toBe(message(i))
  }
  for (const from of [0, count]) {
    socket.write(Array.from({ length: count }, (_, i) => message(from + i)).join(''))
    await heard(from)
  }
})

test.each([
  ['udp4', HOST],
  ['udp6', '::1'],
] as const)('%s: a datagram comes in byte by byte, and one leaves from the shared address', async (type, host) => {
  const { sip, port, next } = await scene(host)
  const phone = createSocket(type)
  cleanups.push(() => phone.close())
  phone.bind(0, host)
  await once(phone, 'listening')
  phone.send('\r\n', port, host)
  phone.send(Buffer.from(MESSAGE, 'latin1'), port, host)
  const { flow, data } = await next('sip')
  expect(flow).toEqual({ transport: 'udp', host, port: phone.address().port, stream: '' })
  expect(data).toBe(MESSAGE)
  sip.send(send({ host, port: phone.address().port }))
  const [bytes, from] = (await once(phone, 'message')) as [Buffer, { address: string; port: number }]
  expect(bytes.toString('latin1')).toBe(MESSAGE)
  expect(from).toMatchObject({ address: host, port })
})

test('tcp over IPv6: a stream comes in, is answered by its name, and one is made to a phone', async () => {
  const { sip, port, next } = await scene('::1')
  const phone = createConnection({ host: '::1', port })
  cleanups.push(() => phone.destroy())
  phone.write(MESSAGE, 'latin1')
  const { flow, data } = await next('sip')
  expect(flow).toMatchObject({ transport: 'tcp', host: '::1', port: phone.localPort })
  expect(flow.stream).not.toBe('')
  expect(data).toBe(MESSAGE)
  sip.send(send(flow))
  expect(Buffer.from((await once(phone, 'data'))[0]).toString('latin1')).toBe(MESSAGE)
  const server = createServer()
  cleanups.push(() => server.close())
  server.listen(0, '::1')
  await once(server, 'listening')
  const at = server.address()
  sip.send(send({ transport: 'tcp', host: '::1', port: typeof at === 'object' && at !== null ? at.port : 0 }))
  const [made] = (await once(server, 'connection')) as [Socket]
  cleanups.push(() => made.destroy())
  expect(made.remoteAddress).toBe('::1')
  expect(Buffer.from((await once(made, 'data'))[0]).toString('latin1')).toBe(MESSAGE)
})

test('two replicas have one address', async () => {
  const first = await scene()
  lastPort--
  const second = await scene()
  expect(second.port).toBe(first.port)
})

test.each([
  ['a name', { host: 'phone.example.com' }],
  ['the other IP version', { host: '::1' }],
  ['port 0', { port: 0 }],
  ['a name, TCP', { host: 'phone.example.com', transport: 'tcp' as const }],
  ['nobody listens, TCP', { host: '127.40.1.2', port: 9, transport: 'tcp' as const }],
])('a send that cannot be made returns as unreachable: %s', async (_what, flow) => {
  const { sip, next } = await scene()
  const wish = send(flow)
  sip.send(wish)
  expect(await next('unsent')).toEqual({ kind: 'unsent', send: wish, reason: 'unreachable' })
})

test('a datagram to a closed port comes back as nothing, and the socket goes on', async () => {
  const { sip, port, next } = await scene()
  sip.send(send({ host: '127.40.1.3', port: 9 }))
  const phone = createSocket('udp4')
  cleanups.push(() => phone.close())
  phone.send(MESSAGE, port, HOST)
  expect((await next('sip')).flow.transport).toBe('udp')
})

test('past its not-after nothing is sent, on any transport (design.md 1)', async () => {
  const { sip, next, setTime } = await scene()
  setTime(300_001)
  sip.send(send({}))
  expect((await next('unsent')).reason).toBe('late')
  sip.send(send({ transport: 'tcp' }))
  expect((await next('unsent')).reason).toBe('late')
})

test('a stream has a name of this life, and is answered by that name; a gone one is no stream', async () => {
  const { sip, port, next } = await scene()
  const phone = await connect(port)
  phone.write(Buffer.from(MESSAGE + MESSAGE.slice(0, 20), 'latin1'))
  const { flow, data } = await next('sip')
  expect(data).toBe(MESSAGE)
  expect(flow).toEqual({ transport: 'tcp', host: phone.localAddress, port: phone.localPort, stream: `${LIFE}/1` })
  phone.write(Buffer.from(MESSAGE.slice(20), 'latin1'))
  expect((await next('sip')).data).toBe(MESSAGE)

  sip.send(send({ ...flow }))
  const [bytes] = (await once(phone, 'data')) as [Buffer]
  expect(bytes.toString('latin1')).toBe(MESSAGE)

  phone.destroy()
  expect(await next('stream-closed')).toEqual({ kind: 'stream-closed', stream: flow.stream })
  sip.send(send({ ...flow }))
  expect((await next('unsent')).reason).toBe('no-stream')
})

test('RFC 5626 4.4.1: a double CRLF is answered by one', async () => {
  const { port } = await scene()
  const phone = await connect(port)
  phone.write('\r\n\r\n')
  const [bytes] = (await once(phone, 'data')) as [Buffer]
  expect(bytes.toString()).toBe('\r\n')
})

test('a double CRLF in a datagram is answered by one, a single one is a keep-alive that asks nothing', async () => {
  const { port } = await scene()
  const phone = createSocket('udp4')
  const answers: string[] = []
  const answered = once(phone, 'message')
  phone.on('message', (bytes) => answers.push(bytes.toString()))
  phone.send('\r\n', port, HOST)
  phone.send('\r\n\r\n', port, HOST)
  await answered
  phone.close()
  expect(answers).toEqual(['\r\n'])
})

test('one connection is made to a host and port, and what is sent meanwhile leaves in order', async () => {
  const { sip, next } = await scene()
  const received = Promise.withResolvers<string>()
  let connections = 0
  const { port } = await listen((socket) => {
    connections++
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (text.endsWith('3')) received.resolve(text)
    })
    socket.write(Buffer.from(MESSAGE, 'latin1'))
  })
  for (const data of ['1', '2', '3']) sip.send(send({ transport: 'tcp', port }, data))
  expect(await received.promise).toBe('123')
  expect(connections).toBe(1)
  expect((await next('sip')).flow).toMatchObject({ host: HOST, port, stream: `${LIFE}/1` })
})

test('18.2.2: a connection that it makes comes from where it listens, for an answer on another one goes there', async () => {
  const { sip } = await scene()
  const from = Promise.withResolvers<string | undefined>()
  const { port } = await listen(({ remoteAddress }) => from.resolve(remoteAddress))
  sip.send(send({ transport: 'tcp', port }))
  expect(await from.promise).toBe(HOST)
})

test('a send that waited for its connection past its not-after returns as late', async () => {
  const { sip, next, setTime } = await scene()
  const { port } = await listen()
  sip.send(send({ transport: 'tcp', port }))
  setTime(300_001)
  expect((await next('unsent')).reason).toBe('late')
})

test('a stream without boundaries is closed', async () => {
  const { port, next, lines } = await scene()
  const phone = await connect(port)
  phone.write('OPTIONS sip:x SIP/2.0\r\n\r\n')
  await next('stream-closed')
  expect(lines.join()).toContain('stream-broken')
})

test('half a message that never ends is closed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const { sip, port, next, lines } = await scene()
  const phone = await connect(port)
  phone.write('OPTIONS sip:x SIP/2.0\r\n')
  await vi.waitFor(() => expect(sip.connections).toBe(1))
  await vi.waitFor(() => {
    vi.advanceTimersByTime(hostLimits.halfMessageMs + hostLimits.sweepMs)
    expect(lines.join()).toContain('half-message')
  })
  await next('stream-closed')
})

test('a connection that says nothing is closed in the end; one that has spoken is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const { sip, port, next } = await scene()
  const silent = await connect(port)
  const talker = await connect(port)
  talker.write(Buffer.from(MESSAGE, 'latin1'))
  await next('sip')
  await vi.waitFor(() => expect(sip.connections).toBe(2))
  const closed = new Promise((resolve) => silent.once('close', resolve))
  vi.advanceTimersByTime(hostLimits.silentMs + hostLimits.sweepMs)
  await closed
  await next('stream-closed')
  expect(sip.connections).toBe(1)
})

describe('what is to leave before the address is bound', () => {
  test('waits for that: a replica that becomes fresh opens it and sends in one step', async () => {
    const { sip, all } = unopened()
    const [port, came] = await hear()
    const opened = sip.open()
    sip.send(send({ port }))
    await opened
    expect(await came).toBe(MESSAGE)
    expect(all('unsent')).toEqual([])
  })

  test('comes back if it is too late by then', async () => {
    const { sip, next, setTime } = unopened()
    const [port] = await hear()
    sip.send(send({ port }))
    setTime(300_001)
    await sip.open()
    expect((await next('unsent')).reason).toBe('late')
  })
})

/** A port where a datagram is waited for, and its text. */
async function hear(): Promise<readonly [number, Promise<string>]> {
  const socket = createSocket('udp4')
  cleanups.push(() => socket.close())
  const port = ++lastPort
  socket.bind(port, HOST)
  await once(socket, 'listening')
  return [port, once(socket, 'message').then(([bytes]) => (bytes as Buffer).toString('latin1'))]
}

test('a peer that never reads is reset once its share of memory is used', async () => {
  const { sip, next, lines } = await scene()
  const { port } = await listen((socket) => void socket.pause())
  const large = 'x'.repeat(hostLimits.streamQueueBytes)
  let refused: UnsentInput | null = null
  void next('unsent').then((input) => (refused = input))
  await vi.waitFor(() => {
    sip.send(send({ transport: 'tcp', port }, large))
    expect(refused).not.toBe(null)
  })
  expect(lines.join()).toContain('slow-peer')
  expect((refused as UnsentInput | null)?.reason).toBe('no-stream')
})

test('many silent connections do not keep a speaking one out', async () => {
  const { sip, port, next } = await scene()
  const many = await Promise.all(Array.from({ length: 300 }, () => connect(port)))
  await vi.waitFor(() => expect(sip.connections).toBe(300))
  const phone = await connect(port)
  phone.write(Buffer.from(MESSAGE, 'latin1'))
  const input: SipInput = await next('sip')
  expect(input.flow.port).toBe(phone.localPort)
  for (const socket of many) socket.destroy()
})

describe('drain', () => {
  /** Time passes, and the next look at the connections is taken. */
  const pass = (ms: number): void => void vi.advanceTimersByTime(ms + hostLimits.drainQuietMs / 10)

  test('what lies in the datagram socket is given, what comes after goes to the other replica, and nothing is lost', async () => {
    const first = await scene()
    lastPort--
    const second = await scene()
    const phones = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const phone = createSocket('udp4')
        cleanups.push(() => phone.close())
        phone.connect(first.port, HOST)
        await once(phone, 'connect')
        return phone
      }),
    )
    const say = (text: string): void => {
      // The system call is made before `send` returns: when all have said it, all of it lies in sockets.
      for (const [i, phone] of phones.entries()) phone.send(`${text} ${i} and more`)
    }
    say('before')
    const drained = first.sip.drain()
    await drained
    say('after')
    await vi.waitFor(() => expect(first.all('sip').length + second.all('sip').length).toBe(80))
    expect(first.all('sip').length).toBeGreaterThan(0)
    expect(first.all('sip').every(({ data }) => data.startsWith('before'))).toBe(true)
    expect(new Set([...first.all('sip'), ...second.all('sip')].map(({ data }) => data)).size).toBe(80)
    first.sip.send(send({ port: first.port }))
    expect((await first.next('unsent')).reason).toBe('unreachable')
  })

  test('a quiet connection is ended, and what its phone says before it notices is still given', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { sip, port, next } = await scene()
    const phone = await connectHalfOpen(port)
    await vi.waitFor(() => expect(sip.connections).toBe(1))
    const ended = once(phone, 'end')
    phone.resume()
    const drained = sip.drain()
    pass(hostLimits.drainQuietMs)
    await ended
    phone.end(Buffer.from(MESSAGE, 'latin1'))
    const { flow, data } = await next('sip')
    expect(data).toBe(MESSAGE)
    sip.send(send({ ...flow }))
    expect((await next('unsent')).reason).toBe('no-stream')
    await drained
    expect(sip.connections).toBe(0)
  })

  test('after a pause of the process what came meanwhile is given before the connection is closed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { sip, port, next } = await scene()
    const phone = await connectHalfOpen(port)
    await vi.waitFor(() => expect(sip.connections).toBe(1))
    const ended = once(phone, 'end')
    phone.resume()
    const drained = sip.drain()
    pass(hostLimits.drainQuietMs)
    await ended
    // As after a pause: the bytes are in the kernel, and the loop comes to its timers first, among which this one.
    await new Promise((resolve) => setTimeout(resolve, 0))
    phone.write(Buffer.from(MESSAGE, 'latin1'))
    pass(hostLimits.drainCloseMs)
    expect((await next('sip')).data).toBe(MESSAGE)
    await drained
    expect(sip.connections).toBe(0)
  })

  test('a connection on which a phone rings is kept for its answer, with what comes and goes meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { sip, port, next } = await scene()
    const phone = await connect(port)
    phone.write(`INVITE ${HEAD}CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`)
    const { flow } = await next('sip')
    const drained = sip.drain()
    const answer = async (text: string): Promise<void> => {
      pass(hostLimits.drainQuietMs)
      sip.send(send({ ...flow }, `SIP/2.0 ${text}\r\nContent-Length: 0\r\n\r\n`))
      const [bytes] = (await once(phone, 'data')) as [Buffer]
      expect(bytes.toString()).toContain(text.slice(0, 3))
    }
    await answer(`180 Ringing\r\n${ANSWER}CSeq: 1 INVITE`)
    await answer(`200 OK\r\n${ANSWER}CSeq: 2 PRACK`)
    await answer(`200 OK\r\n${ANSWER}CSeq: 1 INVITE`)
    pass(hostLimits.drainQuietMs)
    await drained
  })

  test('drainStreamsMs: ... and no longer than this', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { sip, port, next } = await scene()
    const phone = await connectHalfOpen(port)
    phone.write(`INVITE ${HEAD}CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`)
    await next('sip')
    const drained = sip.drain()
    const ended = once(phone, 'end')
    phone.resume()
    pass(hostLimits.drainStreamsMs)
    await ended
    // Its far end never closes.
    pass(hostLimits.drainCloseMs)
    await drained
    expect(sip.connections).toBe(0)
  })

  test('new connections go to the other replica', async () => {
    const first = await scene()
    lastPort--
    const second = await scene()
    await first.sip.drain()
    const phones = await Promise.all(Array.from({ length: 20 }, () => connect(first.port)))
    await vi.waitFor(() => expect(second.sip.connections).toBe(phones.length))
  })

  test('what was never opened is drained at once', async () => {
    const { sip } = unopened()
    await sip.drain()
    expect(sip.connections).toBe(0)
  })
})
