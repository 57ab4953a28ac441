// Three of our replicas under load.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { must } from '../../../src/base/assert.ts'
import { replicaId } from '../../../src/base/brand.ts'
import type { Address } from '../../../src/host/address.ts'
import type { SetConfig } from '../../../src/host/config.ts'
import { joinFrames } from '../../../src/host/frame-stream.ts'
import { newMembership } from '../../../src/host/set-folder.ts'
import { SLOT_BYTES } from './load-port.ts'
import type { BenchOrder, BenchWord } from './replica.ts'
import { endAll, freePorts, VALUE_BYTES } from './system.ts'
import type { Keeping, Running, System, Writer } from './system.ts'

const PROGRAM = new URL('replica.ts', import.meta.url)

/** `nodeOptions` are for the replicas' processes: a profiler, say. */
export function holdfast(nodeOptions: readonly string[]): System {
  return {
    name: 'Holdfast',
    missing: () => null,
    version: () => `Node.js ${process.versions.node}`,
    start: (keeping, folder) => start(keeping, folder, nodeOptions),
  }
}

async function start(keeping: Keeping, folder: string, nodeOptions: readonly string[]): Promise<Running> {
  const ports = await freePorts(11)
  const config = configOf(keeping, folder, ports)
  const children = config.replicas.map(() => fork(PROGRAM, { execArgv: [...nodeOptions], stdio: 'inherit' }))
  const loadPorts = ports.slice(8)
  const words = await Promise.all(
    children.map((child, i) =>
      order(child, {
        start: { config, replica: replicaId(i + 1), fresh: 'found' },
        loadPort: must(loadPorts[i], 'a port'),
      }),
    ),
  )
  const { leader } = must(words[0], 'a word of each')
  return {
    pids: children.map(({ pid }) => must(pid, 'a process')),
    connect: (slots) => connectTo(slots === 1 ? [must(loadPorts[leader - 1], 'a port')] : loadPorts),
    stop: () => endAll(children),
  }
}

function configOf(keeping: Keeping, folder: string, ports: readonly number[]): SetConfig {
  const address = (i: number): Address => ({ host: '127.0.0.1', port: must(ports[i], 'a port') })
  return {
    ...newMembership(),
    sip: address(6),
    nextHop: null,
    durability: keeping === 'memory' ? 'memory' : 'wal',
    admin: address(7),
    replicas: [1, 2, 3].map((id) => ({
      id: replicaId(id),
      admin: address(id - 1),
      peer: address(id + 2),
      data: keeping === 'memory' ? null : join(folder, `replica-${id}`),
    })),
    compaction: {},
    formats: {},
    restart: null,
  }
}

function order(child: ChildProcess, what: BenchOrder): Promise<BenchWord> {
  return new Promise((resolve, reject) => {
    child.once('message', (word) => resolve(word as BenchWord))
    child.once('exit', (code) => reject(new Error(`a replica ended with ${code ?? 'a signal'}`)))
    child.send(what)
  })
}

/** Slots are dealt out to these ports. */
export async function connectTo(ports: readonly number[]): Promise<Writer> {
  const waiting = new Map<number, () => void>()
  const links = await Promise.all(ports.map((port) => Link.open(port, (slot) => waiting.get(slot)?.())))
  return {
    write: (slot, done) => {
      waiting.set(slot, done)
      must(links[slot % links.length], 'a link').ask(slot)
    },
    close: () => {
      for (const link of links) link.close()
    },
  }
}

/** What is asked for in one turn leaves with one write. */
class Link {
  readonly #socket: Socket
  readonly #value = randomBytes(VALUE_BYTES)
  #asked: Buffer[] = []

  constructor(socket: Socket, answered: (slot: number) => void) {
    this.#socket = socket
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (piece: Buffer) => {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      let at = 0
      for (; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) answered(bytes.readUInt32LE(at))
      rest = bytes.subarray(at)
    })
    socket.on('error', () => undefined)
  }

  static open(port: number, answered: (slot: number) => void): Promise<Link> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(new Link(socket, answered)))
      socket.once('error', reject)
    })
  }

  ask(slot: number): void {
    const bytes = Buffer.allocUnsafe(SLOT_BYTES + VALUE_BYTES)
    bytes.writeUInt32LE(slot, 0)
    this.#value.copy(bytes, SLOT_BYTES)
    if (this.#asked.push(bytes) > 1) return
    queueMicrotask(() => {
      if (!this.#socket.destroyed) this.#socket.write(joinFrames(this.#asked))
      this.#asked = []
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
