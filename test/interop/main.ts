// `npm run interop`: calls of real software through a set, and each replica killed while they last. Prints a line for each software
// and transport.

import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { everything } from './everything.ts'
import { printTable, row } from './table.ts'

const USAGE = `npm run interop -- [--only NAME[,NAME]] [--role NAME[,NAME]] [--transport NAME[,NAME]] [--list]

  --only       ${[...new Set(everything.map(({ name }) => name))].join(', ')}
  --role       ${[...new Set(everything.map(({ role }) => role))].join(', ')}
  --transport  udp, tcp, tls, wss
  --list       what there is, and what is missing here
`

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const { values } = parseArgs({ options: { only: text, role: text, transport: text, list: flag, help: flag } })
const named = (given: string | undefined, name: string): boolean =>
  given === undefined || given.split(',').includes(name)
const chosen = everything.filter(
  ({ name, role, transport }) =>
    named(values.only, name) && named(values.role, role) && named(values.transport, transport),
)

if (values.help === true || chosen.length === 0) {
  process.stdout.write(USAGE)
  process.exit(values.help === true ? 0 : 64)
}
const rows: (readonly string[])[] = []
let trouble = 0
for (const software of chosen) {
  const { name, role, transport } = software
  const missing = software.missing()
  if (values.list === true || missing !== null) {
    process.stderr.write(`${name}, ${role}, ${transport}: ${missing ?? `here, ${software.version()}`}\n`)
    continue
  }
  const begin = performance.now()
  try {
    const outcome = await software.run(software.slot)
    rows.push(row(software, outcome))
    for (const reason of outcome.lost) process.stderr.write(`  lost: ${reason}\n`)
    trouble += outcome.lost.length
    const seconds = Math.round((performance.now() - begin) / 1_000)
    process.stderr.write(`${name}, ${role}, ${transport}: ${outcome.survived} survived, ${seconds} s\n`)
  } catch (error) {
    trouble++
    process.stderr.write(`${name}, ${role}, ${transport}: ${(error as Error).stack ?? String(error)}\n`)
  }
}
if (rows.length > 0) {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  process.stdout.write(`${new Date().toISOString().slice(0, 16)} UTC, commit ${commit}\n\n${printTable(rows)}\n`)
}
process.exit(trouble === 0 ? 0 : 1)
