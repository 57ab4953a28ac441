// The options that `up` and a config file share: what each takes and what is said when it is wrong.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { isLoopback, parseAddress, parsePlace } from './address.ts'
import type { Address } from './address.ts'
import { parseNextHops } from './next-hops.ts'
import type { NextHopSetting } from './next-hops.ts'
import { parseBlock } from '../proxy/access.ts'
import { parseBounds } from './bounds.ts'
import type { CallBounds } from '../call/contract.ts'
import type { Durability } from '../replica/options.ts'
import { parseSipAddresses } from './sip-addresses.ts'
import type { SipAddress } from './sip-addresses.ts'
import { isDurability, MOST_REPLICAS } from './config.ts'
import { MOST_CALL_SECONDS, offLoopback } from './config-options.ts'
import type { Option } from './options.ts'

export const UP_OPTIONS = {
  replicas: {
    takes: 'N',
    help: `how many replicas, 1 to ${MOST_REPLICAS} (3); an odd number: 4 outlive no more deaths than 3`,
  },
  sip: { takes: 'HOST:PORT[;transport=T]', help: 'the shared SIP address, UDP and TCP (127.0.0.10:5060)' },
  listen: {
    takes: 'HOST:PORT;transport=T[,...]',
    help: 'more SIP addresses; T is udp, tcp, tls, ws or wss',
  },
  'tls-cert': { takes: 'FILE', help: 'of tls and wss: the certificate, PEM; a new one is read when the file changes' },
  'tls-key': { takes: 'FILE', help: 'its key, PEM' },
  'tls-ca': { takes: 'FILE', help: 'who vouches for others, PEM (whom Node.js trusts); clients are asked, too' },
  'next-hop': {
    takes: 'HOST[:PORT][;transport=T]',
    help: 'where new calls go, an address or a name that DNS knows (the Request-URI decides); A,B calls both at once, A|B one after another',
  },
  'follow-redirects': {
    takes: null,
    help: 'call the contacts of a 301 or 302 of the next hop, by their q (a 3xx goes to the caller)',
  },
  dns: { takes: 'HOST:PORT[,HOST:PORT]', help: 'the DNS servers that are asked for names (those of this machine)' },
  allow: {
    takes: 'CIDR[,CIDR]',
    help: 'whose requests are relayed, such as 192.0.2.0/24,2001:db8::/32 (anybody on loopback; needed off it)',
  },
  bounds: {
    takes: 'NAME=N[,NAME=N]',
    help: 'at most N: calls at a time, those in (to --next-hop), out (elsewhere), by route (to each next hop); rate, of requests a second that one source may send outside of calls (none)',
  },
  app: {
    takes: 'PATH[,PATH]',
    help: 'modules of applications, which handle the calls (none: the set is a proxy); docs/APPLICATIONS.md',
  },
  router: {
    takes: 'PATH',
    help: 'chooses among several applications: a module that has a router, or a table in a .json file (the first application)',
  },
  admin: { takes: 'HOST:PORT', help: "up's own admin address; replica i has port PORT+i (127.0.0.1:8060)" },
  http: {
    takes: 'HOST:PORT',
    help: 'replica i serves HTTP requests for applications on port PORT+i (none); docs/APPLICATIONS.md',
  },
  peer: { takes: 'HOST:PORT', help: 'replica i talks to the others on port PORT+i (127.0.0.1:8160)' },
  durability: {
    takes: 'wal|memory',
    help: 'where the log lives: on disk, or only in the memories of the replicas (wal)',
  },
  data: { takes: 'DIR', help: 'of wal: kept and used again (a temporary folder, removed at a clean exit)' },
  restart: { takes: 'SECONDS|never', help: 'when a dead replica is started again (5)' },
  'max-call': { takes: 'SECONDS', help: 'the age at which a call is ended, by a BYE to both sides (0 = never)' },
  lab: { takes: null, help: "the page at up's admin address has a button that kills replicas, to try it" },
  config: { takes: 'FILE', help: 'a set as --print-config prints it; options of this line win' },
  'print-config': { takes: null, help: 'print the set as a config file, and end' },
  'log-level': { takes: 'LEVEL', help: 'trace, debug, info, warn, error or silent (info with --json, else warn)' },
  json: { takes: null, help: 'one JSON object a line on standard output' },
} as const satisfies Record<string, Option>

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

