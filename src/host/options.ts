// Command lines: what an option is called, what it takes, and what is said when it is wrong (exit 64, sysexits' usage
// error). Options come as `--name value` or `--name=value`.

import { parseArgs } from 'node:util'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'

export const EXIT_USAGE = 64
export const EXIT_CANNOT_START = 1
/** A bug: an assertion failed (sysexits' software error). */
export const EXIT_BUG = 70

export interface Option {
  /** What it takes, as the help shows it; null = nothing. */
  readonly takes: string | null
  readonly help: string
}

export interface Command {
  /** `holdfast up`. */
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, Option>>
}

/** The values given; a flag's is ''. */
export type Given = ReadonlyMap<string, string>

const HELP: Option = { takes: null, help: 'this page' }

/** Reads a command's arguments. An error is a sentence; `help` is in the result if it was asked for. */
export function readOptions(command: Command, args: readonly string[]): Result<Given, string> {
  const known: Readonly<Record<string, Option>> = { ...command.options, help: HELP }
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { takes }]) => [name, { type: takes === null ? 'boolean' : 'string' } as const]),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') return err(`"${token.value}" is not an option; ${seeHelp(command)}`)
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined
    if (option === undefined) return err(unknownOption(command, token.rawName, Object.keys(known)))
    if (option.takes === null && token.value !== undefined) return err(`${token.rawName} takes no value`)
    if (option.takes !== null && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))) {
      return err(`${token.rawName} needs a value: ${token.rawName} ${option.takes}`)
    }
    if (given.has(token.name)) return err(`${token.rawName} is given twice`)
    given.set(token.name, token.value ?? '')
  }
  return ok(given)
}

function unknownOption(command: Command, raw: string, known: readonly string[]): string {
  const name = raw.replace(/^-+/, '')
  const near = known.find((other) => other.startsWith(name) || name.startsWith(other) || differsByOne(name, other))
  const hint = near === undefined ? '' : `; did you mean --${near}?`
  return `unknown option ${raw}${hint}; ${seeHelp(command)}`
}

/** Whether one letter more, less, other or two swapped make `a` into `b`. */
function differsByOne(a: string, b: string): boolean {
  let head = 0
  while (head < a.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const middleA = a.slice(head, a.length - tail)
  const middleB = b.slice(head, b.length - tail)
  const isSwap = middleA.length === 2 && middleA === [...middleB].reverse().join('')
  return isSwap || Math.max(middleA.length, middleB.length) <= 1
}

function seeHelp(command: Command): string {
  return `${command.name} --help lists the options`
}

/** The page for `--help`. */
export function helpPage(command: Command): string {
  const rows = Object.entries({ ...command.options, help: HELP }).map(
    ([name, { takes, help }]) => [takes === null ? `--${name}` : `--${name} ${takes}`, help] as const,
  )
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}${help}`)
  return `${command.name} - ${command.summary}\n\n${lines.join('\n')}\n`
}

/** Prints a complaint about the command line; the code to exit with. */
export function usageError(command: Command, message: string): number {
  process.stderr.write(`${command.name}: ${message}\n`)
  return EXIT_USAGE
}

/** Prints why it can't start; the code to exit with. */
export function startError(command: Command, message: string): number {
  process.stderr.write(`${command.name}: cannot start: ${message}\n`)
  return EXIT_CANNOT_START
}
