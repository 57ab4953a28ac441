// SIPp as caller and callee: started with its statistics on, read from its CSV files while it runs and after.

import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { exitOf, startProgram } from './programs.ts'
import { until } from './poll.ts'
import type { Program } from './programs.ts'

export type SippTransport = 'u1' | 'un' | 't1' | 'tn'

export interface SippOptions {
  readonly local: string
  /** A folder of its own: statistics and errors go there. */
  readonly folder: string
  readonly transport: SippTransport
  /** `-sn` of a scenario that SIPp has built in, or a file. */
  readonly scenario: { readonly builtIn: string } | { readonly file: string }
  /** Milliseconds for the scenario's pauses. */
  readonly holdMs?: number
  /** Its global variables. */
  readonly variables?: Readonly<Record<string, number>>
  /** A connection that ended is made again, and its calls go on; else they fail. */
  readonly reconnects?: boolean
  /** It ends after this, with an error, whatever it does; default 300. */
  readonly lifeSeconds?: number
  /** The network namespace that it runs in; default: this one. */
  readonly network?: string
  /** More of SIPp's command line, which wins. */
  readonly more?: readonly string[]
}

export interface CallerOptions extends SippOptions {
  readonly remote: string
  readonly calls: number
  /** Calls a second. */
  readonly rate: number
  /** Writes down each response time of the scenario (`rtd`). */
  readonly responseTimes?: boolean
}

/** One answered request of a scenario with `rtd`. */
export interface ResponseTime {
  /** The scenario's number of it. */
  readonly timer: number
  /** When the request left first, and how long its answer took: milliseconds of the wall clock. */
  readonly sentAt: number
  readonly tookMs: number
}

export interface SippStats {
  /** Calls begun. */
  readonly created: number
  readonly successful: number
  readonly failed: number
  /** Of those that failed: what they had to say met a connection that was gone. */
  readonly unsent: number
  /** Sent again, or received again. */
  readonly retransmissions: number
  /** Messages that a living call did not expect. */
  readonly unexpected: number
  /** Finals of INVITEs that refused: 503, in scenarios that expect it. */
  readonly refused: number
  /** Messages of calls that were over, and so of none: the answer to a repeated BYE, say. */
  readonly stray: number
}

const none: SippStats = {
  created: 0,
  successful: 0,
  failed: 0,
  unsent: 0,
  retransmissions: 0,
  unexpected: 0,
  refused: 0,
  stray: 0,
}

