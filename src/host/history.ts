// What snapshots have taken the place of, kept beside the log for `holdfast trace`: whole files, moved into a folder of their own, so that
// nothing of them is read when a replica starts. They are kept era by era, an era being a snapshot and the segments that followed it (the
// first has no snapshot), the oldest going first.

import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isSegmentName } from '../wire/recovery.ts'
import { parseSnapshotName } from '../wire/snapshot-file.ts'
import { makeFolder } from './make-folder.ts'

/** In the data folder. */
export const HISTORY = 'history'

export class History {
  readonly #folder: string
  /** Bytes; 0 = nothing is kept. */
  readonly #keep: number

  constructor(data: string, keep: number) {
    this.#folder = join(data, HISTORY)
    this.#keep = keep
  }

  /** A file leaves the data folder. */
  async take(path: string): Promise<void> {
    if (this.#keep === 0) return rm(path, { force: true })
    await makeFolder(this.#folder)
    await rename(path, join(this.#folder, basename(path)))
  }

  /** Removes the oldest eras until no more than `keep` bytes are left; what it can't look at, it leaves. */
  async trim(): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => [])
    const files: { readonly name: string; readonly bytes: number }[] = []
    for (const name of names) {
      const found = await stat(join(this.#folder, name)).catch(() => null)
      if (found !== null) files.push({ name, bytes: found.size })
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const era of erasOf(names)) {
      if (total <= this.#keep) return
      for (const name of era.files) {
        await rm(join(this.#folder, name), { force: true })
        total -= files.find((file) => file.name === name)?.bytes ?? 0
      }
    }
  }

  /** The disk has no room: calls come first. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

export interface EraFiles {
  /** Its snapshot's name; null = it begins with the log. */
  readonly snapshot: string | null
  /** Its first segment. */
  readonly segment: number
  /** Its files, the snapshot first. */
  readonly files: readonly string[]
}

/** Of the names in a folder, the oldest first. */
export function erasOf(names: readonly string[]): readonly EraFiles[] {
  const snapshots = names.map(parseSnapshotName).filter((name) => name !== null)
  const bases = [{ name: null, segment: 1 }, ...snapshots.sort((a, b) => a.segment - b.segment || a.index - b.index)]
  const segments = names.filter(isSegmentName).sort()
  return bases.flatMap(({ name, segment }, i): readonly EraFiles[] => {
    const next = bases[i + 1]?.segment ?? Infinity
    const own = segments.filter((file) => numberOf(file) >= segment && numberOf(file) < next)
    const files = [...(name === null ? [] : [name]), ...own]
    return files.length === 0 ? [] : [{ snapshot: name, segment, files }]
  })
}

/** Of a segment's name. */
function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0)
}
