// Whether the applications of a set can be loaded, asked before anything is started.

import type { ApplicationConfig } from './application-config.ts'
import { ApplicationVersion } from './application-version.ts'

/** Why they can't be run; null if they can. Each is loaded once, and ended. */
export async function applicationTrouble(configs: readonly ApplicationConfig[]): Promise<string | null> {
  const modules = new Map<string, string>()
  for (const config of configs) {
    const version = new ApplicationVersion(config, false, SILENT)
    const loaded = await version.start()
    version.close()
    if (!loaded.ok) return `the application ${config.module}: ${loaded.error}`
    const { name } = loaded.value
    const other = modules.get(name)
    if (other !== undefined)
      return `${other} and ${config.module} both define an application "${name}": rename one of them`
    modules.set(name, config.module)
  }
  return null
}

const SILENT = { answered: () => {}, said: () => {}, faulty: () => {}, ended: () => {}, running: () => {} }
