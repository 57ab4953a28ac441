// The failover harness that `HOLDFAST_BASELINE` names: somebody else's scripts, which start three nodes of a system in network
// namespaces, let SIPp's calls stand, kill node A, and move the address that all share to node B. Only a copy is run: it writes into
// its own folder.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chmod, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startProgram } from '../../cluster/programs.ts'
import type { Program } from '../../cluster/programs.ts'

export const EXPERIMENTS = ['established', 'early', 'cancel', 'timeout', 'load', 'rejoin'] as const

export type Experiment = (typeof EXPERIMENTS)[number]

/** Counters of a node, by the harness's names. */
export interface Counts {
  readonly active?: number
  readonly early?: number
  readonly all?: number
}

/** What an experiment says at its end, as far as it is read here. */
export interface Run {
  readonly exp: Experiment
  readonly target: string
  /** By mark: seconds since the first call, and each living node's counters. */
  readonly t: Readonly<Record<string, { readonly at_s: number } & Readonly<Record<string, Counts | number>>>>
  readonly uac: Readonly<Record<string, number>>
  readonly uas: Readonly<Record<string, number>>
  /** `VIP>UAC BYE` and the like: messages, and calls that they belong to. */
  readonly wire: Readonly<Record<string, { readonly msgs: number; readonly calls: number }>>
}

/** Calls of each experiment. */
export const CALLS: Readonly<Record<Experiment, number>> = {
  established: 200,
  early: 100,
  cancel: 100,
  timeout: 100,
  load: 1_500,
  rejoin: 200,
}

/** Where it is, or what to do so that it is found. */
export function findHarness(named: string | undefined): { readonly folder: string } | { readonly missing: string } {
  const what = 'a folder with failover.py, its targets/ and sipp/'
  if (named === undefined || named === '') return { missing: `HOLDFAST_BASELINE is not set: it names ${what}` }
  const folder = [named, dirname(named)].find((one) => existsSync(join(one, 'failover.py')))
  return folder === undefined ? { missing: `HOLDFAST_BASELINE=${named} is not ${what}` } : { folder }
}

/** What this machine lacks for it, in words; null: nothing. */
export function lacking(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const tools = {
    sipp: 'sip-tester',
    tcpdump: 'tcpdump',
    ip: 'iproute2',
    curl: 'curl',
    kamailio: 'kamailio',
    python3: 'python3',
  }
  const missing = Object.entries(tools).filter(([tool]) => spawnSync(tool, ['-V']).error !== undefined)
  if (missing.length === 0) return null
  const packages = missing.map(([, name]) => name).join(' ')
  return `${missing.map(([tool]) => tool).join(', ')} not found: on Debian, apt-get install ${packages} kamailio-extra-modules`
}

export class Harness {
  readonly #folder: string
  #running: Program | null = null

  /** Copies it. */
  constructor(from: string, folder: string) {
    cpSync(from, folder, { recursive: true })
    this.#folder = folder
  }

  /** What is copied may be read-only. */
  async unlock(): Promise<void> {
    await chmod(this.#folder, 0o755)
    for (const name of await readdir(this.#folder, { recursive: true })) {
      const path = join(this.#folder, name)
      await chmod(path, statSync(path).isDirectory() ? 0o755 : 0o644)
    }
  }

  addTarget(name: string, target: object): void {
    writeFileSync(join(this.#folder, 'targets', `${name}.json`), JSON.stringify(target, null, 2))
  }

  /** One experiment with one target: some 45 to 100 s. */
  async run(target: string, experiment: Experiment): Promise<Run> {
    const out = join(this.#folder, 'out', 'failover.jsonl')
    rmSync(out, { force: true })
    const program = startProgram('python3', ['failover.py', target, experiment], { cwd: this.#folder })
    this.#running = program
    const { code } = await program.exit
    this.#running = null
    if (code !== 0) throw new Error(`failover.py ${target} ${experiment} ended with ${code}:\n${program.stderr()}`)
    return JSON.parse(signed(readFileSync(out, 'utf8'))) as Run
  }

  /** Ends what runs; it cleans up after itself only when it is interrupted so. */
  interrupt(): void {
    this.#running?.signal('SIGINT')
  }

  /** What the nodes and phones said last. */
  logs(): string {
    const names = ['fo-A.log', 'fo-B.log', 'fo-C.log', 'fo-uac.err', 'fo-uas.err']
    const read = (name: string): string => {
      const file = join(this.#folder, 'out', name)
      return existsSync(file) ? `--- ${name}\n${readFileSync(file, 'latin1').slice(-3_000)}` : ''
    }
    return names.map(read).join('\n')
  }
}

/** Counters below zero come as unsigned numbers of 64 bits, which JSON's are too small for. */
function signed(json: string): string {
  return json.replaceAll(/\b1844\d{16}\b/g, (digits) => String(BigInt.asIntN(64, BigInt(digits))))
}
