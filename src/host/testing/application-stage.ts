// Applications of a test: modules in a folder of their own, real worker processes, and the answers as promises.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import type { AppAnswer, AppCall, ApplicationInfo } from '../../app/contract.ts'
import { call, message } from '../../servlet/testing/turn.ts'
import type { ApplicationConfig } from '../application-config.ts'
import { Applications } from '../applications.ts'
import type { SessionAnswer, SessionQuestion } from '../session-questions.ts'
import { hostLimits } from '../limits.ts'

export interface LogLine {
  readonly code: string
  readonly msg: string
}

export class ApplicationStage {
  readonly applications: Applications
  readonly configs: readonly ApplicationConfig[]
  readonly infos: (readonly ApplicationInfo[])[] = []
  readonly lines: LogLine[] = []
  readonly #folder: string
  readonly #waiting = new Map<number, (answer: AppAnswer) => void>()
  readonly #watchers = new Set<() => void>()
  /** What is said to questions about other sessions. */
  answers: (question: SessionQuestion) => SessionAnswer = () => ({ kind: 'unknown', reason: 'nobody is there' })
  #last = 0

  /** `modules`: what each of them holds, by file name; `configs`: of those that are applications. */
  constructor(
    modules: Readonly<Record<string, string>>,
    configs: readonly (Partial<ApplicationConfig> & { module: string })[],
  ) {
    this.#folder = mkdtempSync(join(tmpdir(), 'holdfast-applications-'))
    for (const [file, text] of Object.entries(modules)) this.write(file, text)
    const log = pino({ level: 'info' }, { write: (text: string) => this.#heard(JSON.parse(text) as LogLine) })
    this.configs = configs.map((config) => ({
      name: null,
      memoryMb: 64,
      timeLimitMs: hostLimits.applicationTimeMs[1],
      ...config,
      module: resolve(this.#folder, config.module),
    }))
    this.applications = new Applications(this.configs, {
      log,
      answered: (id, answer) => {
        this.#waiting.get(id)?.(answer)
        this.#waiting.delete(id)
      },
      asks: (question, then) => then(this.answers(question)),
      changed: (infos) => void this.infos.push(infos),
    })
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text)
  }

  ask(application: string, given: Partial<AppCall> = {}): Promise<AppAnswer> {
    const id = ++this.#last
    const answer = new Promise<AppAnswer>((resolve) => this.#waiting.set(id, resolve))
    this.applications.ask(call('doInvite', { message: message(), application, ...given, id }))
    return answer
  }

  /** Resolves once the log has such a line, `times` in all. */
  async logged(code: string, text: RegExp, times = 1): Promise<string> {
    for (;;) {
      const lines = this.lines.filter((line) => line.code === code && text.test(line.msg))
      if (lines.length >= times) return lines.at(-1)?.msg ?? ''
      await new Promise<void>((resolve) => this.#watchers.add(resolve))
    }
  }

  close(): void {
    this.applications.close()
    rmSync(this.#folder, { recursive: true })
  }

  #heard(line: LogLine): void {
    this.lines.push(line)
    for (const resolve of this.#watchers) resolve()
    this.#watchers.clear()
  }
}

/** A module with one application: its name, its handlers' text. */
export function moduleText(name: string, handlers: string, more = ''): string {
  return `import { defineApplication } from 'holdfast/servlet'
import type { SipServletRequest } from 'holdfast/servlet'
${more}
export const application = defineApplication({ name: '${name}', ${handlers} })
`
}
