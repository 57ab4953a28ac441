// One replica as `up` sees it: a process that is started, watched, and started again when it dies.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { ReplicaId } from '../base/brand.ts'
import type { SetConfig } from './config.ts'
import type { EndOrder, FromReplica, ReloadOrder, StartOrder } from './ipc.ts'
import { hostLimits } from './limits.ts'

/** How a process ended. `failed` is what it said last, if it could. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly failed: Extract<FromReplica, { kind: 'failed' }> | null
  /** It had opened its ports. */
  readonly wasListening: boolean
}

export interface ChildEvents {
  message(id: ReplicaId, pid: number, message: FromReplica): void
  exit(id: ReplicaId, exit: ChildExit): void
}

interface Running {
  readonly process: ChildProcess
  readonly pid: number
  lastHeard: number
  isListening: boolean
  isSipOpen: boolean
  failed: ChildExit['failed']
}

export class ReplicaChild {
  readonly id: ReplicaId
  readonly #command: readonly string[]
  readonly #events: ChildEvents
  #running: Running | null = null

  /** `command` runs the program's `replica` command, its channel being Node's `ipc`. */
  constructor(id: ReplicaId, command: readonly string[], events: ChildEvents) {
    this.id = id
    this.#command = command
    this.#events = events
  }

  get pid(): number | null {
    return this.#running?.pid ?? null
  }

  /** It is one of the set: its life has begun. */
  get isListening(): boolean {
    return this.#running?.isListening ?? false
  }

  get isSipOpen(): boolean {
    return this.#running?.isSipOpen ?? false
  }

  start(order: StartOrder): void {
    const [program = process.execPath, ...args] = this.#command
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    // A process that can't be made has no pid; `error` tells why.
    const running: Running = {
      process: child,
      pid: child.pid ?? 0,
      lastHeard: performance.now(),
      isListening: false,
      isSipOpen: false,
      failed: null,
    }
    this.#running = running
    child.on('message', (message) => this.#heard(running, message as FromReplica))
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      running.failed = { kind: 'failed', cause: 'other', reason: error.message }
      this.#ended(running, null, null)
    })
    child.once('exit', (code, signal) => this.#ended(running, code, signal))
    // A child that died already is told by `exit`.
    child.send(order, () => undefined)
  }

  /** The whole set ends. */
  end(): void {
    this.#tell({ kind: 'end' })
  }

  /** It goes over to that configuration as it runs. */
  reload(config: SetConfig): void {
    this.#tell({ kind: 'reload', config })
  }

  #tell(order: EndOrder | ReloadOrder): void {
    // One that died already is told by `exit`.
    if (this.#running?.process.connected === true) this.#running.process.send(order, () => undefined)
  }

  kill(signal: NodeJS.Signals): void {
    this.#running?.process.kill(signal)
  }

  /** Forgives a silence that its judge slept through. */
  forgive(): void {
    if (this.#running !== null) this.#running.lastHeard = performance.now()
  }

  /** Its loop has been silent for too long: stopped, or caught in a bug. */
  get isSilent(): boolean {
    const running = this.#running
    return running !== null && running.isListening && performance.now() - running.lastHeard > hostLimits.silentLoopMs
  }

  #heard(running: Running, message: FromReplica): void {
    running.lastHeard = performance.now()
    if (message.kind === 'listening') running.isListening = true
    if (message.kind === 'sip-open') running.isSipOpen = true
    if (message.kind === 'failed') running.failed = message
    if (this.#running === running) this.#events.message(this.id, running.pid, message)
  }

  #ended(running: Running, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#running !== running) return
    this.#running = null
    this.#events.exit(this.id, { code, signal, failed: running.failed, wasListening: running.isListening })
  }
}
