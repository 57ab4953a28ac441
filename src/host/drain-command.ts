// `holdfast drain`: one replica ends without losing a call (decisions/0023).

import { fetchJson, order } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, readReplica, refusalIn, waitFor } from './operation.ts'
import { usageError } from './options.ts'
import type { Command } from './options.ts'

const COMMAND: Command = {
  name: 'holdfast drain',
  summary: 'one replica hands over what it does, and ends; no call is lost (up starts it again, see its --restart)',
  options: {
    replica: { takes: 'ID', help: 'which one (at its own admin address it is the one)' },
    ...OPERATION_OPTIONS,
  },
}

interface Shown {
  readonly replica?: number
  readonly life?: string
}

export async function drainMain(args: readonly string[]): Promise<number> {
  const begun = await beginOperation(COMMAND, args)
  if (begun.kind === 'exit') return begun.code
  const { given, url, status, say } = begun.operation
  const replica = readReplica(given)
  if (!replica.ok) return usageError(COMMAND, replica.error)
  const all: readonly Shown[] = Array.isArray(status) ? status : [status as Shown]
  if (replica.value === null && Array.isArray(status)) {
    return usageError(COMMAND, `--replica ID is missing: give one of ${all.map((one) => one.replica).join(', ')}`)
  }
  const target = all.find((one) => replica.value === null || one.replica === replica.value)
  if (target === undefined) {
    return operationError(
      COMMAND,
      `no replica ${replica.value} there: give one of ${all.map((one) => one.replica).join(', ')}`,
    )
  }
  const id = target.replica
  if (target.life === undefined) return operationError(COMMAND, `replica ${id} does not run`)
  const asked = await order(`${url}/drain`, { replica: id })
  if (!asked.ok) return operationError(COMMAND, asked.error)
  if (asked.value.status !== 202) return operationError(COMMAND, refusalIn(asked.value.body))
  const began = performance.now()
  say(`replica ${id} hands over`, { event: 'draining', replica: id })
  const look = async (): Promise<true | null> => {
    const now = await fetchJson(`${url}/status`)
    if (!now.ok) return true
    const shown: readonly Shown[] = Array.isArray(now.value) ? now.value : [now.value as Shown]
    return shown.some((one) => one.life === target.life) ? null : true
  }
  const seconds = 2 * (hostLimits.drainMs / 1_000)
  if ((await waitFor(seconds * 1_000, look)) === null) {
    return operationError(
      COMMAND,
      `replica ${id} has not ended after ${seconds} s: kill -9 ends it, as any death would`,
    )
  }
  const took = Math.round(performance.now() - began)
  say(`replica ${id} has ended, after ${(took / 1_000).toFixed(1)} s`, { event: 'ended', replica: id, ms: took })
  return 0
}
