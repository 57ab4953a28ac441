// `up`: a set on this machine, one process per replica. It starts them, says what happens to them, starts a dead one
// again, and takes them all with it when it ends.

import type { ReplicaId } from '../base/brand.ts'
import { unreachable } from '../base/assert.ts'
import { printAddress } from './address.ts'
import { ReplicaChild } from './child.ts'
import type { ChildExit } from './child.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import type { SetFact } from './failovers.ts'
import type { FromReplica, StartOrder } from './ipc.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'

/** What `up --json` prints, one a line (interface.md). */
export type SetEvent =
  | {
      readonly event: 'replica'
      readonly id: number
      readonly pid: number
      readonly admin: string
      readonly peer: string
      /** Where its applications are reached by HTTP; absent = nowhere. */
      readonly http?: string
    }
  | { readonly event: 'ready'; readonly sip: string; readonly leader: number }
  | { readonly event: 'exit'; readonly id: number; readonly signal?: string; readonly code?: number }
  | { readonly event: 'leader'; readonly id: number; readonly term: number }

export interface SetParts {
  readonly config: SetConfig
  /** Runs one replica; see `ReplicaChild`. */
  readonly command: readonly string[]
  readonly logLevel: string
  readonly log: Logger
  /** Null: nobody remembers. */
  hasRun(replica: ReplicaId): boolean | null
  /** This replica's first life is durable. */
  started(replica: ReplicaId): void
  say(event: SetEvent): void
  /** What befell the set just now, for who watches failovers. */
  befell(fact: SetFact): void
}

export class SetProcess {
  readonly #parts: SetParts
  /** In rising order of id. */
  #children: readonly ReplicaChild[]
  #config: SetConfig
  readonly #restarts = new Map<ReplicaId, NodeJS.Timeout>()
  /** Replicas that are told to end and to be started again as soon as they have; and who waits for that. */
  readonly #cycles = new Map<ReplicaId, () => void>()
  /** Processes of replicas that are none of the set's any more; and who waits for their ends. */
  readonly #dropped = new Map<ReplicaId, { readonly child: ReplicaChild; readonly ended: () => void }>()
  /** Replicas whose data folders are at fault, and why. */
  readonly #lost = new Map<ReplicaId, string>()
  #leader: { readonly id: number; readonly term: number } | null = null
  /** The leader that a replica named when it found the set ready. */
  #readyWith: ReplicaId | null = null
  #isReady = false
  #isEnding = false
  #watch: NodeJS.Timeout | null = null
  #killer: NodeJS.Timeout | null = null
  #failure: string | null = null
  #finish: (failure: string | null) => void = () => undefined

  constructor(parts: SetParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#children = parts.config.replicas.map(({ id }) => this.#child(id))
  }

  /** As it is now. */
  get config(): SetConfig {
    return this.#config
  }

