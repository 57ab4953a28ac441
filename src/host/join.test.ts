import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { replicaId } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import type { SetConfig } from './config.ts'
import { identify, Saying } from './join.ts'
import type { JoinParts } from './join.ts'
import { KnownPeers } from './known-peers.ts'
import { SparseLog } from './log.ts'
import { PeerLinks } from './peer-links.ts'
import { PeerServer } from './peer-server.ts'

const HOST = '127.40.2.7'
let lastPort = 8_160

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean()
})

function setOf(count: number): SetConfig {
  const replicas = Array.from({ length: count }, (_, i) => ({
    id: replicaId(i + 1),
    admin: { host: HOST, port: ++lastPort },
    peer: { host: HOST, port: ++lastPort },
    data: '/nowhere',
  }))
  const address = { host: HOST, port: 1 }
  const secrets = { set: '0123456789abcdef', secret: '5e'.repeat(32) }
  const rest = { nextHop: null, durability: 'wal', compaction: {}, formats: {}, restart: null } as const
  return { ...secrets, ...rest, sip: address, admin: address, replicas } as SetConfig
}

interface Asking {
  readonly lines: string[]
  /** Null while it waits. */
  answer(): string | null
  end(): void
}

/** A process without a log at that place. */
function ask(
  config: SetConfig,
  place: number,
  mode: JoinParts['mode'] = 'ask',
  incarnation = 'aa',
  foundMs = 50,
): Asking {
  const lines: string[] = []
  let isOver = false
  let answer: string | null = null
  const own = config.replicas.find(({ id }) => id === place)
  if (own === undefined) throw new Error('a place of the set')
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const end = (): void => void (isOver = true)
  cleanups.push(end)
  void identify({ config, own, mode, log, foundMs, isOver: () => isOver }, incarnation).then((result) => {
    answer = result.ok ? `${result.value.id} of ${result.value.voters.join(',') || 'a set'}` : result.error
  })
  return { lines, answer: () => answer, end }
}

/** A replica that runs, with a log that began with these, and that has met these lives. The leader's answer to who joins is `id`. */
async function running(
  config: SetConfig,
  place: number,
  founders: readonly number[],
  met: readonly string[],
  id: number,
) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-join-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const known = KnownPeers.load(folder)
  const own = config.replicas.find((replica) => replica.id === place)
  if (!known.ok || own === undefined) throw new Error('a place of the set')
  for (const life of met) known.value.objection(life as Life)
  const asked: number[] = []
  const server: PeerServer = new PeerServer({
    ...config,
    replica: own.id,
    life: `${place}.0${place}.1` as Life,
    address: own.peer,
    founders: founders.map(replicaId),
    known: known.value,
    formats: { own: KNOWN_FORMATS, active: 2 },
    log: new SparseLog(pino({ enabled: false })),
    met: () => undefined,
    give: (input) => {
      if (input.kind !== 'admin' || input.query.kind !== 'member' || input.query.request.kind !== 'join') return
      asked.push(input.query.request.place)
      const body = { ok: true, place: 0, id: id as ReplicaId, stage: { kind: 'joining' }, said: '' }
      server.reply({ kind: 'reply', id: input.id, status: 202, body })
    },
  })
  await server.open()
  server.follow({ kind: 'peers', members: [], gone: [] })
  cleanups.push(() => server.close())
  return { asked }
}

describe('a set is founded', () => {
  test('by all of its places together, once each of them answers', async () => {
    const config = setOf(3)
    const [one, two] = [ask(config, 1), ask(config, 2)]
    await vi.waitFor(() => expect(one.lines.join()).toContain('replica 3: not running'))
    expect([one.answer(), two.answer()]).toEqual([null, null])
    const all = [one, two, ask(config, 3)]
    // Who has founded goes on as a replica with a log: those that are late hear that it has met nobody else in their places.
    const begun = new Set<number>()
    for (let at = 0; begun.size < 3; at = (at + 1) % 3) {
      await vi.waitFor(() => expect(all.some((it, i) => it.answer() !== null && !begun.has(i))).toBe(true), 5_000)
      if (all[at]?.answer() === null || begun.has(at)) continue
      begun.add(at)
      await running(config, at + 1, [1, 2, 3], [], 0)
    }
    expect(all.map((it) => it.answer())).toEqual(['1 of 1,2,3', '2 of 1,2,3', '3 of 1,2,3'])
  })

  test('a founder that is late is one still, if none of the others has met another disk in its place', async () => {
    const config = setOf(3)
    const [one, two] = [
      await running(config, 1, [1, 2, 3], ['2.02.1'], 1003),
      await running(config, 2, [1, 2, 3], [], 1003),
    ]
    const three = ask(config, 3)
    await vi.waitFor(() => expect(three.answer()).toBe('3 of 1,2,3'))
    expect([...one.asked, ...two.asked]).toEqual([])
  })

  test('by `up`, which knows that nobody has run before, without asking', async () => {
    const one = ask(setOf(3), 1, 'found')
    await vi.waitFor(() => expect(one.answer()).toBe('1 of 1,2,3'))
  })
})

