// The files of `--trace` and `--html` are written when the runs are over; whether they can be is asked before.

import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Why the option's file can't be written; null if nothing speaks against it. Nothing is written yet. */
export async function outputTrouble(option: 'trace' | 'html', file: string): Promise<string | null> {
  const absent = (error: unknown): null => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const known = await stat(file).catch(absent)
    if (known?.isDirectory() === true) return `--${option} ${file} is a folder; name a file`
    await access(known === null ? dirname(resolve(file)) : file, constants.W_OK)
    return null
  } catch (error) {
    return `--${option} ${file} can't be written: ${(error as Error).message}; name a file in a folder that can be`
  }
}
