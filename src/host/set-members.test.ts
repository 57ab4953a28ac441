import { afterEach, expect, test } from 'vitest'
import { createServer } from 'node:http'
import { pino } from 'pino'
import { replicaId } from '../base/brand.ts'
import type { MemberStage } from '../wire/member-request.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import { SetMembers } from './set-members.ts'

const HOST = '127.40.6.1'
let lastPort = 8_100
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean()
})

/** `up`'s side of a set of 1 and 2, of which only replica 2 answers: with the stages of `stages`, one after another, the last again
 * and again; null = a refusal. `did` has what happened to processes and folders. */
async function scene(stages: readonly (MemberStage | null)[]) {
  const base = (lastPort += 20)
  const asked: string[] = []
  const left = [...stages]
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => (text += String(chunk)))
    request.on('end', () => {
      asked.push(`${request.url} ${text}`)
      const stage = left.length > 1 ? left.shift() : left[0]
      const place = (JSON.parse(text) as { place: number }).place
      const body = stage === null ? { ok: false, error: 'no' } : { ok: true, place, id: null, stage, said: stage?.kind }
      response.writeHead(stage === null ? 409 : stage?.kind === 'done' ? 200 : 202)
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen({ host: HOST, port: base + 2 }, resolve))
  cleanups.push(() => server.close())
  const replica = (id: number): ReplicaConfig => ({
    id: replicaId(id),
    admin: { host: HOST, port: base + id },
    peer: { host: HOST, port: base + 10 + id },
    data: `/data/replica-${id}`,
  })
  let config: SetConfig = {
    set: 'a',
    secret: '',
    durability: 'wal',
    compaction: {},
    formats: {},
    sip: { host: HOST, port: 5_060 },
    nextHop: null,
    admin: { host: HOST, port: base },
    replicas: [replica(1), replica(2)],
    restart: null,
  }
  const did: string[] = []
  const members = new SetMembers({
    set: {
      get config() {
        return config
      },
      add: (added) => {
        did.push(`start ${added.id}`)
        config = { ...config, replicas: [...config.replicas, added] }
      },
      drop: async (id) => {
        did.push(`end ${id}`)
        config = { ...config, replicas: config.replicas.filter((other) => other.id !== id) }
      },
    },
    log: pino({ enabled: false }),
    folderOf: (id) => `/data/replica-${id}`,
    remember: async (now) => void did.push(`remember ${now.replicas.map(({ id }) => id).join(' ')}`),
    putAside: async (data) => void did.push(`aside ${data}`),
    joins: async (id) => void did.push(`joins ${id}`),
  })
  return { members, asked, did, base, config: () => config }
}

const done: MemberStage = { kind: 'done' }
const awaited: MemberStage = { kind: 'awaited' }
const joint: MemberStage = { kind: 'joint' }

test('add: the members are asked first, then the process starts in a fresh folder, once', async () => {
  const { members, asked, did, base, config } = await scene([awaited, done])
  expect(await members.order('add', { place: 4 })).toMatchObject({ status: 202 })
  expect(asked).toEqual([`/members/add {"place":4,"peer":"${HOST}:${base + 14}","admin":"${HOST}:${base + 4}"}`])
  expect(did).toEqual(['aside /data/replica-4', 'joins 4', 'start 4', 'remember 1 2 4'])
  expect(config().replicas.at(-1)).toEqual({
    id: 4,
    admin: { host: HOST, port: base + 4 },
    peer: { host: HOST, port: base + 14 },
    data: '/data/replica-4',
  })
  expect(await members.order('add', { place: 4 })).toMatchObject({ status: 200 })
  expect(did).toHaveLength(4)
})

test('add: what the members refuse starts nothing; nor does an address that is taken', async () => {
  const refused = await scene([null])
  expect(await refused.members.order('add', { place: 4 })).toMatchObject({ status: 409, body: { error: 'no' } })
  expect(refused.did).toEqual([])
  const taken = await scene([awaited])
  const other = createServer()
  await new Promise<void>((resolve) => other.listen({ host: HOST, port: taken.base + 14 }, resolve))
  cleanups.push(() => other.close())
  expect(await taken.members.order('add', { place: 4 })).toMatchObject({
    status: 409,
    body: { error: expect.stringContaining("replica 4's peer address") },
  })
  expect(taken.asked).toEqual([])
})

test('remove: the process ends once the members are done with it', async () => {
  const { members, did } = await scene([{ kind: 'leaving-serving' }, joint, done])
  await members.order('remove', { place: 1 })
  await members.order('remove', { place: 1 })
  expect(did).toEqual([])
  await members.order('remove', { place: 1 })
  expect(did).toEqual(['end 1', 'remember 2', 'aside /data/replica-1'])
  expect(await members.order('remove', { place: 1 })).toMatchObject({ status: 200 })
  expect(did).toHaveLength(3)
})

test('replace: the old process ends, its folder is put aside and a fresh one starts, once for each replacement', async () => {
  const { members, asked, did } = await scene([awaited, awaited, joint, done, awaited])
  for (let times = 0; times < 4; times++) await members.order('replace', { place: 1, id: 1 })
  expect(did).toEqual(['end 1', 'aside /data/replica-1', 'joins 1', 'start 1', 'remember 2 1'])
  expect(asked[0]).toBe('/members/replace {"place":1,"id":1}')
  await members.order('replace', { place: 1, id: 1_001 })
  expect(did).toHaveLength(10)
  expect(await members.order('replace', { place: 7 })).toMatchObject({ status: 404 })
})

test('an order without a place is told what it lacks', async () => {
  const { members } = await scene([done])
  expect(await members.order('remove', {})).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('place') },
  })
})
