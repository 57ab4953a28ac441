// The snapshot benchmark (issue 5, "done when" 4): three replicas as processes, a store full of dialogs, and while commits go on at a
// steady rate: a snapshot, its transfer to an empty replica, a restart from disk. What the leader's loop did meanwhile is measured.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import { replicaId } from '../../src/base/brand.ts'
import type { SetConfig } from '../../src/host/config.ts'
import { fillFolders } from './filled-folder.ts'
import type { Done, Order, Shape } from './load-door.ts'
import type { Reading } from './meter.ts'
import type { FromReplica, Status, ToReplica } from './snapshot-replica.ts'

export interface Wanted {
  readonly shape: Shape
  /** Commits a second. */
  readonly rate: number
  /** Of the phase in which nothing else happens, in seconds. */
  readonly rest: number
  /** Bytes of the log after which a snapshot begins. */
  readonly every: number
  /** What takes longer fails; in milliseconds. */
  readonly patience: number
  /** What is going on, for who waits. */
  readonly say: (line: string) => void
}

export interface Phase {
  readonly name: string
  /** Of the leader. */
  readonly reading: Reading
  readonly done: Done
  /** It leads still: else the machine was too busy, and the figures say little. */
  readonly leads: boolean
  /** The most memory of any replica, in megabytes. */
  readonly resident: number
  /** How long what it is about took, in seconds. */
  readonly seconds: number
}

