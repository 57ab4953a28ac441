// The fuzzer's inputs: the bytes of message `number` of a seed, and nothing else decides them. Most are a message that somebody
// sends (those of RFC 4475 and 5118 among them) with a few places changed; some are messages made from the grammar, lists
// piled up to the limits, or noise.

import { readdirSync } from 'node:fs'
import { random } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { buildResponse } from '../../src/sip/build.ts'
import { values } from '../../src/sip/message.ts'
import type { SipRequest } from '../../src/sip/message.ts'
import { sipLimits } from '../../src/sip/limits.ts'
import { BYE, INVITE, OK, options, readRequest } from '../../src/sip/testing/messages.ts'
import { proxied, torture } from '../torture/proxied.ts'

export interface Input {
  /** Latin1, one character a byte. */
  readonly text: string
  /** For the choices of a property: where to cut, what to insert. */
  readonly random: Random
}

/** What breaks parsers. */
const PIECES: readonly string[] = [
  ...[
    '\r\n',
    '\r',
    '\n',
    '\r\n ',
    '\r\n\t',
    '\r\n\r\n',
    '"',
    '\\',
    '<',
    '>',
    ',',
    ';',
    ':',
    '=',
    '@',
    ' ',
    '\t',
    '%',
    '%00',
  ],
  ...[
    '\0',
    '\xff',
    '0',
    '-1',
    '[',
    ']',
    '?',
    '&',
    '/',
    '*',
    '()',
    '::1',
    '[::1]',
    'z9hG4bK',
    ';rport',
    ';lr',
    ';tag=',
    ';x="',
  ],
  ...[
    'v: ',
    'l: 1\r\n',
    'Content-Length: 5\r\n',
    'Route: <sip:h;lr>\r\n',
    'SIP/2.0',
    'sip:',
    'sips:',
    'tel:+1',
    '99999999999',
  ],
  ...['Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n', 'Max-Forwards: 0\r\n', '__proto__', 'constructor=1', '\xe2\x82\xac'],
]

const HEADERS: readonly string[] = [
  ...['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa', 'v: SIP / 2.0 / TCP [2001:db8::1]:5061 ;branch=b;received=::1'],
  ...['Route: <sip:192.0.2.8;lr>, "q, \\"" <sip:[::1]:5070>', 'Record-Route: <sip:192.0.2.9;lr;transport=tcp>'],
  ...[
    'Contact: *',
    'm: "a" <sip:a@h?Route=%3Csip:x%3E>;q=0.5, sip:b@h;expires=1',
    'From: <sip:a@h>;tag=1',
    't: <tel:+1>',
  ],
  ...[
    'Max-Forwards: 70',
    'CSeq: 1 INVITE',
    'i: x@y',
    'Content-Length: 0',
    'Subject: a',
    'Proxy-Require: b',
    'X : y',
    'Timestamp: 1',
  ],
]

/** What carries the set's own token: a request that comes back to it, answers to what it sent, a request in its dialog. */
function ofTheSet(): readonly string[] {
  const sent = [INVITE, options(), BYE.replaceAll('Route: ', 'X: ')].map((text) => {
    const outcome = proxied(text)
    if (outcome.kind !== 'forwarded') throw new Error(`not forwarded: ${text}`)
    return readRequest(outcome.text)
  })
  const own = values(sent[0] as SipRequest, 'Record-Route')[0] ?? ''
  return [
    ...sent.map(({ text }) => text),
    ...sent.flatMap((request) =>
      [180, 200, 404].map((status) => buildResponse(request, status, undefined, { toTag: 'b' })),
    ),
    BYE.replace('Route: ', `Route: ${own}, `),
    // Of a strict router.
    BYE.replace('sip:bob@127.0.0.3', own.slice(1, -1)),
  ]
}

