// `npm run bench:failover`: our set beside Kamailio's, each experiment of the failover harness one after the other in one run.

import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXPERIMENTS, Harness, findHarness, lacking } from './harness.ts'
import type { Experiment, Run } from './harness.ts'
import { ourTarget } from './ours.ts'
import { isWhole, printRuns } from './table.ts'

const USAGE = `HOLDFAST_BASELINE=DIR npm run bench:failover -- [--only early,load] [--peer fo-k3] [--alone] [--verbose]

  --only     experiments: ${EXPERIMENTS.join(', ')}
  --peer     the target beside ours, one of DIR/targets
  --alone    ours only
  --verbose  what the nodes and phones said, after each run of ours

  Needs root (network namespaces bl*), sipp, kamailio, tcpdump, iproute2, curl and python3; two minutes an experiment.
`

interface Wish {
  readonly experiments: readonly Experiment[]
  readonly peer: string | null
  readonly isVerbose: boolean
}

function wishOf(args: readonly string[]): Wish | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, peer: text, alone: flag, verbose: flag, help: flag },
  })
  if (values.help === true) return null
  const words = values.only?.split(',') ?? EXPERIMENTS
  const experiments = words.map((word) => {
    const known = EXPERIMENTS.find((one) => one === word)
    if (known === undefined) throw new Error(`--only ${word}: one of ${EXPERIMENTS.join(', ')}`)
    return known
  })
  return {
    experiments,
    peer: values.alone === true ? null : (values.peer ?? 'fo-k3'),
    isVerbose: values.verbose === true,
  }
}

async function runAll(
  harness: Harness,
  folder: string,
  { experiments, peer, isVerbose }: Wish,
): Promise<readonly Run[]> {
  const runs: Run[] = []
  for (const experiment of experiments) {
    harness.addTarget('fo-ours', ourTarget(experiment, join(folder, `set-${experiment}`)))
    for (const target of peer === null ? ['fo-ours'] : ['fo-ours', peer]) {
      const run = await harness.run(target, experiment)
      runs.push(run)
      process.stderr.write(`${experiment}, ${target}: ${JSON.stringify({ ...run, log: undefined })}\n`)
      if (isVerbose && target === 'fo-ours') process.stderr.write(`${harness.logs()}\n`)
    }
  }
  return runs
}

async function main(): Promise<number> {
  let wish: Wish | null
  try {
    wish = wishOf(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 64
  }
  if (wish === null) {
    process.stdout.write(USAGE)
    return 0
  }
  const found = findHarness(process.env['HOLDFAST_BASELINE'])
  const lack = 'missing' in found ? found.missing : lacking()
  if ('missing' in found || lack !== null) {
    process.stderr.write(`${lack}\n`)
    return 1
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-failover-'))
  try {
    const harness = new Harness(found.folder, join(folder, 'harness'))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => harness.interrupt())
    await harness.unlock()
    const before = loadavg()[0] ?? 0
    const runs = await runAll(harness, folder, wish)
    const load = `load ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`
    process.stdout.write(printRuns(runs, `${new Date().toISOString().slice(0, 16)} UTC, ${load}`))
    return runs.filter(({ target }) => target === 'ours').every(isWhole) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main()
