// `npm run bench`: what our set takes beside what Kamailio takes, in one run on one machine, in turn.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bytes } from './bytes.ts'
import { cpu } from './cpu.ts'
import { failover } from './failover.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { rate } from './rate.ts'
import { grow, hold } from './standing.ts'
import { Phones, scenariosOf } from './load.ts'
import { markdownOf, writePictures, writeSection } from './report.ts'
import { findHarness, kamailio, lacking, ours } from './systems.ts'
import type { About } from './report.ts'
import type { Progress, Result, Section, Wish } from './section.ts'
import type { System } from './systems.ts'

const SECTIONS: Readonly<Record<string, Section>> = { cpu, rate, latency, hold, bytes, failover, idle, grow }

const USAGE = `HOLDFAST_BASELINE=DIR npm run bench -- [--only ${Object.keys(SECTIONS).join(',')}] [--systems NAMES] [--pairs 5] [--seconds 4]
                 [--rates 300,1000] [--live 5000] [--kills 20] [--json FILE] [--pictures DIR] [--write FILE] [--alone]

  --only      sections; all of them otherwise
  --systems   of ours, ours-wal, k1, k3-3: those that are compared; all of them otherwise
  --alone     ours and ours-wal only; needs no HOLDFAST_BASELINE and no Kamailio
  --pairs     how often each system has its turn; medians are of that many
  --seconds   of a turn
  --rates     calls a second, of cpu
  --live      calls that stand, of hold (5000) and grow (1000,10000); 100000 takes twelve minutes a system
  --kills     deaths, of failover
  --json      all figures go there
  --pictures  bench-*.svg go into that folder
  --write     a Markdown file with marks (<!-- bench: cpu --> and <!-- end -->): what is between them is replaced, pictures go to images/ beside it

  DIR is a folder with targets/k1.json, targets/k3-3.json and sipp/. Run it on a machine that does nothing else: figures of a busy one say little, ratios more.
`

interface Plan {
  readonly sections: readonly string[]
  readonly systems: readonly System[]
  readonly harness: string | null
  readonly wish: Wish
  readonly json: string | undefined
  readonly pictures: string | undefined
  readonly write: string | undefined
}

class Misused extends Error {}
class Missing extends Error {}

function planOf(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{
        only: text,
        systems: text,
        pairs: text,
        seconds: text,
        rates: text,
        live: text,
        kills: text,
        json: text,
        pictures: text,
        write: text,
      },
      ...{ alone: flag, help: flag },
    },
  })
  if (values.help === true) return null
  const sections = values.only?.split(',') ?? Object.keys(SECTIONS)
  const strange = sections.find((name) => !(name in SECTIONS))
  if (strange !== undefined) throw new Misused(`--only ${strange}: one of ${Object.keys(SECTIONS).join(', ')}`)
  const names = values.systems?.split(',') ?? (values.alone === true ? ['ours', 'ours-wal'] : null)
  const { systems, harness } = systemsOf(names)
  return {
    ...{ sections, systems, harness },
    wish: {
      pairs: number('pairs', values.pairs ?? '5'),
      seconds: number('seconds', values.seconds ?? '4'),
      rates: numbers('rates', values.rates ?? '300,1000'),
      live: values.live === undefined ? null : numbers('live', values.live),
      kills: number('kills', values.kills ?? '20'),
    },
    ...{ json: values.json, pictures: values.pictures, write: values.write },
  }
}

function numbers(name: string, text: string): number[] {
  return text.split(',').map((one) => number(name, one))
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new Misused(`--${name} ${text}: a number above 0`)
  return value
}

