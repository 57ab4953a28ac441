// The config file of a set that runs, read anew for a rolling restart: what each replica may have differently for a while is taken over,
// what all must have alike is refused.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { applicationTrouble } from './application-check.ts'
import { certificateTrouble } from './certificates.ts'
import { printConfig } from './config.ts'
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
