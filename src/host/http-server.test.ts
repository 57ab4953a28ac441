// The HTTP address of a replica, with a replica that answers as it is told to.

import { afterEach, expect, test } from 'vitest'
import { request as askBy } from 'node:http'
import type { ApplicationInfo } from '../app/contract.ts'
import type { HttpAnswer } from '../replica/effect.ts'
import type { HttpInput, InputBody } from '../replica/input.ts'
import { PLAIN_HTTP } from './http-config.ts'
import type { HttpConfig } from './http-config.ts'
import { HttpServer } from './http-server.ts'

const HOST = '127.91.0.1'
const opened: HttpServer[] = []

afterEach(() => {
  for (const server of opened.splice(0)) server.close()
})

const applications: readonly ApplicationInfo[] = [
  { name: 'calls', version: '2', handlers: ['doInvite', 'doHttp'] },
  { name: 'calls', version: '1', handlers: ['doHttp'] },
  { name: 'dial', version: '1', handlers: ['doHttp'] },
  { name: 'screening', version: '1', handlers: ['doInvite'] },
]

async function open(
  port: number,
  answer: (input: HttpInput) => HttpAnswer | null,
  config: Partial<HttpConfig> = {},
): Promise<{ readonly at: string; readonly given: InputBody[]; readonly server: HttpServer }> {
  const given: InputBody[] = []
  const server = new HttpServer({ host: HOST, port }, { ...PLAIN_HTTP, ...config }, null, {
    applications: () => applications,
    give(input) {
      given.push(input)
      const said = input.kind === 'http' ? answer(input) : null
      if (said !== null) queueMicrotask(() => server.reply({ kind: 'http', id: (input as HttpInput).id, answer: said }))
    },
  })
  await server.open()
  opened.push(server)
  return { at: `http://${HOST}:${port}`, given, server }
}

function saying(text: string, cookie: Extract<HttpAnswer, { kind: 'response' }>['cookie'] = null): HttpAnswer {
  const response = {
    status: 200,
    headers: [['content-type', 'text/plain']] as const,
    body: new TextEncoder().encode(text),
  }
  return { kind: 'response', response, cookie }
}

test('a request goes to the application of its path, whole, with what names its session [JSR 27]', async () => {
  const { at, given } = await open(9101, () => saying('hello'))
  const headers = { cookie: 'theme=dark; holdfast-calls=abc.1', 'x-mine': 'yes' }
  const response = await fetch(`${at}/calls/end?hfsession=sid&x=1`, { method: 'POST', headers, body: 'a body' })
  expect([response.status, await response.text()]).toEqual([200, 'hello'])
  expect(given).toHaveLength(1)
  const [input] = given as [HttpInput]
  expect(input).toMatchObject({ application: 'calls', prefix: '/calls', cookie: 'abc.1', session: 'sid' })
  expect(input.request).toMatchObject({ method: 'POST', url: `${at}/calls/end?hfsession=sid&x=1` })
  expect(new TextDecoder().decode(input.request.body)).toBe('a body')
  expect(new Map(input.request.headers).get('x-mine')).toBe('yes')
})

test('the cookie is for the application alone, is seen by no script, and nothing is cached [JSR 27]', async () => {
  const { at } = await open(9102, ({ application }) =>
    saying('', application === 'calls' ? { kind: 'set', value: 'v1' } : { kind: 'clear' }),
  )
  const set = await fetch(`${at}/calls`)
  expect(set.headers.get('set-cookie')).toBe('holdfast-calls=v1; Path=/calls/; HttpOnly; SameSite=Lax')
  expect(set.headers.get('cache-control')).toBe('no-store')
  const cleared = await fetch(`${at}/dial/`)
  expect(cleared.headers.get('set-cookie')).toContain('holdfast-dial=; Max-Age=0; Path=/dial/')
})

test('paths may be mapped, and behind a proxy URLs and cookies are what browsers see', async () => {
  const config = { paths: { '/': 'dial', '/a/b': 'calls' }, origin: 'https://calls.example.com' }
  const { at, given } = await open(9103, () => saying('', { kind: 'set', value: 'v' }), config)
  const response = await fetch(`${at}/a/b/c`)
  expect(response.headers.get('set-cookie')).toBe('holdfast-calls=v; Path=/a/b/; HttpOnly; Secure; SameSite=Lax')
  await fetch(`${at}/other`)
  expect(
    given.map((input) => (input.kind === 'http' ? [input.prefix, input.application, input.request.url] : [])),
  ).toEqual([
    ['/a/b', 'calls', 'https://calls.example.com/a/b/c'],
    ['', 'dial', 'https://calls.example.com/other'],
  ])
})

