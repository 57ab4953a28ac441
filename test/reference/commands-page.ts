// docs/COMMANDS.md: each command's `--help`, as it prints it.

import { runCommand } from '../../src/main.ts'

const HEAD = `# Commands

What \`--help\` prints, from a checkout as \`npm run -s holdfast -- COMMAND --help\`. Exit codes: 0; 1, it can't start or go on, and says why;
64, wrong usage, and what would be right; 70, a bug. \`sim\` has its own, and \`check\` ends with 1 for a file that isn't right.
`

/** Those of a group: `members`, `ban`. */
const SUBCOMMANDS = /^ {2}holdfast (\w+ \w+)\b/gm

export async function commandsPage(): Promise<string> {
  const first = await helpOf([])
  const names = [...first.matchAll(/^ {2}holdfast (\w+) /gm)].map(([, name = '']) => name)
  const sections = [section('holdfast', first)]
  for (const name of names) {
    const text = await helpOf([name])
    sections.push(section(`holdfast ${name}`, text))
    const inner = [...text.matchAll(SUBCOMMANDS)].map(([, words = '']) => words.split(' '))
    for (const words of inner.filter(([group]) => group === name)) {
      sections.push(section(`holdfast ${words.join(' ')}`, await helpOf(words)))
    }
  }
  return `${HEAD}\n${sections.join('\n')}`
}

async function helpOf(words: readonly string[]): Promise<string> {
  const write = process.stdout.write
  let said = ''
  process.stdout.write = (text: string | Uint8Array) => {
    said += String(text)
    return true
  }
  try {
    await runCommand([...words, '--help'])
  } finally {
    process.stdout.write = write
  }
  return said
}

function section(name: string, text: string): string {
  return `## ${name}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`
}
