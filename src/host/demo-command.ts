// `holdfast demo`: a set, calls, and deaths, told as they happen. The set is a real `up` in processes of its own; the phones are ours.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'
import { fetchJson } from './admin-client.ts'
import { DemoCallee, DemoCaller } from './demo-phones.ts'
import { onEndSignals } from './end-signals.ts'
import { helpPage, readOptions, startError, usageError } from './options.ts'
import type { Command, Given } from './options.ts'
import { platformTrouble } from './platform.ts'
import type { SetEvent } from './set-process.ts'

const COMMAND: Command = {
  name: 'holdfast demo',
  summary:
    'starts a set, places calls, kills replicas with -9, and counts: placed, survived, lost; exit 1 if one was lost',
  options: {
    kills: { takes: 'N', help: 'how many replicas are killed, one after another, the leader first; 1 to 20 (2)' },
    rate: { takes: 'N', help: 'calls a second, 1 to 100 (10)' },
    hold: { takes: 'SECONDS', help: 'how long each call lasts, 1 to 60 (4)' },
    net: {
      takes: 'A.B.C',
      help: 'of addresses on loopback: the set has .10, replicas and up .1, the phones .100 and .200 (127.0.7)',
    },
  },
}

interface Plan {
  readonly kills: number
  readonly rate: number
  readonly holdMs: number
  readonly net: string
}

/** Until a set of three is ready, or whole again after a death. */
const WHOLE_MS = 30_000
const LOOK_MS = 200
/** Calls go on for so long before the first death and after the last one. */
const BETWEEN_MS = 2_000
/** 64*T1, after which a phone gives up, and a little. */
const PHONES_MS = 34_000

/** `program` is the path of main.ts. */
export async function demoMain(args: readonly string[], program: string): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const plan = planOf(given.value)
  if (!plan.ok) return usageError(COMMAND, plan.error)
  const trouble = platformTrouble()
  if (trouble !== null) return startError(COMMAND, trouble)
  const demo = new Demo(plan.value, program)
  onEndSignals(
    ['SIGINT', 'SIGTERM', 'SIGHUP'],
    () => demo.stop(),
    () => process.exit(1),
  )
  try {
    return await demo.run()
  } catch (error) {
    return startError(COMMAND, (error as Error).message)
  } finally {
    await demo.close()
  }
}

function planOf(given: Given): Result<Plan, string> {
  const numbers = { kills: [1, 2, 20], rate: [1, 10, 100], hold: [1, 4, 60] } as const
  const read: Record<keyof typeof numbers, number> = { kills: 0, rate: 0, hold: 0 }
  for (const name of ['kills', 'rate', 'hold'] as const) {
    const [least, usual, most] = numbers[name]
    const value = Number(given.get(name) ?? usual)
    if (!Number.isInteger(value) || value < least || value > most)
      return err(`--${name} ${given.get(name)}: give a whole number from ${least} to ${most}`)
    read[name] = value
  }
  const net = given.get('net') ?? '127.0.7'
  if (!/^127(\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){2}$/.test(net))
    return err(`--net ${net}: give the first three numbers of addresses on loopback, as 127.0.7`)
  return ok({ kills: read.kills, rate: read.rate, holdMs: read.hold * 1_000, net })
}

class Demo {
  readonly #plan: Plan
  readonly #program: string
  readonly #admin: string
  readonly #set: Address
  readonly #callee: DemoCallee
  readonly #caller: DemoCaller
  readonly #next: string
  readonly #pids = new Map<number, number>()
  readonly #began = performance.now()
  #up: ChildProcess | null = null
  #leader = 0
  #isReady = false
  #isStopped = false
  #said = ''
  /** Lines of the table that stands below the story; 0 = there is none. */
  #drawn = 0

  constructor(plan: Plan, program: string) {
    const { net, holdMs } = plan
    const callee = { host: `${net}.200`, port: 5070 }
    this.#plan = plan
    this.#program = program
    this.#admin = `${net}.1:8060`
    this.#set = { host: `${net}.10`, port: 5060 }
    this.#next = printAddress(callee)
    this.#callee = new DemoCallee(callee, this.#set)
    this.#caller = new DemoCaller({ host: `${net}.100`, port: 5060 }, this.#set, this.#set, holdMs)
  }

