// What a config file and `--app` say of applications.

import { isAbsolute, resolve } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { fields, only, wrong } from './config-fields.ts'
import { hostLimits } from './limits.ts'

export interface ApplicationConfig {
  /** Which of the applications that the module exports; null = the only one. */
  readonly name: string | null
  /** Path of the module. */
  readonly module: string
  /** Of its worker's heap, and of its buffers. */
  readonly memoryMb: number
  /** How long a handler may take. */
  readonly timeLimitMs: number
  /** It is the application router (router-config.ts). */
  readonly isRouter?: boolean
}

const KEYS = ['name', 'module', 'memoryMb', 'timeLimitMs']

export function readApplications(
  value: unknown,
  folder: string,
): { readonly applications?: readonly ApplicationConfig[] } {
  if (value === undefined) return {}
  const most = hostLimits.applications
  if (!Array.isArray(value) || value.length === 0 || value.length > most) {
    wrong('applications', value, `a list of 1 to ${most}, as [{"module": "./prepaid.ts"}]`)
  }
  return { applications: value.map((item: unknown, i) => readApplication(item, `applications[${i}]`, folder)) }
}

function readApplication(value: unknown, place: string, folder: string): ApplicationConfig {
  const given = fields(value, place)
  only(given, KEYS, place)
  const { name = null, module, memoryMb, timeLimitMs } = given
  if (name !== null && typeof name !== 'string') wrong(`${place}.name`, name, 'the name of an application')
  if (typeof module !== 'string' || module === '')
    wrong(`${place}.module`, module, 'the path of a module, as "./prepaid.ts"')
  return {
    name,
    module: isAbsolute(module) ? module : resolve(folder, module),
    memoryMb: count(memoryMb, `${place}.memoryMb`, hostLimits.applicationMemoryMb, 'megabytes'),
    timeLimitMs: count(timeLimitMs, `${place}.timeLimitMs`, hostLimits.applicationTimeMs, 'milliseconds'),
  }
}

function count(
  value: unknown,
  place: string,
  [least, usual, most]: readonly [number, number, number],
  unit: string,
): number {
  if (value === undefined) return usual
  const isRight = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  if (!isRight) wrong(place, value, `whole ${unit} from ${least} to ${most}`)
  return value
}

/** `--app`: paths of modules, with commas between. */
export function readAppOption(text: string): Result<readonly ApplicationConfig[], string> {
  const paths = text.split(',').map((path) => path.trim())
  if (paths.includes('')) return err('--app takes paths of modules, as in --app ./prepaid.ts')
  if (paths.length > hostLimits.applications) return err(`--app takes at most ${hostLimits.applications} modules`)
  return ok(
    paths.map((path) => ({
      name: null,
      module: resolve(path),
      memoryMb: hostLimits.applicationMemoryMb[1],
      timeLimitMs: hostLimits.applicationTimeMs[1],
    })),
  )
}

/** As a config file has it: what isn't the default. */
export function printApplication({ name, module, memoryMb, timeLimitMs }: ApplicationConfig): Record<string, unknown> {
  return {
    ...(name === null ? {} : { name }),
    module,
    ...(memoryMb === hostLimits.applicationMemoryMb[1] ? {} : { memoryMb }),
    ...(timeLimitMs === hostLimits.applicationTimeMs[1] ? {} : { timeLimitMs }),
  }
}
