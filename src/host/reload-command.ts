// `holdfast reload`: new code for an application, while calls run (docs/APPLICATIONS.md).

import { order } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, refusalIn } from './operation.ts'
import { usageError } from './options.ts'
import type { Command } from './options.ts'

const COMMAND: Command = {
  name: 'holdfast reload',
  summary: "reload NAME: an application's module is read anew; calls that run stay with the code that began them",
  options: OPERATION_OPTIONS,
}

export async function reloadMain(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  const isNamed = name !== undefined && !name.startsWith('-')
  const begun = await beginOperation(COMMAND, isNamed ? rest : args)
  if (begun.kind === 'exit') return begun.code
  if (!isNamed)
    return usageError(
      COMMAND,
      'NAME is missing: the name that defineApplication gives, as holdfast status --json shows it',
    )
  const { url, say } = begun.operation
  const patience = hostLimits.applicationLoadMs + 2 * hostLimits.statusMs
  const asked = await order(`${url}/applications/reload`, { name }, patience)
  if (!asked.ok) return operationError(COMMAND, asked.error)
  if (asked.value.status !== 200) return operationError(COMMAND, refusalIn(asked.value.body))
  const { version, was } = asked.value.body as { readonly version: string; readonly was: string | null }
  const text =
    version === was
      ? `${name} runs this code already`
      : `new calls are version ${version}'s; those of ${was} stay with it till they end`
  say(text, { event: version === was ? 'unchanged' : 'reloaded', name, version, was })
  return 0
}
