// Where one piece of software meets a set: a folder, addresses, certificates that all of it trusts, three replicas that listen by
// every transport, and the deaths of these.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority } from '../../src/host/testing/certificates.ts'
import type { Pem } from '../../src/host/testing/certificates.ts'
import { launchSet, place } from '../cluster/replica-set.ts'
import type { Place, ReplicaSet } from '../cluster/replica-set.ts'
import { connectionsOf } from '../moments/connections.ts'
import type { Kill } from './software.ts'

export type Transport = 'udp' | 'tcp' | 'tls'

/** Where each set takes secure WebSockets. */
export const WSS_PORT = 8443

export class Arena {
  readonly slot: number
  readonly place: Place
  readonly folder: string
  readonly set: ReplicaSet
  readonly #authority: ReturnType<typeof makeAuthority>
  readonly #ends: (() => Promise<void> | void)[] = []
  /** By replica, phones' connections that stood at the last death: for checkSurvivors. */
  #stood: ReadonlyMap<number, readonly string[]> = new Map()

  private constructor(slot: number, folder: string, authority: ReturnType<typeof makeAuthority>, set: ReplicaSet) {
    this.slot = slot
    this.place = place(slot)
    this.folder = folder
    this.set = set
    this.#authority = authority
  }

  /** `nextHop`: null = by the Request-URI. */
  static async open(slot: number, nextHop: string | null): Promise<Arena> {
    const at = place(slot)
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-interop-'))
    const authority = makeAuthority()
    const host = hostOf(at.sip)
    const own = authority.issue({ names: [host] })
    const files = { 'set.pem': own.cert, 'set.key': own.key, 'ca.pem': authority.cert }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const listen = `${host}:5061;transport=tls,${host}:${WSS_PORT};transport=wss`
    const tls = ['--tls-cert', 'set.pem', '--tls-key', 'set.key', '--tls-ca', 'ca.pem']
    const paths = tls.map((word) => (word.startsWith('--') ? word : join(folder, word)))
    const set = launchSet({ place: at, nextHop, restart: '1', extra: ['--listen', listen, ...paths] })
    try {
      const arena = new Arena(slot, folder, authority, set)
      await set.event('ready', 120_000, ({ event }) => event === 'ready')
      await set.statuses('all three serve', 60_000, ({ serving }) => serving.length === 3)
      return arena
    } catch (error) {
      if (error instanceof Error) error.message += `\n${set.stderr().slice(-3_000)}`
      await set.destroy()
      rmSync(folder, { recursive: true })
      throw error
    }
  }

  /** An address of this arena's. */
  host(last: number): string {
    return `${hostOf(this.place.sip).split('.').slice(0, 3).join('.')}.${last}`
  }

  /** Where the set is reached by that. */
  sip(by: Transport): string {
    return by === 'tls' ? `${hostOf(this.place.sip)}:5061` : this.place.sip
  }

  get trusted(): string {
    return this.#authority.cert
  }

  issue(host: string): Pem {
    return this.#authority.issue({ names: [host] })
  }

  /** Writes a file into its folder; its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** Done at the end, the last one first. */
  atEnd(end: () => Promise<void> | void): void {
    this.#ends.push(end)
  }

  /** The replicas in the order in which they die: the leader first. */
  get victims(): readonly number[] {
    const { ids, leader } = this.set
    return [leader, ...ids.filter((id) => id !== leader)]
  }

  /** `kill -9`; returns once it has ended. */
  async kill(replica: number): Promise<Kill> {
    const { set } = this
    const survivors = set.ids.filter((id) => id !== replica)
    const owned = (await set.owned(survivors[0] as number)).get(replica) ?? 0
    const connections = connectionsOf(set.pid(replica))
    const kill = { replica, led: set.leader === replica, owned, held: this.#phonesAt(replica).length, connections }
    this.#stood = new Map(survivors.map((id) => [id, this.#phonesAt(id)]))
    const before = set.events.length
    set.kill(replica)
    await set.event(`replica ${replica} exits`, 5_000, (event) => event.event === 'exit', before)
    return kill
  }

  /** Connections that phones made to that replica, as `FAR OWN`. */
  #phonesAt(replica: number): readonly string[] {
    const host = hostOf(this.place.sip)
    const own = new Set([this.place.sip, `${host}:5061`, `${host}:${WSS_PORT}`])
    return [...connectionsOf(this.set.pid(replica))].filter((connection) => {
      const [far = '', at = ''] = connection.split(' ')
      return own.has(at) && hostOf(far) !== host && !far.endsWith(':0')
    })
  }

  /** Throws if a phone's connection with a survivor ended since the last death: then what phones gave up for their connections' sake
   * could not be put down to that. */
  checkSurvivors(): void {
    for (const [id, connections] of this.#stood) {
      const stand = new Set(this.#phonesAt(id))
      const ended = connections.filter((connection) => !stand.has(connection))
      if (ended.length > 0) throw new Error(`${id} survived and lost phones' connections: ${ended.join(', ')}`)
    }
  }

  /** Waits until all three serve again. */
  async whole(): Promise<void> {
    await this.set.statuses('all three serve again', 60_000, ({ serving }) => serving.length === 3)
  }

  async end(): Promise<void> {
    const troubles: unknown[] = []
    for (const end of [...this.#ends.toReversed(), () => this.set.destroy()]) {
      await Promise.resolve(end()).catch((error: unknown) => troubles.push(error))
    }
    rmSync(this.folder, { recursive: true, force: true })
    if (troubles.length > 0) throw troubles[0]
  }
}

/** Plays in an arena of its own, and cleans up however it went. */
export async function inArena<T>(slot: number, nextHop: string | null, play: (arena: Arena) => Promise<T>): Promise<T> {
  const arena = await Arena.open(slot, nextHop)
  try {
    return await play(arena)
  } catch (error) {
    if (error instanceof Error) error.message += `\n${arena.set.stderr().slice(-6_000)}`
    throw error
  } finally {
    await arena.end()
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'))
}

/** The far ends of the TCP connections that end at `near`, as this machine's kernel has them. */
export function connectionsAt(near: string): readonly string[] {
  const own = kernelAddress(near)
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/)
    return local === own && state === ESTABLISHED && remote !== undefined ? [readableAddress(remote)] : []
  })
}

const ESTABLISHED = '01'

// 127.0.0.1:5060 is 0100007F:13C4 there.
function kernelAddress(address: string): string {
  const bytes = hostOf(address).split('.').map(Number).toReversed()
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')
  return `${bytes.map((byte) => hex(byte, 2)).join('')}:${hex(Number(address.slice(address.lastIndexOf(':') + 1)), 4)}`
}

function readableAddress(text: string): string {
  const [host = '', port = ''] = text.split(':')
  const bytes = [...Buffer.from(host, 'hex')].toReversed()
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`
}
