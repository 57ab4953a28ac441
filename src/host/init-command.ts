// `holdfast init`: asks for what a set needs, or takes it from options, and writes its config file. What it writes, `holdfast check`
// finds right: else nothing is written, and the complaints are what check says.

import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, relative, resolve } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { limits } from '../replica/limits.ts'
import { isName } from '../proxy/own.ts'
import { printAddress } from './address.ts'
import { textTroubles } from './check-command.ts'
import { ask } from './init-questions.ts'
import type { Answers, Question } from './init-questions.ts'
import { EXIT_CANNOT_START, helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { newSecret } from './peer-security.ts'

const COMMAND: Command = {
  name: 'holdfast init',
  summary: 'asks for what a set needs and writes its config file; without a terminal the options say it',
  options: {
    file: { takes: 'FILE', help: 'the file to write (holdfast.json); one that is there is left as it is' },
    machines: {
      takes: 'IP[,IP...]',
      help: 'the addresses of the machines by which their replicas reach each other, one replica on each (three replicas on this machine)',
    },
    sip: {
      takes: 'HOST:PORT',
      help: 'the SIP address that phones reach, UDP and TCP; on several machines a virtual one, or a name that DNS has them for (127.0.0.10:5060)',
    },
    'next-hop': {
      takes: 'HOST[:PORT][;transport=T]',
      help: 'where new calls go, by T or what the call came by (the Request-URI decides)',
    },
    allow: { takes: 'CIDR[,CIDR]', help: 'whose requests are relayed; needed where the SIP address is off loopback' },
    'tls-cert': { takes: 'FILE', help: 'a certificate, PEM, for SIP over TLS at the port behind that of --sip (none)' },
    'tls-key': { takes: 'FILE', help: 'its key, PEM' },
    data: { takes: 'DIR', help: 'where the replicas keep their logs, at each machine (holdfast-data beside the file)' },
    admin: { takes: 'HOST:PORT', help: "up's admin address; replica i has port PORT+i (127.0.0.1:8060)" },
    peer: { takes: 'PORT', help: 'where replicas reach each other: on one machine replica i has PORT+i (8160)' },
  },
}

/** In the order in which they are asked; what is left empty is as in the help. */
export const QUESTIONS: readonly Question[] = [
  {
    option: 'machines',
    text: 'Addresses of the machines, with commas between (empty: three replicas on this machine): ',
  },
  {
    option: 'sip',
    text: 'SIP address that phones reach, HOST:PORT (empty: 127.0.0.10:5060): ',
    assuming: { allow: '0.0.0.0/0' },
  },
  {
    option: 'next-hop',
    text: 'Where new calls go, HOST:PORT or a name, perhaps with ;transport=udp, else by what a call came by (empty: the Request-URI decides): ',
    assuming: { allow: '0.0.0.0/0' },
  },
  { option: 'allow', text: 'Whose requests are relayed, as 192.0.2.0/24 (empty: anybody; on loopback only): ' },
  {
    option: 'tls-cert',
    text: 'Certificate for SIP over TLS, a PEM file (empty: no TLS): ',
  },
  { option: 'tls-key', text: 'Its key, a PEM file: ', after: 'tls-cert' },
]

/** Exit 0: written; 1: it can't be, and why. */
export async function initMain(args: readonly string[]): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const path = given.value.get('file') ?? 'holdfast.json'
  const folder = dirname(resolve(path))
  // Before somebody answers for nothing; the write below looks again.
  if (existsSync(path)) return nothingWritten(isThere(path))
  const areAsked = process.stdin.isTTY && [...given.value.keys()].every((option) => option === 'file')
  const answers = areAsked
    ? await ask(QUESTIONS, given.value, (said) => troublesOf(said, folder), {
        input: process.stdin,
        output: process.stdout,
      })
    : given.value
  if (answers === null) return nothingWritten('the questions were ended')
  const file = configOf(answers, folder)
  if (!file.ok) return usageError(COMMAND, file.error)
  const text = printed(file.value)
  const troubles = await textTroubles(text, folder)
  if (troubles.length > 0) return usageError(COMMAND, troubles.join('\n  '))
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return nothingWritten(code === 'EEXIST' ? isThere(path) : message)
  }
  process.stdout.write(nextSteps(path, file.value))
  return 0
}

function isThere(path: string): string {
  return `${path} is there already: give another --file, or move it away`
}

function nothingWritten(why: string): number {
  process.stderr.write(`${COMMAND.name}: ${why}; nothing was written\n`)
  return EXIT_CANNOT_START
}

/** As the whole file would be judged, had no more been said. */
export async function troublesOf(answers: Answers, folder: string): Promise<readonly string[]> {
  const certificate = answers.get('tls-cert')
  if (certificate !== undefined && !answers.has('tls-key')) {
    return existsSync(certificate) ? [] : [`${certificate}: no such file`]
  }
  const file = configOf(answers, folder)
  return file.ok ? textTroubles(printed(file.value), folder) : [file.error]
}

function printed(file: Written): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

