// The peers' identities (wire/peer-identity.ts), kept in the data folder.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Life, ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { identifyPeer } from '../wire/peer-identity.ts'

const FILE = 'peers.json'

export class KnownPeers {
  readonly #folder: string | null
  readonly #incarnations: Map<number, string>

  constructor(folder: string | null, incarnations: Map<number, string>) {
    this.#folder = folder
    this.#incarnations = incarnations
  }

  /** What the folder remembers; nothing, if it is new. */
  static load(folder: string): Result<KnownPeers, string> {
    const path = join(folder, FILE)
    try {
      const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
      return ok(new KnownPeers(folder, new Map(Object.entries(value).map(([id, known]) => [Number(id), known]))))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok(new KnownPeers(folder, new Map()))
      return err(`${path} can't be read: ${(error as Error).message}. Put it back as it was`)
    }
  }

  /** Remembers only as long as this process lives. */
  static none(): KnownPeers {
    return new KnownPeers(null, new Map())
  }

  /** Why that life is not the peer it was; null if it is, or is met for the first time, which is then remembered. */
  objection(life: Life): string | null {
    const identity = identifyPeer(life, this.#incarnations)
    if (identity.kind === 'known') return null
    if (identity.kind === 'stranger') return identity.reason
    const { replica, incarnation } = identity
    this.#incarnations.set(replica, incarnation)
    try {
      if (this.#folder !== null) this.#write(this.#folder)
      return null
    } catch (error) {
      this.#incarnations.delete(replica)
      return `replica ${replica} is new here and can't be remembered: ${(error as Error).message}`
    }
  }

  /** The disk that this replica had when it was first met; null = never. */
  incarnationOf(id: ReplicaId): string | null {
    return this.#incarnations.get(id) ?? null
  }

  /** Those that are out of the set are refused by that, whatever disk they have. */
  forget(isOut: (id: ReplicaId) => boolean): void {
    const out = [...this.#incarnations.keys()].filter((id) => isOut(id as ReplicaId))
    for (const id of out) this.#incarnations.delete(id)
    try {
      if (out.length > 0 && this.#folder !== null) this.#write(this.#folder)
    } catch {
      // Written with the next one that is met; what is in the file besides does no harm.
    }
  }

  /** In place of the old file at once, or not at all. Waits for the disk: twice per peer in the life of a set. */
  #write(inFolder: string): void {
    const path = join(inFolder, FILE)
    const file = openSync(`${path}.new`, 'w', 0o600)
    const sorted = [...this.#incarnations].sort(([a], [b]) => a - b)
    writeSync(file, `${JSON.stringify(Object.fromEntries(sorted))}\n`)
    fsyncSync(file)
    closeSync(file)
    renameSync(`${path}.new`, path)
    const folder = openSync(inFolder, 'r')
    fsyncSync(folder)
    closeSync(folder)
  }
}
