// The systems that `npm run bench` puts side by side: our set, and the Kamailio targets of the harness that HOLDFAST_BASELINE names. Each
// has addresses of its own, so that all may run at once and be loaded in turn.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { dirname, join } from 'node:path'
import { settled, until } from '../../cluster/poll.ts'
import { exitOf, isAlive, startProgram } from '../../cluster/programs.ts'
import { root } from '../../cluster/replica-set.ts'
import type { Program } from '../../cluster/programs.ts'

/** Where a system and its phones are. */
export interface Site {
  readonly sip: string
  /** The caller's host. */
  readonly caller: string
  readonly callee: string
}

export interface System {
  /** As tables and files name it: `ours`, `ours-wal`, `k1`. */
  readonly name: string
  readonly title: string
  start(folder: string): Promise<Running>
}

export class Running {
  readonly system: System
  readonly site: Site
  /** Of its replicas or nodes; for what goes between them. */
  readonly peerFilter: string | null
  readonly #programs: readonly Program[]

  constructor(system: System, site: Site, programs: readonly Program[], peerFilter: string | null) {
    this.system = system
    this.site = site
    this.#programs = programs
    this.peerFilter = peerFilter
  }

  /** Microseconds of processor time so far, of all its processes. */
  cpu(): number {
    return this.#pids().reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_US
  }

  /** Memory of all its processes in bytes, what they share counted once (proportional set size). */
  memory(): number {
    return this.#pids().reduce((sum, pid) => sum + pssOf(pid), 0)
  }

  async stop(): Promise<void> {
    const pids = this.#pids()
    for (const program of this.#programs) program.signal('SIGTERM')
    const ends = this.#programs.map((program) => exitOf(program, this.system.name, 15_000).catch(() => null))
    await Promise.all(ends)
    // Only what it started itself: their session is theirs.
    const left = new Set(this.#pids())
    for (const pid of pids.filter((one) => left.has(one))) process.kill(pid, 'SIGKILL')
  }

  isAlive(): boolean {
    return this.#programs.every(({ pid }) => isAlive(pid))
  }

  /** What each of its processes said last. */
  said(): string {
    return this.#programs.map((program) => program.stderr().slice(-1_500)).join('\n---\n')
  }

  #pids(): number[] {
    const sessions = new Set(this.#programs.map(({ pid }) => pid))
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && sessions.has(Number(fieldsOf(Number(name))?.[3])))
      .map(Number)
  }
}

/** The kernel counts in hundredths of a second on every machine that Linux is configured for here. */
const TICK_US = 10_000

// The fields of /proc/PID/stat after the name, which may hold anything; null: it has ended.
function fieldsOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function ticksOf(pid: number): number {
  const fields = fieldsOf(pid)
  return fields === null ? 0 : Number(fields[11]) + Number(fields[12])
}

function pssOf(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]
    return Number(kilobytes ?? 0) * 1_024
  } catch {
    return 0
  }
}

/** A process that leads a session, by which its own children are found. */
function startSession(argv: readonly string[], cwd: string): Program {
  return startProgram('setsid', argv, { cwd })
}

/** Three replicas, each `holdfast start`, as on three machines. */
export function ours(durability: 'memory' | 'wal', net: number): System {
  const name = durability === 'memory' ? 'ours' : 'ours-wal'
  const host = `127.67.${net}`
  const place = {
    sip: `${host}.10:5060`,
    admin: `${host}.1:8060`,
    peer: `${host}.1:8160`,
    callee: `${host}.200:5060`,
  }
  const system: System = {
    name,
    title: `Holdfast x 3, ${durability}`,
    start: async (folder) => {
      mkdirSync(folder, { recursive: true })
      const main = join(root, 'src/main.ts')
      const config = join(folder, 'set.json')
      const places = ['--sip', place.sip, '--admin', place.admin, '--peer', place.peer, '--next-hop', place.callee]
      const kept = durability === 'wal' ? ['--data', join(folder, 'data')] : ['--durability', 'memory']
      const printed = spawnSync(process.execPath, [main, 'up', ...places, ...kept, '--print-config'])
      if (printed.status !== 0) throw new Error(`--print-config: ${printed.stderr.toString()}`)
      writeFileSync(config, printed.stdout, { mode: 0o600 })
      const programs = [1, 2, 3].map((id) =>
        startSession([process.execPath, main, 'start', '--config', config, '--replica', `${id}`], root),
      )
      const site = { sip: place.sip, caller: `${host}.100`, callee: place.callee }
      const running = new Running(system, site, programs, `host ${host}.1 and tcp and portrange 8161-8163`)
      const ready = async (id: number): Promise<boolean> => {
        const response = await fetch(`http://${host}.1:${8060 + id}/health`, { signal: AbortSignal.timeout(2_000) })
        await response.arrayBuffer()
        return response.status === 200
      }
      await orElse(running, () =>
        settled(
          `${name} is ready`,
          60_000,
          () => Promise.all([1, 2, 3].map((id) => ready(id).catch(() => false))),
          (all) => all.every(Boolean) || !running.isAlive(),
        ),
      )
      return running
    },
  }
  return system
}