/** Runs it all. The replicas and their folders are gone when it ends, however it ends. */
export async function runSnapshots(wanted: Wanted): Promise<readonly Phase[]> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  const config = await configOf(folder, wanted.every)
  const set = new BenchSet(config, wanted.patience)
  try {
    return await phasesOf(set, wanted)
  } finally {
    set.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function phasesOf(set: BenchSet, { shape, rate, rest, every, say }: Wanted): Promise<readonly Phase[]> {
  const phases: Phase[] = []
  const all = shape.groups * shape.entities
  let orders = 0
  const load = (kind: Order['rate']): Order => ({ rate: kind, shape, number: ++orders })

  say(`folders with ${all} entities are made`)
  await fillFolders(set.config, [1, 2], shape)
  // The third one has never run: it is the empty one to come.
  say('two replicas start')
  set.start(1, true)
  set.start(2, true)
  await set.until('two serve', () => set.leading()?.serving === 2 && set.leading()?.entities === all)
  // Up to just before the next snapshot.
  const commitBytes = shape.entities * shape.bytes + 150
  const missing = (): number => every - 4 * rate * commitBytes - (set.leading()?.written ?? 0)
  while (missing() > 0) {
    const groups = Math.min(shape.groups, Math.ceil(missing() / commitBytes))
    set.load({ ...load('fill'), shape: { ...shape, groups } })
    await set.until('more is written', () => set.leading()?.isFilled === true)
    await wait(300)
  }
  await set.until('no snapshot is under way', () => set.isQuiet())

  const phase = async (name: string, work: (leader: number) => Promise<void>): Promise<void> => {
    say(name)
    const leader = set.leader()
    await set.read(leader)
    set.forgetMemory()
    const from = performance.now()
    await work(leader)
    const seconds = (performance.now() - from) / 1_000
    const { reading, done } = await set.read(leader)
    phases.push({ name, reading, done, resident: set.mostMemory(), seconds, leads: set.status(leader)?.leads === true })
  }

  set.load(load(rate))
  await phase('a snapshot of its own', async (leader) => {
    const finished = (): number => set.status(leader)?.snapshots.finished ?? 0
    const before = finished()
    await set.until('it is finished', () => finished() > before)
  })
  await phase('nothing else', () => wait(rest * 1_000))
  await phase('transfer to an empty replica', async () => {
    set.start(3, false)
    await set.until('it has caught up', () => set.status(3)?.entities === all && set.lag(3) < rate)
    await set.until('three serve', () => set.leading()?.serving === 3)
  })
  await phase('a replica restarts from disk', async (leader) => {
    const other = must(
      [1, 2, 3].find((id) => id !== leader),
      'another one',
    )
    set.kill(other)
    await set.until('two serve', () => set.leading()?.serving === 2)
    set.start(other, true)
    await set.until('it has caught up', () => set.status(other)?.entities === all && set.lag(other) < rate)
    await set.until('three serve', () => set.leading()?.serving === 3)
  })
  return phases
}

/** Loopback addresses whose ports are free, and a folder for each replica. */
async function configOf(folder: string, every: number): Promise<SetConfig> {
  const ports = await freePorts(8)
  const address = (at: number): { host: string; port: number } => ({
    host: '127.0.0.1',
    port: must(ports[at], 'a port'),
  })
  return {
    set: randomBytes(8).toString('hex'),
    secret: randomBytes(32).toString('hex'),
    sip: address(0),
    nextHop: null,
    durability: 'wal',
    admin: address(1),
    replicas: [1, 2, 3].map((id) => ({
      id: replicaId(id),
      admin: address(2 * id),
      peer: address(2 * id + 1),
      data: join(folder, `replica-${id}`),
    })),
    compaction: { every },
    formats: {},
    restart: null,
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return ports
}

class BenchSet {
  readonly config: SetConfig
  readonly #patience: number
  readonly #processes = new Map<number, ChildProcess>()
  readonly #statuses = new Map<number, Status>()
  readonly #readings: ((reading: { reading: Reading; done: Done }) => void)[] = []
  #mostMemory = 0
  #trouble: string | null = null

  constructor(config: SetConfig, patience: number) {
    this.config = config
    this.#patience = patience
  }

  start(id: number, hasRun: boolean): void {
    const child = fork(new URL('./snapshot-replica.ts', import.meta.url), { execArgv: ['--max-old-space-size=4096'] })
    this.#processes.set(id, child)
    child.on('message', (message: FromReplica) => this.#heard(id, message))
    child.once('exit', (code, signal) => {
      if (this.#processes.get(id) === child && signal !== 'SIGKILL')
        this.#trouble ??= `replica ${id} ended: ${code ?? signal}`
    })
    this.#send(id, {
      kind: 'start',
      start: { config: this.config, replica: replicaId(id), fresh: hasRun ? 'join' : 'found' },
    })
  }

  kill(id: number): void {
    this.#statuses.delete(id)
    this.#processes.get(id)?.kill('SIGKILL')
  }

  end(): void {
    for (const child of this.#processes.values()) child.kill('SIGKILL')
  }

  /** Whoever leads obeys. */
  load(order: Order): void {
    for (const [id, known] of this.#statuses) {
      // What it said before was of another order.
      this.#statuses.set(id, { ...known, isFilled: false })
      this.#send(id, { kind: 'load', order })
    }
  }

  read(id: number): Promise<{ reading: Reading; done: Done }> {
    const answer = new Promise<{ reading: Reading; done: Done }>((resolve) => this.#readings.push(resolve))
    this.#send(id, { kind: 'read' })
    return answer
  }

  status(id: number): Status | undefined {
    return this.#statuses.get(id)
  }

  isQuiet(): boolean {
    return [...this.#statuses.values()].every(
      ({ snapshots: { begun, finished, installed } }) => begun === finished + installed,
    )
  }

  lag(id: number): number {
    return (this.leading()?.applied ?? Infinity) - (this.#statuses.get(id)?.applied ?? 0)
  }

  leading(): Status | undefined {
    return [...this.#statuses.values()].find(({ leads }) => leads)
  }

  leader(): number {
    return must(
      [...this.#statuses].find(([, { leads }]) => leads),
      'a leader',
    )[0]
  }

  mostMemory(): number {
    return this.#mostMemory
  }

  forgetMemory(): void {
    this.#mostMemory = 0
  }

  async until(what: string, is: () => boolean): Promise<void> {
    const from = performance.now()
    while (!is()) {
      if (this.#trouble !== null) throw new Error(this.#trouble)
      if (performance.now() - from > this.#patience) {
        throw new Error(`not within ${this.#patience} ms: ${what}; ${JSON.stringify([...this.#statuses])}`)
      }
      await wait(20)
    }
  }

  #send(id: number, message: ToReplica): void {
    this.#processes.get(id)?.send(message)
  }

  #heard(id: number, message: FromReplica): void {
    switch (message.kind) {
      case 'status':
        this.#statuses.set(id, message.status)
        this.#mostMemory = Math.max(this.#mostMemory, message.status.resident)
        return
      case 'reading':
        return this.#readings.shift()?.(message)
      case 'failed':
        this.#trouble ??= `replica ${id}: ${message.reason}`
    }
  }
}
