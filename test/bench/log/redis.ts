// Redis: a primary and two replicas of it, each write followed by WAIT 1. WAIT holds up its connection, so every write in flight
// has one of its own. On disk: the append-only file, synced before the answer.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { must } from '../../../src/base/assert.ts'
import { endAll, freePorts, poll, startServer, VALUE_BYTES } from './system.ts'
import type { Keeping, Running, System, Writer } from './system.ts'

const value = randomBytes(VALUE_BYTES)

export const redis: System = {
  name: 'Redis, WAIT 1',
  missing: () =>
    spawnSync('redis-server', ['--version']).status === 0 ? null : 'redis-server: apt-get install redis-server',
  version: () => /v=(\S+)/.exec(spawnSync('redis-server', ['--version']).stdout.toString())?.[1] ?? '?',
  start,
}

async function start(keeping: Keeping, folder: string): Promise<Running> {
  const ports = await freePorts(3)
  const primary = must(ports[0], 'a port')
  const kept = keeping === 'memory' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', 'always']
  const children = ports.map((port, i) => {
    const own = join(folder, `redis-${i}`)
    mkdirSync(own)
    const follows = i === 0 ? [] : ['--replicaof', '127.0.0.1', String(primary)]
    const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', own, '--save', '', ...kept]
    return startServer('redis-server', [...common, '--repl-diskless-sync-delay', '0', ...follows])
  })
  await poll('Redis replicas are online', async () => {
    const said = await ask(primary, 'INFO replication\r\n')
    return said.match(/state=online/g)?.length === 2
  })
  return {
    pids: children.map(({ pid }) => must(pid, 'a process')),
    connect: (slots) => connectTo(primary, slots),
    stop: () => endAll(children),
  }
}

function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(command))
    socket.once('error', reject)
    socket.once('data', (answer: Buffer) => {
      socket.destroy()
      resolve(answer.toString('latin1'))
    })
  })
}

/** SET's and WAIT's: the write is safe once one replica has it. */
const ANSWERED = /^\+OK\r\n:[12]\r\n$/

async function connectTo(port: number, slots: number): Promise<Writer> {
  const sockets = await Promise.all(Array.from({ length: slots }, () => open(port)))
  const waiting: ((() => void) | undefined)[] = []
  for (const [slot, socket] of sockets.entries()) {
    let said = ''
    socket.on('data', (piece: Buffer) => {
      said += piece.toString('latin1')
      if (said.split('\r\n').length < 3) return
      if (!ANSWERED.test(said)) throw new Error(`Redis says ${JSON.stringify(said)}`)
      said = ''
      waiting[slot]?.()
    })
  }
  const commands = sockets.map((_, slot) => commandOf(`key-${slot}`))
  return {
    write: (slot, done) => {
      waiting[slot] = done
      must(sockets[slot], 'a socket').write(must(commands[slot], 'a command'))
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function commandOf(key: string): Buffer {
  const set = `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${VALUE_BYTES}\r\n`
  const wait = '\r\n*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$5\r\n10000\r\n'
  return Buffer.concat([Buffer.from(set), value, Buffer.from(wait)])
}
