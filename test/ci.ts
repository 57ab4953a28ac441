// `npm run test:ci`: the tests with real processes, one file after another, and beside them the simulator's runs at the lowest priority.
// Those with processes wait most of the time, for calls to end and replicas to come back; the simulator needs nothing but the processor,
// and takes it only while nobody else wants it (Linux's SCHED_IDLE, by util-linux' chrt; elsewhere the nicest priority).
// With arguments (files, `-t NAME`) it is Vitest alone, with both.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const run = [vitest, 'run', '--config', 'test/vitest.ci.config.ts']
const args = process.argv.slice(2)

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const started: ChildProcess[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of started) child.kill(signal)
  })
}

if (args.length > 0) {
  process.exitCode = await exitOf(start([...run, ...args], 'inherit'))
} else {
  const codes = [project('processes', []), project('simulation', idly())]
  process.exitCode = Math.max(...(await Promise.all(codes)))
  const { passed, failed, skipped } = total
  console.log(`Tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
}

/** Its exit code. What it says is said by the line, and its last line is added to the total. */
async function project(name: string, before: readonly string[]): Promise<number> {
  const child = start([...run, '--project', name], 'pipe', before)
  if (child.pid !== undefined && name === 'simulation') setPriority(child.pid, 19)
  const streams = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [stream]))
  const said = streams.map(async (stream) => {
    for await (const line of createInterface({ input: stream })) if (!counted(line)) console.log(line)
  })
  const code = await exitOf(child)
  await Promise.all(said)
  return code
}

/** Whether it is the last line of `PlainLineReporter`. */
function counted(line: string): boolean {
  const found = /^Tests: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line)
  if (found === null) return false
  total.passed += Number(found[1])
  total.failed += Number(found[2])
  total.skipped += Number(found[3] ?? 0)
  return true
}

/** What comes before a command, so that it runs only while nobody else wants the processor; nothing where that can't be said. */
function idly(): readonly string[] {
  const chrt = ['chrt', '--idle', '0']
  return spawnSync('chrt', [...chrt.slice(1), 'true']).status === 0 ? chrt : []
}

function start(command: readonly string[], stdio: 'inherit' | 'pipe', before: readonly string[] = []): ChildProcess {
  const [program = process.execPath, ...args] = [...before, process.execPath, ...command]
  const child = spawn(program, args, { stdio: ['ignore', stdio, stdio] })
  started.push(child)
  return child
}

/** A program that was ended by a signal has failed. */
async function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
