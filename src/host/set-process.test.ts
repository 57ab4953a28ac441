import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { must } from '../base/assert.ts'
import { replicaId } from '../base/brand.ts'
import type { SetConfig } from './config.ts'
import { hostLimits } from './limits.ts'
import { SetProcess } from './set-process.ts'
import type { SetEvent } from './set-process.ts'

// A process that does what a replica's orders ask of it by the name of its data folder, as a stand-in for a replica.
const STAND_IN = `
const say = (message) => process.send(message)
process.once('disconnect', () => process.exit(0))
let isDeaf = false
process.on('message', ({ kind, config, replica }) => {
  if (kind === 'end') return isDeaf || process.exit(0)
  const role = config.replicas.find(({ id }) => id === replica).data
  if (role === 'fails') return process.send({ kind: 'failed', cause: 'other', reason: 'no port' }, () => process.exit(1))
  if (role === 'damaged') return process.send({ kind: 'failed', cause: 'data', reason: 'torn' }, () => process.exit(1))
  if (role === 'breaks') return process.exit(7)
  say({ kind: 'listening', life: replica + '.aa.1' })
  say({ kind: 'leader', id: 1, term: 3 })
  if (role === 'late') return
  say({ kind: 'sip-open' })
  say({ kind: 'ready', leader: 1 })
  process.on('SIGTERM', () => process.exit(0))
  if (role === 'dies') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20)
  isDeaf = role === 'deaf'
})
setInterval(() => undefined, 1000)
`

const running: SetProcess[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const set of running.splice(0)) {
    set.end()
    set.end()
  }
})

function begin(roles: readonly string[], restart: number | null = null) {
  const address = { host: '127.40.3.1', port: 1 }
  const replicas = roles.map((data, i) => ({ id: replicaId(i + 1), admin: address, peer: address, data }))
  const config: SetConfig = {
    set: 'a',
    secret: '',
    durability: 'wal',
    compaction: {},
    formats: {},
    sip: { ...address, port: 5_060 },
    nextHop: null,
    admin: address,
    replicas,
    restart,
  }
  const events: SetEvent[] = []
  const set = new SetProcess({
    config,
    command: [process.execPath, '-e', STAND_IN],
    logLevel: 'info',
    log: pino({ enabled: false }),
    hasRun: () => false,
    started: () => undefined,
    say: (event) => void events.push(event),
    befell: () => undefined,
  })
  running.push(set)
  const done = set.run()
  const kinds = (kind: SetEvent['event']) => events.filter(({ event }) => event === kind)
  return { set, done, events, kinds }
}

test('every replica is told, the leader and ready once; the end ends all', async () => {
  const { set, done, kinds } = begin(['', '', ''])
  await vi.waitFor(() => expect(kinds('ready')).toEqual([{ event: 'ready', sip: '127.40.3.1:5060', leader: 1 }]))
  await vi.waitFor(() => expect(kinds('replica').length).toBe(3))
  expect(kinds('leader')).toEqual([{ event: 'leader', id: 1, term: 3 }])
  set.end()
  expect(await done).toBe(null)
  expect(kinds('exit').length).toBe(3)
  expect(set.pids.size).toBe(0)
})

test('it is not ready while a living replica has not opened its SIP sockets', async () => {
  const { set, done, kinds } = begin(['', 'late', ''])
  await vi.waitFor(() => expect(kinds('replica').length).toBe(3))
  expect(kinds('ready')).toEqual([])
  set.end()
  expect(await done).toBe(null)
})

test('a replica that cannot start ends the set, with its reason', async () => {
  const { done, set } = begin(['', 'fails', 'late'])
  expect(await done).toBe('replica 2: no port')
  expect(set.pids.size).toBe(0)
})

test('a replica that ends before it has said anything ends the set too, instead of starting again for ever', async () => {
  const { done, set } = begin(['', 'breaks', 'late'])
  expect(await done).toMatch(/^replica 2 ended with exit code 7 before it started/)
  expect(set.pids.size).toBe(0)
})

