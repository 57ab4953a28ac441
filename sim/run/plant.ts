// Plants a mutant in this thread: the loader hands out the files with the bug in them. To be called before the simulator is
// loaded. In another thread or process nothing has changed.

import { registerHooks } from 'node:module'
import type { LoadHookSync } from 'node:module'
import { filesOf, plant } from '../mutants/mutant.ts'
import type { Mutant } from '../mutants/mutant.ts'

export function plantInThisThread(mutant: Mutant): void {
  const targets = new Map(filesOf(mutant).map((file) => [new URL(`../../${file}`, import.meta.url).href, file]))
  const load: LoadHookSync = (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const file = targets.get(url)
    if (file === undefined) return loaded
    const source = loaded.source
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array)
    const planted = plant(mutant, file, text)
    if (!planted.ok) throw new Error(planted.text)
    return { ...loaded, source: planted.text }
  }
  registerHooks({ load })
}