/** `names` null: all. Throws `Missing` if one of them needs what is not here. */
function systemsOf(names: readonly string[] | null): {
  readonly systems: readonly System[]
  readonly harness: string | null
} {
  const wanted = names ?? ['ours', 'ours-wal', 'k1', 'k3-3']
  const tools = { sipp: 'sip-tester', setsid: 'util-linux', tcpdump: 'tcpdump' }
  const peers = wanted.some((name) => name.startsWith('k'))
  const lack = lacking(peers ? { ...tools, kamailio: 'kamailio kamailio-extra-modules' } : tools)
  if (lack !== null) throw new Missing(lack)
  const found = findHarness(process.env['HOLDFAST_BASELINE'])
  if (peers && 'missing' in found) throw new Missing(`${found.missing}; --alone compares with nobody`)
  const harness = 'missing' in found ? null : found.folder
  const systems = wanted.map((name, i) => {
    if (name === 'ours') return ours('memory', 1 + i)
    if (name === 'ours-wal') return ours('wal', 1 + i)
    if (harness === null || !(name in PEERS))
      throw new Misused(`--systems ${name}: ours, ours-wal, ${Object.keys(PEERS).join(', ')}`)
    return kamailio(harness, name, PEERS[name] as string, 1 + i)
  })
  return { systems, harness }
}

const PEERS: Readonly<Record<string, string>> = {
  k1: 'K1: Kamailio, nothing replicated',
  'k3-3': 'K3-3: Kamailio x 3, dialogs by dmq',
}

/** A bar on a terminal, lines elsewhere. */
class Bar implements Progress {
  readonly #section: string
  #steps = 0
  #done = 0

  constructor(section: string) {
    this.#section = section
  }

  expect(steps: number): void {
    this.#steps += steps
  }

  step(what: string): void {
    const { stderr } = process
    const done = Math.min(20, Math.floor((20 * this.#done++) / Math.max(1, this.#steps)))
    const bar = `${'#'.repeat(done)}${'.'.repeat(20 - done)}`
    const line = `${this.#section} [${bar}] ${what}`
    stderr.write(stderr.isTTY ? `\r\u001b[K${line.slice(0, stderr.columns - 1)}` : `${line}\n`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}

function firstLine(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? 'none'
}

function aboutRun(before: number, hasPeers: boolean): About {
  const processors = cpus()
  const kamailioVersion = hasPeers ? `, Kamailio ${firstLine('kamailio', ['-v'], /kamailio (\d[\w.]*)/)}` : ''
  return {
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    commit: firstLine('git', ['describe', '--always', '--dirty'], /^(\S+)/),
    machine: `${processors.length} x ${processors[0]?.model.trim()}, Linux ${release()}`,
    versions: `Node.js ${process.version.slice(1)}, SIPp ${firstLine('sipp', ['-v'], /SIPp v(\d[\d.]*)/)}${kamailioVersion}`,
    load: [before, loadavg()[0] ?? 0],
  }
}

async function run(plan: Plan): Promise<void> {
  const kept: Record<string, { about: About; result: Omit<Result, 'pictures'> }> = {}
  for (const section of plan.sections) {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
    const phones = new Phones(folder, scenariosOf(plan.harness))
    const bar = new Bar(section)
    const before = loadavg()[0] ?? 0
    try {
      const measure = SECTIONS[section] as Section
      const result = await measure({ wish: plan.wish, systems: plan.systems, phones, folder, progress: bar })
      bar.end()
      const about = aboutRun(
        before,
        plan.systems.some(({ name }) => name.startsWith('k')),
      )
      process.stdout.write(`## ${result.title}\n\n${markdownOf(result, about, null)}\n`)
      keep(plan, section, result, about)
      const { pictures: _pictures, ...rest } = result
      kept[section] = { about, result: rest }
      if (plan.json !== undefined) writeFileSync(plan.json, `${JSON.stringify(kept, null, 1)}\n`)
    } finally {
      await phones.end()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function keep(plan: Plan, section: string, result: Result, about: About): void {
  const images = plan.write === undefined ? plan.pictures : join(plan.write, '..', 'images')
  if (images === undefined) return
  mkdirSync(images, { recursive: true })
  writePictures(images, result)
  if (plan.write !== undefined) writeSection(plan.write, section, result, about, images)
}

async function main(): Promise<number> {
  try {
    const plan = planOf(process.argv.slice(2))
    if (plan === null) process.stdout.write(USAGE)
    else await run(plan)
    return 0
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isMisused = error instanceof Misused || code?.startsWith('ERR_PARSE_ARGS') === true
    if (!isMisused && !(error instanceof Missing)) throw error
    process.stderr.write(`${(error as Error).message}\n${isMisused ? `\n${USAGE}` : ''}`)
    return isMisused ? 64 : 1
  }
}

process.exitCode = await main()
