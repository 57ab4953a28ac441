// One worker thread, as the replica has it: calls go in, each comes back with an answer, at once or when its time is up, and
// the thread is ended when its loop hangs. It ends once, by whatever cause, and then answers all that it still had.
//
//   loading --loaded--> running --time of a call is up, and no pong--> ended
//      |                   |------out of memory, process.exit, an uncaught error--^
//      '--refused, too slow--------------------------------------------------^

import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import type { AppAnswer, AppCall } from '../app/contract.ts'
import type { CodeFile, FromWorker, LoadedApplication, ToWorker, WorkerOrder } from './application-worker.ts'
import type { ApplicationConfig } from './application-config.ts'
import { hostLimits } from './limits.ts'

export interface ThreadPorts {
  loaded(application: LoadedApplication): void
  answered(id: number, answer: AppAnswer): void
  /** What it wrote to its output. */
  said(line: string, level: 'info' | 'warn'): void
  /** What it threw, with the place. */
  faulty(text: string): void
  /** Once; all its calls are answered by then. `isRefused`: the module can't be used as it is. */
  ended(reason: string, isRefused: boolean): void
}

export class ApplicationThread {
  readonly #config: ApplicationConfig
  readonly #ports: ThreadPorts
  readonly #worker: Worker
  readonly #open = new Map<number, NodeJS.Timeout>()
  /** Until it is loaded, and while a pong is waited for. */
  #watch: NodeJS.Timeout | null
  #isLoaded = false
  #isOver = false
  /** Why it ends, if that is known before it has. */
  #reason: string | null = null

  /** `code`: what it runs instead of what lies on the disk. */
  constructor(config: ApplicationConfig, code: readonly CodeFile[] | null, ports: ThreadPorts) {
    this.#config = config
    this.#ports = ports
    const { module, name, memoryMb } = config
    const order: WorkerOrder = { module, name, memoryMb, code }
    this.#worker = new Worker(new URL(workerFile, import.meta.url), {
      workerData: order,
      // What this process was started with is not the application's.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: Math.max(4, memoryMb / 8) },
      stdout: true,
      stderr: true,
    })
    const worker = this.#worker
    worker.on('message', (message: FromWorker) => this.#heard(message))
    worker.on('error', (error: Error & { readonly code?: string }) => {
      this.#reason ??=
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? `it used more than the ${memoryMb} MB that it may`
          : `an error that nobody caught: ${error.stack ?? error.message}`
    })
    worker.on('exit', (code_) =>
      this.#end(this.#reason ?? `it ended itself (process.exit, code ${code_})`, !this.#isLoaded),
    )
    for (const [stream, level] of [
      [worker.stdout, 'info'],
      [worker.stderr, 'warn'],
    ] as const) {
      createInterface({ input: stream }).on('line', (line) =>
        ports.said(line.slice(0, hostLimits.applicationLine), level),
      )
    }
    this.#watch = setTimeout(
      () => this.#terminate(`it was not loaded within ${hostLimits.applicationLoadMs / 1_000} s`),
      hostLimits.applicationLoadMs,
    )
  }

  get openCalls(): number {
    return this.#open.size
  }

  /** Its answer follows, by `answered`. */
  ask(call: AppCall): void {
    if (this.#isOver) return this.#ports.answered(call.id, failedBy('its worker has ended'))
    const timer = setTimeout(() => this.#late(call.id), this.#config.timeLimitMs)
    this.#open.set(call.id, timer)
    this.#tell({ kind: 'call', call })
  }

  /** It is not wanted any more. */
  close(): void {
    this.#end('it is not needed any more', false)
  }

  #heard(message: FromWorker): void {
    if (this.#isOver) return
    switch (message.kind) {
      case 'loaded':
        this.#isLoaded = true
        this.#unwatch()
        return this.#ports.loaded(message.application)
      case 'refused':
        return this.#end(message.reason, true)
      case 'answered':
        if (message.stack !== null) this.#ports.faulty(message.stack)
        return this.#answer(message.id, message.answer)
      case 'pong':
        return this.#unwatch()
      case 'rejection':
        return this.#ports.faulty(`a promise was rejected that nobody waits for: ${message.reason}`)
      case 'full':
        this.#reason = `its buffers took ${message.megabytes} MB, more than the ${this.#config.memoryMb} MB that it may use`
    }
  }

  /** A handler that waits is left alone, its answer comes too late. A thread that doesn't even say so hangs: none of its calls would
   * ever be answered. */
  #late(id: number): void {
    this.#answer(id, failedBy(`it took more than ${this.#config.timeLimitMs} ms`))
    if (this.#watch !== null) return
    this.#watch = setTimeout(
      () => this.#terminate('a handler of it does not end: its loop hangs'),
      hostLimits.applicationPongMs,
    )
    this.#tell({ kind: 'ping' })
  }

  #answer(id: number, answer: AppAnswer): void {
    const timer = this.#open.get(id)
    if (timer === undefined) return
    clearTimeout(timer)
    this.#open.delete(id)
    this.#ports.answered(id, answer)
  }

  #tell(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message)
  }

  #unwatch(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = null
  }

  #terminate(reason: string): void {
    this.#watch = null
    this.#end(reason, !this.#isLoaded)
  }

  #end(reason: string, isRefused: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#unwatch()
    void this.#worker.terminate()
    for (const id of [...this.#open.keys()]) this.#answer(id, failedBy(`its worker has ended: ${reason}`))
    this.#ports.ended(reason, isRefused)
  }
}

/** Beside this file, compiled or not. */
const workerFile = import.meta.filename.endsWith('.ts') ? './application-worker.ts' : './application-worker.js'

function failedBy(reason: string): AppAnswer {
  return { kind: 'failed', reason }
}
