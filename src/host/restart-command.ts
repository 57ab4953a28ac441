// `holdfast restart`: a set's replicas are restarted while calls run (decisions/0023). `up` does it; this asks for it and tells
// how far it is.

import { fetchJson, order } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, refusalIn, waitFor } from './operation.ts'
import { usageError } from './options.ts'
import type { Command } from './options.ts'
import type { RollState } from './rolling-restart.ts'

const COMMAND: Command = {
  name: 'holdfast restart',
  summary:
    "an up's replicas are restarted one after another, each once all others serve, with the config file as it is now; no call is lost",
  options: { rolling: { takes: null, help: 'one after another: the only way that there is' }, ...OPERATION_OPTIONS },
}

/** Of a set that `up` doesn't run. */
const BY_HAND = `this is one replica's admin address. Where replicas are started one by one, restart each by its supervisor
(SIGTERM drains it), and go to the next once holdfast status shows that it serves`

export async function restartMain(args: readonly string[]): Promise<number> {
  const begun = await beginOperation(COMMAND, args)
  if (begun.kind === 'exit') return begun.code
  const { given, url, status, say } = begun.operation
  if (!given.has('rolling'))
    return usageError(COMMAND, '--rolling is missing; to restart all at once, end up and start it')
  if (!Array.isArray(status)) return operationError(COMMAND, BY_HAND)
  const asked = await order(`${url}/restart`, {}, hostLimits.applicationLoadMs + hostLimits.statusMs)
  if (!asked.ok) return operationError(COMMAND, asked.error)
  if (asked.value.status !== 202) return operationError(COMMAND, refusalIn(asked.value.body))
  let told = 0
  let misses = 0
  const look = async (): Promise<RollState | null> => {
    const answer = await fetchJson(`${url}/restart`)
    const state = answer.ok ? (answer.value as RollState | null) : null
    // `up` was busy for a moment, or it is gone.
    if (state === null)
      return ++misses < 10 ? null : { running: false, steps: [], failed: `up is gone: ${url} does not answer` }
    misses = 0
    for (const { replica, stage } of state.steps.slice(told)) {
      say(`replica ${replica} ${stage === 'waits' ? 'waits for all to serve' : stage}`, { event: stage, replica })
    }
    told = Math.max(told, state.steps.length)
    return state.running ? null : state
  }
  const patience = 2 * hostLimits.rollMs * Math.max(1, status.length)
  const end = await waitFor(patience, look)
  if (end === null) return operationError(COMMAND, 'it is still under way; ask again to go on watching it')
  if (end.failed !== null) return operationError(COMMAND, end.failed)
  say('all replicas were restarted', { event: 'done' })
  return 0
}
