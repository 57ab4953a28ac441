import { createServer } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { banMain } from './ban-command.ts'

const HOST = '127.40.8.1'
let lastPort = 8_060
const cleanups: (() => void)[] = []
let out = ''
let errors = ''
beforeEach(() => {
  out = ''
  errors = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true))
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const clean of cleanups.splice(0).reverse()) clean()
})

const until = 1_700_000_060_000_000
const banned = { status: 200, body: { ok: true, source: '192.0.2.7', until } }

/** An admin address whose orders get these answers, one after another. */
async function scene(...answers: readonly { readonly status: number; readonly body: unknown }[]) {
  const port = ++lastPort
  const orders: string[] = []
  const left = [...answers]
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => (text += String(chunk)))
    request.on('end', () => {
      const pages: Readonly<Record<string, unknown>> = {
        '/status': [],
        '/bans': [{ source: '192.0.2.0/24', since: until - 60_000_000, until: null }],
      }
      const page = pages[request.url ?? '']
      if (page === undefined) orders.push(`${request.url} ${text}`)
      const answer = page === undefined ? left.shift() : { status: 200, body: page }
      response.writeHead(answer?.status ?? 500).end(JSON.stringify(answer?.body ?? null))
    })
  })
  await new Promise<void>((resolve) => server.listen({ host: HOST, port }, resolve))
  cleanups.push(() => server.close())
  return { orders, run: (...args: string[]) => banMain([...args, '--admin', `${HOST}:${port}`]) }
}

test('add says until when; while there is no quorum it is asked for again', async () => {
  const { orders, run } = await scene({ status: 503, body: { ok: false, error: 'ask again' } }, banned)
  expect(await run('add', '192.0.2.7', '--for', '60')).toBe(0)
  const order = '/bans/add {"source":"192.0.2.7","seconds":60}'
  expect(orders).toEqual([order, order])
  expect(out).toBe('192.0.2.7 is banned until 2023-11-14T22:14:20.000Z\n')
})

test('what the set refuses is said, and nothing is asked again', async () => {
  const { orders, run } = await scene({ status: 409, body: { ok: false, error: '1000 sources are banned already' } })
  expect(await run('add', '192.0.2.7')).toBe(1)
  expect(errors).toContain('1000 sources are banned already')
  expect(orders).toHaveLength(1)
})

test('list shows each source, remove takes one back', async () => {
  const { orders, run } = await scene({ status: 200, body: { ok: true, source: '192.0.2.0/24', until: null } })
  expect([await run('list'), await run('remove', '192.0.2.0/24')]).toEqual([0, 0])
  expect(orders).toEqual(['/bans/remove {"source":"192.0.2.0/24"}'])
  expect(out).toBe('192.0.2.0/24  since 2023-11-14T22:13:20.000Z, until it is removed\n192.0.2.0/24 is heard\n')
})

test.each([
  [['add'], 'SOURCE is missing'],
  [['add', '192.0.2.7', '--for', 'ever'], '--for ever: give a whole number of seconds'],
  [['forget'], 'unknown command "forget"'],
])('%j is wrong usage, and what would be right is said', async (args, said) => {
  const { run } = await scene()
  expect(await run(...args)).toBe(64)
  expect(errors).toContain(said)
})