/** Why tests with SIPp cannot run here; null if they can. In CI that is a failure, not a reason. */
export function missingTools(): string | null {
  const missing = ['sipp', 'tcpdump'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  if (missing.length === 0) return null
  const reason = `${missing.join(' and ')} not found: on Debian, apt-get install sip-tester tcpdump`
  if (process.env['CI'] !== undefined) throw new Error(reason)
  return reason
}

// A scenario's own way out of a wait is no error; SIPp notes it as one, and without an end of line.
const awaitedTimeouts =
  /\d{4}-\d\d-\d\d\t[\d:.]+\t[\d.]+: Call-Id: \S+ receive timeout on message [^\n]*?, jumping to label \d{1,2}?(?=\d{4}-\d\d-\d\d\t|\s|$)/g

export class Sipp {
  readonly #program: Program
  readonly #folder: string

  constructor(program: Program, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  /** As of its last line of statistics, one a second and one at its end. */
  stats(): SippStats {
    const calls = lastRow(join(this.#folder, 'stat.csv'))
    if (calls === null) return none
    const messages = this.#countsRow() ?? new Map<string, number>()
    const sum = (suffix: string): number =>
      [...messages].filter(([name]) => name.endsWith(suffix)).reduce((total, [, value]) => total + value, 0)
    const of = (name: string): number => calls.get(name) ?? 0
    return {
      created: of('TotalCallCreated'),
      successful: of('SuccessfulCall(C)'),
      failed: of('FailedCall(C)'),
      unsent: of('FailedCannotSendMessage(C)'),
      retransmissions: Math.max(of('Retransmissions(C)'), sum('_Retrans')),
      unexpected: Math.max(of('FailedUnexpectedMessage(C)'), sum('_Unexp')),
      refused: sum('_503_Recv'),
      stray: of('OutOfCallMsgs(C)') + of('DeadCallMsgs(C)'),
    }
  }

  /** Messages sent or received again in each second that has ended: [end of the second, ms of the wall clock; count]. */
  retransmissions(): (readonly [at: number, count: number])[] {
    return this.#column('Retransmissions(P)')
  }

  /** Calls begun until the end of each second: [ms of the wall clock; count]. */
  begun(): (readonly [at: number, count: number])[] {
    return this.#column('TotalCallCreated')
  }

  #column(name: string): (readonly [at: number, count: number])[] {
    const rows = readRows(join(this.#folder, 'stat.csv'))
    const [time, count] = ['CurrentTime', name].map((one) => rows[0]?.indexOf(one) ?? -1)
    return rows
      .slice(1)
      .map(
        (row) =>
          [Number((row[time as number] ?? '').split('\t').at(-1)) * 1_000, Number(row[count as number])] as const,
      )
  }

  /** All response times, once it has ended. */
  responseTimes(): ResponseTime[] {
    const file = readdirSync(this.#folder).find((name) => name.endsWith('_rtt.csv'))
    if (file === undefined) throw new Error('response times were not written')
    // Its times count from its start, which the statistics tell.
    const [names, first] = readRows(join(this.#folder, 'stat.csv'))
    const start = Number((first?.[names?.indexOf('StartTime') ?? 0] ?? '').split('\t').at(-1)) * 1_000
    return readRows(join(this.#folder, file))
      .slice(1)
      .map(([at, took, timer]) => ({
        timer: Number(timer),
        sentAt: start + Number(at) - Number(took),
        tookMs: Number(took),
      }))
  }

  /** The messages that it did not expect, with what it did about them. */
  errors(): string {
    try {
      return readFileSync(join(this.#folder, 'errors.log'), 'latin1').replace(awaitedTimeouts, '')
    } catch {
      return ''
    }
  }

  async reaches(what: string, deadlineMs: number, accept: (stats: SippStats) => boolean): Promise<SippStats> {
    return until(`${basename(this.#folder)}: ${what}, is ${JSON.stringify(this.stats())}`, deadlineMs, () => {
      const stats = this.stats()
      return accept(stats) ? stats : null
    })
  }

  /** Waits until it ends by itself: a caller, after its last call. */
  async finished(deadlineMs: number): Promise<SippStats> {
    await exitOf(this.#program, `sipp ${basename(this.#folder)} ${JSON.stringify(this.stats())}`, deadlineMs)
    return this.stats()
  }

  /** Ends it: SIGUSR1 lets it finish its calls first. */
  async stop(): Promise<SippStats> {
    this.#program.signal('SIGUSR1')
    return this.finished(60_000)
  }

  async destroy(): Promise<void> {
    this.#program.signal('SIGKILL')
    await this.#program.exit
  }

  #countsRow(): Map<string, number> | null {
    const file = readdirSync(this.#folder).find((name) => name.endsWith('_counts.csv'))
    return file === undefined ? null : lastRow(join(this.#folder, file))
  }
}

export function startCallee(options: SippOptions): Promise<Sipp> {
  return start(options, [])
}

/** The order of the day: `calls` calls at `rate` a second, then it ends. */
export function startCaller(options: CallerOptions): Promise<Sipp> {
  const { remote, rate, calls } = options
  // Of fewer than that none would be written.
  const times = options.responseTimes === true ? ['-trace_rtt', '-rtt_freq', calls < 1_000 ? '1' : '100'] : []
  return start(options, [remote, '-r', `${rate}`, '-m', `${calls}`, '-l', `${calls}`, ...times])
}

async function start(options: SippOptions, args: readonly string[]): Promise<Sipp> {
  mkdirSync(options.folder, { recursive: true })
  const [host, port] = splitAddress(options.local)
  const within = options.network === undefined ? [] : ['ip', 'netns', 'exec', options.network]
  const [name = 'sipp', ...before] = [...within, 'sipp']
  const program = startProgram(
    name,
    [
      ...before,
      ...args,
      ...scenarioArgs(options),
      ...Object.entries(options.variables ?? {}).flatMap(([name, value]) => ['-set', name, `${value}`]),
      ...['-i', host, '-p', port, '-t', options.transport, '-max_socket', '5000', '-d', `${options.holdMs ?? 0}`],
      ...['-nostdin', '-deadcall_wait', '40000', '-buff_size', '4194304'],
      ...(options.reconnects === true
        ? ['-reconnect_close', 'false', '-max_reconnect', '1000', '-reconnect_sleep', '10']
        : []),
      ...['-timeout', `${options.lifeSeconds ?? 300}`, '-timeout_error'],
      ...['-trace_stat', '-stf', 'stat.csv', '-fd', '1', '-trace_counts', '-trace_err', '-error_file', 'errors.log'],
      ...(options.more ?? []),
    ],
    { cwd: options.folder },
  )
  const sipp = new Sipp(program, options.folder)
  // Its statistics are opened after its sockets: from then on it takes calls.
  await until(`sipp starts in ${options.folder}`, 5_000, () =>
    lastRow(join(options.folder, 'stat.csv')) === null ? null : true,
  )
  return sipp
}

// SIPp names its files of counts after the scenario's: a copy in its folder keeps them there.
function scenarioArgs(options: SippOptions): string[] {
  if ('builtIn' in options.scenario) return ['-sn', options.scenario.builtIn]
  const name = basename(options.scenario.file)
  copyFileSync(options.scenario.file, join(options.folder, name))
  return ['-sf', name]
}

function splitAddress(address: string): [host: string, port: string] {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon), address.slice(colon + 1)]
}

// The last whole row of a CSV file with `;`, by the names of its first; null while there is none.
function lastRow(file: string): Map<string, number> | null {
  const rows = readRows(file)
  const [names, values] = [rows[0], rows.at(-1)]
  if (rows.length < 2 || names === undefined || values === undefined) return null
  return new Map(names.map((name, at) => [name, Number(values[at])]))
}

// The whole rows of a CSV file with `;`; none while it isn't there.
function readRows(file: string): string[][] {
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch {
    return []
  }
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => row.split(';'))
}
