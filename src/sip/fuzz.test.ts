// What must hold for any bytes: no exception, no line break out of an accessor, and an edited message is the old one
// with exactly what was asked for.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildRequest, buildResponse } from './build.ts'
import { edit } from './edit.ts'
import * as sip from './message.ts'
import type { SipMessage } from './message.ts'
import { parseNameAddr } from './name-addr.ts'
import { StreamFramer } from './stream.ts'
import { BYE, INVITE, OK, options, read } from './testing/messages.ts'
import { equalUris, normalEscapes, parseUri } from './uri.ts'
import { parseVia } from './via.ts'

const SEEDS = [
  INVITE,
  BYE,
  OK,
  options({}, ['Contact: *', 'Record-Route: <sip:a;lr>,<sip:[::1];lr>', 'Route: "q\\"" <sips:h>', 'Subject: a\r\n b']),
]
const PIECES = [
  '\r\n',
  '\r',
  '\n',
  '\r\n ',
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
  '%',
  '\0',
  '\xff',
  '0',
  'v: ',
  'l: 1\r\n',
  'SIP/2.0',
  '[',
  ']',
]

/** A seed with a few places cut out, doubled or overwritten. */
const mutated = fc
  .record({
    seed: fc.constantFrom(...SEEDS),
    changes: fc.array(
      fc.record({ at: fc.nat(), cut: fc.nat(3), put: fc.oneof(fc.constantFrom(...PIECES), fc.constant('')) }),
      { maxLength: 4 },
    ),
  })
  .map(({ seed, changes }) => {
    let text = seed
    for (const { at, cut, put } of changes) {
      const place = at % (text.length + 1)
      text = text.slice(0, place) + put + text.slice(place + cut)
    }
    return text
  })

/** Everything that the accessors say about a message. */
function everything(message: SipMessage): unknown[] {
  const names = ['via', 'From', 'contact', 'x-folded', 'ALLOW', 's', 'route', 'content-length', 'nothing']
  const start = message.kind === 'request' ? [message.method, message.requestUri] : [message.reason]
  return [
    ...start,
    sip.callId(message),
    sip.cseq(message).method,
    sip.fromTag(message),
    sip.toTag(message),
    sip.from(message),
    sip.to(message),
    sip.topVia(message),
    ...sip.vias(message),
    ...sip.routes(message),
    ...sip.recordRoutes(message),
    ...sip.contacts(message),
    ...names.flatMap((name) => [
      sip.header(message, name),
      ...sip.headers(message, name),
      ...sip.values(message, name),
    ]),
  ]
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof Map) return [...value].flatMap(strings)
  if (Array.isArray(value)) return value.flatMap(strings)
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(strings) : []
}

/** Headers by line, without those that the edit below changes. */
function untouched(message: SipMessage): string {
  const head = message.text.slice(message.text.indexOf('\r\n'), message.index.bodyStart)
  const lines = head.replaceAll('\r\n ', '\0 ').replaceAll('\r\n\t', '\0\t').split('\r\n')
  return lines.filter((line) => !/^(via|v|record-route|max-forwards)[ \t]*:/i.test(line)).join('\r\n')
}

test('mutated bytes: never an exception, never a line break out of an accessor; parse then print is the identity', () => {
  let accepted = 0
  fc.assert(
    fc.property(mutated, (text) => {
      const parsed = sip.parseMessage(text)
      const message = parsed.ok ? parsed.value : parsed.error.answerable
      if (message === null) return
      expect(strings(everything(message)).filter((value) => value.includes('\r') || value.includes('\n'))).toEqual([])
      if (message.kind === 'request')
        buildResponse(message, 400, undefined, { toTag: 't', viaParams: [['received', '::1']] })
      if (!parsed.ok) return
      accepted++
      expect(edit(message).print()).toBe(message.text)
    }),
    { numRuns: 3_000, seed: 1 },
  )
  expect(accepted).toBeGreaterThan(300)
})

