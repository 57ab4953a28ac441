// The command lines that pages show, held against docs/COMMANDS.md (which npm test holds against --help) and package.json.

import { marked } from './pages.ts'
import type { Page } from './pages.ts'

/** `commands` is the text of docs/COMMANDS.md. Each fault names page, line and what isn't there. */
export function wrongCommands(page: Page, commands: string, scripts: readonly string[]): readonly string[] {
  const helps = new Map(
    commands
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
  )
  return commandLines(page).flatMap((line) => {
    const why = wrongCommand(line, helps, scripts)
    return why === null ? [] : [`${page.path}: ${line}: ${why}`]
  })
}

/** Lines of blocks, and code in sentences, that are of `holdfast` or of `npm run`; without prompt, comment and pipe. */
function commandLines(page: Page): readonly string[] {
  const found: string[] = []
  marked.walkTokens(page.tokens, (token) => {
    if (token.type !== 'code' && token.type !== 'codespan') return
    const joined = (token.text as string).replaceAll('\\\n', ' ')
    for (const line of joined.split('\n')) {
      const command = (line.split(/\s#\s|\s{4,}|[|>;]/)[0] as string).replace(/^\s*\$ /, '').trim()
      if (/^(?:holdfast|npm run) /.test(command)) found.push(command)
    }
  })
  return found
}

function wrongCommand(line: string, helps: ReadonlyMap<string, string>, scripts: readonly string[]): string | null {
  let words = line.split(/\s+/)
  if (words[0] === 'npm') {
    const [script, ...rest] = words.slice(2).filter((word) => word !== '-s')
    if (script === undefined || !scripts.includes(script)) return 'no such script'
    if (script !== 'holdfast') return null
    words = ['holdfast', ...rest.filter((word) => word !== '--')]
  }
  const [, command = '', sub = ''] = words
  if (command.startsWith('-') || /^[A-Z.]/.test(command)) return null
  const help = helps.get(`holdfast ${command} ${sub}`) ?? helps.get(`holdfast ${command}`)
  if (help === undefined) return 'no such command'
  const options = words.filter((word) => word.startsWith('--')).map((word) => /^--[a-z-]+/.exec(word)?.[0] ?? word)
  const missing = options.filter((option) => option !== '--help' && !new RegExp(`${option}\\b`).test(help))
  return missing.length === 0 ? null : `no ${missing.join(', ')}`
}