export function readReplicas(text: string): Result<number, string> {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_REPLICAS) return ok(count)
  return err(`--replicas ${text}: give a number from 1 to ${MOST_REPLICAS}`)
}

/** An address that must not be reachable from elsewhere. */
function readLoopback(name: string, text: string): Result<Address, string> {
  const address = parseAddress(text)
  if (!address.ok) return err(`--${name} ${address.error}`)
  return isLoopback(address.value.host) ? address : err(`--${name} ${offLoopback(text)}`)
}

/** An admin address that a command asks. */
export function readAdmin(name: string, text: string): Result<Address, string> {
  const address = parseAddress(text)
  return address.ok ? address : err(`--${name} ${address.error}`)
}

/** The address of which the next `count` ports are used too. */
export function readBase(
  name: string,
  text: string,
  count: number,
  read: (name: string, text: string) => Result<Address, string> = readLoopback,
): Result<Address, string> {
  const address = read(name, text)
  if (!address.ok || address.value.port + count <= 65_535) return address
  return err(
    `--${name} ${text}: ports up to ${address.value.port + count} would be used; give one below ${65_536 - count}`,
  )
}

/** One that others may reach, if it is made for that (`reachTrouble`). */
export function readHttpBase(text: string, count: number): Result<Address, string> {
  return readBase('http', text, count, readAdmin)
}

export function readNextHop(text: string): Result<NextHopSetting, string> {
  const hop = parseNextHops(text)
  return hop.ok ? hop : err(`--next-hop ${hop.error}`)
}

/** Blocks of addresses, with commas between. */
export function readAllow(text: string): Result<readonly string[], string> {
  const blocks = text.split(',').map((block) => block.trim())
  for (const block of blocks) {
    const parsed = parseBlock(block)
    if (!parsed.ok) return err(`--allow ${parsed.error}`)
  }
  return ok(blocks)
}

export function readDns(text: string): Result<readonly Address[], string> {
  const servers: Address[] = []
  for (const one of text.split(',')) {
    const address = parseAddress(one.trim())
    if (!address.ok) return err(`--dns ${address.error}`)
    servers.push(address.value)
  }
  return ok(servers)
}

export function readBoundsOption(text: string): Result<CallBounds, string> {
  const bounds = parseBounds(text)
  return bounds.ok ? bounds : err(`--bounds ${bounds.error}`)
}

/** The SIP address, which others may reach if there is an access list (`reachTrouble`). */
export function readSip(text: string): Result<SipAddress, string> {
  const address = parsePlace(text)
  return address.ok ? address : err(`--sip ${address.error}`)
}

/** More addresses, with commas between. */
export function readListen(text: string): Result<readonly SipAddress[], string> {
  const addresses = parseSipAddresses(text)
  return addresses.ok ? addresses : err(`--listen ${addresses.error}`)
}

export function readRestart(text: string): Result<number | null, string> {
  if (text === 'never') return ok(null)
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= 86_400) return ok(Number(text))
  return err(`--restart ${text}: give seconds (5, 0.5, at most 86400) or never`)
}

export function readLogLevel(text: string): Result<string, string> {
  return LOG_LEVELS.includes(text) ? ok(text) : err(`--log-level ${text}: give one of ${LOG_LEVELS.join(', ')}`)
}

export function readDurability(text: string): Result<Durability, string> {
  return isDurability(text) ? ok(text) : err(`--durability ${text}: give wal or memory`)
}

/** 0 = never. */
export function readMaxCall(text: string): Result<number, string> {
  if (/^\d+$/.test(text) && Number(text) <= MOST_CALL_SECONDS) return ok(Number(text))
  return err(`--max-call ${text}: give seconds, at most ${MOST_CALL_SECONDS}, or 0 for never`)
}
