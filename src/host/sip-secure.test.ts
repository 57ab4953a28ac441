// TLS, WebSocket (RFC 7118) and secure WebSocket at the SIP address, in IPv4 and IPv6. TCP and UDP: sip-sockets.test.ts.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { must } from '../base/assert.ts'
import type { Life } from '../base/brand.ts'
import { instant, stamp } from '../base/instant.ts'
import type { InputBody } from '../replica/input.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import { printAddress } from './address.ts'
import { openCertificates } from './certificates.ts'
import type { Certificates, TlsConfig } from './certificates.ts'
import { hostLimits } from './limits.ts'
import { SparseLog } from './log.ts'
import { SipSockets } from './sip-sockets.ts'
import { makeAuthority } from './testing/certificates.ts'

const HOST = '127.40.2.1'
const LIFE = '1.aa.1' as Life
const folder = mkdtempSync(join(tmpdir(), 'holdfast-secure-'))
const authority = makeAuthority()
const stranger = makeAuthority('somebody else')

const cleanups: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const clean of cleanups.splice(0).reverse()) clean()
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function issue(name: string, ...names: string[]): TlsConfig['certificates'][number] {
  const { cert, key } = authority.issue({ names })
  return { certificate: file(`${name}.pem`, cert), key: file(`${name}.key`, key) }
}

const own = issue('own', HOST, '::1', 'sip.example.com')
const other = issue('other', 'pbx.example.org')
const ca = file('ca.pem', authority.cert)

interface Scene {
  readonly sip: SipSockets
  readonly port: number
  readonly lines: string[]
  readonly certificates: Certificates
  next<K extends InputBody['kind']>(kind: K): Promise<Extract<InputBody, { kind: K }>>
}

let lastPort = 5_060

async function scene(transport: Transport, host = HOST, change: Partial<TlsConfig> = {}): Promise<Scene> {
  const port = ++lastPort
  const inputs: InputBody[] = []
  const waiting: (() => void)[] = []
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const tls: TlsConfig = {
    certificates: [own, other],
    ca,
    minVersion: 'TLSv1.2',
    clients: 'ignore',
    names: {},
    ...change,
  }
  const opened = openCertificates({ sip: { host, port }, tls }, log)
  if (!opened.ok) throw new Error(opened.error)
  const certificates = must(opened.value, 'certificates')
  const sip = new SipSockets({
    listeners: [{ transport, host, port }],
    certificates,
    isOnlyHere: true,
    life: LIFE,
    clock: { now: () => instant(0), wall: () => stamp(0) },
    log: new SparseLog(log),
    give: (input) => {
      inputs.push(input)
      for (const wake of waiting.splice(0)) wake()
    },
  })
  cleanups.push(() => sip.close())
  await sip.open()
  return {
    sip,
    port,
    lines,
    certificates,
    async next(kind) {
      for (;;) {
        const place = inputs.findIndex((input) => input.kind === kind)
        if (place >= 0) return must(inputs.splice(place, 1)[0], 'an input') as never
        await new Promise<void>((wake) => waiting.push(wake))
      }
    },
  }
}

function send(sip: SipSockets, flow: Flow, data: string): void {
  sip.send({ kind: 'send', flow, data, notAfter: instant(300_000), origin: null })
}

