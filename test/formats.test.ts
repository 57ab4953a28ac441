// What a format is never changes once it was released: a set holds what older releases wrote, and replicas of two releases talk to
// one another (docs/UPGRADING.md). formats/format-N.txt has the bytes of one value of each kind. They change only while no release
// has that format; then HOLDFAST_REWRITE=1 writes them anew. After that, what is new gets a format of its own.

import { readFileSync, writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { replicaId } from '../src/base/brand.ts'
import { stamp } from '../src/base/instant.ts'
import {
  decodeBody,
  decodeEntry,
  decodeFrame,
  decodeRecord,
  decodeSnapshotPart,
  encodeBody,
  encodeEntry,
  encodeFrame,
  encodeRecord,
  encodeSnapshotPart,
} from '../src/wire/codec.ts'
import { KNOWN_FORMATS } from '../src/wire/formats.ts'
import type { FormatNumber, Formats } from '../src/wire/formats.ts'
import { recoverLog, segmentName } from '../src/wire/recovery.ts'
import { frameRecords } from '../src/wire/segment.ts'
import { parseSnapshotTitle } from '../src/wire/snapshot-file.ts'
import { ok } from '../src/base/result.ts'
import { entityBytes, entityValue, treeOf } from '../src/call/entities.ts'
import type { Result } from '../src/base/result.ts'
import {
  boundParty,
  bodies,
  entities,
  fork,
  reliable,
  frames,
  messages,
  parts,
  records,
  refreshed,
  ruled,
  watched,
} from './formats/values.ts'
import { hostedApplication, hostedSession } from './formats/values.ts'

interface Sample {
  readonly name: string
  readonly value: unknown
  encode(format: FormatNumber): Uint8Array
  decode(bytes: Uint8Array, formats: Formats): Result<unknown, string>
}

/** What older formats have no room for, as they give it back. */
const lost: Readonly<Record<FormatNumber, Readonly<Record<string, object>>>> = {
  1: {
    'entity invite': { cancelAnswer: null },
    'entity dialog': { callee: { ...boundParty, stream: '' } },
    'entity session': { began: stamp(1_700_000_000_000_000), answered: null },
    'body pulse': { audit: null },
    'frame pass': { to: null },
    'part head': { format: 1, keysSince: [] },
  },
  2: {},
}

/** What they don't have at all. */
const absent: Readonly<Record<FormatNumber, readonly string[]>> = {
  1: [
    'body book',
    'frame ask',
    'frame answer',
    'frame order',
    'frame ordered',
    'frame passed-on',
    'part book',
    'part events',
    'entity fork',
    'entity refreshed',
    'entity ruled',
    'entity watched',
    'entity own',
    'entity leg',
    'entity uas',
    'entity reliable',
    'entity uac',
    'entity ban',
    'entity access',
    'entity alias',
    'entity heard',
    'entity told',
    'entity timer',
    'entity hosted application-session',
    'entity hosted session',
  ],
  2: [],
}

const clock = { cluster: null, wall: stamp(1) }
const inFrame = (message: (typeof messages)[keyof typeof messages]) =>
  ({ kind: 'raft', messages: [message], clock, applied: message.term }) as never

const samples: readonly Sample[] = [
  ...Object.entries(bodies).map(([kind, value]) => ({
    name: `body ${kind}`,
    value,
    encode: (format: FormatNumber) => encodeBody(value, format),
    decode: decodeBody,
  })),
  ...Object.entries(frames).map(([kind, value]) => ({
    name: `frame ${kind}`,
    value,
    encode: (format: FormatNumber) => encodeFrame(value, format),
    decode: decodeFrame,
  })),
  ...Object.entries(messages).map(([kind, value]) => ({
    name: `message ${kind}`,
    value: inFrame(value),
    encode: (format: FormatNumber) => encodeFrame(inFrame(value), format),
    decode: decodeFrame,
  })),
  ...Object.entries(records).map(([kind, value]) => ({
    name: `record ${kind}`,
    value,
    encode: (format: FormatNumber) => encodeRecord(value, format),
    decode: decodeRecord,
  })),
  ...Object.entries({
    ...entities,
    fork,
    reliable,
    ruled,
    watched,
    refreshed,
    'hosted application-session': hostedApplication,
    'hosted session': hostedSession,
  }).map(([kind, value]) => ({
    name: `entity ${kind}`,
    value,
    encode: (format: FormatNumber) => entityBytes(value, format),
    decode: (bytes: Uint8Array) => ok(entityValue({ tree: treeOf(value), bytes })),
  })),
  ...Object.entries(parts).map(([kind, value]) => ({
    name: `part ${kind}`,
    value,
    encode: (format: FormatNumber) => encodeSnapshotPart(value, format),
    decode: decodeSnapshotPart,
  })),
]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe.each([1, 2] as const)('format %i', (format) => {
  const own = samples.filter(({ name }) => !absent[format].includes(name))
  const file = new URL(`formats/format-${format}.txt`, import.meta.url)
  if (process.env['HOLDFAST_REWRITE'] === '1') {
    writeFileSync(file, own.map(({ name, encode }) => `${name}: ${hex(encode(format))}\n`).join(''))
  }
  const golden = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(': ') as [string, string]),
  )

  test('it has one line for each sample', () => {
    expect([...golden.keys()]).toEqual(own.map(({ name }) => name))
  })

  test.each(own)('$name is written as it always was, and what was written is read', (sample) => {
    const { name, value, encode, decode } = sample
    expect(hex(encode(format))).toBe(golden.get(name))
    const back = { ...(value as object), ...lost[format][name] }
    expect(decode(Buffer.from(golden.get(name) ?? '', 'hex'), KNOWN_FORMATS)).toEqual({ ok: true, value: back })
  })
})

