// One worker, as the replica has it: calls go in, each comes back with an answer, at once or when its time is up, and the worker is
// ended when its loop hangs. It ends once, by whatever cause, and then answers all that it still had.
//
// It is a process. Threads were tried: V8 keeps one list of code pages for all threads of a process, and starting and ending some
// while others compile brought the whole process down now and then (decision 0033). A replica must not share that.
//
//   loading --loaded--> running --time of a call is up, and no pong--> ended
//      |                   |------out of memory, process.exit, an uncaught error--^
//      '--refused, too slow--------------------------------------------------^

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AppAnswer, AppCall } from '../app/contract.ts'
import type { CodeFile, FromWorker, LoadedApplication, ToWorker, WorkerOrder } from './application-worker.ts'
import type { ApplicationConfig } from './application-config.ts'
import { hostLimits } from './limits.ts'
import { questionOf } from './session-questions.ts'
import type { SessionAnswer, SessionQuestion } from './session-questions.ts'

export interface ProcessPorts {
  loaded(application: LoadedApplication): void
  answered(id: number, answer: AppAnswer): void
  /** A handler asks for another session. */
  asks(question: SessionQuestion, then: (answer: SessionAnswer) => void): void
  /** What it wrote to its output. */
  said(line: string, level: 'info' | 'warn'): void
  /** What it threw, with the place. */
  faulty(text: string): void
  /** Once; all its calls are answered by then. `isRefused`: the module can't be used as it is. */
  ended(reason: string, isRefused: boolean): void
}

export class ApplicationProcess {
  readonly #config: ApplicationConfig
  readonly #ports: ProcessPorts
  readonly #worker: ChildProcess
  readonly #open = new Map<number, NodeJS.Timeout>()
  /** Until it is loaded, and while a pong is waited for. */
  #watch: NodeJS.Timeout | null
  #hasBegun = false
  #loaded: LoadedApplication | null = null
  /** Calls that leave at the end of what the replica does now, as one message: a write each was a tenth of its time where many
   * timers are due together. */
  #gathered: AppCall[] = []
  /** Questions that the replica has not answered. */
  #questions = 0
  #isOver = false
  /** Why it ends, if that is known before it has. */
  #reason: string | null = null

  /** `code`: what it runs instead of what lies on the disk. */
  constructor(config: ApplicationConfig, code: readonly CodeFile[] | null, ports: ProcessPorts) {
    this.#config = config
    this.#ports = ports
    const { module, name, memoryMb } = config
    const order: WorkerOrder = { module, name, memoryMb, code }
    const semiSpace = Math.max(1, Math.ceil(memoryMb / 24))
    this.#worker = fork(fileURLToPath(new URL(workerFile, import.meta.url)), {
      // What this process was started with is not the application's.
      execArgv: [`--max-old-space-size=${memoryMb}`, `--max-semi-space-size=${semiSpace}`],
      // Values as they are, bytes too.
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const worker = this.#worker
    worker.on('message', (message: FromWorker) => this.#heard(message))
    worker.on('error', (error) => {
      this.#reason ??= `its process can't be started or told anything: ${error.message}`
      if (worker.pid === undefined) this.#end(this.#reason, false)
    })
    worker.on('exit', (status, signal) => this.#end(this.#reason ?? this.#cause(status, signal), this.#loaded === null))
    for (const [stream, level] of [
      [worker.stdout, 'info'],
      [worker.stderr, 'warn'],
    ] as const) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) =>
        ports.said(line.slice(0, hostLimits.applicationLine), level),
      )
    }
    this.#tell({ kind: 'order', order })
    const seconds = hostLimits.applicationBeginMs / 1_000
    this.#watch = setTimeout(
      () => this.#terminate(`its process did not begin within ${seconds} s: this machine has too much to do`),
      hostLimits.applicationBeginMs,
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
    this.#gathered.push(call)
    if (this.#gathered.length === 1) queueMicrotask(() => this.#send())
  }

  /** It is not wanted any more. */
  close(): void {
    this.#end('it is not needed any more', false)
  }

  #send(): void {
    const calls = this.#gathered
    this.#gathered = []
    this.#tell({ kind: 'calls', calls })
  }

  #heard(message: FromWorker): void {
    if (this.#isOver) return
    switch (message.kind) {
      case 'loaded':
        this.#loaded = message.application
        this.#unwatch()
        return this.#ports.loaded(message.application)
      case 'begun':
        return this.#begun()
      case 'refused':
        return this.#end(message.reason, true)
      case 'answered':
        if (message.stack !== null) this.#ports.faulty(message.stack)
        return this.#answer(message.id, message.answer)
      case 'question':
        return this.#question(message.number, message.question)
      case 'pong':
        return this.#unwatch()
      case 'rejection':
        return this.#ports.faulty(`a promise was rejected that nobody waits for: ${message.reason}`)
      case 'uncaught':
        this.#reason = `an error that nobody caught: ${message.reason}`
        return
      case 'full':
        this.#reason = `its buffers took ${message.megabytes} MB, more than the ${this.#config.memoryMb} MB that it may use`
    }
  }

  /** From here on what takes time is the module. What is in it could say this again. */
  #begun(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#unwatch()
    this.#watch = setTimeout(
      () => this.#terminate(`it was not loaded within ${hostLimits.applicationLoadMs / 1_000} s`),
      hostLimits.applicationLoadMs,
    )
  }

  #question(number: number, asked: SessionQuestion): void {
    if (this.#loaded === null) return
    const checked = questionOf(asked, this.#loaded, this.#questions)
    if ('answer' in checked) return this.#tell({ kind: 'told', number, answer: checked.answer })
    this.#questions++
    this.#ports.asks(checked.question, (answer) => {
      this.#questions--
      this.#tell({ kind: 'told', number, answer })
    })
  }

  /** A handler that waits is left alone, its answer comes too late. One that doesn't even say so hangs: none of its calls would
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
    // What can't be told any more is answered at its end.
    if (this.#worker.connected) this.#worker.send(message, () => {})
  }

  #unwatch(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = null
  }

  /** V8 ends a process that has no memory left by an abort. */
  #cause(status: number | null, signal: NodeJS.Signals | null): string {
    if (signal === 'SIGABRT' || signal === 'SIGTRAP' || status === 134)
      return `it used more than the ${this.#config.memoryMb} MB that it may`
    return signal === null ? `it ended itself (process.exit, code ${status})` : `its process was ended by ${signal}`
  }

  #terminate(reason: string): void {
    this.#watch = null
    this.#end(reason, this.#loaded === null)
  }

  #end(reason: string, isRefused: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#unwatch()
    this.#worker.kill('SIGKILL')
    for (const id of [...this.#open.keys()]) this.#answer(id, failedBy(`its worker has ended: ${reason}`))
    this.#ports.ended(reason, isRefused)
  }
}

/** Beside this file, compiled or not. */
const workerFile = import.meta.filename.endsWith('.ts') ? './application-worker.ts' : './application-worker.js'

function failedBy(reason: string): AppAnswer {
  return { kind: 'failed', reason }
}