describe('a set that has grown, with a configuration file that has not', () => {
  /** A member that the file doesn't name dials that place, as it does all that its member book has. */
  function member(config: SetConfig, place: number, dialled: number, at: number): PeerLinks {
    const to = config.replicas.find(({ id }) => id === dialled)?.peer ?? null
    const links = new PeerLinks(
      {
        ...config,
        replica: replicaId(place),
        life: `${place}.0${place}.1` as Life,
        address: { host: HOST, port: at },
        founders: [],
        known: KnownPeers.none(),
        formats: { own: KNOWN_FORMATS, active: 2 },
        log: new SparseLog(pino({ enabled: false })),
        give: () => undefined,
        met: () => undefined,
      },
      () => to,
    )
    links.follow({ kind: 'peers', members: [{ id: replicaId(dialled), peer: null }], gone: [] })
    cleanups.push(() => links.close())
    return links
  }

  test('those whose disks are lost, all that the file names, found nothing: they join who calls', async () => {
    const all = setOf(4)
    const config = { ...all, replicas: all.replicas.slice(0, 3) }
    const four = await running(all, 4, [1, 2, 3], [], 1001)
    const fresh = [1, 2, 3].map((place) => ask(config, place, 'ask', `b${place}`, 1_000))
    for (const place of [1, 2, 3]) member(config, 1004, place, all.replicas[3]?.peer.port ?? 0)
    await vi.waitFor(() => expect(fresh.map((one) => one.answer())).toEqual(Array(3).fill('1001 of a set')), 5_000)
    expect(four.asked.toSorted()).toEqual([1, 2, 3])
  })

  test('if that one can let nobody in, they wait, and say who is missing in the file', async () => {
    const config = setOf(2)
    const fresh = [1, 2].map((place) => ask(config, place, 'ask', `b${place}`, 1_000))
    for (const place of [1, 2]) member(config, 1003, place, ++lastPort)
    const said = 'replica 3 is in the set, and not in the configuration file'
    await vi.waitFor(() => {
      for (const one of fresh) expect(one.lines.join()).toContain(said)
    }, 5_000)
    expect(fresh.map((one) => one.answer())).toEqual([null, null])
  })
})

describe('a set is joined', () => {
  test('by a second disk of a place, though only one of the others has met the first', async () => {
    const config = setOf(3)
    const [one, two] = [
      await running(config, 1, [1, 2, 3], [], 1003),
      await running(config, 2, [1, 2, 3], ['3.ff.1'], 1003),
    ]
    const three = ask(config, 3)
    await vi.waitFor(() => expect(three.answer()).toBe('1003 of a set'))
    expect(one.asked.length + two.asked.length).toBeGreaterThan(0)
  })

  test('while one that could have met it does not answer, nothing is founded', async () => {
    const config = setOf(3)
    const one = await running(config, 1, [1, 2, 3], [], 1003)
    const three = ask(config, 3)
    await vi.waitFor(() => expect(three.lines.join()).toContain('replica 2: not running'))
    expect([three.answer(), one.asked]).toEqual([null, []])
  })

  test('one whose connection ends before it answers is not said to have another secret', async () => {
    const config = setOf(2)
    const server = createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()))
    cleanups.push(() => server.close())
    await new Promise<void>((resolve) => void server.listen(config.replicas[1]?.peer, resolve))
    const one = ask(config, 1)
    await vi.waitFor(() => expect(one.lines.join()).toContain('replica 2: the connection to it ended'))
    expect(one.lines.join()).not.toContain('another secret')
  })

  test('one that has another secret is said to', async () => {
    const config = setOf(2)
    const [one, two] = [ask(config, 1), ask({ ...config, secret: '5f'.repeat(32) }, 2)]
    await vi.waitFor(() =>
      expect(one.lines.join()).toContain('replica 2: it is not of this set, or has another secret'),
    )
    expect([one.answer(), two.answer()]).toEqual([null, null])
  })

  test('by a place that was none of its founders’', async () => {
    const config = setOf(4)
    for (const place of [1, 2, 3]) await running(config, place, [1, 2, 3], [], 1004)
    const four = ask(config, 4)
    await vi.waitFor(() => expect(four.answer()).toBe('1004 of a set'))
  })

  test('by who has run before: it never founds, whoever else is fresh', async () => {
    const config = setOf(2)
    const [one, two] = [ask(config, 1, 'join'), ask(config, 2, 'join')]
    await vi.waitFor(() => expect(one.lines.join()).toContain('replica 2 has no log either'))
    await vi.waitFor(() => expect(two.lines.join()).toContain('replica 1 has no log either'))
    expect([one.answer(), two.answer()]).toEqual([null, null])
  })

  test('not by the only replica of a set: there is nobody who has its log', async () => {
    const one = ask(setOf(1), 1, 'join')
    await vi.waitFor(() => expect(one.answer()).toContain('its log is gone'))
  })
})

test('what it waits for is no warning while a set begins, and one after ten seconds; the same is said every ten', () => {
  const said: string[] = []
  const write = (line: string): void => void said.push(line)
  const log = pino({ level: 'info', base: null, timestamp: false }, { write })
  const saying = new Saying(log, 0)
  for (const at of [0, 9_000, 10_000, 19_000, 20_000]) saying.say('nobody is there', at)
  saying.say('one is there', 20_001)
  const lines = said.map((line) => JSON.parse(line) as { level: number; msg: string })
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    '30 nobody is there',
    '40 nobody is there',
    '40 nobody is there',
    '40 one is there',
  ])
})
