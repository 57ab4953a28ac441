// docs/COMMANDS.md: each command's `--help`, as it prints it.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const HEAD = `# Commands

What \`--help\` prints, from a checkout as \`npm run -s holdfast -- COMMAND --help\`. Exit codes: 0; 1, it can't start or go on, and says why;
64, wrong usage, and what would be right; 70, a bug. \`sim\` has its own, and \`check\` ends with 1 for a file that isn't right.
`

/** By one process for all: each loads what it needs, which takes Vitest a minute on a machine that has much else to do. */
const SCRIPT = `
const { runCommand } = await import(process.argv[1])
const write = process.stdout.write.bind(process.stdout)
let said = ''
process.stdout.write = (text) => ((said += text), true)
const pages = []
const help = async (...words) => {
  said = ''
  await runCommand([...words, '--help'])
  pages.push([['holdfast', ...words].join(' '), said])
  return said
}
for (const [, name] of (await help()).matchAll(/^ {2}holdfast (\\w+) /gm)) {
  const page = await help(name)
  for (const [, group, word] of page.matchAll(/^ {2}holdfast (\\w+) (\\w+)\\b/gm)) if (group === name) await help(name, word)
}
write(JSON.stringify(pages))
`

export function commandsPage(): string {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, program], { encoding: 'utf8' })
  const pages = JSON.parse(text) as readonly (readonly [name: string, text: string])[]
  return [HEAD, ...pages.map(([name, page]) => `## ${name}\n\n\`\`\`text\n${page.trimEnd()}\n\`\`\`\n`)].join('\n')
}
