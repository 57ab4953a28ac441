// Who holds what, asked and answered by abstract Unix sockets: the kernel lets one process have a name and frees it when
// that process ends, however it ends (design.md 9). Two things are guarded so: a SIP address, which `reusePort` would
// let a second set share in silence, and a data folder, which two processes would ruin.

import { createConnection, createServer } from 'node:net'
import type { Server } from 'node:net'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'

export interface Holder {
  readonly set: string
  readonly pid: number
}

export interface Guard {
  release(): void
}

const ANSWER_MS = 1_000
const ANSWER_BYTES = 1_024

/** The guard's name of a SIP address, as printed by `printAddress`. */
export function sipGuard(address: string): string {
  return `holdfast sip ${address}`
}

/** Takes the name for this process, or says who holds it. `null`: somebody who doesn't answer as we do. */
export async function takeGuard(name: string, holder: Holder): Promise<Result<Guard, Holder | null>> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(`${JSON.stringify(holder)}\n`)
  })
  if (await listens(server, `\0${name}`)) return ok({ release: () => void server.close() })
  return err(await askHolder(`\0${name}`))
}

/** Takes several, or none of them. The error says which is held, and by whom. */
export async function takeGuards(
  names: readonly string[],
  holder: Holder,
): Promise<Result<Guard, { readonly name: string; readonly holder: Holder | null }>> {
  const taken: Guard[] = []
  const release = (): void => {
    for (const guard of taken) guard.release()
  }
  for (const name of names) {
    const guard = await takeGuard(name, holder)
    if (!guard.ok) {
      release()
      return err({ name, holder: guard.error })
    }
    taken.push(guard.value)
  }
  return ok({ release })
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ path }, () => {
      server.on('error', () => undefined)
      server.unref()
      resolve(true)
    })
  })
}

function askHolder(path: string): Promise<Holder | null> {
  return new Promise((resolve) => {
    let text = ''
    const socket = createConnection({ path })
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > ANSWER_BYTES) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(parseHolder(text)))
  })
}

function parseHolder(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder>
    return typeof value.set === 'string' && typeof value.pid === 'number' ? { set: value.set, pid: value.pid } : null
  } catch {
    return null
  }
}

/** "Holdfast set X, pid N". */
export function printHolder(holder: Holder | null): string {
  return holder === null ? 'a process that does not say who it is' : `Holdfast set ${holder.set}, pid ${holder.pid}`
}