interface WrittenReplica {
  readonly id: number
  readonly admin: string
  readonly peer: string
  readonly sip?: string
  readonly data: string
}

interface Written {
  readonly sip: string
  readonly replicas: readonly WrittenReplica[]
  readonly [option: string]: unknown
}

/** As the file has it. */
function configOf(answers: Answers, folder: string): Result<Written, string> {
  const [host, port] = split(answers.get('admin') ?? '127.0.0.1:8060')
  const peer = Number(answers.get('peer') ?? '8160')
  if (!Number.isInteger(port) || !Number.isInteger(peer) || peer < 1 || peer > 65_000)
    return err('--admin takes HOST:PORT and --peer a port: 127.0.0.1:8060, 8160')
  const machines = machinesOf(answers.get('machines'))
  if (!machines.ok) return machines
  const data = answers.get('data') ?? 'holdfast-data'
  const sip = answers.get('sip') ?? '127.0.0.10:5060'
  const isNamed = isDomain(split(sip)[0])
  if (isNamed && machines.value === null)
    return err(
      `--sip ${sip}: behind a name each replica has an address of its own: give those with --machines IP,IP,IP`,
    )
  const isOne = machines.value === null
  const places = machines.value ?? [host, host, host]
  const replicas = places.map((machine, i) => ({
    id: i + 1,
    admin: `${host}:${port + i + 1}`,
    // Two machines that are both this one, to try it, have one address space.
    peer: printAddress({ host: machine, port: isOne ? peer + i + 1 : peer }),
    ...(isNamed ? { sip: machine } : {}),
    data: `${data}/replica-${i + 1}`,
  }))
  const secure = secureOf(answers, sip, folder)
  if (!secure.ok) return secure
  const allow = answers.get('allow')
  return ok({
    set: randomBytes(8).toString('hex'),
    secret: newSecret(),
    sip,
    ...secure.value,
    nextHop: answers.get('next-hop') ?? null,
    ...(allow === undefined ? {} : { allow: allow.split(',').map((block) => block.trim()) }),
    admin: `${host}:${port}`,
    replicas,
  })
}

/** Null: all on this one. */
function machinesOf(text: string | undefined): Result<readonly string[] | null, string> {
  if (text === undefined) return ok(null)
  const machines = text.split(',').map((machine) => machine.trim())
  const wrong = machines.find((machine) => isIP(machine) === 0)
  if (wrong !== undefined) return err(`--machines: "${wrong}" is not an IP address`)
  const twice = machines.find((machine, i) => machines.indexOf(machine) !== i)
  if (twice !== undefined)
    return err(`--machines: ${twice} is there twice; leave --machines out for a set on one machine`)
  if (machines.length > limits.replicas) return err(`--machines: at most ${limits.replicas}`)
  return ok(machines)
}

/** The port behind that of SIP is what RFC 3261 19.1.2 has for TLS: 5061 behind 5060. */
function secureOf(answers: Answers, sip: string, folder: string): Result<Record<string, unknown>, string> {
  const [certificate, key] = [answers.get('tls-cert'), answers.get('tls-key')]
  if (certificate === undefined && key === undefined) return ok({})
  if (certificate === undefined || key === undefined) return err('--tls-cert and --tls-key go together: give both')
  const match = /^(.*):(\d+)$/.exec(sip)
  if (match === null) return err(`--sip ${sip}: give HOST:PORT`)
  const beside = (path: string): string => relative(folder, resolve(path))
  return ok({
    listen: [`${match[1]}:${Number(match[2]) + 1};transport=tls`],
    tls: { certificates: [{ certificate: beside(certificate), key: beside(key) }] },
  })
}

/** What reads addresses has `localhost` for one (address.ts). */
function isDomain(host: string): boolean {
  return host.toLowerCase() !== 'localhost' && isName(host)
}

function split(text: string): readonly [host: string, port: number] {
  const at = text.lastIndexOf(':')
  return [text.slice(0, at), Number(text.slice(at + 1))]
}

function nextSteps(path: string, { replicas, sip }: Written): string {
  const lines = [`${path} is written: ${replicas.length} replicas, SIP at ${sip}`, '']
  const hosts = replicas.map(({ peer }) => peer.slice(0, peer.lastIndexOf(':')))
  if (new Set(hosts).size === 1) lines.push(`  holdfast up --config ${path}`)
  else {
    lines.push(
      'Copy it to each machine, and what it names of certificates and keys; keep it to yourself: the secret of the set is in it. Then, at',
      '',
    )
    for (const [i, { id }] of replicas.entries())
      lines.push(`  ${hosts[i]}  holdfast start --config ${path} --replica ${id}`)
    const [host] = split(sip)
    const reached = isDomain(host)
      ? `DNS must have all of them for ${host}: docs/OPERATIONS.md, "One name for all: DNS SRV"`
      : `The address ${host} must be on the loopback of each, and come to one of them: docs/OPERATIONS.md, "One address for all"`
    lines.push('', reached)
  }
  lines.push('', `  holdfast check ${path}   after each change; docs/CONFIG.md has all options`, '')
  return lines.join('\n')
}