const CORPUS: readonly string[] = [
  ...ofTheSet(),
  INVITE,
  BYE,
  OK,
  options(),
  options({}, ['Contact: *', 'Record-Route: <sip:a;lr>,<sip:[::1];lr>', 'Route: "q\\"" <sips:h>', 'Subject: a\r\n b']),
  // Answers to what the set itself sent, and requests that come back to it.
  OK.replace('127.0.0.10', '192.0.2.250'),
  BYE.replace('127.0.0.10', '192.0.2.250'),
  INVITE.replace('bob@example.com', 'bob@192.0.2.250'),
  ...['rfc4475', 'rfc5118'].flatMap((folder) =>
    readdirSync(new URL(`../torture/${folder}/`, import.meta.url))
      .sort()
      .map((name) => torture(`${folder}/${name.slice(0, -'.dat'.length)}`)),
  ),
]

export function makeInput(seed: number, number: number): Input {
  // Neighbours have nothing in common: the generator mixes its seed.
  const own = random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca77))
  return { text: makeText(own), random: own }
}

function makeText(random: Random): string {
  const kind = random.below(100)
  if (kind < 60) return mutated(random, pick(random, CORPUS))
  if (kind < 75) return mutated(random, crossed(random))
  if (kind < 97) return withLength(random, crossed(random))
  if (kind === 97 && random.below(4) === 0) return piled(random)
  return noise(random)
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T
}

/** A few places cut out, doubled, overwritten, or repeated. */
function mutated(random: Random, original: string): string {
  let text = original
  for (let changes = 1 + random.below(2) * random.below(4); changes > 0; changes--) {
    const at = random.below(text.length + 1)
    const to = Math.min(text.length, at + random.below(random.below(4) === 0 ? 60 : 4))
    text = text.slice(0, at) + replacement(random, text.slice(at, to)) + text.slice(to)
  }
  return random.below(3) === 0 ? text : withLength(random, text)
}

function replacement(random: Random, old: string): string {
  switch (random.below(7)) {
    case 0:
      return ''
    case 1:
      return old + old
    case 2:
      return String.fromCharCode(random.below(256))
    case 3:
      return `${pick(random, HEADERS)}\r\n`
    case 4:
      return pick(random, PIECES).repeat(1 + random.below(random.below(50) === 0 ? 500 : 3))
    default:
      return pick(random, PIECES) + old
  }
}

/** The head of one message with headers of others among its own. */
function crossed(random: Random): string {
  const [head = '', body = ''] = pick(random, CORPUS).split('\r\n\r\n')
  const lines = head.split('\r\n')
  for (let more = random.below(4); more > 0; more--) {
    const other =
      random.below(2) === 0 ? HEADERS : (pick(random, CORPUS).split('\r\n\r\n')[0] ?? '').split('\r\n').slice(1)
    const at = 1 + random.below(lines.length)
    if (other.length > 0) lines.splice(at, random.below(2), pick(random, other))
  }
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

/** With the Content-Length that it has, so that more than the length is looked at. */
function withLength(random: Random, text: string): string {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0 || random.below(8) === 0) return text
  const length = text.length - end - 4
  return text.slice(0, end).replace(/(\r\n(?:content-length|l)[ \t]*:[ \t]*)[^\r\n]*/i, `$1${length}`) + text.slice(end)
}

/** One thing as often as it fits, up to the limits and a little over them. */
function piled(random: Random): string {
  const piece = random.below(2) === 0 ? pick(random, PIECES) : `${pick(random, HEADERS)}\r\n`
  const most = pick(random, [1_000, sipLimits.line, sipLimits.message + 500])
  const filling = piece.repeat(Math.max(1, Math.floor(random.below(most) / piece.length)))
  const base = pick(random, CORPUS)
  const line = base.indexOf('\r\n') + 2
  const at = random.below(2) === 0 ? line : random.below(base.length)
  return withLength(random, base.slice(0, at) + filling + base.slice(at))
}

function noise(random: Random): string {
  let text = random.below(2) === 0 ? 'OPTIONS sip:h SIP/2.0\r\n' : ''
  for (let left = random.below(200); left > 0; left--) {
    text += random.below(3) === 0 ? pick(random, PIECES) : String.fromCharCode(random.below(256))
  }
  return text
}
