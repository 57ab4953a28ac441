// This program's own modules, by the names that applications import them by: they get those of the release that runs them, installed beside
// them or not.

import { extname } from 'node:path'

const own = new URL('../../', import.meta.url)
const extension = extname(import.meta.filename)
const exported: ReadonlyMap<string, string> = new Map([
  ['holdfast', 'src/index'],
  ['holdfast/servlet', 'src/servlet/index'],
  ['holdfast/sip', 'src/sip/index'],
  ['holdfast/raft', 'src/raft/index'],
  ['holdfast/sim', 'sim/index'],
])

/** Of a clone the examples beside it are no part. */
export const ownCode = new URL('src/', own).href

/** Where that name leads; null = it is none of this program's. */
export function ownModule(specifier: string): string | null {
  const path = exported.get(specifier)
  return path === undefined ? null : new URL(path + extension, own).href
}
