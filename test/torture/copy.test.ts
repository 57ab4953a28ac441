// The messages against another copy of them, where there is one: HOLDFAST_TORTURE names a folder with `rfc4475` and
// `rfc5118` in it, the files with or without `.dat`.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const other = process.env['HOLDFAST_TORTURE'] ?? ''

test.skipIf(other === '').each(['rfc4475', 'rfc5118'])('%s: byte for byte as in the other copy', (folder) => {
  const own = new URL(`${folder}/`, import.meta.url)
  for (const name of readdirSync(own)) {
    const named = join(other, folder, name)
    const path = existsSync(named) ? named : named.slice(0, -'.dat'.length)
    expect(readFileSync(new URL(name, own)).equals(readFileSync(path)), name).toBe(true)
  }
})
