// What `npm run interop` calls through a set: real software, in some role, over some transport. Each says what it needs, which
// version it is, and comes to one line of the table.

import { spawnSync } from 'node:child_process'

export type Side = 'caller' | 'callee'

export interface Software {
  /** As `--only` names it. */
  readonly name: string
  readonly role: string
  readonly transport: string
  /** The last but one number of its addresses: no two share one. */
  readonly slot: number
  /** How to install what is missing; null = nothing is. */
  missing(): string | null
  version(): string
  run(slot: number): Promise<Outcome>
}

export interface Kill {
  readonly replica: number
  readonly led: boolean
  /** Calls that it owned. */
  readonly owned: number
  /** Connections that phones had made to it. */
  readonly held: number
  /** All that it had with phones, those of its own making too, as `FAR OWN`. */
  readonly connections: ReadonlySet<string>
}

export interface Cut {
  readonly ringing: number
  readonly answered: number
}

export interface Outcome {
  /** Calls that were answered before the first kill. */
  readonly answered: number
  /** Calls that rang while a replica was killed, all kills together. */
  readonly ringing: number
  readonly kills: readonly Kill[]
  readonly survived: number
  /** What went wrong in each call that did not. */
  readonly lost: readonly string[]
  /** Calls that a phone gave up since its connection died with the replica that held it. Calls on connections with survivors are never
   * among them. */
  readonly cut: Cut
  readonly note?: string
}

/** How a Debian user installs `packages`, if one of `programs` isn't there. */
export function missingPrograms(programs: readonly string[], packages: string): string | null {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0)
  return missing.length === 0 ? null : `${missing.join(' and ')} not found: on Debian, apt-get install ${packages}`
}

/** The first text that looks like a version in what a program says of itself. */
export function versionOf(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  return /\d+\.\d+(?:\.\d+)*/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown'
}
