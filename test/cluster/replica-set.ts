// A replica set as a user starts it, `npm run -s holdfast -- up --json`, read through its JSON events and `/status`.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { must } from '../../src/base/assert.ts'
import { exitOf, isAlive, parentOf, signalPid, startProgram } from './programs.ts'
import { settled, until } from './poll.ts'
import type { Exit, Program } from './programs.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export type SetEvent =
  | {
      readonly event: 'replica'
      readonly id: number
      readonly pid: number
      readonly admin: string
      readonly peer: string
    }
  | { readonly event: 'ready'; readonly sip: string; readonly leader: number }
  | { readonly event: 'exit'; readonly id: number; readonly signal?: string; readonly code?: number }
  | { readonly event: 'leader'; readonly id: number; readonly term: number }

/** The part of a replica's `/status` that the tests read. */
export interface Status {
  readonly replica: number
  readonly incarnation: string
  readonly role: string
  readonly leader: number | null
  readonly term: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly voters: readonly number[]
  readonly serving: readonly { readonly id: number; readonly life: string; readonly since: number }[]
  readonly formats: { readonly active: number }
  readonly detached: boolean
  readonly groups: number
  readonly entities: number
  readonly calls: { readonly early: number; readonly confirmed: number }
  readonly timers: { readonly pending: number; readonly fired: number }
  readonly intents: { readonly open: number }
  readonly storeHash: { readonly index: number; readonly hash: string }
}

/** A line of `GET /calls`. */
export interface CallLine {
  readonly callId: string
  readonly group: string
  readonly state: 'early' | 'confirmed'
  /** The life that owns it; null while nobody serves. */
  readonly owner: string | null
}

/** Addresses of one test, all in 127.0.0.0/8: no two tests share one. */
export interface Place {
  readonly sip: string
  readonly admin: string
  readonly peer: string
  readonly caller: string
  readonly callee: string
}

/** `slot` is the test's own, 1 to 254. */
export function place(slot: number): Place {
  return {
    sip: `127.66.${slot}.10:5060`,
    admin: `127.66.${slot}.1:8060`,
    peer: `127.66.${slot}.1:8160`,
    caller: `127.66.${slot}.100:5060`,
    callee: `127.66.${slot}.200:5070`,
  }
}

export interface SetOptions {
  readonly place: Place
  /** Default: the place's callee; null = the Request-URI decides. */
  readonly nextHop?: string | null
  /** Default: a fresh temporary folder of `up` itself. */
  readonly data?: string
  /** Seconds, or `never`; default 5. */
  readonly restart?: string
  /** Default: on disk. */
  readonly durability?: 'memory'
  /** More of the command line. */
  readonly extra?: readonly string[]
  /** More of the environment, which replicas and workers of applications get, too. */
  readonly env?: Readonly<Record<string, string>>
  /** Until calls can be made, on a machine that has much else to do; default 60 s. */
  readonly readyMs?: number
  /** When the log is compacted; with it the set starts from a config file, in `data`. */
  readonly compaction?: { readonly every: number; readonly kept: number }
  /** As a config file has them, likewise. */
  readonly applications?: readonly Readonly<Record<string, unknown>>[]
}

export class ReplicaSet {
  readonly #program: Program
  readonly #events: SetEvent[] = []
  readonly #replicas = new Map<number, { pid: number; admin: string }>()
  #leader = 0