test('a damaged disk takes one replica out, and the others go on', async () => {
  const { set, done, kinds } = begin(['', 'damaged', ''], 0)
  await vi.waitFor(() => expect(kinds('exit')).toEqual([{ event: 'exit', id: 2, code: 1 }]))
  await vi.waitFor(() => expect(kinds('ready').length).toBe(1))
  set.end()
  expect(await done).toBe(null)
  expect(kinds('replica').filter((event) => event.event === 'replica' && event.id === 2)).toEqual([])
})

test('damaged disks of a majority end the set, with all reasons', async () => {
  const { done } = begin(['damaged', '', 'damaged'])
  expect(await done).toMatch(/replica 1: torn.*replica 3: torn|replica 3: torn.*replica 1: torn/)
})

test('a replica that is killed is told and starts again, with another pid', async () => {
  const { kinds, set, done } = begin(['', 'dies', ''], 0)
  await vi.waitFor(() => expect(kinds('exit')[0]).toEqual({ event: 'exit', id: 2, signal: 'SIGKILL' }), 5_000)
  await vi.waitFor(() => {
    const pids = kinds('replica').flatMap((event) => (event.event === 'replica' && event.id === 2 ? [event.pid] : []))
    expect(new Set(pids).size).toBeGreaterThan(1)
  }, 5_000)
  set.end()
  expect(await done).toBe(null)
})

test('a replica whose loop is silent for too long is killed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const { kinds } = begin(['', '', ''])
  await vi.waitFor(() => expect(kinds('ready').length).toBe(1))
  const second = hostLimits.aliveMs
  vi.advanceTimersByTime(hostLimits.silentLoopMs - second)
  expect(kinds('exit')).toEqual([])
  vi.advanceTimersByTime(3 * second)
  await vi.waitFor(() => expect(kinds('exit').length).toBe(3))
})

test('a second end is at once', async () => {
  const { set, done, kinds } = begin(['deaf'])
  await vi.waitFor(() => expect(kinds('ready').length).toBe(1))
  set.end()
  set.end()
  expect(await done).toBe(null)
  expect(kinds('exit')).toEqual([{ event: 'exit', id: 1, signal: 'SIGKILL' }])
})

test('a replica that is cycled is told to end and starts again at once; one that does not run is started', async () => {
  const { set, kinds } = begin(['', '', ''])
  await vi.waitFor(() => expect(kinds('ready').length).toBe(1))
  const before = set.pids.get(replicaId(2))
  await set.cycle(replicaId(2))
  await vi.waitFor(() => expect(kinds('replica').length).toBe(4))
  expect(kinds('exit')).toEqual([{ event: 'exit', id: 2, code: 0 }])
  expect(set.pids.get(replicaId(2))).not.toBe(before)
  // With `restart` never it stays away once it has ended by itself.
  expect(set.drain(replicaId(3))).toBe(true)
  await vi.waitFor(() => expect(set.pids.size).toBe(2))
  expect(set.drain(replicaId(3))).toBe(false)
  await set.cycle(replicaId(3))
  await vi.waitFor(() => expect(kinds('replica').length).toBe(5))
})

test('a replica that is added runs beside the others; one that is dropped ends, and is not started again', async () => {
  const { set, kinds } = begin(['', '', ''], 0)
  await vi.waitFor(() => expect(kinds('ready').length).toBe(1))
  const [first] = set.config.replicas
  const added = { ...must(first, 'a replica'), id: replicaId(4) }
  set.add(added)
  await vi.waitFor(() => expect(kinds('replica').length).toBe(4))
  expect(set.config.replicas.map(({ id }) => id)).toEqual([1, 2, 3, 4])
  await set.drop(replicaId(2))
  expect(kinds('exit')).toEqual([{ event: 'exit', id: 2, code: 0 }])
  expect([...set.pids.keys()]).toEqual([1, 3, 4])
  expect(set.config.replicas.map(({ id }) => id)).toEqual([1, 3, 4])
  await set.drop(replicaId(2))
})
