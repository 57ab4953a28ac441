// Plants a mutant in this thread: the loader hands out the one file with the bug in it. To be called before the simulator is
// loaded. In another thread or process nothing has changed.

import { registerHooks } from 'node:module'
import type { LoadHookSync } from 'node:module'
import { plant } from '../mutants/mutant.ts'
import type { Mutant } from '../mutants/mutant.ts'

export function plantInThisThread(mutant: Mutant): void {
  const target = new URL(`../../${mutant.file}`, import.meta.url).href
  const load: LoadHookSync = (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    if (url !== target) return loaded
    const source = loaded.source
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array)
    const planted = plant(mutant, text)
    if (!planted.ok) throw new Error(planted.text)
    return { ...loaded, source: planted.text }
  }
  registerHooks({ load })
}
