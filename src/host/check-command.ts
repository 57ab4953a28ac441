// `holdfast check FILE`: everything that is wrong with a config file, each with what would be right, before anything is started.

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { printAddress } from './address.ts'
import { applicationTrouble } from './application-check.ts'
import { certificateTrouble } from './certificates.ts'
import { reachTroubles, readText } from './config.ts'
import type { SetConfig } from './config.ts'
import { configSchema } from './config-options.ts'
import { helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { listenersOf, transportNames } from './sip-addresses.ts'

const COMMAND: Command = {
  name: 'holdfast check',
  summary: 'check FILE: whether a config file is right, or all that is wrong with it; docs/CONFIG.md has its options',
  options: {
    schema: { takes: null, help: 'print the JSON Schema of config files, by which editors complete them, and end' },
    json: { takes: null, help: '{"ok":true,"complaints":[]} on standard output' },
  },
}

/** Exit 0: it is right; 1: it is not. */
export async function checkMain(args: readonly string[]): Promise<number> {
  const [file] = args
  const isNamed = file !== undefined && !file.startsWith('-')
  const given = readOptions(COMMAND, isNamed ? args.slice(1) : args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  if (given.value.has('schema')) {
    process.stdout.write(configSchema())
    return 0
  }
  if (!isNamed) return usageError(COMMAND, 'FILE is missing: the config file, as in holdfast check set.json')
  const { complaints, said } = await checked(file)
  if (given.value.has('json')) {
    process.stdout.write(`${JSON.stringify({ ok: complaints.length === 0, complaints })}\n`)
  } else if (complaints.length === 0) process.stdout.write(`${file} is right: ${said}\n`)
  else process.stderr.write(`${complaints.map((complaint) => `${file}: ${complaint}\n`).join('')}`)
  return complaints.length === 0 ? 0 : 1
}

interface Checked {
  readonly complaints: readonly string[]
  /** Of a file that is right: what set it is. */
  readonly said: string
}

async function checked(file: string): Promise<Checked> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return { complaints: [`it can't be read: ${(error as Error).message}`], said: '' }
  }
  const read = readText(text, dirname(resolve(file)))
  if (!read.ok) return { complaints: read.error, said: '' }
  return { complaints: await troublesOf(read.value), said: summary(read.value) }
}

/** All that is wrong with a config file's text; relative paths lie in `folder`. */
export async function textTroubles(text: string, folder: string): Promise<readonly string[]> {
  const read = readText(text, folder)
  return read.ok ? troublesOf(read.value) : read.error
}

/** What can be known of a set before it starts, but for what other processes hold: its ports and its data folders. */
async function troublesOf(config: SetConfig): Promise<readonly string[]> {
  const certificates = certificateTrouble(config)
  const applications = await applicationTrouble(config)
  return [...reachTroubles(config), ...[certificates, applications].filter((trouble) => trouble !== null)]
}

function summary(config: SetConfig): string {
  const { replicas, sip, durability } = config
  const by = transportNames(listenersOf(config))
  const count = replicas.length === 1 ? 'one replica' : `${replicas.length} replicas`
  return `${count}, SIP at ${printAddress(sip)} (${by}), log ${durability === 'wal' ? 'on disk' : 'in memory'}`
}
