// Folders, made with their parents. Node's own recursive mkdir never returns where a folder can't be made although its
// parent is there (such as under /proc, with Node 24).

import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes `path` if it isn't there; rejects with the system's error. */
export async function makeFolder(path: string): Promise<void> {
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isThere) return
  const parent = dirname(path)
  if (parent !== path) await makeFolder(parent)
  await mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
    // Another process made it meanwhile.
    if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
  })
}
