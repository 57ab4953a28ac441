import { createConnection } from 'node:net'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import type { AdminInput, InputBody } from '../replica/input.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { AdminServer } from './admin-server.ts'
import type { AdminPorts } from './admin-server.ts'
import { hostLimits } from './limits.ts'

const HOST = '127.40.4.1'
let lastPort = 8_060
const cleanups: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const clean of cleanups.splice(0).reverse()) clean()
})

const metrics = { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('process_up 1\n') }

/** A server whose replica answers as `answer` says; undefined = not at all. */
async function scene(
  answer: (query: AdminInput['query']) => { status: number; body: unknown; next?: number } | undefined,
  applications: AdminPorts['applications'] = { status: () => [], reload: () => Promise.resolve(err('none')) },
  token?: string,
) {
  const port = ++lastPort
  const asked: AdminInput['query'][] = []
  const drained: string[] = []
  const give = (input: InputBody): void => {
    if (input.kind !== 'admin') return
    asked.push(input.query)
    const reply = answer(input.query)
    if (reply !== undefined) server.reply({ kind: 'reply', id: input.id, ...reply })
  }
  const drain = (): void => void drained.push('drain')
  const live = { serve: () => undefined, close: () => undefined }
  const trace = { ask: (callId: string) => Promise.resolve({ status: 200, body: { callId } }) }
  const rereads = [ok(['nextHop']), err('nothing was changed: the file is wrong')]
  const reload = (): Result<readonly string[], string> => rereads.shift() ?? ok([])
  const ports = { give, drain, reload, applications, live, trace, set: 'a-set', token, cut: () => undefined }
  const server = new AdminServer({ host: HOST, port }, metrics, ports)
  await server.open()
  cleanups.push(() => server.close())
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string; link?: string }>((resolve, reject) => {
      const sent = request({ host: HOST, port, path, method, headers, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        const { link } = response.headers
        const more = typeof link === 'string' ? { link } : {}
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, ...more }))
      })
      sent.on('error', reject)
      sent.end()
    })
  return { port, asked, drained, ask }
}

/** A replica that looks at one group of `calls` at a time. */
function paging(calls: readonly (readonly number[])[]) {
  return (query: AdminInput['query']) => {
    const from = 'from' in query ? (query.from ?? 0) : 0
    const next = from + 1 < calls.length ? { next: from + 1 } : {}
    if (query.kind === 'call') return { status: from === 2 ? 200 : 404, body: { from }, ...(from === 2 ? {} : next) }
    return { status: 200, body: calls[from] ?? [], ...next }
  }
}

test.each([
  [[[], [1, 2], [], [3]], '[1,2,3]\n'],
  [[[], [], []], '[]\n'],
  [[[7], []], '[7]\n'],
])('all calls are one array, though the replica looks at some at a time: %j', async (calls, text) => {
  const { ask, asked } = await scene(paging(calls))
  expect(await ask('/calls')).toEqual({ status: 200, text })
  expect(asked.map((query) => ('local' in query ? query.local : false))).toEqual([
    false,
    ...calls.slice(1).map(() => true),
  ])
})

test('or page by page: a Link tells where the next one begins', async () => {
  const { ask } = await scene(paging([[1], [2], [3]]))
  expect(await ask('/calls?from=0')).toEqual({ status: 200, text: '[1]\n', link: '</calls?from=1>; rel="next"' })
  expect(await ask('/calls?from=2')).toEqual({ status: 200, text: '[3]\n' })
})

test('one call is looked for in as many looks as it takes', async () => {
  const { ask, asked } = await scene(paging([[], [], [], []]))
  expect(await ask('/calls/a')).toEqual({ status: 200, text: '{"from":2}\n' })
  expect(asked).toHaveLength(3)
})

test('each path is one query, and the answer is JSON with its status', async () => {
  const { ask, asked } = await scene((query) => ({
    status: query.kind === 'health' ? 503 : 200,
    body: { was: query.kind },
  }))
  expect(await ask('/health')).toEqual({ status: 503, text: '{"was":"health"}\n' })
  expect(await ask('/status?x=1')).toEqual({ status: 200, text: '{"was":"status"}\n' })
  await ask('/calls')
  await ask('/calls/a%2Fb%40c')
  await ask('/calls?local=1')
  await ask('/calls/a?x&local=1')
  expect(asked).toEqual([
    { kind: 'health' },
    { kind: 'status' },
    { kind: 'calls' },
    { kind: 'call', callId: 'a/b@c' },
    { kind: 'calls', local: true },
    { kind: 'call', callId: 'a', local: true },
  ])
})

test('metrics are text: the replica’s own under our prefix, then the process’s', async () => {
  const own = { name: 'calls-early', help: 'a\nb', type: 'gauge', value: 2 }
  const { ask } = await scene(() => ({ status: 200, body: [own] }))
  const { text } = await ask('/metrics')
  expect(text).toBe(
    '# HELP holdfast_calls_early a\\nb\n# TYPE holdfast_calls_early gauge\nholdfast_calls_early 2\nprocess_up 1\n',
  )
})

test.each([
  ['/none', 'GET', 404],
  ['/calls/%zz', 'GET', 404],
  ['/calls/a/b', 'GET', 404],
  ['/status', 'POST', 405],
])('%s %s: %i, and the replica is not asked', async (path, method, status) => {
  const { ask, asked } = await scene(() => undefined)
  expect((await ask(path, method)).status).toBe(status)
  expect(asked).toEqual([])
})