  #child(id: ReplicaId): ReplicaChild {
    return new ReplicaChild(id, this.#parts.command, {
      message: (replica: ReplicaId, pid: number, message: FromReplica) => this.#heard(replica, pid, message),
      exit: (replica: ReplicaId, exit: ChildExit) => this.#exited(replica, exit),
    })
  }

  #find(id: ReplicaId): ReplicaChild | null {
    return this.#children.find((child) => child.id === id) ?? null
  }

  /** Runs until `end`, or until the set can't go on: then the reason. All processes are gone by then. */
  run(): Promise<string | null> {
    for (const child of this.#children) this.#start(child)
    let last = performance.now()
    this.#watch = setInterval(() => {
      const now = performance.now()
      // A judge that slept forgives what it slept through.
      if (now - last > 2 * hostLimits.aliveMs) for (const child of this.#children) child.forgive()
      last = now
      this.#killSilent()
    }, hostLimits.aliveMs)
    return new Promise((resolve) => (this.#finish = resolve))
  }

  /** Ends all replicas; called again, at once. */
  end(): void {
    const isAgain = this.#isEnding
    this.#isEnding = true
    for (const timer of this.#restarts.values()) clearTimeout(timer)
    this.#restarts.clear()
    // Not by a signal, which means a drain: nobody stays who could take over.
    for (const child of this.#all) {
      if (isAgain) child.kill('SIGKILL')
      else child.end()
    }
    // A stopped process doesn't hear it.
    this.#killer ??= setTimeout(() => this.end(), hostLimits.endMs)
    this.#finishIfEmpty()
  }

  /** Tells a replica to end: it hands over, and ends by itself. False: it doesn't run. */
  drain(id: ReplicaId): boolean {
    const child = this.#find(id)
    if (child === null || child.pid === null) return false
    child.kill('SIGTERM')
    return true
  }

  /** `kill -9` of a replica. False: it doesn't run. */
  kill(id: ReplicaId): boolean {
    const child = this.#find(id)
    if (child === null || child.pid === null) return false
    child.kill('SIGKILL')
    return true
  }

  /** Drains a replica, and starts it again once it has ended; one that doesn't run is started. Resolves when it is started. */
  cycle(id: ReplicaId): Promise<void> {
    return new Promise((resolve) => {
      this.#cycles.set(id, resolve)
      if (this.drain(id)) return
      const child = this.#find(id)
      if (child !== null) this.#startAgain(child)
    })
  }

  /** One more replica: its process is started. */
  add(replica: ReplicaConfig): void {
    this.#setReplicas([...this.#config.replicas, replica])
    const child = this.#child(replica.id)
    this.#children = [...this.#children, child].sort((a, b) => a.id - b.id)
    this.#start(child)
  }

  /** That replica is none of the set's any more, or begins anew: its process ends, if it hasn't, and is not started again until `add`.
   * Resolves when it has ended. */
  drop(id: ReplicaId): Promise<void> {
    const child = this.#find(id)
    this.#setReplicas(this.#config.replicas.filter((replica) => replica.id !== id))
    this.#children = this.#children.filter((other) => other !== child)
    clearTimeout(this.#restarts.get(id))
    this.#restarts.delete(id)
    this.#lost.delete(id)
    this.#cycles.get(id)?.()
    this.#cycles.delete(id)
    if (child === null || child.pid === null) return Promise.resolve()
    return new Promise((resolve) => {
      const killer = setTimeout(() => child.kill('SIGKILL'), hostLimits.drainMs + hostLimits.endMs)
      const ended = (): void => {
        clearTimeout(killer)
        resolve()
      }
      this.#dropped.set(id, { child, ended })
      child.kill('SIGTERM')
    })
  }

  /** What replicas are started with from now on; who is in the set stays as it is. */
  reconfigure(config: SetConfig): void {
    this.#config = { ...config, replicas: this.#config.replicas }
  }

  /** The same, and those that run go over to it: it differs in nothing that can't be reloaded (reread.ts). */
  reload(config: SetConfig): void {
    this.reconfigure(config)
    for (const child of this.#children) child.reload(this.#config)
  }

  #setReplicas(replicas: readonly ReplicaConfig[]): void {
    this.#config = { ...this.#config, replicas: [...replicas].sort((a, b) => a.id - b.id) }
  }

  get pids(): ReadonlyMap<ReplicaId, number> {
    return new Map(this.#children.flatMap(({ id, pid }) => (pid === null ? [] : [[id, pid] as const])))
  }

  #start(child: ReplicaChild): void {
    const { logLevel } = this.#parts
    child.start({ kind: 'start', config: this.#config, replica: child.id, fresh: this.#freshness(child.id), logLevel })
  }

  /** What a replica is if it has no log: a founder, if none has run before. */
  #freshness(id: ReplicaId): StartOrder['fresh'] {
    const { hasRun } = this.#parts
    if (hasRun(id) === true) return 'join'
    return this.#config.replicas.every((replica) => hasRun(replica.id) === false) ? 'found' : 'ask'
  }

  #heard(id: ReplicaId, pid: number, message: FromReplica): void {
    switch (message.kind) {
      case 'listening':
        this.#parts.started(id)
        this.#parts.befell({ kind: 'runs', replica: id })
        return this.#parts.say({ event: 'replica', id, pid, ...this.#urls(id) })
      case 'sip-open':
        return this.#sayReady()
      case 'ready':
        this.#readyWith ??= message.leader
        return this.#sayReady()
      case 'leader':
        return this.#sayLeader(message.id, message.term)
      case 'serving':
        // One that catches up tells of what was.
        if (this.#find(id)?.isSipOpen === true) this.#parts.befell({ kind: 'serving', lives: message.lives })
        return
      case 'alive':
      case 'failed':
        return
      default:
        unreachable(message)
    }
  }

  #urls(id: ReplicaId): { readonly admin: string; readonly peer: string; readonly http?: string } {
    const own = this.#config.replicas.find((replica) => replica.id === id)
    if (own === undefined) return { admin: '', peer: '' }
    const { admin, peer, http } = own
    const scheme = this.#config.http?.tls === true ? 'https' : 'http'
    const urls = { admin: `http://${printAddress(admin)}`, peer: printAddress(peer) }
    return http === undefined ? urls : { ...urls, http: `${scheme}://${printAddress(http)}` }
  }

  /** Several replicas tell of one leader, some of them late. */
  #sayLeader(id: number, term: number): void {
    if (this.#leader !== null && this.#leader.term >= term) return
    this.#leader = { id, term }
    this.#parts.befell({ kind: 'leader', replica: id, term })
    this.#parts.say({ event: 'leader', id, term })
  }

  /** Once calls can be made: a replica says so, and every living one has the SIP address open. */
  #sayReady(): void {
    if (this.#isReady || this.#isEnding || this.#readyWith === null) return
    if (this.#children.some((child) => child.pid !== null && !child.isSipOpen)) return
    this.#isReady = true
    const leader = this.#leader?.id ?? this.#readyWith
    this.#parts.say({ event: 'ready', sip: printAddress(this.#config.sip), leader })
  }

  #exited(id: ReplicaId, exit: ChildExit): void {
    const { code, signal, failed } = exit
    if (signal !== null) this.#parts.say({ event: 'exit', id, signal })
    else this.#parts.say({ event: 'exit', id, code: code ?? 1 })
    this.#parts.befell({ kind: 'gone', replica: id, why: signal ?? `exit code ${code ?? 1}` })
    const dropped = this.#dropped.get(id)
    this.#dropped.delete(id)
    dropped?.ended()
    if (this.#isEnding) return this.#finishIfEmpty()
    if (this.#find(id) === null) return
    if (this.#isForgotten) {
      return this.#fail('all replicas have ended, and what the set remembered is gone: start it again, as a new set')
    }
    if (failed?.cause === 'removed') return this.#leftSet(id, failed.reason)
    if (failed?.cause === 'data') return this.#lose(id, failed.reason)
    if (failed !== null && !exit.wasListening && !this.#isReady) return this.#fail(`replica ${id}: ${failed.reason}`)
    if (failed === null && !exit.wasListening && !this.#isReady && code !== null && code !== 0) {
      return this.#fail(`replica ${id} ended with exit code ${code} before it started: standard error says why`)
    }
    if (failed !== null) this.#parts.log.error({ code: 'replica-failed', replica: id }, failed.reason)
    const child = this.#find(id)
    if (child !== null && this.#cycles.has(id)) this.#startAgain(child)
    else this.#restartLater(id)
    this.#sayReady()
  }

  /** A set in memory of which nobody is left: those that were started since have joined nothing. */
  get #isForgotten(): boolean {
    const isInMemory = this.#config.durability === 'memory'
    return isInMemory && this.#isReady && !this.#children.some((child) => child.isListening)
  }

  /** That replica can't start again; the others go on while they are a majority of the voters. */
  #lose(id: ReplicaId, reason: string): void {
    this.#lost.set(id, reason)
    this.#cycles.get(id)?.()
    this.#cycles.delete(id)
    const left = this.#children.length - this.#lost.size
    if (left * 2 <= this.#children.length) {
      return this.#fail([...this.#lost].map(([lost, why]) => `replica ${lost}: ${why}`).join('; '))
    }
    this.#parts.log.error({ code: 'replica-lost', replica: id }, `replica ${id} stays out, the others go on: ${reason}`)
    this.#sayReady()
  }

  /** It was removed from the set, and is not started again. */
  #leftSet(id: ReplicaId, reason: string): void {
    this.#parts.log.warn({ code: 'replica-removed', replica: id }, reason)
    this.#cycles.get(id)?.()
    this.#cycles.delete(id)
    if (this.#children.every((child) => child.pid === null) && this.#restarts.size === 0) {
      return this.#fail('all of its replicas were removed from the set')
    }
    this.#sayReady()
  }

  #startAgain(child: ReplicaChild): void {
    clearTimeout(this.#restarts.get(child.id))
    this.#restarts.delete(child.id)
    const told = this.#cycles.get(child.id)
    this.#cycles.delete(child.id)
    if (!this.#isEnding) this.#start(child)
    told?.()
  }

  #restartLater(id: ReplicaId): void {
    const { restart } = this.#config
    const child = this.#find(id)
    if (restart === null || child === null) return
    const timer = setTimeout(() => {
      this.#restarts.delete(id)
      this.#start(child)
    }, restart * 1_000)
    this.#restarts.set(id, timer)
  }

  #killSilent(): void {
    for (const child of this.#children) {
      if (!child.isSilent) continue
      const seconds = hostLimits.silentLoopMs / 1_000
      this.#parts.log.error(
        { code: 'replica-silent', replica: child.id },
        `its loop is silent for ${seconds} s: killed`,
      )
      child.kill('SIGKILL')
    }
  }

  #fail(reason: string): void {
    this.#failure ??= reason
    this.end()
  }

  /** With those that are to end. */
  get #all(): readonly ReplicaChild[] {
    return [...this.#children, ...[...this.#dropped.values()].map(({ child }) => child)]
  }

  #finishIfEmpty(): void {
    if (this.#all.some((child) => child.pid !== null)) return
    if (this.#watch !== null) clearInterval(this.#watch)
    if (this.#killer !== null) clearTimeout(this.#killer)
    this.#finish(this.#failure)
  }
}
