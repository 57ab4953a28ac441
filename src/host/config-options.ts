// Every option of the config file: its type, its default and the reason for it. `parseConfig` and `holdfast check` go by it; the schema
// (docs/config.schema.json) and docs/CONFIG.md are made of it.

import { isIP } from 'node:net'
import { MOST_PLACE } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import { parseBlock } from '../proxy/access.ts'
import { limits } from '../replica/limits.ts'
import { NEWEST_FORMAT, OLDEST_FORMAT } from '../wire/formats.ts'
import { parseAddress, parseOwnPlace } from './address.ts'
import { ADMIN_TOKEN } from './admin-token.ts'
import { counted, flag, orNull, reloaded, restarted, started, text, whole } from './config-fields.ts'
import { schemaOf } from './config-shape.ts'
import type { Field, Fields, Shape } from './config-shape.ts'
import { hostLimits } from './limits.ts'
import { parseNextHops } from './next-hops.ts'

const anyAddress: Shape = { kind: 'text', right: '"HOST:PORT"', read: parseAddress }
const place: Shape = { kind: 'text', right: '"HOST:PORT"', read: parseOwnPlace }

/** The complaint about an address that others can reach. */
export function offLoopback(text: string): string {
  return `"${text}" is off loopback: an up of one command line stays on its machine. Use 127.x.y.z or [::1], or a config file (--print-config)`
}

/** A year. */
export const MOST_CALL_SECONDS = 31_536_000
const DAY = 86_400
/** Silence takes 64*T1 to be one. */
const LEAST_EVERY = 32
export const USUAL_GRACE = 60
const MOST_BOUND = 1_000_000

export const USUAL_KEY_DAYS = 30
const MOST_KEY_DAYS = 3_650

const bound = (what: string): Field => ({
  shape: whole(1, MOST_BOUND, `a whole number from 1 to ${MOST_BOUND}`),
  what,
  ...reloaded,
})

export const BOUNDS: Shape = {
  kind: 'object',
  fields: {
    calls: bound('Calls at a time.'),
    in: bound('Calls at a time that go to `nextHop`.'),
    out: bound('Calls at a time that go elsewhere.'),
    route: bound('Calls at a time to each next hop.'),
    rate: bound('Requests a second that one source may send outside of calls.'),
  },
}

const tls: Fields = {
  certificates: {
    shape: {
      kind: 'list',
      right: 'a list of {"certificate": FILE, "key": FILE}',
      least: 1,
      most: Infinity,
      of: {
        kind: 'object',
        fields: {
          certificate: {
            shape: text('the path of a PEM file'),
            isRequired: true,
            what: 'PEM file: the certificate, with those that it rests on behind it.',
            change: 'file',
          },
          key: {
            shape: text('the path of a PEM file'),
            isRequired: true,
            what: 'PEM file: its key, without a passphrase.',
            change: 'file',
          },
        },
      },
    },
    isRequired: true,
    what: 'The certificates of the set. The first is for clients that name no host; else the first that is made out to the name.',
    why: 'The files are looked at every few seconds; new ones are used once they are good.',
    ...restarted,
  },
  ca: {
    shape: orNull(text('the path of a PEM file'), 'the path of a PEM file'),
    usual: null,
    what: 'PEM file: who vouches for others.',
    why: 'null: those that Node.js trusts, which is right for public names.',
    change: 'file',
  },
  minVersion: {
    shape: { kind: 'choice', right: '"TLSv1.2" or "TLSv1.3"', values: ['TLSv1.2', 'TLSv1.3'] },
    usual: 'TLSv1.2',
    what: 'The oldest TLS that is spoken.',
    why: 'Many phones know no 1.3; 1.0 and 1.1 are not safe (RFC 8996).',
    ...restarted,
  },
  clients: {
    shape: { kind: 'choice', right: '"ignore", "ask" or "require"', values: ['ignore', 'ask', 'require'] },
    what: 'Whether clients of TLS are asked for a certificate, or refused without a good one.',
    why: 'Left out: `ask` with a `ca`, else `ignore`; without a `ca` of its own a set has nobody to compare them with.',
    ...restarted,
  },
  names: {
    shape: {
      kind: 'map',
      right: 'an object of names by IP address',
      least: 0,
      key: (name) => (isIP(name) === 0 ? 'should be an IP address' : null),
      of: text('the name in the certificate of the server at that IP address'),
    },
    what: 'What the certificates of servers that the set connects to are made out to, by their IP address.',
    why: 'Left out: the address itself.',
    ...restarted,
  },
}

