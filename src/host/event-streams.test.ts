import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { must } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { EventPlace, EventsAnswer, EventsQuery } from '../replica/event-reads.ts'
import type { Reply } from '../replica/effect.ts'
import { listen } from './admin-http.ts'
import { follow } from './event-follower.ts'
import type { Followed } from './event-follower.ts'
import { EventStreams } from './event-streams.ts'
import { hostLimits } from './limits.ts'

const HOST = '127.40.6.1'
let lastPort = 8_060
const servers: Server[] = []

const end = (server: Server): void => {
  server.close()
  server.closeAllConnections()
}

afterEach(() => {
  for (const server of servers.splice(0)) end(server)
})

/** A replica that has applied the entries up to `log`, each with one event; `wakes` are the reads that wait. */
class FakeReplica {
  applied = 0
  /** The oldest that it has. */
  after = 0
  readonly wakes: (() => void)[] = []
  readonly asked: EventsQuery[] = []

  readonly ask = (query: EventsQuery): Promise<Reply> => {
    this.asked.push(query)
    const place: EventPlace = query.after ?? { index: index(this.applied + 1), n: 0 }
    const hasNews = place.index < this.applied || (place.index === this.applied && place.n === 0)
    if (hasNews || !query.waits) return Promise.resolve(this.#answer(place))
    return new Promise((resolve) => this.wakes.push(() => resolve(this.#answer(place))))
  }

  apply(upTo: number): void {
    this.applied = upTo
    for (const wake of this.wakes.splice(0)) wake()
  }

  #answer(place: EventPlace): Reply {
    const isGone = place.index < this.after && place.index > 0
    const first = Math.max(this.after + 1, place.n > 0 ? place.index + 1 : Math.max(1, place.index))
    const events: { id: string; text: string }[] = []
    for (let at = first; at <= this.applied && events.length < 3; at++) {
      events.push({ id: `${at}.1`, text: `{"event":"call-started","call":"${at}"}` })
    }
    const last = events.at(-1)
    const next =
      last === undefined
        ? { index: index(Math.max(place.index, this.applied + 1)), n: 0 }
        : { index: index(Number(last.id.split('.')[0])), n: 1 }
    const gap = isGone ? { from: `${place.index}.${place.n}`, to: `${this.after}.1` } : null
    const body: EventsAnswer = { events, next, gap, applied: index(this.applied) }
    return { kind: 'reply', id: 1, status: 200, body }
  }
}

async function serve(replica: Pick<FakeReplica, 'ask'>, set = 'one') {
  const port = ++lastPort
  const cuts: string[] = []
  const streams = new EventStreams({ set, ask: replica.ask, cut: (reason) => cuts.push(reason) })
  const server = createServer((request, response) => void streams.serve(request, response))
  await listen(server, { host: HOST, port })
  servers.push(server)
  return { url: `http://${HOST}:${port}`, cuts, server }
}

/** The next so many things that are told; a lost stream is told as such. */
async function take(stream: AsyncGenerator<Followed>, count: number): Promise<readonly string[]> {
  const told: string[] = []
  while (told.length < count) {
    const { value } = await stream.next()
    const followed = must(value ?? null, 'a stream never ends')
    told.push(followed.kind === 'event' ? `${followed.event} ${followed.id}` : followed.kind)
  }
  return told
}

test('it tells what there is, then what comes, with ids to go on from', async () => {
  const replica = new FakeReplica()
  replica.apply(2)
  const { url } = await serve(replica)
  const stream = follow({ urls: () => [url], after: 'start' })
  expect(await take(stream, 3)).toEqual(['call-started 1.1', 'call-started 2.1', 'caught-up'])
  const next = take(stream, 1)
  await vi.waitFor(() => expect(replica.wakes).toHaveLength(1))
  replica.apply(3)
  expect(await next).toEqual(['call-started 3.1'])
  await stream.return()
})

test('the data of an event has its id', async () => {
  const replica = new FakeReplica()
  replica.apply(1)
  const { url } = await serve(replica)
  const stream = follow({ urls: () => [url], after: 'start' })
  const { value } = await stream.next()
  expect(value).toEqual({
    kind: 'event',
    id: '1.1',
    event: 'call-started',
    data: '{"id":"1.1","event":"call-started","call":"1"}',
  })
  await stream.return()
})

test('when the replica dies the next one is asked, and each event comes once', async () => {
  const [a, b] = [new FakeReplica(), new FakeReplica()]
  a.apply(4)
  b.apply(2)
  const [one, two] = [await serve(a), await serve(b)]
  const stream = follow({ urls: () => [one.url, two.url], after: 'start' })
  expect(await take(stream, 4)).toEqual([1, 2, 3, 4].map((at) => `call-started ${at}.1`))
  end(one.server)
  const rest: string[] = []
  const reading = (async () => {
    while (rest.at(-1) !== 'call-started 6.1') rest.push(...(await take(stream, 1)))
  })()
  // It is behind the dead one: what that told already isn't told again.
  await vi.waitFor(() => expect(b.wakes).toHaveLength(1))
  b.apply(6)
  await reading
  expect(rest.filter((told) => told.startsWith('call'))).toEqual(['call-started 5.1', 'call-started 6.1'])
  await stream.return()
})

test('what is not kept any more is told as a gap', async () => {
  const replica = new FakeReplica()
  replica.apply(9)
  replica.after = 7
  const { url } = await serve(replica)
  const stream = follow({ urls: () => [url], after: '3.1' })
  expect(await take(stream, 3)).toEqual(['gap 7.1', 'call-started 8.1', 'call-started 9.1'])
  await stream.return()
})

test('a replica that never comes to the place says so, and is left', async () => {
  const replica = new FakeReplica()
  replica.apply(1)
  const { url } = await serve(replica)
  const stream = follow({ urls: () => [url], after: '50.1' })
  expect(await take(stream, 1)).toEqual(['caught-up'])
  const next = stream.next()
  await vi.waitFor(() => expect(replica.wakes).toHaveLength(1))
  replica.apply(2)
  expect((await next).value).toMatchObject({
    kind: 'lost',
    reason: expect.stringContaining('or the id is of another set'),
  })
  await stream.return()
})

test.each([
  ['/events?after=4711', 400, "is no event's id"],
  ['/events?after=x.1', 400, 'after=start for the oldest'],
])('%s is told what would be right', async (path, status, error) => {
  const { url } = await serve(new FakeReplica())
  const answer = await fetch(url + path)
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(error)])
})

test('no more consumers than may be', async () => {
  const { url } = await serve(new FakeReplica())
  const streams = Array.from({ length: hostLimits.eventConsumers }, () => follow({ urls: () => [url], after: null }))
  for (const stream of streams) expect(await take(stream, 1)).toEqual(['caught-up'])
  const answer = await fetch(`${url}/events`)
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('ask another replica')])
  for (const stream of streams) void stream.return()
})

test('another set under the address is nothing to go on with', async () => {
  const [a, b] = [new FakeReplica(), new FakeReplica()]
  a.apply(1)
  const [one, two] = [await serve(a), await serve(b, 'two')]
  const stream = follow({ urls: () => [one.url, two.url], after: 'start' })
  expect(await take(stream, 2)).toEqual(['call-started 1.1', 'caught-up'])
  end(one.server)
  expect(await take(stream, 1)).toEqual(['lost'])
  await expect(stream.next()).rejects.toThrow('is another set')
})