test('mutated bytes: what was read and relayed is read by the next hop, with exactly our changes', () => {
  let relayed = 0
  fc.assert(
    fc.property(mutated, (text) => {
      const parsed = sip.parseMessage(text)
      if (!parsed.ok) return
      relayed++
      const before = parsed.value
      const there = read(
        edit(before).prependVia('SIP/2.0/UDP p;branch=z').prependRecordRoute('<sip:p;lr>').maxForwards(9).print(),
      )
      expect(sip.values(there, 'via')).toEqual(['SIP/2.0/UDP p;branch=z', ...sip.values(before, 'via')])
      expect(sip.values(there, 'record-route')).toEqual(['<sip:p;lr>', ...sip.values(before, 'record-route')])
      expect([sip.maxForwards(there), sip.body(there)]).toEqual([9, sip.body(before)])
      expect(untouched(there)).toBe(untouched(before))

      // ...and on the way back the top Via goes, whatever shares its line.
      const back = edit(there).removeTopVia().print()
      expect(sip.values(read(back), 'via')).toEqual(sip.values(before, 'via'))
      // Routes that were read are the values of their lines.
      expect(sip.routes(before)).toHaveLength(sip.values(before, 'route').length)
    }),
    { numRuns: 1_500, seed: 2 },
  )
  expect(relayed).toBeGreaterThan(150)
})

test('print then parse: a built request says what it was built from', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._~'), minLength: 1, maxLength: 12 })
  const text = fc.string({ unit: fc.constantFrom(...'ab ,;"<>\\\xe9=:'), maxLength: 20 })
  const body = fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes))
  fc.assert(
    fc.property(
      fc.record({ method: word, user: word, tag: word, id: word, number: fc.nat(0x7fff_ffff), subject: text, body }),
      (x) => {
        const message = read(
          buildRequest({
            method: x.method,
            requestUri: `sip:${x.user}@h`,
            headers: [
              ['Via', `SIP/2.0/UDP h;branch=${x.id}`],
              ['From', `<sip:${x.user}@h>;tag=${x.tag}`],
              ['To', `sip:${x.user}@h`],
              ['Call-ID', x.id],
              ['CSeq', `${x.number} ${x.method}`],
              ['Subject', x.subject],
            ],
            body: x.body,
          }),
        )
        expect([
          sip.callId(message),
          sip.cseq(message),
          sip.fromTag(message),
          sip.to(message).uri,
          sip.topVia(message)?.branch,
        ]).toEqual([x.id, { number: x.number, method: x.method }, x.tag, `sip:${x.user}@h`, x.id])
        expect([sip.header(message, 's'), sip.body(message)]).toEqual([x.subject.trim(), x.body])
      },
    ),
    { numRuns: 300 },
  )
})

test('any bytes in any pieces: the framer never throws and never holds more than the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(mutated, fc.constantFrom(...PIECES)), { maxLength: 6 }), (chunks) => {
      const framer = new StreamFramer()
      const events = chunks.flatMap((chunk) => framer.push(chunk))
      expect(events.filter((event) => event.kind === 'broken').length).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})

// The slow-input table. Each input is of a size at which work that grows with the square of the length takes minutes
// (10^12 steps); the table as a whole takes a fraction of a second. A regression hangs the test; no clock is looked at.
const MILLION = 1_000_000
const many = (piece: string): string => piece.repeat(MILLION / piece.length)