const [leastMemory, usualMemory, mostMemory] = hostLimits.applicationMemoryMb
const [leastTime, usualTime, mostTime] = hostLimits.applicationTimeMs

const application: Shape = {
  kind: 'object',
  fields: {
    name: {
      shape: orNull(text('the name of an application'), 'the name of an application'),
      usual: null,
      what: 'Which of the applications that the module exports; null: the only one.',
      ...restarted,
    },
    module: {
      shape: text('the path of a module, as "./prepaid.ts"'),
      isRequired: true,
      what: 'Path of the module; relative: beside the file.',
      why: 'New code at the same path needs no restart: `holdfast reload NAME`.',
      ...restarted,
    },
    memoryMb: {
      shape: whole(leastMemory, mostMemory, `whole megabytes from ${leastMemory} to ${mostMemory}`),
      usual: usualMemory,
      what: "Megabytes of its worker's heap, and again of its buffers.",
      why: 'One that leaks ends alone, and starts again.',
      ...restarted,
    },
    timeLimitMs: {
      shape: whole(leastTime, mostTime, `whole milliseconds from ${leastTime} to ${mostTime}`),
      usual: usualTime,
      what: 'How long a handler may take, in milliseconds.',
      why: 'A call waits for it; one that loops is ended.',
      ...restarted,
    },
  },
}

const link: Shape = {
  kind: 'either',
  right: 'the name of an application, or {"application": NAME, "region": ..., "subscriber": ...}',
  of: [
    text('the name of an application'),
    {
      kind: 'object',
      fields: {
        application: { shape: text('the name of an application'), isRequired: true, what: 'Its name.', ...restarted },
        region: {
          shape: {
            kind: 'choice',
            right: '"originating", "terminating" or "neutral"',
            values: ['originating', 'terminating', 'neutral'],
          },
          usual: 'neutral',
          what: 'For which side it acts (JSR 289 15).',
          ...restarted,
        },
        subscriber: {
          shape: { kind: 'choice', right: '"from" or "to"', values: ['from', 'to', ''] },
          usual: '',
          what: 'Whose URI it acts for.',
          ...restarted,
        },
      },
    },
  ],
}

export const ROUTER: Shape = {
  kind: 'either',
  right: 'the path of a module, as "./router.ts", or a table, as {"INVITE": ["screening", "prepaid"]}',
  of: [
    text('the path of a module, as "./router.ts"'),
    {
      kind: 'map',
      right: 'a table, as {"INVITE": ["screening", "prepaid"]}',
      least: 1,
      key: (method) =>
        /^(?:\*|[A-Z]{1,32})$/.test(method) ? null : 'should be a method in capital letters, or * for all others',
      of: {
        kind: 'list',
        right: `a list of at most ${hostLimits.applications} applications, as ["screening", "prepaid"]`,
        least: 0,
        most: hostLimits.applications,
        of: link,
      },
    },
  ],
}

