// The operating system's processes as the tests start and end them: only by the pids that they started.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { until } from './poll.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Program {
  readonly pid: number
  /** Resolves when it has ended. */
  readonly exit: Promise<Exit>
  /** What it wrote so far. */
  stdout(): string
  stderr(): string
  /** Called for each whole line of its standard output. */
  onLine(take: (line: string) => void): void
  /** Nothing happens if it has ended. */
  signal(name: NodeJS.Signals): void
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const running = new Set<number>()

// A test run that is torn down leaves nothing behind: npm passes SIGTERM on to what it runs.
process.once('exit', () => {
  for (const pid of running) signalPid(pid, 'SIGTERM')
})

/** Starts a program without standard input. */
export function startProgram(command: string, args: readonly string[], options: StartOptions = {}): Program {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr, rest] = ['', '', '']
  const takers: ((line: string) => void)[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) for (const take of takers) take(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const pid = child.pid
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (pid !== undefined) running.delete(pid)
      resolve({ code, signal })
    })
  })
  if (pid === undefined) throw new Error(`cannot start ${command}`)
  running.add(pid)
  return {
    pid,
    exit,
    stdout: () => stdout,
    stderr: () => stderr,
    onLine: (take) => void takers.push(take),
    signal: (name) => {
      if (running.has(pid)) signalPid(pid, name)
    },
  }
}

export function signalPid(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Whether a process runs; one that ended and was not yet reaped does not. */
export function isAlive(pid: number): boolean {
  return stateOf(pid) !== null
}

/** The pid of a process's parent. */
export function parentOf(pid: number): number {
  const fields = stateOf(pid)
  if (fields === null) throw new Error(`no process ${pid}`)
  return Number(fields[1])
}

/** Whether SIGSTOP has reached a process. */
export function isStopped(pid: number): boolean {
  return stateOf(pid)?.[0] === 'T'
}

/** Processor time that a process has used, in seconds; null once it has ended. */
export function processorSeconds(pid: number): number | null {
  const fields = stateOf(pid)
  // utime and stime, in clock ticks: 100 a second on every Linux that Node.js runs on.
  return fields === null ? null : (Number(fields[11]) + Number(fields[12])) / 100
}

// The fields of /proc/PID/stat after the name: state, parent, ...
function stateOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields
  } catch {
    return null
  }
}

/** Its exit, which must come within the deadline. */
export async function exitOf(program: Program, what: string, deadlineMs: number): Promise<Exit> {
  let exit: Exit | null = null
  void program.exit.then((value) => (exit = value))
  return until(`${what} ends\n${program.stderr().slice(-2_000)}`, deadlineMs, () => exit)
}