test('a raise is two bytes in all formats, and any release reads it, whatever format it names', () => {
  const raise = { kind: 'raise', format: 7 } as const
  expect([encodeBody(raise, 1), encodeBody(raise, 2)]).toEqual([Uint8Array.of(0, 7), Uint8Array.of(0, 7)])
  const entry = encodeEntry(stamp(5), encodeBody(raise))
  expect(decodeEntry(entry, { oldest: 1, newest: 1 })).toEqual({ ok: true, value: { stamp: 5, body: raise } })
})

test.each([
  ['below the second, which is where every set begins', [0, 1]],
  ['none', [0]],
  ['more than one', [0, 2, 3]],
])('a raise to no format is refused: %s', (_, bytes) => {
  expect(decodeBody(Uint8Array.from(bytes))).toEqual({ ok: false, error: 'body: a raise without a format' })
})

describe('what is not read is refused, and the reason says what to do', () => {
  const first = { oldest: 1, newest: 1 }
  const both = { oldest: 1, newest: 2 }
  const later = { oldest: 2, newest: 2 }
  const cases = samples.filter(({ name }) => ['body key', 'frame relay', 'record state', 'part end'].includes(name))
  test.each(cases)('$name', ({ encode, decode }) => {
    const unknown = encode(2)
    unknown[0] = 9
    expect(decode(unknown, both)).toMatchObject({
      error: expect.stringMatching(/: format 9, and this replica reads formats 1 to 2: start a release that reads it/),
    })
    expect(decode(encode(2), first)).toMatchObject({
      error: expect.stringMatching(
        /: format 2, and this replica reads format 1, because formats\.most keeps it there: take that out of its config/,
      ),
    })
    expect(decode(encode(1), later)).toMatchObject({
      error: expect.stringMatching(
        /: format 1, and this replica reads format 2: start a release between that reads both/,
      ),
    })
  })
})

describe('files', () => {
  const title = { format: 9, set: '0123456789abcdef', replica: 1, incarnation: 'aa', segment: 1, previous: 0 }
  const said = 'a title of format 9, and this release reads titles of format 1: start a release that reads it'
  const payload = (holdfast: string): Uint8Array => Buffer.from(JSON.stringify({ holdfast, ...title }))

  test('a log of a later release is refused, and nothing of it is touched', () => {
    const { bytes } = frameRecords([payload('log')], 0, 0, crc32)
    const owner = { set: title.set, replica: replicaId(1), hasRun: true }
    expect(recoverLog('data', [{ name: segmentName(1), bytes }], owner, crc32)).toEqual({
      ok: false,
      error: expect.stringContaining(`data/log-000001.wal has ${said}`),
    })
  })

  test('so is its snapshot', () => {
    expect(parseSnapshotTitle(payload('snapshot'))).toEqual({
      ok: false,
      error: expect.stringContaining(`it has ${said}`),
    })
  })
})
