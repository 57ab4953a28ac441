// The module that a user's simulation is in.

import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { ownModule } from '../../src/host/own-modules.ts'
import { isSimulation } from '../own/definition.ts'
import type { Simulation } from '../own/definition.ts'

/** What a handler may wait for the outside, milliseconds of real time. */
const outsideMs = 10_000

/** The user's module can't be used, for this reason. */
export class OwnFault extends Error {}

const loaded = new Map<string, Promise<Simulation>>()

/** The one that the module exports, loaded once in this thread. Rejects with what is wrong with it. */
export function loadSimulation(module: string): Promise<Simulation> {
  const known = loaded.get(module) ?? load(module)
  loaded.set(module, known)
  return known
}

async function load(module: string): Promise<Simulation> {
  if (loaded.size === 0)
    registerHooks({
      resolve(specifier, context, next) {
        const url = ownModule(specifier)
        return url === null ? next(specifier, context) : { url, shortCircuit: true }
      },
    })
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = (await import(pathToFileURL(module).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new OwnFault(`--own ${module}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const all = [...new Set(Object.values(exports).filter(isSimulation))]
  const [one, other] = all
  if (one !== undefined && other === undefined) return one
  throw new OwnFault(
    one === undefined
      ? `--own ${module}: it exports no simulation: export one, as in export const calls = defineSimulation({ ... })`
      : `--own ${module}: it exports ${all.length} simulations: leave one of them`,
  )
}

/** Rejects if a handler waits for the outside for too long. */
export async function bounded(until: Promise<void>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | null = null
  const late = new Promise<never>((_, reject) => {
    const text = `${name} has waited for ${outsideMs / 1_000} s for what is outside of the simulation: give it a stand-in that answers`
    timer = setTimeout(() => reject(new Error(text)), outsideMs)
  })
  try {
    await Promise.race([until, late])
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}
