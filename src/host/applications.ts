// The applications of a replica, each version of each in a worker of its own (decision 0031): who is asked, what is told of them,
// and how one version takes another's place.
//
//   effect `ask` -> the version that the session began with -> input `answered`
//                   that isn't loaded here (a takeover from a replica that had it, a restart): the newest one

import type { AppAnswer, AppCall, ApplicationInfo } from '../app/contract.ts'
import { nearest } from '../base/nearest.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { kindFault } from './application-check.ts'
import type { ApplicationConfig } from './application-config.ts'
import { ApplicationVersion } from './application-version.ts'
import type { LoadedApplication } from './application-worker.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'
import { SparseLog } from './log.ts'
import type { SessionAnswer, SessionQuestion } from './session-questions.ts'

export interface ApplicationsPorts {
  readonly log: Logger
  answered(id: number, answer: AppAnswer): void
  /** A handler asks for another session. */
  asks(question: SessionQuestion, then: (answer: SessionAnswer) => void): void
  /** All that can be asked from now on, in the order of the configuration, the newest version of each first. */
  changed(applications: readonly ApplicationInfo[]): void
}

export interface ApplicationStatus {
  readonly name: string
  readonly module: string
  /** The newest first. */
  readonly versions: readonly {
    readonly version: string
    readonly running: boolean
    readonly restarts: number
    readonly open: number
  }[]
  readonly turns: number
  readonly failures: number
  readonly restarts: number
  /** Why it failed last, or why its worker ended; null = it never did. */
  readonly lastFailure: string | null
}

/** What `reload` did. */
export interface Reloaded {
  readonly name: string
  readonly version: string
  /** The one before; the same if the code hasn't changed. */
  readonly was: string | null
}

/** How many sessions of a version the whole set has. */
export interface VersionCount {
  readonly name: string
  readonly version: string
  readonly sessions: number
}

interface Hosted {
  readonly config: ApplicationConfig
  name: string
  /** The newest first; never empty once it is started. */
  versions: ApplicationVersion[]
  turns: number
  failures: number
  restarts: number
  lastFailure: string | null
  isReloading: boolean
  /** Versions without a session when they were counted last. */
  unused: ReadonlySet<string>
  /** What it prints; and what goes wrong in it, which that must not drown. */
  readonly said: LineBudget
  readonly faults: LineBudget
}

export class Applications {
  readonly #ports: ApplicationsPorts
  readonly #sparse: SparseLog
  readonly #hosted: readonly Hosted[]
  /** Whose calls those are. */
  readonly #asked = new Map<number, Hosted>()
  #isOver = false