  constructor(program: Program) {
    this.#program = program
    program.onLine((line) => this.#take(line))
  }

  get events(): readonly SetEvent[] {
    return this.#events
  }

  /** The id of the leader that was told last. */
  get leader(): number {
    return this.#leader
  }

  get program(): Program {
    return this.#program
  }

  get ids(): number[] {
    return [...this.#replicas.keys()].sort((a, b) => a - b)
  }

  /** The process `up` itself, which npm runs: the parent of its replicas. */
  get upPid(): number {
    return parentOf(this.pid(this.ids[0] as number))
  }

  pid(id: number): number {
    return this.#replica(id).pid
  }

  /** That replica was removed from the set: nobody asks it any more. */
  forget(id: number): void {
    this.#replicas.delete(id)
  }

  /** HOST:PORT of a replica's admin address. */
  admin(id: number): string {
    return new URL(this.#replica(id).admin).host
  }

  stderr(): string {
    return this.#program.stderr()
  }

  /** `kill -9` of one replica. */
  kill(id: number): void {
    signalPid(this.pid(id), 'SIGKILL')
  }

  /** SIGSTOP of one replica: it does nothing, and its sockets and links stay open. */
  freeze(id: number): void {
    signalPid(this.pid(id), 'SIGSTOP')
  }

  /** SIGCONT. */
  unfreeze(id: number): void {
    signalPid(this.pid(id), 'SIGCONT')
  }

  /** Waits until a replica that was killed after `from` events was started again and all replicas serve. */
  async whole(deadlineMs: number, again: readonly number[], from: number): Promise<Status[]> {
    for (const id of again) {
      await this.event(
        `replica ${id} starts again`,
        deadlineMs,
        (event) => event.event === 'replica' && event.id === id,
        from,
      )
    }
    return this.statuses('all serve', deadlineMs, ({ serving }) => serving.length === this.#replicas.size)
  }

  /** The first event from `from` on that `accept` takes. */
  async event(what: string, deadlineMs: number, accept: (event: SetEvent) => boolean, from = 0): Promise<SetEvent> {
    return until(`event: ${what}`, deadlineMs, () => {
      const found = this.#events.slice(from).find(accept)
      if (found === undefined && !isAlive(this.#program.pid))
        throw new Error(`up has ended: ${this.stderr().slice(-3_000)}`)
      return found ?? null
    })
  }

  /** Calls can be made: four processes and those of its applications have started by then, which promises no time (machines.ts). */
  async ready(from = 0, deadlineMs = 60_000): Promise<void> {
    await this.event('ready', deadlineMs, (event) => event.event === 'ready', from)
  }

  async status(id: number): Promise<Status> {
    const response = await fetch(`${this.#replica(id).admin}/status`, { signal: AbortSignal.timeout(2_000) })
    return (await response.json()) as Status
  }

  /** The calls that a replica knows. */
  async calls(id: number): Promise<CallLine[]> {
    const response = await fetch(`${this.#replica(id).admin}/calls`, { signal: AbortSignal.timeout(5_000) })
    return (await response.json()) as CallLine[]
  }

  /** How many calls each replica owns, as replica `asked` knows. */
  async owned(asked: number): Promise<Map<number, number>> {
    const counts = new Map<number, number>(this.ids.map((id) => [id, 0]))
    for (const { owner } of await this.calls(asked)) {
      const id = Number.parseInt(owner ?? '0', 10)
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return counts
  }

  async healthy(id: number): Promise<boolean> {
    const response = await fetch(`${this.#replica(id).admin}/health`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  }

  /** Prometheus' text. */
  async metrics(id: number): Promise<string> {
    const response = await fetch(`${this.#replica(id).admin}/metrics`, { signal: AbortSignal.timeout(2_000) })
    return response.text()
  }

  /** One of a replica's counters; 0 if it never counted. The name is without `holdfast_` and `_total`. */
  async counter(id: number, name: string): Promise<number> {
    const line = (await this.metrics(id)).split('\n').find((text) => text.startsWith(`holdfast_${name}_total `))
    return Number(line?.split(' ')[1] ?? 0)
  }

  /** All replicas' statuses, once each of them answers and `accept` takes them all. */
  async statuses(what: string, deadlineMs: number, accept: (status: Status) => boolean): Promise<Status[]> {
    return settled(
      what,
      deadlineMs,
      () => Promise.all(this.ids.map((id) => this.status(id).catch((error: unknown) => String(error)))),
      (all): all is Status[] => all.every((one) => typeof one !== 'string' && accept(one)),
    ) as Promise<Status[]>
  }

  /** Statuses of all replicas with one index and one hash: they have converged. */
  async converged(deadlineMs: number): Promise<Status[]> {
    return settled(
      'equal hashes at equal index',
      deadlineMs,
      () => Promise.all(this.ids.map((id) => this.status(id))),
      (all) => {
        const first = all[0] as Status
        return all.every(
          (one) => one.storeHash.index === first.storeHash.index && one.storeHash.hash === first.storeHash.hash,
        )
      },
    )
  }

  /** SIGTERM, as a user's Ctrl-C: all must end. */
  async stop(): Promise<Exit> {
    const pids = [...this.#replicas.values()].map(({ pid }) => pid)
    this.#program.signal('SIGTERM')
    const exit = await exitOf(this.#program, 'up', 15_000)
    await until('all replicas have ended', 5_000, () => (pids.some(isAlive) ? null : true))
    return exit
  }

  /** For the end of a test, however it went: leaves no process. */
  async destroy(): Promise<void> {
    const pids = [...this.#replicas.values()].map(({ pid }) => pid)
    const up = pids.filter(isAlive).map(parentOf)
    if (isAlive(this.#program.pid)) {
      this.#program.signal('SIGTERM')
      await exitOf(this.#program, 'up', 15_000).catch(() => {
        for (const pid of [...up, ...pids, this.#program.pid]) signalPid(pid, 'SIGKILL')
      })
    }
    for (const pid of pids.filter(isAlive)) signalPid(pid, 'SIGKILL')
  }

  #replica(id: number): { pid: number; admin: string } {
    const replica = this.#replicas.get(id)
    if (replica === undefined) throw new Error(`no replica ${id} was announced: ${this.stderr().slice(-3_000)}`)
    return replica
  }

  #take(line: string): void {
    const event = JSON.parse(line) as SetEvent
    this.#events.push(event)
    if (event.event === 'replica') this.#replicas.set(event.id, { pid: event.pid, admin: event.admin })
    if (event.event === 'ready') this.#leader = event.leader
    if (event.event === 'leader') this.#leader = event.id
  }
}

/** Starts `holdfast` from a checkout, as a user's script does. */
export function holdfast(
  args: readonly string[],
  checkout = root,
  env: Readonly<Record<string, string>> = {},
): Program {
  return startProgram('npm', ['run', '-s', 'holdfast', '--', ...args], { cwd: checkout, env })
}

/** Starts a set without waiting for it. */
export function launchSet(options: SetOptions): ReplicaSet {
  const { sip, admin, peer, callee } = options.place
  const args = ['up', '--json', '--sip', sip, '--admin', admin, '--peer', peer]
  if (options.nextHop !== null) args.push('--next-hop', options.nextHop ?? callee)
  args.push(...(options.extra ?? []))
  if (options.data !== undefined) args.push('--data', options.data)
  if (options.restart !== undefined) args.push('--restart', options.restart)
  if (options.durability !== undefined) args.push('--durability', options.durability)
  const { compaction, applications, env } = options
  if (compaction === undefined && applications === undefined) return new ReplicaSet(holdfast(args, root, env))
  const file = configWith({ compaction, applications }, args, must(options.data, 'a data folder'))
  return new ReplicaSet(holdfast(['up', '--json', '--config', file], root, env))
}

/** The file that `up --print-config` would make of these arguments, with that in it. */
function configWith(more: object, args: readonly string[], data: string): string {
  const printed = spawnSync('npm', ['run', '-s', 'holdfast', '--', ...args, '--print-config'], { cwd: root })
  if (printed.status !== 0) throw new Error(`--print-config: ${printed.stderr.toString()}`)
  const config = JSON.parse(printed.stdout.toString()) as object
  const file = `${data}.json`
  writeFileSync(file, JSON.stringify({ ...config, ...more }), { mode: 0o600 })
  return file
}

/** Starts a set and waits until calls can be made. */
export async function startSet(options: SetOptions): Promise<ReplicaSet> {
  const set = launchSet(options)
  try {
    await set.ready(0, options.readyMs)
  } catch (error) {
    await set.destroy()
    throw new Error(`${(error as Error).message}\n${JSON.stringify(set.events)}\n${set.stderr()}`, { cause: error })
  }
  return set
}
