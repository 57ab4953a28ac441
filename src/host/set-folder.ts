// The folder of a set that `up` runs on one machine: the set's id and secret, and one data folder per replica.

import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { makeFolder } from './make-folder.ts'
import { isSecret, newSecret } from './peer-security.ts'
import type { Membership } from './peer-security.ts'
import { syncFolder } from './wal.ts'

const FILE = 'set.json'

interface Contents {
  readonly holdfast: 'set'
  readonly set: string
  readonly secret: string
  /** In rising order. Written as their count while they are 1, 2, 3, ...: then every release can read it. */
  readonly replicas: readonly number[]
  /** Replicas that have run: their data folders must hold a log (design.md 10). */
  readonly started: readonly number[]
}

/** Of a new set. */
export function newMembership(): Membership {
  return { set: randomBytes(8).toString('hex'), secret: newSecret() }
}

export class SetFolder {
  readonly path: string
  readonly isTemporary: boolean
  #contents: Contents
  /** Writes follow one another: they share a name. */
  #written: Promise<void> = Promise.resolve()

  constructor(path: string, isTemporary: boolean, contents: Contents) {
    this.path = path
    this.isTemporary = isTemporary
    this.#contents = contents
  }

  get membership(): Membership {
    const { set, secret } = this.#contents
    return { set, secret }
  }

  hasRun(replica: number): boolean {
    return this.#contents.started.includes(replica)
  }

  /** Which replicas the set has. */
  get replicas(): readonly number[] {
    return this.#contents.replicas
  }

  /** Remembers that this replica has written its first life. */
  markStarted(replica: number): Promise<void> {
    if (this.hasRun(replica)) return this.#written
    const started = [...this.#contents.started, replica].sort((a, b) => a - b)
    return this.#change({ ...this.#contents, started })
  }

  /** The set has these replicas from now on. */
  setReplicas(replicas: readonly number[]): Promise<void> {
    const started = this.#contents.started.filter((replica) => replicas.includes(replica))
    return this.#change({ ...this.#contents, replicas, started })
  }

  #change(contents: Contents): Promise<void> {
    this.#contents = contents
    const write = (): Promise<void> => writeContents(this.path, this.#contents)
    this.#written = this.#written.then(write, write)
    return this.#written
  }

  async removeIfTemporary(): Promise<void> {
    await this.#written.catch(() => undefined)
    if (this.isTemporary) await rm(this.path, { recursive: true, force: true })
  }
}

/** The data folder of one of the set's replicas. */
export function replicaFolder(path: string, replica: number): string {
  return join(path, `replica-${replica}`)
}

/** Renames a replica's folder, if it is there, to a name with a number that is free: it begins anew, and nothing is removed. */
export async function putAside(folder: string): Promise<void> {
  for (let n = 1; ; n++) {
    const aside = `${folder}.old-${n}`
    if (await stat(aside).catch(() => null)) continue
    await rename(folder, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    return
  }
}

/** How many replicas a new set has, if nobody says. */
export const NEW_SET = 3

/** Opens the set in `path`, or makes one there; `null` makes a new temporary folder. `replicas` null: as many as it has. */
export async function openSetFolder(path: string | null, replicas: number | null): Promise<Result<SetFolder, string>> {
  try {
    if (path === null) {
      const temporary = await mkdtemp(join(tmpdir(), 'holdfast-'))
      return ok(new SetFolder(temporary, true, await create(temporary, replicas ?? NEW_SET)))
    }
    const folder = resolve(path)
    await makeFolder(folder)
    const known = await readContents(folder)
    if (!known.ok) return known
    const contents = known.value ?? (await create(folder, replicas ?? NEW_SET))
    const { length } = contents.replicas
    if (replicas !== null && length !== replicas) {
      const fix = 'leave --replicas out (holdfast members changes a set), or give another --data'
      return err(`${folder} holds a set of ${length} replicas, not of ${replicas}: ${fix}`)
    }
    return ok(new SetFolder(folder, false, contents))
  } catch (error) {
    return err(
      `the data folder ${path ?? tmpdir()} can't be used: ${(error as Error).message}; give another one with --data`,
    )
  }
}

/** Id, secret and replicas of the set in `path`, if one is there; nothing is written. */
export async function peekSet(path: string): Promise<(Membership & { readonly replicas: readonly number[] }) | null> {
  const known = await readContents(resolve(path)).catch(() => null)
  if (known?.ok !== true || known.value === null) return null
  const { set, secret, replicas } = known.value
  return { set, secret, replicas }
}

async function create(folder: string, replicas: number): Promise<Contents> {
  const contents: Contents = { holdfast: 'set', ...newMembership(), replicas: upTo(replicas), started: [] }
  await writeContents(folder, contents)
  return contents
}

async function readContents(folder: string): Promise<Result<Contents | null, string>> {
  let text: string
  try {
    text = await readFile(join(folder, FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok(null)
    throw error
  }
  try {
    const value = JSON.parse(text) as { readonly [name in keyof Contents]?: unknown }
    const { holdfast, set, secret, started } = value
    const replicas = typeof value.replicas === 'number' ? upTo(value.replicas) : value.replicas
    const isOurs = holdfast === 'set' && typeof set === 'string' && isSecret(secret)
    if (isOurs && isNumbers(replicas) && isNumbers(started)) return ok({ holdfast, set, secret, replicas, started })
  } catch {
    // Said below.
  }
  return err(`${join(folder, FILE)} can't be read as a set of Holdfast: give another --data, or put the file back`)
}

/** In place of the old file at once, or not at all. */
async function writeContents(folder: string, contents: Contents): Promise<void> {
  const path = join(folder, FILE)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    const { replicas } = contents
    const isPlain = replicas.every((replica, i) => replica === i + 1)
    await file.writeFile(`${JSON.stringify({ ...contents, replicas: isPlain ? replicas.length : replicas })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncFolder(folder)
}

/** 1, 2, 3, ... */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isInteger(item))
}
