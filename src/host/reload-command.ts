// `holdfast reload`: new code for an application (docs/APPLICATIONS.md), or the config file anew (docs/CONFIG.md), while calls run.

import { order } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, refusalIn } from './operation.ts'
import type { Operation } from './operation.ts'
import { usageError } from './options.ts'
import type { Command } from './options.ts'

const COMMAND: Command = {
  name: 'holdfast reload',
  summary:
    "reload NAME: an application's module is read anew; calls that run stay with the code that began them. reload --config: the config file is, as far as docs/CONFIG.md says reload",
  options: { config: { takes: null, help: 'the config file that up or this replica runs by' }, ...OPERATION_OPTIONS },
}

export async function reloadMain(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  const isNamed = name !== undefined && !name.startsWith('-')
  const begun = await beginOperation(COMMAND, isNamed ? rest : args)
  if (begun.kind === 'exit') return begun.code
  const { given, url, say } = begun.operation
  if (isNamed && given.has('config')) return usageError(COMMAND, 'NAME and --config: give one of them')
  if (given.has('config')) return reloadConfig(url, say)
  if (!isNamed)
    return usageError(
      COMMAND,
      'NAME is missing: the name that defineApplication gives, as holdfast status --json shows it; or --config',
    )
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

async function reloadConfig(url: string, say: Operation['say']): Promise<number> {
  const asked = await order(`${url}/reload`, {})
  if (!asked.ok) return operationError(COMMAND, asked.error)
  if (asked.value.status !== 200) return operationError(COMMAND, refusalIn(asked.value.body))
  const { changed } = asked.value.body as { readonly changed: readonly string[] }
  const isNew = changed.length > 0
  const text = isNew ? `changed: ${changed.join(', ')}` : 'nothing in it has changed'
  say(text, { event: isNew ? 'reloaded' : 'unchanged', changed })
  return 0
}
