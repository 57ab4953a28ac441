// One version of one application at this replica: its worker, and the next one when that has ended. Every one of them
// runs the same code, the one that the first has read.
//
//   loading -> running -> (ended) -> waiting 100 ms, 200 ms, ... 30 s -> loading -> ...
//        '-> refused: nothing is tried again, unless it is to be kept

import type { AppAnswer, AppCall, ApplicationInfo } from '../app/contract.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { ApplicationConfig } from './application-config.ts'
import { ApplicationProcess } from './application-process.ts'
import type { LoadedApplication } from './application-worker.ts'
import { hostLimits } from './limits.ts'
import type { SessionAnswer, SessionQuestion } from './session-questions.ts'

export interface VersionPorts {
  answered(id: number, answer: AppAnswer): void
  asks(question: SessionQuestion, then: (answer: SessionAnswer) => void): void
  said(line: string, level: 'info' | 'warn'): void
  faulty(text: string): void
  /** Its worker has ended, or could not be started, and why. `againMs`: until the next one; null = there is none. */
  ended(reason: string, againMs: number | null): void
  /** Its worker runs, for the first time or again. */
  running(loaded: LoadedApplication, isFirst: boolean): void
}

export class ApplicationVersion {
  readonly #config: ApplicationConfig
  readonly #ports: VersionPorts
  readonly #first = Promise.withResolvers<Result<LoadedApplication, string>>()
  /** Whether a module that can't be used is tried again. */
  readonly #isKept: boolean
  #worker: ApplicationProcess | null = null
  #loaded: LoadedApplication | null = null
  #again: NodeJS.Timeout | null = null
  #againMs: number = hostLimits.applicationAgainLeastMs
  #startedAt = 0
  #restarts = 0
  #isOver = false

  constructor(config: ApplicationConfig, isKept: boolean, ports: VersionPorts) {
    this.#config = config
    this.#isKept = isKept
    this.#ports = ports
  }

  /** Loads what lies on the disk; resolves with that, or with why it can't be used. Never rejects. */
  start(): Promise<Result<LoadedApplication, string>> {
    this.#run()
    return this.#first.promise
  }

  /** Null until it was loaded once. */
  get info(): ApplicationInfo | null {
    if (this.#loaded === null) return null
    const { name, version, handlers } = this.#loaded
    return { name, version, handlers }
  }

  get hash(): string | null {
    return this.#loaded?.hash ?? null
  }

  get isRunning(): boolean {
    return this.#worker !== null
  }

  get restarts(): number {
    return this.#restarts
  }

  get openCalls(): number {
    return this.#worker?.openCalls ?? 0
  }

  ask(call: AppCall): void {
    if (this.#worker === null) {
      this.#ports.answered(call.id, {
        kind: 'failed',
        reason: 'its worker has ended, and the next one is not started yet',
      })
    } else this.#worker.ask(call)
  }

  close(): void {
    this.#isOver = true
    if (this.#again !== null) clearTimeout(this.#again)
    this.#worker?.close()
    this.#worker = null
  }

  #run(): void {
    this.#startedAt = performance.now()
    this.#worker = new ApplicationProcess(this.#config, this.#loaded?.code ?? null, {
      answered: this.#ports.answered,
      asks: this.#ports.asks,
      said: this.#ports.said,
      faulty: this.#ports.faulty,
      loaded: (application) => {
        const isFirst = this.#loaded === null
        this.#loaded ??= application
        this.#first.resolve(ok(application))
        this.#ports.running(application, isFirst)
      },
      ended: (reason, isRefused) => this.#ended(reason, isRefused),
    })
  }

  #ended(reason: string, isRefused: boolean): void {
    this.#worker = null
    this.#first.resolve(err(reason))
    if (this.#isOver) return
    if (isRefused && !this.#isKept && this.#loaded === null) {
      this.#isOver = true
      return this.#ports.ended(reason, null)
    }
    if (performance.now() - this.#startedAt > hostLimits.applicationSoundMs) {
      this.#againMs = hostLimits.applicationAgainLeastMs
    }
    const wait = this.#againMs
    this.#againMs = Math.min(2 * wait, hostLimits.applicationAgainMostMs)
    this.#again = setTimeout(() => {
      this.#restarts++
      this.#run()
    }, wait)
    this.#ports.ended(reason, wait)
  }
}
