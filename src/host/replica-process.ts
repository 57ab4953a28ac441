// One replica as a process: its data folder, its sockets, its loop, put together in the order that the design asks for:
// the life is durable before a port opens, the SIP address is bound only when the replica says so.

import { randomBytes, randomInt } from 'node:crypto'
import type { Life, ReplicaId } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import type { Persist } from '../replica/effect.ts'
import type { InputBody } from '../replica/input.ts'
import type { ReplicaOptions } from '../replica/options.ts'
import { AdminServer } from './admin-server.ts'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'
import { machineClock } from './clock.ts'
import type { SetConfig } from './config.ts'
import { openDataFolder } from './data-folder.ts'
import { DiskWatch } from './disk-watch.ts'
import { Host } from './host.ts'
import type { Door, World } from './host.ts'
import type { FromReplica } from './ipc.ts'
import { KnownPeers } from './known-peers.ts'
import { SparseLog } from './log.ts'
import type { Logger } from './log.ts'
import { watchProcess } from './metrics.ts'
import { PeerLinks } from './peer-links.ts'
import { PeerServer } from './peer-server.ts'
import type { PeerParts } from './peer-server.ts'
import { SipSockets } from './sip-sockets.ts'
import { Wal } from './wal.ts'

export interface ReplicaStart {
  readonly config: SetConfig
  readonly replica: ReplicaId
  readonly hasRun: boolean
}

export interface Surroundings {
  readonly log: Logger
  makeReplica(options: ReplicaOptions): Door
  report(message: Exclude<FromReplica, { kind: 'alive' | 'failed' }>): void
  /** The process must end. `data`: the data folder is at fault; `bug`: an assertion. Called once. */
  end(why: Ending): void
}

export interface Ending {
  readonly cause: 'data' | 'bug' | 'other'
  readonly reason: string
}

export interface RunningReplica {
  close(): void
}

/** Runs until `end` is called or `close`; every way to fail is told by `end`. */
export async function runReplica(start: ReplicaStart, around: Surroundings): Promise<RunningReplica> {
  const { config, replica } = start
  const { log } = around
  let ended = false
  const closing: (() => void)[] = []
  const close = (): void => {
    ended = true
    for (const part of closing.splice(0)) part()
  }
  const end = (cause: Ending['cause'], reason: string): void => {
    if (ended) return
    close()
    around.end({ cause, reason })
  }
  const running = { close }

  const own = must(config.replicas.find(({ id }) => id === replica), 'a replica of the set')
  const folder = await openDataFolder(own.data, { set: config.set, replica, hasRun: start.hasRun }, log)
  if (!folder.ok) return (end('data', folder.error), running)
  closing.push(folder.value.guard.release)
  const { life } = folder.value

  const clock = machineClock()
  const sparse = new SparseLog(log)
  // Filled below: sockets give inputs to a host that needs the sockets.
  let host: Host | null = null
  const give = (input: InputBody): void => host?.give(input)

  const wal = new Wal<Persist>(folder.value.end, {
    durable: (persists) => host?.durable(persists),
    full: (full) => disk.write(full),
    fatal: (reason) => end('data', `the log can't be written: ${reason}`),
  })
  const disk = new DiskWatch({
    folder: own.data,
    log,
    total: () => wal.total,
    change: (full) => give({ kind: 'disk', full }),
  })
  const sip = new SipSockets({ address: config.sip, life, clock, log: sparse, give })
  const admin = new AdminServer(own.admin, watchProcess(), give)
  let parts: PeerParts
  try {
    const peers = config.replicas.flatMap(({ id }) => (id === replica ? [] : [id]))
    const known = new KnownPeers(own.data)
    parts = { set: config.set, replica, life, address: own.peer, peers, known, log: sparse, give }
  } catch (error) {
    return (end('data', `${own.data}/peers.json can't be read: ${(error as Error).message}`), running)
  }
  const server = new PeerServer(parts)
  const links = new PeerLinks(parts, addressesOf(config, replica))
  closing.push(() => disk.close(), () => sip.close(), () => admin.close(), () => server.close(), () => links.close())

  const world: World = {
    send: (send) => sip.send(send),
    peer: (send) => links.send(send.to, send.frame),
    flush: () => links.flush(),
    persist: (persist) => wal.append(persist),
    openSip: () => {
      sip.open().then(
        () => ended || around.report({ kind: 'sip-open' }),
        (error: Error) => end('other', `the SIP address ${printAddress(config.sip)} can't be bound: ${error.message}`),
      )
    },
    reply: (reply) => admin.reply(reply),
    notice: (notice) => {
      if (notice.kind !== 'serving') around.report(notice)
      else log.info({ code: 'serving', lives: notice.lives }, 'these lives serve')
    },
    stop: (why) => {
      if (why.kind === 'stop') end('data', why.reason)
      else end('bug', why.error instanceof Error ? (why.error.stack ?? why.error.message) : String(why.error))
    },
  }
  try {
    await server.open().catch((error: Error) => {
      throw new Error(`the peer address ${printAddress(own.peer)} can't be bound: ${error.message}`)
    })
    await admin.open().catch((error: Error) => {
      throw new Error(`the admin address ${printAddress(own.admin)} can't be bound: ${error.message}`)
    })
  } catch (error) {
    return (end('other', (error as Error).message), running)
  }
  if (ended) return running

  let door: Door
  try {
    door = around.makeReplica(optionsOf(config, replica, life, folder.value.records, clock))
  } catch (error) {
    return (end('bug', error instanceof Error ? (error.stack ?? error.message) : String(error)), running)
  }
  host = new Host(door, clock, world, log)
  closing.unshift(() => host?.close())
  around.report({ kind: 'listening', life })
  log.info({ code: 'started', life, records: folder.value.records.length }, 'a new life begins')
  host.start()
  links.open()
  disk.start()
  return running
}

function addressesOf(config: SetConfig, self: ReplicaId): ReadonlyMap<ReplicaId, Address> {
  return new Map(config.replicas.filter(({ id }) => id !== self).map(({ id, peer }) => [id, peer]))
}

function optionsOf(
  config: SetConfig,
  id: ReplicaId,
  life: Life,
  records: readonly Uint8Array[],
  clock: { now(): ReplicaOptions['now']; wall(): ReplicaOptions['wall'] },
): ReplicaOptions {
  return {
    id,
    set: config.set,
    voters: config.replicas.map((replica) => replica.id),
    life,
    seed: randomInt(2 ** 32),
    freshKey: randomBytes(16),
    records,
    settings: { sip: config.sip, nextHop: config.nextHop },
    now: clock.now(),
    wall: clock.wall(),
  }
}
