import { createServer, request } from 'node:http'
import type { ServerResponse } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { BlockReader } from './event-format.ts'
import type { EventBlock } from './event-format.ts'
import { Failovers } from './failovers.ts'
import { hostLimits } from './limits.ts'
import { Live } from './live.ts'

const HOST = '127.40.9.1'
let lastPort = 8_060
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean()
})

async function listening(answer: (url: string, response: ServerResponse) => void): Promise<number> {
  const port = ++lastPort
  const server = createServer((asked, response) => answer(asked.url ?? '/', response))
  await new Promise<void>((resolve) => server.listen({ host: HOST, port }, resolve))
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return port
}

const status = {
  ...{ replica: 1, life: '1.a.1', role: 'leader', term: 1, epoch: 1, commitIndex: 3, appliedIndex: 3 },
  ...{ serving: [{ id: 1, life: '1.a.1' }], detached: false, groups: 1, entities: 1 },
  ...{ calls: { early: 0, confirmed: 1 }, timers: { pending: 0 }, intents: { open: 0 } },
}

/** The page of a set of one replica, which answers at once and tells an event; and another one that doesn't run. */
async function scene(isTold: boolean) {
  const asked: string[] = []
  const events: ServerResponse[] = []
  const port = await listening((url, response) => {
    asked.push(url)
    if (url === '/glance') return void response.end(JSON.stringify({ status, upcoming: [], commitTimes: [1] }))
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    events.push(response)
  })
  const live = new Live({
    ...{ name: 'up', set: 'abc', sip: '127.0.0.10:5060', token: null, isTold, failovers: new Failovers() },
    replicas: () => [
      { id: 1, admin: { host: HOST, port } },
      { id: 2, admin: { host: HOST, port: 9 } },
    ],
    pids: () => new Map([[1, 4711]]),
  })
  cleanups.push(() => live.close())
  const page = await listening((_url, response) => live.serve(response.req, response))
  const look = (path = '/live') =>
    new Promise<{ blocks: EventBlock[]; status: number; leave: () => void }>((resolve, reject) => {
      const blocks: EventBlock[] = []
      const reader = new BlockReader(1_000_000)
      const sent = request({ host: HOST, port: page, path, agent: false }, (response) => {
        response.on('data', (piece) => void blocks.push(...reader.push(String(piece))))
        response.on('error', () => undefined)
        resolve({ blocks, status: response.statusCode ?? 0, leave: () => sent.destroy() })
      })
      sent.on('error', reject)
      sent.end()
      cleanups.push(() => sent.destroy())
    })
  return { live, look, asked, events }
}

const named = (blocks: readonly EventBlock[], event: string): readonly unknown[] =>
  blocks.filter((block) => block.event === event).map(({ data }) => JSON.parse(data) as unknown)

test('who looks is told what there is, and how the set is; nobody looks: nobody is asked', async () => {
  const { look, asked, live } = await scene(true)
  expect(asked).toEqual([])
  const { blocks, leave } = await look()
  await vi.waitFor(() => expect(named(blocks, 'tick')).toHaveLength(1))
  expect(named(blocks, 'hello')).toMatchObject([{ name: 'up', set: 'abc', token: null, points: [] }])
  expect(named(blocks, 'tick')).toMatchObject([
    {
      replicas: [
        { id: 1, pid: 4711, role: 'leader', trouble: null },
        { id: 2, pid: null, trouble: 'not running' },
      ],
      counts: { confirmed: 1 },
    },
  ])
  live.befell({ kind: 'runs', replica: 1 }, 1)
  live.befell({ kind: 'gone', replica: 1, why: 'SIGKILL' }, 5)
  await vi.waitFor(() => expect(named(blocks, 'failovers').at(-1)).toMatchObject({ list: [{ replica: 1, at: 5 }] }))
  // What happened is shown soon, not with the next second.
  await vi.waitFor(() => expect(named(blocks, 'tick')).toHaveLength(2))
  leave()
  await vi.waitFor(() => expect(asked.filter((url) => url === '/glance').length).toBeGreaterThan(1))
  live.close()
  const before = asked.length
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toHaveLength(before)
})

test('the events of the call that is looked at are told, and of no other', async () => {
  const { look, events } = await scene(true)
  const { blocks } = await look('/live?call=one%40x')
  await vi.waitFor(() => expect(events).toHaveLength(1))
  const tell = (id: string, callId: string): unknown =>
    events[0]?.write(`id: ${id}\nevent: call-started\ndata: ${JSON.stringify({ callId, event: 'call-started' })}\n\n`)
  tell('1.1', 'other')
  tell('2.1', 'one@x')
  await vi.waitFor(() => expect(named(blocks, 'call')).toEqual([{ callId: 'one@x', event: 'call-started' }]))
})

test('without a parent of processes, deaths are read from answers', async () => {
  const { look } = await scene(false)
  const { blocks } = await look()
  await vi.waitFor(() => expect(named(blocks, 'tick').length).toBeGreaterThan(0))
  const [, news] = named(blocks, 'failovers')
  expect(news).toMatchObject({ list: [], stretches: [{ replica: 1 }, { replica: 1, state: 'leader' }] })
})

test('more pages than there may be are told so', async () => {
  const { look } = await scene(true)
  for (let i = 0; i < hostLimits.liveViewers; i++) expect((await look()).status).toBe(200)
  expect((await look()).status).toBe(503)
})