  constructor(configs: readonly ApplicationConfig[], ports: ApplicationsPorts) {
    this.#ports = ports
    this.#sparse = new SparseLog(ports.log)
    this.#hosted = configs.map((config) => ({
      config,
      name: config.name ?? config.module,
      versions: [],
      turns: 0,
      failures: 0,
      restarts: 0,
      lastFailure: null,
      isReloading: false,
      unused: new Set(),
      said: new LineBudget(),
      faults: new LineBudget(),
    }))
  }

  /** Loads all of them. One that can't be loaded is tried again and again: its calls fail, all others go on. */
  async start(): Promise<readonly ApplicationInfo[]> {
    await Promise.all(
      this.#hosted.map(async (hosted) => {
        const version = this.#version(hosted, true)
        hosted.versions = [version]
        const loaded = await version.start()
        if (loaded.ok) hosted.name = loaded.value.name
      }),
    )
    return this.infos
  }

  /** An application that isn't loaded is listed as well: what would begin a call is for it, and fails. */
  get infos(): readonly ApplicationInfo[] {
    return this.#hosted.flatMap(({ config, name, versions }) => {
      const infos = versions.map(({ info }) => info).filter((info) => info !== null)
      if (infos.length > 0) return infos
      return [{ name, version: '', handlers: [config.isRouter === true ? 'getNextApplication' : 'doInvite'] }]
    })
  }

  /** Its answer follows, always. */
  ask(call: AppCall): void {
    const hosted = this.#hosted.find(({ name }) => name === call.application)
    const version = hosted === undefined ? null : this.#versionFor(hosted, call)
    if (hosted === undefined || version === null) {
      return this.#ports.answered(call.id, {
        kind: 'failed',
        reason: `this replica does not run an application ${call.application}`,
      })
    }
    if (version.openCalls >= hostLimits.applicationCalls) {
      hosted.failures++
      return this.#ports.answered(call.id, {
        kind: 'failed',
        reason: `${hostLimits.applicationCalls} calls of ${hosted.name} wait for an answer already`,
      })
    }
    this.#asked.set(call.id, hosted)
    version.ask(call)
  }

  /** Loads what lies on the disk now beside what runs; new sessions are its. */
  async reload(name: string): Promise<Result<Reloaded, string>> {
    const hosted = this.#hosted.find((one) => one.name === name)
    if (hosted === undefined)
      return err(
        unknownApplication(
          name,
          this.#hosted.map((one) => one.name),
        ),
      )
    if (hosted.isReloading) return err(`${name} is being reloaded already: ask again when that is done`)
    hosted.isReloading = true
    try {
      return await this.#replace(hosted)
    } finally {
      hosted.isReloading = false
    }
  }

  async #replace(hosted: Hosted): Promise<Result<Reloaded, string>> {
    const { name } = hosted
    const version = this.#version(hosted, false)
    const loaded = await version.start()
    if (!loaded.ok) return err(`${name} goes on as it was: ${hosted.config.module}: ${loaded.error}`)
    const [newest] = hosted.versions
    const was = newest?.info?.version ?? null
    const refusal = refusalOf(hosted, loaded.value)
    if (refusal !== null || loaded.value.hash === newest?.hash || this.#isOver) {
      version.close()
      return refusal === null ? ok({ name, version: loaded.value.version, was }) : err(refusal)
    }
    const kept = [version, ...hosted.versions.filter(({ info }) => info !== null)]
    for (const old of hosted.versions) if (!kept.includes(old)) old.close()
    for (const old of kept.splice(hostLimits.applicationVersions)) old.close()
    hosted.versions = kept
    this.#ports.log.info(
      { code: 'application-reloaded', application: name, version: loaded.value.version, was },
      `new sessions of ${name} are its new version's`,
    )
    this.#ports.changed(this.infos)
    return ok({ name, version: loaded.value.version, was })
  }

  /** Versions that wait for their sessions to end. */
  get old(): readonly ApplicationInfo[] {
    return this.#hosted.flatMap(({ versions }) => versions.slice(1).flatMap(({ info }) => info ?? []))
  }

  /** Old versions that had no session this time and the time before end. */
  counted(counts: readonly VersionCount[]): void {
    let isChanged = false
    for (const hosted of this.#hosted) {
      const [newest, ...old] = hosted.versions
      const unused = old.filter((version) => {
        const is = version.info?.version
        return (
          version.openCalls === 0 &&
          !counts.some((one) => one.name === hosted.name && one.version === is && one.sessions > 0)
        )
      })
      const ended = unused.filter(({ info }) => hosted.unused.has(info?.version ?? ''))
      hosted.unused = new Set(unused.map(({ info }) => info?.version ?? ''))
      if (newest === undefined || ended.length === 0) continue
      for (const version of ended) {
        this.#ports.log.info(
          { code: 'application-version-ended', application: hosted.name, version: version.info?.version },
          'its last session has ended',
        )
        version.close()
      }
      hosted.versions = hosted.versions.filter((version) => !ended.includes(version))
      isChanged = true
    }
    if (isChanged) this.#ports.changed(this.infos)
  }

  status(): readonly ApplicationStatus[] {
    return this.#hosted.map(({ config, name, versions, turns, failures, restarts, lastFailure }) => ({
      name,
      module: config.module,
      versions: versions.map((one) => ({
        version: one.info?.version ?? 'not loaded',
        running: one.isRunning && one.info !== null,
        restarts: one.restarts,
        open: one.openCalls,
      })),
      turns,
      failures,
      restarts,
      lastFailure,
    }))
  }

  close(): void {
    this.#isOver = true
    for (const { versions } of this.#hosted) for (const version of versions) version.close()
  }

  #versionFor(hosted: Hosted, call: AppCall): ApplicationVersion | null {
    const [newest] = hosted.versions
    const own = hosted.versions.find(({ info }) => info?.version === call.version)
    if (own === undefined && newest !== undefined && call.version !== '') {
      this.#sparse.warn(
        `application-version-gone ${hosted.name} ${call.version}`,
        `sessions of a version of ${hosted.name} that is not loaded here are handled by the newest`,
        {
          application: hosted.name,
          version: call.version,
          newest: newest.info?.version,
        },
      )
    }
    return own ?? newest ?? null
  }

  #version(hosted: Hosted, isKept: boolean): ApplicationVersion {
    const { log } = this.#ports
    const version: ApplicationVersion = new ApplicationVersion(hosted.config, isKept, {
      answered: (id, answer) => this.#answered(id, answer),
      asks: (question, then) => this.#ports.asks(question, then),
      said: (line, level) => this.#say(hosted, hosted.said, 'application-says', line, level),
      faulty: (text) => this.#say(hosted, hosted.faults, 'application-fault', text, 'warn'),
      running: (loaded, isFirst) => {
        log.info(
          { code: 'application-running', application: loaded.name, version: loaded.version },
          `${loaded.name} runs`,
        )
        // One that was listed as not loaded until now.
        if (!isFirst || !hosted.versions.includes(version)) return
        hosted.name = loaded.name
        this.#ports.changed(this.infos)
      },
      ended: (reason, againMs) => {
        if (againMs === null) return
        hosted.restarts++
        hosted.lastFailure = reason
        log.error(
          { code: 'application-ended', application: hosted.name, reason, againMs },
          `the worker of ${hosted.name} has ended: ${reason}`,
        )
      },
    })
    return version
  }

  #answered(id: number, answer: AppAnswer): void {
    const hosted = this.#asked.get(id)
    if (hosted === undefined) return
    this.#asked.delete(id)
    if (answer.kind === 'done') hosted.turns++
    else {
      hosted.failures++
      hosted.lastFailure = answer.reason
    }
    this.#ports.answered(id, answer)
  }

  #say(hosted: Hosted, budget: LineBudget, code: string, text: string, level: 'info' | 'warn'): void {
    const { isAllowed, skipped } = budget.take()
    const about = { code, application: hosted.name, ...(skipped > 0 ? { skipped } : {}) }
    if (isAllowed) this.#ports.log[level](about, text)
  }
}

