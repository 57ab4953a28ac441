// The folder of a set that `up` runs on one machine: the set's id and secret, and one data folder per replica.

import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rename, rm } from 'node:fs/promises'
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
  readonly replicas: number
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

  /** Remembers that this replica has written its first life. */
  markStarted(replica: number): Promise<void> {
    if (this.hasRun(replica)) return this.#written
    const started = [...this.#contents.started, replica].sort((a, b) => a - b)
    this.#contents = { ...this.#contents, started }
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

/** Opens the set in `path`, or makes one there; `null` makes a new temporary folder. */
export async function openSetFolder(path: string | null, replicas: number): Promise<Result<SetFolder, string>> {
  try {
    if (path === null) {
      const temporary = await mkdtemp(join(tmpdir(), 'holdfast-'))
      return ok(new SetFolder(temporary, true, await create(temporary, replicas)))
    }
    const folder = resolve(path)
    await makeFolder(folder)
    const known = await readContents(folder)
    if (!known.ok) return known
    const contents = known.value ?? (await create(folder, replicas))
    if (contents.replicas !== replicas) {
      const fix = `run it with --replicas ${contents.replicas}, or give another --data`
      return err(`${folder} holds a set of ${contents.replicas} replicas, not of ${replicas}: ${fix}`)
    }
    return ok(new SetFolder(folder, false, contents))
  } catch (error) {
    return err(
      `the data folder ${path ?? tmpdir()} can't be used: ${(error as Error).message}; give another one with --data`,
    )
  }
}

/** Id and secret of the set in `path`, if one is there; nothing is written. */
export async function peekMembership(path: string): Promise<Membership | null> {
  const known = await readContents(resolve(path)).catch(() => null)
  if (known?.ok !== true || known.value === null) return null
  const { set, secret } = known.value
  return { set, secret }
}

async function create(folder: string, replicas: number): Promise<Contents> {
  const contents: Contents = { holdfast: 'set', ...newMembership(), replicas, started: [] }
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
    const value = JSON.parse(text) as Partial<Contents>
    const { holdfast, set, secret, replicas, started } = value
    const isOurs = holdfast === 'set' && typeof set === 'string' && isSecret(secret)
    if (isOurs && typeof replicas === 'number' && Array.isArray(started)) {
      return ok({ holdfast, set, secret, replicas, started })
    }
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
    await file.writeFile(`${JSON.stringify(contents)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncFolder(folder)
}