test('what nobody serves, a name that is not this machine, and too large a body are refused with the reason', async () => {
  const { at, given } = await open(9104, () => saying(''))
  const nothing = await fetch(`${at}/screening/`)
  expect([nothing.status, await nothing.text()]).toEqual([
    404,
    'nothing is at /screening/; applications are at /calls/, /dial/\n',
  ])
  const status = await new Promise((resolve, reject) => {
    const headers = { Host: 'evil.example.com' }
    const asked = askBy({ host: HOST, port: 9104, path: '/calls/', headers }, (got) => {
      got.resume()
      resolve(got.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
  expect(status).toBe(421)
  const large = await fetch(`${at}/calls/`, { method: 'POST', body: new Uint8Array(1_048_577) })
  expect(large.status).toBe(413)
  expect(given).toEqual([])
})

test('a body is read whether its length was said or not; without one, a POST has an empty body', async () => {
  const { at, given } = await open(9109, () => saying(''))
  const post = async (pieces: readonly string[], headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = askBy(`${at}/dial/`, { method: 'POST', headers }, (got) => {
        got.resume()
        resolve(got.statusCode)
      })
      asked.on('error', reject)
      // Else Node.js says a length of its own, or that there are chunks.
      if (Object.keys(headers).length === 0) asked.useChunkedEncodingByDefault = false
      for (const piece of pieces) asked.write(piece)
      asked.end()
    })
  expect(await post([], {})).toBe(200)
  expect(await post(['one', 'two'], { 'Transfer-Encoding': 'chunked' })).toBe(200)
  expect(await post(['three'], { 'Content-Length': '5' })).toBe(200)
  expect(await post(['x'.repeat(700_000), 'x'.repeat(700_000)], { 'Transfer-Encoding': 'chunked' })).toBe(413)
  expect(given.map((input) => (input.kind === 'http' ? new TextDecoder().decode(input.request.body) : ''))).toEqual([
    '',
    'onetwo',
    'three',
  ])
})

test('on loopback a web page elsewhere can post nothing; its own pages can, and who is no page', async () => {
  const { at, given } = await open(9107, () => saying(''))
  const post = async (origin: string | null, method = 'POST'): Promise<number> => {
    const headers: Record<string, string> = origin === null ? {} : { origin }
    return (await fetch(`${at}/dial/`, { method, headers })).status
  }
  expect([await post('https://evil.example.com'), await post('null'), await post(`http://${HOST}:9999`)]).toEqual([
    403, 403, 403,
  ])
  expect(given).toEqual([])
  expect([await post(at), await post(null), await post('https://evil.example.com', 'GET')]).toEqual([200, 200, 200])
  const decides = await open(9108, () => saying(''), { origin: 'https://calls.example.com' })
  const headers = { origin: 'https://other.example.com' }
  expect((await fetch(`${decides.at}/dial/`, { method: 'POST', headers })).status).toBe(200)
})

test('bodies that wait take so much memory and no more; who has none is served', async () => {
  const { at } = await open(9106, () => saying('done'))
  // They say how long they are, and never come.
  const headers = { 'Content-Length': 1_048_576 }
  const slow = Array.from({ length: 64 }, () => {
    const asked = askBy({ host: HOST, port: 9106, path: '/calls/', method: 'POST', headers })
    asked.on('error', () => undefined).flushHeaders()
    return asked
  })
  const post = (): Promise<Response> => fetch(`${at}/calls/`, { method: 'POST', body: 'x' })
  await expect.poll(async () => (await post()).status, { timeout: 10_000 }).toBe(503)
  expect((await post()).headers.get('retry-after')).toBe('1')
  expect(await (await fetch(`${at}/calls/`)).text()).toBe('done')
  for (const asked of slow) asked.destroy()
  await expect.poll(async () => (await post()).status, { timeout: 10_000 }).toBe(200)
})

test('who is told to ask again is told when', async () => {
  const { at } = await open(9105, () => ({ kind: 'failed', status: 503, reason: 'no quorum', again: 1 }))
  const response = await fetch(`${at}/calls/`)
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
    503,
    '1',
    'no quorum\n',
  ])
})
