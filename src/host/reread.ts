// The config file of a set that runs, read anew. For a rolling restart: what each replica may have differently for a while is taken over,
// what all must have alike is refused. For a reload: what a replica can change while it lives, and nothing else.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { applicationTrouble } from './application-check.ts'
import { certificateTrouble } from './certificates.ts'
import { CONFIG } from './config-options.ts'
import { printConfig, reachTrouble } from './config.ts'
import type { SetConfig } from './config.ts'
import type { Given } from './options.ts'
import { configOf, planUp } from './up-config.ts'

/** What a rolling restart can't change: addresses, identity, and where the log lives. */
const FIXED = ['set', 'secret', 'sip', 'listen', 'durability', 'admin', 'adminToken', 'adminTokenFile', 'replicas']

/** The set as the file and the command line have it now; as it is, without a file. An error is a sentence for the user. */
export async function rereadConfig(given: Given, now: SetConfig): Promise<Result<SetConfig, string>> {
  if (!given.has('config')) return ok(now)
  const plan = planUp(given)
  if (!plan.ok) return plan
  const next = configOf(plan.value, { set: now.set, secret: now.secret }, '')
  const [before, after] = [now, next].map((config) => JSON.parse(printConfig(config)) as Record<string, unknown>)
  const moved = FIXED.find((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]))
  if (moved !== undefined) {
    const fix = moved === 'replicas' ? 'holdfast members changes that' : 'end up and start it for that'
    return err(`--config ${given.get('config')}: "${moved}" can't be changed by a rolling restart; ${fix}`)
  }
  const trouble = certificateTrouble(next) ?? (await applicationTrouble(next))
  return trouble === null ? ok(next) : err(trouble)
}

/** A configuration that differs from the one before in these options. */
export interface Reloaded {
  readonly config: SetConfig
  readonly changed: readonly string[]
}

/** `next` in place of `now`, if replicas can go over to it as they run: all of it or nothing. An error is a sentence for the user. */
export function reloadOf(now: SetConfig, next: SetConfig): Result<Reloaded, string> {
  const [before, after] = [now, next].map((config) => JSON.parse(printConfig(config)) as Record<string, unknown>)
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  const changed = names.filter(
    (name) => name !== '$schema' && JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  )
  for (const name of changed) {
    const change = CONFIG.fields[name]?.change
    if (change === 'reload') continue
    const fix =
      name === 'replicas'
        ? 'holdfast members changes that'
        : change === 'restart'
          ? 'restart the replicas one after another for that (holdfast restart --rolling, of an up)'
          : 'all replicas must have that alike: end the set and start it'
    return err(`nothing was changed: "${name}" can't be reloaded; ${fix}`)
  }
  const trouble = reachTrouble(next)
  return trouble === null ? ok({ config: next, changed }) : err(`nothing was changed: ${trouble}`)
}

/** The same for a set that `up` runs: as the file and the command line have it now. */
export function rereadToReload(given: Given, now: SetConfig): Result<Reloaded, string> {
  if (!given.has('config')) return err('up was started without --config: there is no file to read anew')
  const plan = planUp(given)
  if (!plan.ok) return err(`nothing was changed: ${plan.error}`)
  return reloadOf(now, configOf(plan.value, { set: now.set, secret: now.secret }, ''))
}