interface Target {
  readonly settle_s?: number
  readonly nodes: readonly { readonly sip: string; readonly argv: readonly string[] }[]
}

/** A target of the harness, moved to addresses of its own. */
export function kamailio(harness: string, name: string, title: string, net: number): System {
  const host = `127.67.${net}`
  const system: System = {
    name,
    title,
    start: async (folder) => {
      mkdirSync(folder, { recursive: true })
      const text = readFileSync(join(harness, 'targets', `${name}.json`), 'utf8')
        .replaceAll('127.0.0.', `${host}.`)
        .replaceAll('{dir}', harness)
        .replaceAll('{out}', folder)
      const { nodes, settle_s: settle = 1 } = JSON.parse(text) as Target
      const programs = nodes.map(({ argv }) => startSession(argv, folder))
      const site = { sip: `${host}.1:5060`, caller: `${host}.100`, callee: `${host}.200:5060` }
      const running = new Running(system, site, programs, nodes.length > 1 ? `net ${host}.0/24 and port 5090` : null)
      await orElse(running, async () => {
        for (const { sip } of nodes) await answers(sip, `${host}.99`)
      })
      await new Promise((resolve) => setTimeout(resolve, settle * 1_000))
      return running
    },
  }
  return system
}

async function orElse(running: Running, ready: () => Promise<unknown>): Promise<void> {
  try {
    await ready()
    if (!running.isAlive()) throw new Error(`${running.system.name} has ended`)
  } catch (error) {
    const said = running.said()
    await running.stop()
    throw new Error(`${(error as Error).message}\n${said}`, { cause: error })
  }
}

/** Until an OPTIONS gets any answer. */
async function answers(sip: string, from: string): Promise<void> {
  const [host = '', port] = sip.split(':')
  const socket = createSocket('udp4')
  let heard = false
  socket.on('message', () => (heard = true)).on('error', () => undefined)
  await new Promise<void>((resolve) => socket.bind(0, from, resolve))
  try {
    await until(`${sip} answers`, 20_000, async () => {
      const me = `${from}:${socket.address().port}`
      const id = `${Math.random()}`.slice(2)
      const lines = [
        ...[`OPTIONS sip:ping@${sip} SIP/2.0`, `Via: SIP/2.0/UDP ${me};branch=z9hG4bK${id}`],
        ...[`From: <sip:bench@${me}>;tag=${id}`, `To: <sip:ping@${sip}>`, `Call-ID: ${id}`, 'CSeq: 1 OPTIONS'],
        ...['Max-Forwards: 10', 'Content-Length: 0', '', ''],
      ]
      socket.send(lines.join('\r\n'), Number(port), host)
      await new Promise((resolve) => setTimeout(resolve, 100))
      return heard ? true : null
    })
  } finally {
    socket.close()
  }
}

/** Where the harness is, or what to do so that it is found. */
export function findHarness(named: string | undefined): { readonly folder: string } | { readonly missing: string } {
  const what = 'a folder with targets/k1.json, targets/k3-3.json and sipp/'
  if (named === undefined || named === '') return { missing: `HOLDFAST_BASELINE is not set: it names ${what}` }
  const folder = [named, dirname(named)].find((one) => existsSync(join(one, 'targets', 'k1.json')))
  return folder === undefined ? { missing: `HOLDFAST_BASELINE=${named} is not ${what}` } : { folder }
}

/** The programs that are not here, and how to get them; null = all are. */
export function lacking(tools: Readonly<Record<string, string>>): string | null {
  const missing = Object.entries(tools).filter(([tool]) => spawnSync(tool, ['--version']).error !== undefined)
  if (missing.length === 0) return null
  const packages = missing.map(([, name]) => name).join(' ')
  return `${missing.map(([tool]) => tool).join(', ')} not found: on Debian, apt-get install ${packages}`
}