test.each<[name: string, run: () => unknown]>([
  ['name-addr: quotes', () => parseNameAddr(many('"'))],
  ['name-addr: backslashes', () => parseNameAddr(`"${many('\\')}`)],
  ['name-addr: an open quote', () => parseNameAddr(`"${many('a')}`)],
  ['name-addr: words without an end', () => parseNameAddr(many('a '))],
  ['name-addr: white space', () => parseNameAddr(many(' '))],
  ['name-addr: folds', () => parseNameAddr(`"${many('a\r\n ')}" <sip:h>`)],
  ['name-addr: escapes', () => parseNameAddr(`"${many('\\"')}" <sip:h>`)],
  ['name-addr: brackets', () => parseNameAddr(many('<'))],
  ['name-addr: semicolons', () => parseNameAddr(`<sip:h>${many(';')}`)],
  [
    'name-addr: parameters',
    () => parseNameAddr(`<sip:h>${Array.from({ length: MILLION / 10 }, (_, i) => `;p${i}`).join('')}`),
  ],
  ['name-addr: white space in parameters', () => parseNameAddr(`<sip:h>;a ${many(' ')}x`)],
  ['via: slashes', () => parseVia(many('SIP/'))],
  ['via: white space', () => parseVia(`SIP/2.0/UDP ${many(' ')}`)],
  ['via: brackets', () => parseVia(`SIP/2.0/UDP ${many('[')}`)],
  ['via: colons', () => parseVia(`SIP/2.0/UDP [${many(':')}`)],
  ['via: digits', () => parseVia(`SIP/2.0/UDP h:${many('9')}`)],
  ['via: an open quote', () => parseVia(`SIP/2.0/UDP h;x="${many('\\"')}`)],
  ['uri: at signs', () => parseUri(`sip:${many('@')}`)],
  ['uri: colons', () => parseUri(`sip:${many(':')}`)],
  ['uri: semicolons', () => parseUri(`sip:h${many(';')}`)],
  ['uri: parameters', () => parseUri(`sip:h${Array.from({ length: MILLION / 10 }, (_, i) => `;p${i}`).join('')}`)],
  ['uri: percents', () => normalEscapes(many('%'))],
  ['uri: escapes', () => normalEscapes(many('%41'))],
  [
    'uri: headers',
    () => {
      const uri = parseUri(`sip:h?${many('a&')}`)
      return uri === null || equalUris(uri, uri)
    },
  ],
])('slow input: %s', (_name, run) => {
  expect(() => run()).not.toThrow()
})

test.each<[name: string, message: string]>([
  ['one Contact of quotes', options({}, [`Contact: ${'"'.repeat(8_000)}`])],
  ['one Contact of brackets and commas', options({}, [`Contact: ${'<,'.repeat(4_000)}`])],
  [
    'folds',
    options(
      {},
      Array.from({ length: 200 }, () => `X:${'\r\n '.repeat(100)}`),
    ),
  ],
  ['empty headers', `OPTIONS sip:h SIP/2.0\r\n${'t:\r\n'.repeat(16_000)}\r\n`],
  [
    'late first of many',
    `OPTIONS sip:h SIP/2.0\r\nv:SIP/2.0/UDP h\r\n${'x:\r\n'.repeat(8_000)}${'t:\r\n'.repeat(8_000)}\r\n`,
  ],
  ['lines without a name', `OPTIONS sip:h SIP/2.0\r\nv:SIP/2.0/UDP h\r\n${'\t\r\n'.repeat(16_000)}\r\n`],
  [
    'Vias of commas',
    options(
      {},
      Array.from({ length: 200 }, () => `v:${','.repeat(300)}`),
    ),
  ],
  ['line breaks only', '\r\n'.repeat(32_000)],
  ['carriage returns only', `OPTIONS sip:h SIP/2.0\r\n${'\r'.repeat(60_000)}`],
])('slow input: a message of %s, read 20 times', (_name, text) => {
  const codes = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const parsed = sip.parseMessage(text)
    const message = parsed.ok ? parsed.value : parsed.error.answerable
    codes.add(parsed.ok ? 'ok' : parsed.error.code)
    if (message === null) continue
    everything(message)
    if (message.kind === 'request') buildResponse(message, 400, undefined, { toTag: 't' })
  }
  expect(codes.size).toBe(1)
})

test('slow input: a message of 64 kB that arrives byte by byte', () => {
  const framer = new StreamFramer()
  const text = `${options(
    { 'Content-Length': '30000' },
    Array.from({ length: 250 }, () => `X: ${'y'.repeat(120)}`),
  )}${'b'.repeat(30_000)}`
  const events = [...text.repeat(3)].flatMap((character) => framer.push(character))
  expect(events).toHaveLength(3)
})
