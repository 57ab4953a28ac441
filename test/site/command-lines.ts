// The command lines that pages show, held against docs/COMMANDS.md (which npm test holds against --help) and package.json.

import { readSimOptions } from '../../sim/run/options.ts'
import { readOptions } from '../../src/host/options.ts'
import type { Command } from '../../src/host/options.ts'
import { marked } from './pages.ts'
import type { Page } from './pages.ts'

/** `commands` is the text of docs/COMMANDS.md. Each fault names page and line, and says what the program would. */
export function wrongCommands(page: Page, commands: string, scripts: readonly string[]): readonly string[] {
  const helps = new Map(
    commands
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
  )
  return commandLines(page).flatMap((line) => {
    const why = wrongCommand(line, helps, scripts)
    return why === null ? [] : [`${page.path}: ${line.text}: ${why}`]
  })
}

interface Line {
  readonly text: string
  /** Code in a sentence may leave out what an option takes. */
  readonly isWhole: boolean
}

/** Lines of blocks, and code in sentences, that are of `holdfast` or of `npm run`; without prompt, comment and pipe. */
function commandLines(page: Page): readonly Line[] {
  const found: Line[] = []
  marked.walkTokens(page.tokens, (token) => {
    if (token.type !== 'code' && token.type !== 'codespan') return
    const joined = (token.text as string).replaceAll('\\\n', ' ')
    for (const line of joined.split('\n')) {
      const command = (line.trim().split(/\s#\s|\s{2,}|[|>;]/)[0] as string).replace(/^\$ /, '').trim()
      if (/^(?:holdfast|npm run) /.test(command)) found.push({ text: command, isWhole: token.type === 'code' })
    }
  })
  return found
}

/** Commands that take a word or more before their options. */
const WORDS = /^(?:check|trace|reload|ban (?:add|remove)|members (?:add|remove|replace|transfer|rebootstrap))$/

function wrongCommand(
  { text, isWhole }: Line,
  helps: ReadonlyMap<string, string>,
  scripts: readonly string[],
): string | null {
  // As a shell takes them apart, as far as the docs need it.
  let words: readonly string[] = text.match(/(?:\$\([^)]*\)|'[^']*'|"[^"]*"|\S)+/g) ?? []
  if (words[0] === 'npm') {
    const [script, ...rest] = words.slice(2).filter((word) => word !== '-s')
    if (script === undefined || !scripts.includes(script)) return 'no such script'
    if (script !== 'holdfast') return null
    words = ['holdfast', ...rest.filter((word) => word !== '--')]
  }
  const [, command = '', sub = '', ...more] = words
  if (command.startsWith('-') || /^[A-Z.]/.test(command)) return null
  const withSub = helps.get(`holdfast ${command} ${sub}`)
  const help = withSub ?? helps.get(`holdfast ${command}`)
  if (help === undefined) return 'no such command'
  const name = withSub === undefined ? command : `${command} ${sub}`
  const args = withSub === undefined ? [sub, ...more].filter((word) => word !== '') : more
  const first = args.findIndex((word) => word.startsWith('--'))
  const options = first < 0 ? [] : args.slice(first)
  if (isWhole && first !== 0 && args.length > 0 && !WORDS.test(name)) return `${name} takes options alone`
  if (name === 'sim') return wrongSimulation(options, isWhole, help)
  const read = readOptions(commandOf(name, help), options)
  return read.ok || (!isWhole && read.error.includes('needs a value')) ? null : (read.error.split(';')[0] as string)
}

/** The simulator has a reader of its own; names of runs that a sentence leaves open are none to it. */
function wrongSimulation(options: readonly string[], isWhole: boolean, help: string): string | null {
  if (isWhole) {
    const read = readSimOptions(options)
    return typeof read === 'string' ? read : null
  }
  const names = options.map((word) => /^--[a-z-]+/.exec(word)?.[0]).filter((word) => word !== undefined)
  const missing = names.filter((option) => !new RegExp(`${option}\\b`).test(help))
  return missing.length === 0 ? null : `no ${missing.join(', ')}`
}

/** The command, from its page in docs/COMMANDS.md, which is what it says of itself. */
function commandOf(name: string, help: string): Command {
  const rows = [...help.matchAll(/^ {2}--([a-z0-9-]+)(?: (\S+))? {2,}(.*)$/gm)]
  const options = rows.map(([, option = '', takes = null, said = '']) => [option, { takes, help: said }] as const)
  return { name: `holdfast ${name}`, summary: '', options: Object.fromEntries(options) }
}
