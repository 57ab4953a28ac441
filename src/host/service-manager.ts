// What systemd is told of this process, where it asked for it (sd_notify(3)): that it is ready, that it ends, and, for the watchdog, that its
// loop goes round. Node has no Unix datagram sockets, so systemd's own program says it; it needs NotifyAccess=all, for it is another
// process than the unit's.

import { spawn } from 'node:child_process'
import { hostLimits } from './limits.ts'

export interface ServiceManager {
  /** `READY=1`: calls are served. */
  ready(): void
  /** `STOPPING=1`: it drains. */
  stopping(): void
  close(): void
}

/** `complain` is called once, if the program can't be run. Does nothing where the environment has no NOTIFY_SOCKET. */
export function serviceManager(
  complain: (reason: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): ServiceManager {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return { ready: nothing, stopping: nothing, close: nothing }
  let hasFailed = false
  let isBusy = false
  const tell = (...words: readonly string[]): void => {
    if (hasFailed) return
    isBusy = true
    const told = spawn('systemd-notify', words, { stdio: 'ignore', env })
    told.once('error', (error) => {
      if (!hasFailed) complain(`systemd-notify can't be run: ${error.message}`)
      hasFailed = true
    })
    told.once('close', () => (isBusy = false))
    told.unref()
  }
  const every = watchdogMs(env)
  // One that takes longer than that is not waited for by another: then the watchdog is right.
  const beat = every === null ? null : setInterval(() => isBusy || tell('WATCHDOG=1'), every)
  beat?.unref()
  return {
    ready: () => tell('READY=1'),
    stopping: () => tell('STOPPING=1'),
    close: () => {
      if (beat !== null) clearInterval(beat)
    },
  }
}

/** How often the watchdog is told, a third of what it waits (sd_watchdog_enabled(3) says half, at most); null = there is none, or it is for
 * another process. */
function watchdogMs(env: NodeJS.ProcessEnv): number | null {
  const micros = Number(env['WATCHDOG_USEC'])
  const of = env['WATCHDOG_PID']
  if (!Number.isFinite(micros) || micros <= 0 || (of !== undefined && Number(of) !== process.pid)) return null
  return Math.max(hostLimits.watchdogLeastMs, Math.floor(micros / 3_000))
}

function nothing(): void {}
