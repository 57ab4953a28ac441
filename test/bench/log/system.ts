// What `bench:log` asks of a replicated log: three servers on this machine, and writes that are answered once they are safe.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

export type Keeping = 'memory' | 'disk'

export const VALUE_BYTES = 512

export interface System {
  readonly name: string
  /** Programs that are not on this machine, and how to get them; null = all are here. */
  missing(): string | null
  version(): string
  /** Starts three servers and waits until they take writes. `folder` is empty and theirs. */
  start(keeping: Keeping, folder: string): Promise<Running>
}

export interface Running {
  readonly pids: readonly number[]
  /** For `slots` writes in flight; a single one goes where it is answered soonest, to the leader. */
  connect(slots: number): Promise<Writer>
  stop(): Promise<void>
}

export interface Writer {
  /** One write of `VALUE_BYTES` to this slot's own key; `done` when its server says that it is safe. */
  write(slot: number, done: () => void): void
  close(): void
}

/** Ports of 127.0.0.1 that nothing listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()))
  return ports
}

/** A server process, whose words are shown only if it fails. */
export function startServer(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-4_000)))
  }
  child.once('exit', (code) => {
    if (code !== 0 && code !== null) process.stderr.write(`${command} ended with ${code}:\n${said}\n`)
  })
  return child
}

export async function endAll(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return null
      return new Promise((resolve) => {
        const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
        child.once('exit', () => {
          clearTimeout(timer)
          resolve(null)
        })
        child.kill('SIGTERM')
      })
    }),
  )
}

/** Asks again until it is so. */
export async function poll(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isSo().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what}: not within 20 s`)
}
