// Replicas that are started one by one, `holdfast start`, as on machines of their own.

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { settled } from './poll.ts'
import { exitOf, startProgram } from './programs.ts'
import type { Exit, Program } from './programs.ts'
import { root } from './replica-set.ts'
import type { Place, Status } from './replica-set.ts'

const MAIN = join(root, 'src/main.ts')

/** `holdfast ARGS` to its end. */
export async function command(
  args: readonly string[],
  deadlineMs = 60_000,
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(process.execPath, [MAIN, ...args])
  const exit = await exitOf(program, `holdfast ${args.join(' ')}`, deadlineMs)
  return { ...exit, stdout: program.stdout(), stderr: program.stderr() }
}

/** The config file of a set whose data is in `FOLDER/replica-N`. */
export function writeConfig(
  path: string,
  folder: string,
  { sip, admin, peer, callee }: Place,
  more: object = {},
  replicas = 3,
): void {
  const places = ['--sip', sip, '--admin', admin, '--peer', peer, '--next-hop', callee]
  const args = [...places, '--data', folder, '--replicas', String(replicas)]
  const printed = spawnSync(process.execPath, [MAIN, 'up', ...args, '--print-config'])
  if (printed.status !== 0) throw new Error(`--print-config: ${printed.stderr.toString()}`)
  const config = JSON.parse(printed.stdout.toString()) as object
  writeFileSync(path, JSON.stringify({ ...config, ...more }), { mode: 0o600 })
}

export class Machines {
  readonly #config: string
  readonly #running = new Map<number, Program>()
  readonly #all: Program[] = []

  readonly #env: Readonly<Record<string, string>>

  constructor(config: string, env: Readonly<Record<string, string>> = {}) {
    this.#config = config
    this.#env = env
  }

  get #replicas(): readonly { readonly id: number; readonly admin: string; readonly data: string }[] {
    return (JSON.parse(readFileSync(this.#config, 'utf8')) as { replicas: [] }).replicas
  }

  admin(id: number): string {
    return must(
      this.#replicas.find((one) => one.id === id),
      'a replica',
    ).admin
  }

  start(id: number, ...more: readonly string[]): Program {
    const args = [MAIN, 'start', '--config', this.#config, '--replica', String(id), '--log-level', 'warn', ...more]
    const program = startProgram(process.execPath, args, { env: this.#env })
    this.#running.set(id, program)
    this.#all.push(program)
    return program
  }

  /** kill -9, and it has ended. */
  async kill(...ids: readonly number[]): Promise<void> {
    for (const id of ids) this.#running.get(id)?.signal('SIGKILL')
    for (const id of ids) await this.#running.get(id)?.exit
    for (const id of ids) this.#running.delete(id)
  }

  /** Its disk is gone. */
  lose(id: number): void {
    const own = this.#replicas.find((one) => one.id === id)
    rmSync(must(own, 'a replica').data, { recursive: true })
  }

  async status(id: number): Promise<Status> {
    const response = await fetch(`http://${this.admin(id)}/status`, { signal: AbortSignal.timeout(2_000) })
    return (await response.json()) as Status
  }

  /** All of them say that just these serve. Three processes start for it, and an election needs each loop's turn within 500 ms: 5 to 7 s on
   * a quiet machine, up to 57 s were seen with ten busy processes beside them on two cores. A test that promises a time gives its own. */
  serve(ids: readonly number[], deadlineMs = 90_000): Promise<unknown> {
    const sorted = ({ serving }: Status): string => [...serving.map(({ id }) => id)].sort((a, b) => a - b).join()
    return this.#statuses(`${ids.join()} serve`, ids, deadlineMs, (status) => sorted(status) === ids.join())
  }

  /** All of them have so many answered calls. */
  confirmed(ids: readonly number[], calls: number): Promise<unknown> {
    return this.#statuses(`${calls} calls`, ids, 30_000, (status) => status.calls.confirmed === calls)
  }

  #statuses(what: string, ids: readonly number[], deadlineMs: number, accept: (status: Status) => boolean) {
    return settled(
      what,
      deadlineMs,
      () => Promise.all(ids.map((id) => this.status(id).catch((error: unknown) => String(error)))),
      (all) => all.every((one) => typeof one !== 'string' && accept(one)),
    )
  }

  story(): string {
    return this.#all.map((program) => program.stderr().slice(-3_000)).join('\n---\n')
  }

  /** Leaves no process. */
  destroy(): Promise<void> {
    return this.kill(...this.#running.keys())
  }
}