/** So many lines a second: what an application says must not fill a disk. */
class LineBudget {
  #second = 0
  #lines = 0

  /** Whether one more may be logged, and how many were left out in the second before. */
  take(): { readonly isAllowed: boolean; readonly skipped: number } {
    const second = Math.floor(performance.now() / 1_000)
    const skipped = second === this.#second ? 0 : Math.max(0, this.#lines - hostLimits.applicationLines)
    if (second !== this.#second) this.#lines = 0
    this.#second = second
    this.#lines++
    return { isAllowed: this.#lines <= hostLimits.applicationLines, skipped }
  }
}

/** Why the code that was loaded can't take the place of what runs; null = it can. */
function refusalOf({ config, name, versions }: Hosted, loaded: LoadedApplication): string | null {
  const kind = kindFault(config, loaded)
  if (kind !== null) return kind
  if (loaded.name !== name)
    return `the module now defines "${loaded.name}": an application keeps its name, ${name}, for its life`
  const same = versions.find(({ info }) => info?.version === loaded.version)
  if (same === undefined || same.hash === loaded.hash) {
    return same === undefined || same === versions[0]
      ? null
      : `version ${loaded.version} of ${name} still has sessions here: reload it when they have ended`
  }
  return `the code of ${name} has changed, its version has not: raise "version" from ${loaded.version}, or leave it out`
}

function unknownApplication(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  if (known.length === 0) return `no application ${name}: this set runs none; --app PATH loads one`
  return `no application ${name}; ${near === null ? `there is ${known.join(', ')}` : `did you mean ${near}?`}`
}
