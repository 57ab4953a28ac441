// Whether the applications of a set can be loaded, asked before anything is started.

import { isRouter } from '../app/router.ts'
import type { ApplicationInfo } from '../app/contract.ts'
import type { ApplicationConfig } from './application-config.ts'
import { ApplicationVersion } from './application-version.ts'
import type { SetConfig } from './config.ts'
import { routerTrouble, workersOf } from './router-config.ts'

/** Why they can't be run; null if they can. Each is loaded once, and ended. */
export async function applicationTrouble(set: Pick<SetConfig, 'applications' | 'router'>): Promise<string | null> {
  const modules = new Map<string, string>()
  const names: string[] = []
  for (const config of workersOf(set)) {
    const version = new ApplicationVersion(config, false, SILENT)
    const loaded = await version.start()
    version.close()
    if (!loaded.ok) return `the application ${config.module}: ${loaded.error}`
    const { name } = loaded.value
    const kind = kindFault(config, loaded.value)
    if (kind !== null) return `${config.module}: ${kind}`
    const other = modules.get(name)
    if (other !== undefined)
      return `${other} and ${config.module} both define an application "${name}": rename one of them`
    modules.set(name, config.module)
    if (config.isRouter !== true) names.push(name)
  }
  return routerTrouble(set.router, names)
}

/** Why a module can't be what the configuration takes it for; null = it can. */
export function kindFault(
  { isRouter: asRouter = false }: ApplicationConfig,
  info: Pick<ApplicationInfo, 'name' | 'version' | 'handlers'>,
): string | null {
  if (isRouter(info) === asRouter) return null
  return asRouter
    ? `"${info.name}" is an application, not a router: export one made by defineRouter({ getNextApplication })`
    : `"${info.name}" is a router, not an application: name it by "router" in the config file, or --router`
}

const SILENT = {
  ...{ answered: () => {}, asks: () => {}, said: () => {}, faulty: () => {}, ended: () => {}, running: () => {} },
}