test('a replica that does not answer is waited for a bounded time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { ask, asked } = await scene(() => undefined)
  const answer = ask('/status')
  await vi.waitFor(() => expect(asked.length).toBe(1))
  vi.advanceTimersByTime(hostLimits.adminMs)
  expect(await answer).toMatchObject({ status: 503, text: expect.stringContaining('did not answer within 2 s') })
})

test('what waits for the replica is bounded, and forgotten when its asker leaves', async () => {
  const { ask, port, asked } = await scene(() => undefined)
  const sockets = Array.from({ length: hostLimits.adminWaiting }, () => {
    const socket = createConnection({ host: HOST, port })
    socket.on('error', () => undefined)
    socket.write('GET /status HTTP/1.1\r\nHost: x\r\n\r\n')
    return socket
  })
  await vi.waitFor(() => expect(asked.length).toBe(hostLimits.adminWaiting))
  expect((await ask('/status')).text).toContain('too many admin requests')
  for (const socket of sockets) socket.destroy()
  const before = asked.length
  await vi.waitFor(async () => {
    const late = createConnection({ host: HOST, port })
    late.write('GET /status HTTP/1.1\r\nHost: x\r\n\r\n')
    cleanups.push(() => late.destroy())
    await once(late, 'connect')
    expect(asked.length).toBeGreaterThan(before)
  })
})

test('an order to drain is a POST that no web page sent, and is answered before anything ends', async () => {
  const { ask, asked, drained } = await scene(() => ({ status: 200, body: null }))
  expect((await ask('/drain')).status).toBe(405)
  const fromPage = await ask('/drain', 'POST', { Origin: 'http://example.com' })
  expect(fromPage).toMatchObject({ status: 403, text: expect.stringContaining('Origin') })
  expect(drained).toEqual([])
  expect(await ask('/drain', 'POST')).toEqual({ status: 202, text: '{"draining":true}\n' })
  expect(drained).toEqual(['drain'])
  expect(asked).toEqual([])
})

test('applications are in the status and the metrics of a replica that runs some, and are reloaded by name', async () => {
  const status = {
    name: 'prepaid',
    module: '/srv/prepaid.ts',
    versions: [{ version: '1', running: true, restarts: 0, open: 2 }],
    ...{ turns: 7, failures: 1, restarts: 0, lastFailure: 'no credit' },
  }
  const reload = (name: string) =>
    Promise.resolve(name === 'prepaid' ? ok({ name, version: '2', was: '1' }) : err(`no application ${name}`))
  const body = (query: AdminInput['query']) => ({ status: 200, body: query.kind === 'metrics' ? [] : { replica: 1 } })
  const { ask } = await scene(body, { status: () => [status], reload })
  expect(JSON.parse((await ask('/status')).text)).toEqual({ replica: 1, applications: [status] })
  const { text } = await ask('/metrics')
  expect(text).toContain('holdfast_application_turns_total{application="prepaid"} 7\n')
  expect(text).toContain('holdfast_application_open_calls{application="prepaid"} 2\n')
  const order = (body: string) =>
    fetch(`http://${HOST}:${lastPort}/applications/reload`, { method: 'POST', body }).then((answer) => answer.json())
  expect(await order('{"name":"prepaid"}')).toEqual({ ok: true, name: 'prepaid', version: '2', was: '1' })
  expect(await order('{"name":"billing"}')).toEqual({ ok: false, error: 'no application billing' })
  expect(await order('{}')).toEqual({ ok: false, error: '"name" should be an application' })
  expect((await ask('/applications/reload')).status).toBe(405)
})

test('with an admin token nobody is answered who does not show it, but for whether it is to be sent calls', async () => {
  const token = 'a-token-of-the-operators-of-this-set'
  const { ask, asked, drained } = await scene(() => ({ status: 200, body: {} }), undefined, token)
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const wrong = [
    '',
    token,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    'Bearer',
    basic('holdfast:no'),
    `Digest ${token}`,
  ]
  for (const Authorization of wrong) {
    for (const path of ['/status', '/', '/calls', '/metrics', '/live', '/events', '/health?x']) {
      const answer = await ask(path, 'GET', { Authorization })
      expect(answer.status, `${path} ${Authorization}`).toBe(401)
      expect(answer.text).toContain('HOLDFAST_ADMIN_TOKEN_FILE')
    }
    expect((await ask('/drain', 'POST', { Authorization })).status).toBe(401)
    expect((await ask('/health', 'GET', { Authorization })).status).toBe(200)
  }
  expect(drained).toEqual([])
  expect(asked.every(({ kind }) => kind === 'health')).toBe(true)
  for (const Authorization of [`Bearer ${token}`, `bearer ${token}`, basic(`anybody:${token}`)]) {
    expect((await ask('/status', 'GET', { Authorization })).status).toBe(200)
  }
  expect((await ask('/drain', 'POST', { Authorization: `Bearer ${token}` })).status).toBe(202)
  expect(drained).toEqual(['drain'])
})

test('the config file is read anew by an order, and what that changed, or why it did not, is the answer', async () => {
  const { ask } = await scene(() => undefined)
  expect(await ask('/reload')).toMatchObject({ status: 405 })
  expect(await ask('/reload', 'POST')).toEqual({ status: 200, text: '{"ok":true,"changed":["nextHop"]}\n' })
  const refused = { ok: false, error: 'nothing was changed: the file is wrong' }
  expect(await ask('/reload', 'POST')).toEqual({ status: 409, text: `${JSON.stringify(refused)}\n` })
})