const http: Fields = {
  tls: { shape: flag, usual: false, what: 'HTTPS, with the certificates of `tls`.', ...restarted },
  origin: {
    shape: orNull(
      {
        kind: 'text',
        right: 'what browsers show, as "https://calls.example.com"',
        pattern: /^https?:\/\/[^/?#@\s]+$/,
      },
      'what browsers show, as "https://calls.example.com"',
    ),
    usual: null,
    what: 'As browsers see it, where a proxy is before the set; null: as they say.',
    ...restarted,
  },
  paths: {
    shape: {
      kind: 'map',
      right: 'an object of applications by path, as {"/calls": "prepaid"}',
      least: 0,
      isQuoted: true,
      key: (path) => (/^\/([\w.~-]+(\/[\w.~-]+)*)?$/.test(path) ? null : 'should be "/" or a path as "/calls"'),
      of: text('the name of an application'),
    },
    what: 'Applications by path.',
    why: 'The others are at `/NAME`.',
    ...restarted,
  },
  plain: {
    shape: flag,
    usual: false,
    what: 'Without TLS off loopback: what is before the set has it.',
    why: 'Cookies could be read on the way, so it must be said.',
    ...restarted,
  },
}

const replica: Shape = {
  kind: 'object',
  fields: {
    id: {
      shape: whole(1, MOST_PLACE, `a whole number from 1 to ${MOST_PLACE}`),
      isRequired: true,
      what: 'Its number; they rise from one replica to the next.',
      change: 'never',
    },
    admin: {
      shape: anyAddress,
      isRequired: true,
      what: 'Its admin address, `HOST:PORT`; off loopback only with an admin token.',
      ...started,
    },
    peer: {
      shape: anyAddress,
      isRequired: true,
      what: 'Where the others reach it, `HOST:PORT`. Who connects there shows the secret first.',
      ...started,
    },
    sip: {
      shape: {
        kind: 'text',
        right: 'an IP address, as "192.0.2.11"',
        read: (address) =>
          isIP(address) === 0 ? err(`"${address}" should be an IP address, as "192.0.2.11"`) : ok(address),
      },
      what: 'The IP address that it listens at, where `sip` or `listen` has a domain name in its place.',
      why: 'Left out: all replicas share an address.',
      ...started,
    },
    http: { shape: anyAddress, what: 'Where applications are reached by HTTP; left out: nowhere.', ...started },
    data: {
      shape: text('the path of a folder'),
      what: 'Its data folder; relative: beside the file. Needed with `durability` `wal`, and left out with `memory`.',
      ...started,
    },
  },
}

const hops = '"HOST:PORT" or a name, perhaps with ;transport=tcp, several with , and |, or null'

/** In the order in which docs/CONFIG.md has them. */
const options: Fields = {
  $schema: {
    shape: text('the path or the URL of a JSON Schema'),
    what: 'For editors: `"./config.schema.json"`, as `holdfast check --schema` prints it. Nothing else reads it.',
    change: 'never',
  },
  set: {
    shape: { kind: 'text', right: '16 lower-case hexadecimal digits', pattern: /^[0-9a-f]{16}$/ },
    isRequired: true,
    what: "The set's id: 16 hexadecimal digits, as from `openssl rand -hex 8`.",
    why: 'Data folders and replicas of another set are refused.',
    change: 'never',
  },
  secret: {
    shape: {
      kind: 'text',
      right: '64 lower-case hexadecimal digits, the same for all replicas, as from openssl rand -hex 32',
      pattern: /^[0-9a-f]{64}$/,
      isSecret: true,
    },
    isRequired: true,
    what: 'What replicas show each other: 64 hexadecimal digits, as from `openssl rand -hex 32`. Keep the file to yourself (mode 0600).',
    change: 'never',
  },
  sip: {
    shape: place,
    isRequired: true,
    what: "The SIP address that all replicas share, `HOST:PORT` for UDP and TCP, or with `;transport=` for one: the set's name to the world.",
    why: 'Or a domain name with the port that is listened to: then each replica has an address of its own, `replicas[].sip` ([OPERATIONS.md](OPERATIONS.md#one-name-for-all-dns-srv)).',
    ...started,
  },
  listen: {
    shape: {
      kind: 'list',
      right: 'a list of "HOST:PORT;transport=tls" and the like',
      least: 0,
      most: 16,
      of: place,
    },
    what: 'More SIP addresses; the transport is udp, tcp, tls, ws or wss.',
    why: 'At most 16: each is a socket, or two, of each replica.',
    ...started,
  },
  tls: { shape: { kind: 'object', fields: tls }, what: 'Certificates, for tls and wss.', ...restarted },
  nextHop: {
    shape: orNull({ kind: 'text', right: hops, read: parseNextHops }, hops),
    usual: null,
    what: 'Where new calls go: an address or a name that DNS knows, perhaps with `;transport=`; without it an address is asked by what the call came by. `A,B` calls both at once, `A|B` one after another.',
    why: 'null: the Request-URI decides.',
    ...reloaded,
  },
  followRedirects: {
    shape: flag,
    usual: false,
    what: 'Call the contacts of a 301 or 302 of the next hop, by their q.',
    why: 'Otherwise a 3xx goes to the caller (RFC 3261 16.7).',
    ...reloaded,
  },
  allow: {
    shape: {
      kind: 'list',
      right: 'a list of blocks of addresses, as ["192.0.2.0/24", "2001:db8::/32"]',
      least: 1,
      most: Infinity,
      of: { kind: 'text', right: 'a block of addresses, as "192.0.2.0/24"', read: parseBlock },
    },
    what: 'Whose requests are relayed.',
    why: 'Left out: whoever reaches the SIP address, which must then be on loopback; off it, the set would be an open relay.',
    ...reloaded,
  },
  bounds: {
    shape: BOUNDS,
    what: 'How much one may ask of the set; more gets 503.',
    why: 'Left out: there is none, for only you know your far ends.',
    ...reloaded,
  },
  dns: {
    shape: {
      kind: 'list',
      right: 'a list of "HOST:PORT" of DNS servers',
      least: 1,
      most: Infinity,
      of: anyAddress,
    },
    what: 'The DNS servers that are asked for names (RFC 3263).',
    why: 'Left out: those of the machine.',
    ...restarted,
  },
  applications: {
    shape: {
      kind: 'list',
      right: `a list of 1 to ${hostLimits.applications}, as [{"module": "./prepaid.ts"}]`,
      least: 1,
      most: hostLimits.applications,
      of: application,
    },
    what: 'What handles calls ([APPLICATIONS.md](APPLICATIONS.md)).',
    why: 'Left out: the set is a proxy.',
    ...restarted,
  },
  router: {
    shape: ROUTER,
    what: 'Which application a request is for that begins something: the path of a module, or a table by method, `*` for all others.',
    why: 'Left out: the first application.',
    ...restarted,
  },
  http: {
    shape: { kind: 'object', fields: http },
    what: 'How applications are reached by HTTP, at the replicas that have an address for it.',
    ...restarted,
  },
  hep: {
    shape: anyAddress,
    what: 'A capture server (Homer) that gets a copy of each SIP message, `HOST:PORT`: HEP 3 over UDP.',
    why: 'Left out: none does. Copies are readable to whoever sees them on the way.',
    ...restarted,
  },
  durability: {
    shape: { kind: 'choice', right: '"wal" or "memory"', values: ['wal', 'memory'] },
    usual: 'wal',
    what: 'Where the log lives: on disk, synced before anything that rests on it leaves; or only in the memories of the replicas.',
    why: 'With `memory` calls outlive a minority of the replicas, and not all of them.',
    change: 'never',
  },
  compaction: {
    shape: {
      kind: 'object',
      fields: {
        every: {
          shape: counted(100_000, hostLimits.logBytes / 2, 'bytes'),
          usual: limits.snapshotBytes,
          what: 'Bytes of log behind which a snapshot is written.',
          why: 'More makes a restart read for seconds; a log that reaches its limit takes no new calls.',
          ...restarted,
        },
        kept: {
          shape: counted(100, 1_000_000, 'entries'),
          usual: limits.keptEntries,
          what: 'Entries kept in memory for replicas that are a little behind.',
          ...restarted,
        },
      },
    },
    what: 'When the log is compacted.',
    ...restarted,
  },
  events: {
    shape: {
      kind: 'object',
      fields: {
        keep: {
          shape: counted(0, 1_000_000, 'events'),
          usual: limits.keptEvents,
          what: 'Events kept for those who follow calls; 0: none are made.',
          why: 'Some 400 bytes each, in memory and in each snapshot; a basic call has four.',
          ...restarted,
        },
      },
    },
    what: 'Events and call records ([EVENTS.md](EVENTS.md)).',
    ...restarted,
  },
  history: {
    shape: {
      kind: 'object',
      fields: {
        keep: {
          shape: counted(0, hostLimits.historyMostBytes, 'bytes'),
          usual: hostLimits.historyBytes,
          what: 'Bytes of log and snapshots kept on disk after a newer snapshot has taken their place; 0: none.',
          why: 'Besides the log itself. Whole rounds of the log (`compaction.every`) are kept or not; when the disk is full, all of it goes.',
          ...restarted,
        },
      },
    },
    what: 'How far back `holdfast trace` tells what calls did, those that ended too.',
    ...restarted,
  },
  formats: {
    shape: {
      kind: 'object',
      fields: {
        most: {
          shape: {
            kind: 'choice',
            right: `a format that this release reads: ${OLDEST_FORMAT} to ${NEWEST_FORMAT}`,
            values: Array.from({ length: NEWEST_FORMAT - OLDEST_FORMAT + 1 }, (_, i) => OLDEST_FORMAT + i),
          },
          what: 'Behave as a release that reads no newer format, so that one can go back to it.',
          why: 'Left out: the newest that all members read.',
          ...restarted,
        },
      },
    },
    what: 'Upgrades and ways back ([UPGRADING.md](UPGRADING.md)).',
    ...restarted,
  },
  keyDays: {
    shape: whole(0, MOST_KEY_DAYS, `whole days, from 1 to ${MOST_KEY_DAYS}, or 0 for never`),
    usual: USUAL_KEY_DAYS,
    what: 'Days after which the set makes itself a new secret key; 0: never. It signs the cookies and the URLs of sessions, what Record-Route and Path carry.',
    why: 'A cookie is good until the second new key after it, a Path value as well ([decision 0050](decisions/0050-keys-rotate.md)).',
    ...reloaded,
  },
  maxCall: {
    shape: whole(0, MOST_CALL_SECONDS, `whole seconds, from 0 to ${MOST_CALL_SECONDS}, or 0 for never`),
    usual: 0,
    what: 'Seconds after which a call is ended by a BYE to both sides; 0: never.',
    ...reloaded,
  },
  probe: {
    shape: {
      kind: 'object',
      fields: {
        every: {
          shape: whole(LEAST_EVERY, DAY, `whole seconds, from ${LEAST_EVERY} to ${DAY}`),
          isRequired: true,
          what: 'Seconds between two questions to a side.',
          why: `At least ${LEAST_EVERY}: silence takes 64*T1 to be one (RFC 3261 17.1.2).`,
          ...reloaded,
        },
        grace: {
          shape: whole(0, DAY, `whole seconds, from 0 to ${DAY}`),
          usual: USUAL_GRACE,
          what: 'Seconds until a side that did not answer is asked once more; then the call is ended.',
          ...reloaded,
        },
      },
    },
    what: 'Both sides of a call are asked now and then whether they are there.',
    why: 'Left out: nobody asks.',
    ...reloaded,
  },
  sessionTimers: {
    shape: flag,
    usual: false,
    what: 'Whether a call whose session timer nobody refreshes (RFC 4028) is forgotten.',
    ...reloaded,
  },
  restart: {
    shape: {
      kind: 'either',
      right: 'seconds, or "never"',
      of: [
        { kind: 'number', isWhole: false, least: 0, most: DAY, right: `seconds, or "never": at most ${DAY}` },
        { kind: 'choice', right: 'seconds, or "never"', values: ['never'] },
      ],
    },
    usual: 5,
    what: 'Seconds until `up` starts a dead replica again, or `"never"`. `start` does not read it: a supervisor has its own.',
    ...reloaded,
  },
  admin: {
    shape: anyAddress,
    isRequired: true,
    what: "The admin address of `up` itself, `HOST:PORT`; off loopback only with an admin token. `start` doesn't open it.",
    ...started,
  },
  adminToken: {
    shape: ADMIN_TOKEN,
    what: 'What who asks an admin address shows (`Authorization: Bearer`), as from `openssl rand -hex 32`. All replicas have the same.',
    why: 'Left out: whoever is on that machine may ask, so all admin addresses must be on loopback.',
    ...started,
  },
  adminTokenFile: {
    shape: text('the path of a file'),
    what: 'Where the admin token is instead, in a file that only its owner may read (mode 0600).',
    ...started,
  },
  replicas: {
    shape: {
      kind: 'list',
      right: `an array of 1 to ${limits.replicas} replicas`,
      least: 1,
      most: limits.replicas,
      of: replica,
    },
    isRequired: true,
    what: 'The replicas of the set, in rising order of id. Once it runs, `holdfast members` changes it.',
    why: `At most ${limits.replicas}: more only adds round trips. An odd number: 4 outlive no more deaths than 3.`,
    change: 'never',
  },
}

export const CONFIG = { kind: 'object', fields: options } as const satisfies Shape
/** The release since which an option is there that doesn't say another one. */
export const SINCE = '0.1.0'

/** As a file: a JSON Schema, draft 2020-12. */
export function configSchema(): string {
  const about = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A set of Holdfast',
    description: 'The config file of holdfast up and holdfast start; docs/CONFIG.md.',
  }
  return `${JSON.stringify({ ...about, ...schemaOf(CONFIG) }, null, 2)}\n`
}
