// What a config file and `--app` say of applications.

import { resolve } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
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

export type PlainApplication = Pick<ApplicationConfig, 'module'> & Partial<ApplicationConfig>

/** Of values that were checked (config-options.ts). */
export function readApplications(
  given: readonly PlainApplication[] | undefined,
  folder: string,
): { readonly applications?: readonly ApplicationConfig[] } {
  if (given === undefined) return {}
  const [memory, time] = [hostLimits.applicationMemoryMb[1], hostLimits.applicationTimeMs[1]]
  const applications = given.map(({ name = null, module, memoryMb = memory, timeLimitMs = time }) => ({
    name,
    module: resolve(folder, module),
    memoryMb,
    timeLimitMs,
  }))
  return { applications }
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
