// What `up` says on standard output: JSON lines for scripts, or a few lines for a person with the commands to try.

import { printAddress } from './address.ts'
import type { Listener } from '../proxy/settings.ts'
import type { SetConfig } from './config.ts'
import { addressesOf, hasName, listenersOf, transportNames } from './sip-addresses.ts'
import type { SetEvent } from './set-process.ts'

export interface UpOutput {
  say(event: SetEvent): void
  /** The set is told to end: nothing starts again. */
  end(): void
}

type Write = (line: string) => void

export function jsonOutput(write: Write): UpOutput {
  return { say: (event) => write(JSON.stringify(event)), end: () => undefined }
}

/** `folder`: where the set's data lies. */
export function plainOutput(config: SetConfig, folder: string, write: Write): UpOutput {
  const pids = new Map<number, number>()
  let isReady = false
  let isEnding = false
  write(`holdfast: set ${config.set}, ${config.replicas.length} replicas, data in ${folder}`)
  return {
    say(event) {
      switch (event.event) {
        case 'replica':
          pids.set(event.id, event.pid)
          write(
            `replica ${event.id} runs: pid ${event.pid}, admin ${event.admin}, peer ${event.peer}${event.http === undefined ? '' : `, HTTP ${event.http}`}`,
          )
          return
        case 'leader':
          write(`replica ${event.id} leads (term ${event.term})`)
          return
        case 'exit':
          pids.delete(event.id)
          write(
            `replica ${event.id} ended: ${event.signal ?? `exit code ${event.code}`}${isEnding ? '' : nextStep(config)}`,
          )
          return
        case 'ready':
          if (!isReady) for (const line of guide(config, event.sip, pids)) write(line)
          isReady = true
      }
    },
    end: () => {
      isEnding = true
    },
  }
}

function nextStep(config: SetConfig): string {
  return config.restart === null ? '' : `; it starts again in ${config.restart} s`
}

function listenersAt(config: SetConfig, text: string): readonly Listener[] {
  return listenersOf(config).filter((listener) => printAddress(listener) === text)
}

/** The lines that start a callee, place a call, show the status and kill each replica. */
function guide(config: SetConfig, sip: string, pids: ReadonlyMap<number, number>): readonly string[] {
  const lines = [`ready: SIP on ${sip}, ${transportNames(listenersAt(config, sip))}`]
  for (const { transport, ...address } of config.listen ?? []) {
    lines.push(
      `       and on ${printAddress(address)}, ${transport === null ? 'UDP and TCP' : transport.toUpperCase()}`,
    )
  }
  lines.push('')
  const hop = config.nextHop
  if (hop !== null) {
    lines.push(`  a callee     sipp -sn uas -i ${hop.host} -p ${hop.port}`)
    // SIPp asks DNS for addresses only.
    const [first] = hasName(config) ? addressesOf(config) : []
    const to = first === undefined ? sip : printAddress(first)
    lines.push(`  a call       sipp -sn uac -i ${hop.host} -p ${hop.port + 10} -d 10000 -m 1 ${to}`)
  }
  lines.push(`  the page     http://${printAddress(config.admin)}/`)
  lines.push(`  the status   curl http://${printAddress(config.admin)}/status`)
  for (const [id, pid] of [...pids].sort(([a], [b]) => a - b))
    lines.push(`  kill         kill -9 ${pid}   (replica ${id})`)
  lines.push('', 'Ctrl-C ends the set')
  return lines
}
