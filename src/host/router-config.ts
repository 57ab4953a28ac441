// What a config file and `--router` say of the application router (JSR 289 15): the path of a module that has one, or, for each method, the
// applications that a request is for, one after another.

import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import type { RouterLink, RouterTable } from '../proxy/chain.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { ApplicationConfig } from './application-config.ts'
import { fields, only, wrong } from './config-fields.ts'
import { hostLimits } from './limits.ts'

export type RouterConfig =
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'table'; readonly table: RouterTable }

const REGIONS: readonly unknown[] = ['originating', 'terminating', 'neutral']
const SUBSCRIBERS: readonly unknown[] = ['from', 'to', '']
const RIGHT = 'the path of a module, as "./router.ts", or a table, as {"INVITE": ["screening", "prepaid"]}'

export function readRouter(value: unknown, folder: string): { readonly router?: RouterConfig } {
  if (value === undefined) return {}
  if (typeof value === 'string' && value !== '')
    return { router: { kind: 'module', module: isAbsolute(value) ? value : resolve(folder, value) } }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong('router', value, RIGHT)
  return { router: { kind: 'table', table: readTable(fields(value, 'router'), 'router') } }
}

function readTable(given: Record<string, unknown>, place: string): RouterTable {
  const methods = Object.entries(given)
  if (methods.length === 0) wrong(place, given, RIGHT)
  return Object.fromEntries(
    methods.map(([method, list]) => {
      const here = `${place}.${method}`
      if (!/^(?:\*|[A-Z]{1,32})$/.test(method)) wrong(here, method, 'a method in capital letters, or * for all others')
      const most = hostLimits.applications
      if (!Array.isArray(list) || list.length > most)
        wrong(here, list, `a list of at most ${most} applications, as ["screening", "prepaid"]`)
      return [method, list.map((link: unknown, i) => readLink(link, `${here}[${i}]`))]
    }),
  )
}

function readLink(value: unknown, place: string): RouterLink {
  if (typeof value === 'string' && value !== '') return { application: value, region: 'neutral', subscriber: '' }
  const given = fields(value, place)
  only(given, ['application', 'region', 'subscriber'], place)
  const { application, region = 'neutral', subscriber = '' } = given
  if (typeof application !== 'string' || application === '')
    wrong(`${place}.application`, application, 'the name of an application')
  if (!REGIONS.includes(region)) wrong(`${place}.region`, region, '"originating", "terminating" or "neutral"')
  if (!SUBSCRIBERS.includes(subscriber)) wrong(`${place}.subscriber`, subscriber, '"from" or "to"')
  return { application, region: region as RouterLink['region'], subscriber: subscriber as RouterLink['subscriber'] }
}

/** `--router`: a module; what ends in .json is a table. */
export function readRouterOption(path: string): Result<RouterConfig, string> {
  const whole = resolve(path)
  if (!whole.endsWith('.json')) return ok({ kind: 'module', module: whole })
  try {
    const value: unknown = JSON.parse(readFileSync(whole, 'utf8'))
    const { router } = readRouter(fields(value, 'the file'), dirname(whole))
    return router === undefined ? err(`--router ${path}: it should be ${RIGHT}`) : ok(router)
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
