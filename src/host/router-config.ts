// What a config file and `--router` say of the application router (JSR 289 15): the path of a module that has one, or, for each method, the
// applications that a request is for, one after another.

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { RouterLink, RouterTable } from '../proxy/chain.ts'
import { must } from '../base/assert.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { ApplicationConfig } from './application-config.ts'
import { ROUTER } from './config-options.ts'
import { complaintsOf } from './config-shape.ts'
import { hostLimits } from './limits.ts'

export type RouterConfig =
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'table'; readonly table: RouterTable }

/** As a file has it. */
export type PlainRouter = string | Readonly<Record<string, readonly (string | PlainLink)[]>>
type PlainLink = Pick<RouterLink, 'application'> & Partial<RouterLink>

/** Of values that were checked (config-options.ts). */
export function readRouter(given: PlainRouter | undefined, folder: string): { readonly router?: RouterConfig } {
  if (given === undefined) return {}
  if (typeof given === 'string') return { router: { kind: 'module', module: resolve(folder, given) } }
  const table = Object.entries(given).map(([method, list]) => [method, list.map(readLink)] as const)
  return { router: { kind: 'table', table: Object.fromEntries(table) } }
}

function readLink(given: string | PlainLink): RouterLink {
  const link = typeof given === 'string' ? { application: given } : given
  return { region: 'neutral', subscriber: '', ...link }
}

/** `--router`: a module; what ends in .json is a table. */
export function readRouterOption(path: string): Result<RouterConfig, string> {
  const whole = resolve(path)
  if (!whole.endsWith('.json')) return ok({ kind: 'module', module: whole })
  try {
    const value: unknown = JSON.parse(readFileSync(whole, 'utf8'))
    const [wrong] = complaintsOf(ROUTER, value, '', 'the file')
    if (wrong !== undefined) return err(`--router ${path}: ${wrong.said}`)
    const { router } = readRouter(value as PlainRouter, dirname(whole))
    return ok(must(router, 'a table'))
  } catch (error) {
    return err(`--router ${path}: ${(error as Error).message}`)
  }
}

/** As a config file has it. */
export function printRouter(router: RouterConfig): unknown {
  if (router.kind === 'module') return router.module
  const link = ({ application, region, subscriber }: RouterLink): unknown =>
    region === 'neutral' && subscriber === ''
      ? application
      : { application, region, ...(subscriber === '' ? {} : { subscriber }) }
  return Object.fromEntries(Object.entries(router.table).map(([method, links]) => [method, links.map(link)]))
}

/** All that is run in a worker: the applications, and the router if it is a module. */
export function workersOf({
  applications = [],
  router,
}: {
  readonly applications?: readonly ApplicationConfig[]
  readonly router?: RouterConfig
}): readonly ApplicationConfig[] {
  if (router?.kind !== 'module') return applications
  const [memoryMb, timeLimitMs] = [hostLimits.applicationMemoryMb[1], hostLimits.applicationTimeMs[1]]
  return [...applications, { name: null, module: router.module, memoryMb, timeLimitMs, isRouter: true }]
}

/** Why such a router can't be; null = it can. `names`: of the applications. */
export function routerTrouble(router: RouterConfig | undefined, names: readonly string[]): string | null {
  if (router === undefined) return null
  if (names.length === 0)
    return 'a router chooses among applications, and this set has none: give --app too, or leave it out'
  if (router.kind === 'module') return null
  for (const [method, links] of Object.entries(router.table)) {
    const unknown = links.find(({ application }) => !names.includes(application))
    if (unknown !== undefined)
      return `the router has "${unknown.application}" for ${method}, and the set's applications are ${names.join(', ')}`
  }
  return null
}