async function secure(port: number, options: ConnectionOptions = {}, host = HOST): Promise<TLSSocket> {
  const socket = connect({ host, port, ca: authority.cert, ...options })
  cleanups.push(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

async function webSocket(transport: 'ws' | 'wss', port: number, host = HOST): Promise<WebSocket> {
  const socket = new WebSocket(`${transport}://${printAddress({ host, port })}/`, 'sip', { ca: authority.cert })
  cleanups.push(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

const REQUEST = 'OPTIONS sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\na\xe9b'
/** A message in a frame needs no length (RFC 7118 5). */
const BARE = 'OPTIONS sip:x SIP/2.0\r\n\r\na\xe9b'

describe('TLS', () => {
  test.each([HOST, '::1'])('%s: messages come and go, on a stream of this life', async (host) => {
    const { sip, port, next } = await scene('tls', host)
    const phone = await secure(port, {}, host)
    expect(phone.authorized).toBe(true)
    phone.write(Buffer.from(REQUEST, 'latin1'))
    const { flow, data } = await next('sip')
    expect(data).toBe(REQUEST)
    expect(flow).toEqual({ transport: 'tls', host: phone.localAddress, port: phone.localPort, stream: `${LIFE}/1` })
    send(sip, flow, REQUEST)
    const [bytes] = (await once(phone, 'data')) as [Buffer]
    expect(bytes.toString('latin1')).toBe(REQUEST)
    phone.write('\r\n\r\n')
    expect(String((await once(phone, 'data'))[0])).toBe('\r\n')
  })

  test('RFC 6066 3: each name gets its certificate', async () => {
    const { port } = await scene('tls')
    const names = async (servername: string): Promise<string> => {
      const phone = await secure(port, { servername })
      return String(phone.getPeerX509Certificate()?.subjectAltName)
    }
    expect(await names('pbx.example.org')).toContain('pbx.example.org')
    expect(await names('sip.example.com')).toContain('sip.example.com')
  })

  test('a new certificate is shown without a restart, and open connections stay', async () => {
    const { port, certificates, next } = await scene('tls')
    const serial = (phone: TLSSocket): string => must(phone.getPeerX509Certificate(), 'a certificate').serialNumber
    const before = await secure(port)
    const renewed = authority.issue({ names: [HOST, '::1', 'sip.example.com'] })
    writeFileSync(own.certificate, renewed.cert)
    writeFileSync(own.key, renewed.key)
    certificates.reload()
    const old = serial(before)
    const after = serial(await secure(port))
    expect(after).not.toBe(old)
    expect(serial(await secure(port, { servername: 'sip.example.com' }))).toBe(after)
    before.write(Buffer.from(REQUEST, 'latin1'))
    expect((await next('sip')).flow.port).toBe(before.localPort)
  })

  test('an older version than the least is refused', async () => {
    const { port, lines } = await scene('tls', HOST, { minVersion: 'TLSv1.3' })
    await expect(secure(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert|version/)
    await vi.waitFor(() => expect(lines.join()).toContain('tls-refused'))
  })

  test('a client without a good certificate is refused where one is needed', async () => {
    const { port, next } = await scene('tls', HOST, { clients: 'require' })
    const bad = await secure(port, stranger.issue({ names: ['127.0.0.1'] }))
    await once(bad, 'close')
    const good = await secure(port, authority.issue({ names: ['127.0.0.1'] }))
    good.write(Buffer.from(REQUEST, 'latin1'))
    expect((await next('sip')).flow.port).toBe(good.localPort)
  })

  test('what makes no handshake is closed in the end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { port, sip, lines } = await scene('tls')
    const mute = createConnection({ host: HOST, port })
    mute.on('error', () => undefined)
    cleanups.push(() => mute.destroy())
    const closed = once(mute, 'close')
    await once(mute, 'connect')
    await vi.waitFor(() => {
      vi.advanceTimersByTime(hostLimits.handshakeMs)
      expect(lines.join()).toContain('handshake-slow')
    })
    await closed
    expect(sip.connections).toBe(0)
  })

  /** A server of somebody else's, and what it got. */
  async function listen(pem: { cert: string; key: string }): Promise<{ flow: Flow; said: Promise<string> }> {
    const said = Promise.withResolvers<string>()
    const server = createServer(pem, (socket) => {
      cleanups.push(() => socket.destroy())
      socket.on('error', () => undefined)
      socket.once('data', (chunk) => said.resolve(chunk.toString('latin1')))
    })
    const port = ++lastPort
    server.listen({ host: HOST, port })
    await once(server, 'listening')
    cleanups.push(() => server.close())
    return { flow: { transport: 'tls', host: HOST, port, stream: '' }, said: said.promise }
  }

  test('RFC 3261 26.3.1: a server is sent to if its certificate is made out to its address, or to its name in the configuration', async () => {
    const { sip, next, lines } = await scene('tls')
    const good = await listen(authority.issue({ names: [HOST] }))
    send(sip, good.flow, REQUEST)
    expect(await good.said).toBe(REQUEST)
    for (const pem of [stranger.issue({ names: [HOST] }), authority.issue({ names: ['127.40.2.9'] })]) {
      send(sip, (await listen(pem)).flow, REQUEST)
      expect((await next('unsent')).reason).toBe('unreachable')
    }
    expect(lines.join()).toContain('tls-connect-failed')
    const named = await scene('tls', HOST, { names: { [HOST]: 'proxy.example.net' } })
    const behind = await listen(authority.issue({ names: ['proxy.example.net'] }))
    send(named.sip, behind.flow, REQUEST)
    expect(await behind.said).toBe(REQUEST)
  })

  test('RFC 5923: requests go back on a client’s connection only if it asked and its certificate proves who it is', async () => {
    const { sip, port, next } = await scene('tls', HOST, { clients: 'ask' })
    const HEADERS =
      'From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'
    const say = async (sentBy: string, names: readonly string[] | null): Promise<Flow> => {
      const phone = await secure(port, names === null ? {} : authority.issue({ names }))
      phone.write(
        `OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TLS ${sentBy};branch=z9hG4bK-1;alias\r\nMax-Forwards: 70\r\n${HEADERS}`,
      )
      const { flow } = await next('sip')
      phone.on('data', (chunk) => heard.push(`${sentBy}: ${String(chunk).slice(0, 4)}`))
      return flow
    }
    const heard: string[] = []
    const proven = await say('127.0.0.1:7001', ['127.0.0.1'])
    await say('127.0.0.1:7002', null)
    await say('127.0.0.1:7003', ['127.0.0.7'])
    for (const at of [7_001, 7_002, 7_003]) send(sip, { ...proven, port: at, stream: '' }, `INFO ${at}`)
    const unsent = [await next('unsent'), await next('unsent')]
    expect(unsent.map(({ send: { flow } }) => flow.port).sort()).toEqual([7_002, 7_003])
    await vi.waitFor(() => expect(heard).toEqual(['127.0.0.1:7001: INFO']))
  })
})

describe.each(['ws', 'wss'] as const)('RFC 7118, %s', (transport) => {
  test.each([HOST, '::1'])('%s: each frame is a message, text or not, with a length or without', async (host) => {
    const { sip, port, next } = await scene(transport, host)
    const phone = await webSocket(transport, port, host)
    const frames: [Buffer, boolean][] = []
    phone.on('message', (data: Buffer, isBinary: boolean) => frames.push([data, isBinary]))
    phone.send(Buffer.from(BARE, 'latin1'), { binary: true }, () => undefined)
    const { flow, data } = await next('sip')
    expect(data).toBe(BARE)
    expect(flow).toMatchObject({ transport, stream: `${LIFE}/1` })
    phone.send('INFO sip:\u00e9 SIP/2.0\r\n\r\n', () => undefined)
    expect((await next('sip')).data).toBe('INFO sip:\xc3\xa9 SIP/2.0\r\n\r\n')
    send(sip, flow, BARE)
    send(sip, flow, 'SIP/2.0 200 OK\r\n\r\n')
    await vi.waitFor(() => expect(frames.length).toBe(2))
    // What is no UTF-8 can't be text.
    expect(frames.map(([bytes, isBinary]) => [bytes.toString('latin1'), isBinary])).toEqual([
      [BARE, true],
      ['SIP/2.0 200 OK\r\n\r\n', false],
    ])
    phone.terminate()
    expect((await next('stream-closed')).stream).toBe(flow.stream)
  })
})

describe('RFC 7118', () => {
  test('4.1: without the subprotocol there is no connection, and no page either', async () => {
    const { port, sip } = await scene('ws')
    const status = async (headers: Record<string, string>): Promise<number | undefined> => {
      const asked = request({ host: HOST, port, headers })
      asked.end()
      const [response] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }]
      response.resume()
      return response.statusCode
    }
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
    const key = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }
    expect(await status({ ...upgrade, ...key })).toBe(400)
    expect(await status({ ...upgrade, ...key, 'Sec-WebSocket-Protocol': 'chat' })).toBe(400)
    expect(await status({})).toBe(426)
    expect(sip.connections).toBe(0)
  })

  test('a ping of CRLFs is answered as on TCP; other noise closes', async () => {
    const { port, next, lines } = await scene('ws')
    const phone = await webSocket('ws', port)
    phone.send('\r\n\r\n', () => undefined)
    expect(String((await once(phone, 'message'))[0])).toBe('\r\n')
    phone.send('\r\n\r\nnoise', () => undefined)
    await next('stream-closed')
    expect(lines.join()).toContain('stream-broken')
  })

  test('a drain closes a quiet one, and what its phone had said before it noticed is still given', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { sip, port, next } = await scene('ws')
    const phone = await webSocket('ws', port)
    await vi.waitFor(() => expect(sip.connections).toBe(1))
    const closed = once(phone, 'close')
    const drained = sip.drain()
    vi.advanceTimersByTime(hostLimits.drainQuietMs * 1.1)
    phone.send(BARE, () => undefined)
    const { flow } = await next('sip')
    send(sip, flow, BARE)
    expect((await next('unsent')).reason).toBe('no-stream')
    expect((await closed)[0]).toBe(1_001)
    await drained
  })

  test('the set connects as a client, and asks for the subprotocol', async () => {
    const server = await scene('wss')
    const client = await scene('wss')
    send(client.sip, { transport: 'wss', host: HOST, port: server.port, stream: '' }, BARE)
    const { flow, data } = await server.next('sip')
    expect(data).toBe(BARE)
    send(server.sip, flow, 'SIP/2.0 200 OK\r\n\r\n')
    expect((await client.next('sip')).data).toContain('200 OK')
  })
})