  async run(): Promise<number> {
    const { kills, rate } = this.#plan
    await this.#callee.open()
    await this.#caller.open()
    this.#tell(`three replicas start; phones at ${this.#plan.net}.100 and .200`)
    this.#start()
    await this.#whole('the set is not ready')
    this.#tell(
      `the set is ready at ${printAddress(this.#set)}: replica ${this.#leader} leads; ${rate} calls a second begin`,
    )
    const placing = setInterval(() => this.#caller.call(), 1_000 / rate)
    const drawing = setInterval(() => this.#draw(), LOOK_MS)
    try {
      for (let kill = 1; kill <= kills && !this.#isStopped; kill++) {
        await sleep(BETWEEN_MS)
        this.#kill(kill)
        await this.#whole('the set is not whole again')
        this.#tell('it is back, and all three serve')
      }
      await sleep(BETWEEN_MS)
    } finally {
      clearInterval(placing)
    }
    this.#tell('no more calls; those that are up end')
    const patience = performance.now() + this.#plan.holdMs + PHONES_MS
    while (this.#caller.calls.some(isOpen) && performance.now() < patience && !this.#isStopped) await sleep(LOOK_MS)
    clearInterval(drawing)
    this.#draw()
    return this.#count()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Leaves no process. */
  async close(): Promise<void> {
    this.#caller.close()
    this.#callee.close()
    const up = this.#up
    if (up === null || up.exitCode !== null || up.signalCode !== null) return
    const ended = new Promise((resolve) => up.once('exit', resolve))
    up.kill('SIGTERM')
    await ended
  }

  #start(): void {
    const { net } = this.#plan
    const places = ['--sip', printAddress(this.#set), '--admin', this.#admin, '--peer', `${net}.1:8160`]
    const more = ['--next-hop', this.#next, '--restart', '1', '--json', '--log-level', 'silent']
    const command = [...process.execArgv, this.#program, 'up', ...places, ...more]
    const up = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#up = up
    // However this process ends, the set does, too.
    process.once('exit', () => up.kill('SIGTERM'))
    up.stderr.on('data', (bytes: Buffer) => (this.#said = `${this.#said}${bytes.toString()}`.slice(-2_000)))
    createInterface({ input: up.stdout }).on('line', (line) => this.#heard(JSON.parse(line) as SetEvent))
  }

  #heard(event: SetEvent): void {
    if (event.event === 'replica') this.#pids.set(event.id, event.pid)
    else if (event.event === 'exit') this.#pids.delete(event.id)
    else {
      if (event.event === 'ready') this.#isReady = true
      const id = event.event === 'ready' ? event.leader : event.id
      if (this.#leader !== 0 && id !== this.#leader) this.#tell(`replica ${id} leads now`)
      this.#leader = id
    }
  }

  /** The leader first, then others in turn. */
  #kill(number: number): void {
    const others = [1, 2, 3].filter((id) => id !== this.#leader)
    const id = number % 2 === 1 ? this.#leader : (others[(number >> 1) % others.length] ?? 1)
    const pid = this.#pids.get(id)
    if (pid === undefined) return
    const up = this.#caller.calls.filter(isOpen)
    for (const call of up) call.deaths++
    this.#tell(
      `kill -9 ${pid}: replica ${id}${id === this.#leader ? ', the leader,' : ''} dies with ${up.length} calls up`,
    )
    process.kill(pid, 'SIGKILL')
    this.#pids.delete(id)
  }

  async #whole(late: string): Promise<void> {
    const end = performance.now() + WHOLE_MS
    while (!this.#isStopped) {
      const gone = this.#up?.exitCode ?? null
      if (gone !== null) throw new Error(`up ended with ${gone}: ${this.#said.trim()}`)
      if (this.#isReady && this.#pids.size === 3 && (await this.#allServe())) return
      if (performance.now() > end) throw new Error(`${late} after ${WHOLE_MS / 1_000} s: ${this.#said.trim()}`)
      await sleep(LOOK_MS)
    }
  }

  async #allServe(): Promise<boolean> {
    const statuses = await fetchJson(`http://${this.#admin}/status`)
    if (!statuses.ok) return false
    const all = statuses.value as readonly { readonly serving?: readonly unknown[] }[]
    return all.every(({ serving }) => serving?.length === 3)
  }

  #counts() {
    const { calls } = this.#caller
    const lost = calls.filter(({ state }) => state === 'lost')
    return {
      placed: calls.length,
      up: calls.filter(({ state }) => state === 'up').length,
      ended: calls.filter(({ state }) => state === 'ended').length,
      survived: calls.filter(({ state, deaths }) => state === 'ended' && deaths > 0).length,
      lost,
    }
  }

  #count(): number {
    const { placed, ended, survived, lost } = this.#counts()
    const open = this.#caller.calls.filter(isOpen).length
    this.#drawn = 0
    for (const { callId, reason } of lost.slice(0, 10)) this.#tell(`lost: ${callId}: ${reason}`)
    this.#tell(
      `placed ${placed}, ended as they should ${ended}, of these survived a death ${survived}, lost ${lost.length + open}`,
    )
    if (this.#isStopped) this.#tell('it was interrupted: what was open then counts as lost')
    return lost.length + open === 0 && placed > 0 ? 0 : 1
  }

  /** A line of the story; the table moves down. */
  #tell(text: string): void {
    this.#erase()
    const at = ((performance.now() - this.#began) / 1_000).toFixed(1).padStart(6)
    const { placed, up, ended, lost } = this.#counts()
    const counts =
      process.stdout.isTTY || placed === 0 ? '' : `   [placed ${placed}, up ${up}, ended ${ended}, lost ${lost.length}]`
    process.stdout.write(`${at} s  ${text}${counts}\n`)
  }

  /** In a terminal: who lives, and what the calls do. */
  #draw(): void {
    if (!process.stdout.isTTY) return
    this.#erase()
    const replicas = [1, 2, 3].map((id) => {
      const pid = this.#pids.get(id)
      return `  replica ${id}  ${pid === undefined ? 'dead' : `pid ${pid}${id === this.#leader ? ', leads' : ''}`}`
    })
    const { placed, up, ended, survived, lost } = this.#counts()
    const calls = `  calls      placed ${placed}, up ${up}, ended ${ended}, survived a death ${survived}, lost ${lost.length}`
    const lines = ['', ...replicas, calls]
    process.stdout.write(`${lines.join('\n')}\n`)
    this.#drawn = lines.length
  }

  #erase(): void {
    if (this.#drawn > 0) process.stdout.write(`\x1b[${this.#drawn}A\x1b[J`)
    this.#drawn = 0
  }
}

function isOpen({ state }: { readonly state: string }): boolean {
  return state !== 'ended' && state !== 'lost'
}
