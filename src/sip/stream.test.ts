import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sipLimits } from './limits.ts'
import { type FrameEvent, StreamFramer } from './stream.ts'
import { BYE, INVITE, OK, options } from './testing/messages.ts'

function framed(...chunks: readonly string[]): FrameEvent[] {
  const framer = new StreamFramer()
  return chunks.flatMap((chunk) => framer.push(chunk))
}

const message = (text: string): FrameEvent => ({ kind: 'message', text })
const broken = (reason: string): FrameEvent => ({ kind: 'broken', reason })

test('18.3: messages by Content-Length, in one chunk', () => {
  expect(framed(INVITE + OK + BYE)).toEqual([message(INVITE), message(OK), message(BYE)])
})

test('18.3: however the chunks are cut', () => {
  const stream = `${INVITE}\r\n\r\n${OK}\r\n${BYE}`
  const whole = framed(stream)
  expect(whole).toEqual([message(INVITE), { kind: 'ping' }, message(OK), message(BYE)])
  expect(framed(...stream)).toEqual(whole)
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length]
      expect(framed(...places.slice(1).map((to, i) => stream.slice(places[i], to)))).toEqual(whole)
    }),
    { numRuns: 200 },
  )
})

test('RFC 5626 4.4.1: a double CRLF is a ping, a single one is not', () => {
  expect(framed('\r\n\r\n')).toEqual([{ kind: 'ping' }])
  expect(framed('\r', '\n', '\r', '\n', '\r\n\r\n')).toEqual([{ kind: 'ping' }, { kind: 'ping' }])
  expect(framed(`\r\n${BYE}\r\n`, BYE)).toEqual([message(BYE), message(BYE)])
})

test('20.14: compact, folded and padded lengths count like any other', () => {
  for (const name of ['l: 4', 'L : 4', 'Content-Length:\r\n  4 ', 'content-length:0004']) {
    const text = `${options({ 'Content-Length': null }, [name])}body`
    expect(framed(text + BYE)).toEqual([message(text), message(BYE)])
  }
})

test.each([
  ['content-length-missing', options({ 'Content-Length': null })],
  ['content-length-repeated', options({}, ['l: 0'])],
  ['content-length', options({ 'Content-Length': '-1' })],
  ['content-length', options({ 'Content-Length': '0, 0' })],
  ['content-length', options({ 'Content-Length': '' })],
  ['message-too-long', options({ 'Content-Length': '65536' })],
  ['message-too-long', options({ 'Content-Length': '9'.repeat(40) })],
  ['header-name', options({}, ['no colon'])],
  ['bare-line-break', options({}, ['X: a\nContent-Length: 5'])],
  ['not-sip', '\x16\x03\x01\x02\x00'],
  ['not-sip', '\n'],
  ['not-sip', '\r\r'],
  ['not-sip', ' INVITE'],
])('the boundaries are lost: %s; nothing comes after', (reason, text) => {
  expect(framed(INVITE + text + OK, OK)).toEqual([message(INVITE), broken(reason)])
  expect(framed(...INVITE, ...text, ...OK)).toEqual([message(INVITE), broken(reason)])
})

test('a head without an end is given up at the limit', () => {
  const framer = new StreamFramer()
  const events: FrameEvent[] = []
  const chunk = 'X'.repeat(1_000)
  let pushed = 0
  for (; events.length === 0 && pushed < 2 * sipLimits.message; pushed += chunk.length)
    events.push(...framer.push(chunk))
  expect(events).toEqual([broken('message-too-long')])
  expect(pushed).toBeLessThan(sipLimits.message + 2 * chunk.length)
})

test('a message of exactly the limit passes, byte by byte and in large chunks', () => {
  const head = options({ 'Content-Length': '65000' })
  const text = head + 'b'.repeat(65_000)
  expect(framed(...text)).toEqual([message(text)])
  const full = options({ 'Content-Length': '65100' })
  const rest = sipLimits.message - full.length - 65_100
  const exact =
    options({ 'Content-Length': '65100', 'X-Pad': 'p'.repeat(rest - 'X-Pad: \r\n'.length) }) + 'b'.repeat(65_100)
  expect(exact.length).toBe(sipLimits.message)
  expect(framed(exact + BYE)).toEqual([message(exact), message(BYE)])
})
