import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { index, replicaId, term } from '../src/base/brand.ts'
import { configuration } from '../src/raft/configuration.ts'
import { crc32 } from './crc32.ts'
import { Disk } from './disk.ts'
import type { Tail } from './fault.ts'

/** Each byte has several bits: of one that has a single bit and is lost with its sector nobody can tell that it didn't flip, and a start
 * refuses such a log. */
const MARK = 0x30
const record = (n: number, length = 40): Uint8Array => new Uint8Array(length).fill(MARK + n)

function open(disk: Disk, hasRun = true): ReturnType<Disk['open']> {
  return disk.open('sim', replicaId(1), hasRun)
}

/** The numbers of the records that a start reads back, but for those of lives. */
function readBack(disk: Disk): readonly number[] {
  const opened = open(disk)
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  return opened.records.filter((bytes) => bytes.every((byte) => byte === bytes[0])).map(([first = 0]) => first - MARK)
}

/** A disk with records 1 and 2 synced, and 3, 4, 5 in the write that is under way. */
function halfSynced(length = 40): Disk {
  const disk = new Disk('ab')
  open(disk, false)
  for (const n of [1, 2]) {
    disk.write([record(n, length)])
    disk.sync()
  }
  disk.write([record(3, length), record(4, length), record(5, length)])
  return disk
}

describe('Disk', () => {
  it.each<readonly [Tail, number, readonly number[]]>([
    ['kept', 0, [1, 2, 3, 4, 5]],
    ['part', 250_000, [1, 2, 3]],
    ['part', 999_999, [1, 2, 3, 4, 5]],
    ['lost', 999_999, [1, 2]],
    ['torn', 500_000, [1, 2, 3, 4]],
    ['holed', 0, [1, 2]],
  ])('a crash with its tail %s (%i) leaves what was synced and %j', (tail, share, left) => {
    const disk = halfSynced()
    expect(disk.crash(tail, share)).toBe(left.length - 2)
    expect(readBack(disk)).toEqual(left)
  })

  it('whatever a crash leaves, the shipping recovery reads all that was synced, goes on behind it, and does so again', () => {
    const tails = fc.constantFrom<Tail>('kept', 'part', 'lost', 'torn', 'holed')
    fc.assert(
      fc.property(tails, tails, fc.nat(999_999), fc.integer({ min: 1, max: 1_500 }), (first, second, share, length) => {
        const disk = halfSynced(length)
        disk.crash(first, share)
        const once = readBack(disk)
        expect([1, 2, 3, 4, 5].slice(0, Math.max(2, once.length))).toEqual(once)
        disk.write([record(6, length)])
        disk.sync()
        disk.write([record(7, length)])
        disk.crash(second, share)
        const twice = readBack(disk)
        expect([...once, 6, 7].slice(0, Math.max(once.length + 1, twice.length))).toEqual(twice)
      }),
      { numRuns: 300 },
    )
  })

  it('each start is another life of one incarnation', () => {
    const disk = halfSynced()
    disk.crash('kept', 0)
    const lives = [open(disk), open(disk)].map((opened) => (opened.kind === 'opened' ? opened.life : opened))
    expect(lives).toEqual(['1.ab.2', '1.ab.3'])
  })

  it('a flipped bit in what was synced is told with file and offset, and mended it starts', () => {
    fc.assert(
      fc.property(fc.nat(999_999), (share) => {
        const disk = halfSynced()
        disk.crash('kept', 0)
        expect(disk.damage('flipped', share)).toBe(true)
        const reason = expect.stringMatching(/^replica-1\/log-000001\.wal is damaged at offset \d+: /) as string
        expect(open(disk)).toEqual({ kind: 'refused', reason, isRight: true })
        disk.mend()
        expect(readBack(disk)).toEqual([1, 2, 3, 4, 5])
      }),
    )
  })

  it('a replica that has run does not start without its log; a new one does', () => {
    const disk = halfSynced()
    disk.crash('kept', 0)
    disk.damage('gone', 0)
    const reason = expect.stringContaining('its log is gone') as string
    expect(open(disk)).toEqual({ kind: 'refused', reason, isRight: true })
    expect(open(new Disk('cd'), false)).toMatchObject({ kind: 'opened', life: '1.cd.1', records: [] })
  })

  it('a full disk takes no new life', () => {
    const disk = halfSynced()
    disk.crash('lost', 0)
    disk.isFull = true
    expect(open(disk)).toMatchObject({ kind: 'refused', isRight: true })
    disk.isFull = false
    expect(readBack(disk)).toEqual([1, 2])
  })

  it('keeps its own bytes', () => {
    const disk = halfSynced()
    const bytes = record(6)
    disk.write([bytes])
    bytes.fill(9)
    expect(disk.records.at(-1)).toEqual(record(6))
  })
})

describe('crc32', () => {
  it("is zlib's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(0xffff_ffff), (bytes, before) => {
        expect(crc32(bytes, before)).toBe(zlibCrc32(bytes, before))
      }),
    )
  })
})

describe('Disk with snapshots', () => {
  const metadata = (at: number) => ({ index: index(at), term: term(1), configuration: configuration([replicaId(1)]) })

  /** Records 1, 2 in the first segment, 3 in one that a rotation began; a snapshot beside them, up to `step` of its finish. */
  function compacted(step: 'begun' | 'named' | 'settled' | 'tidied'): Disk {
    const disk = new Disk('ab')
    open(disk, false)
    disk.write([record(1), record(2)])
    disk.sync()
    disk.write([record(3)], true)
    disk.sync()
    disk.snapshots.begin(metadata(2))
    disk.snapshots.add([record(7, 5_000), record(8)])
    if (step !== 'begun') disk.nameSnapshot()
    if (step === 'settled' || step === 'tidied') expect(disk.settleSnapshot()).toBe(3)
    if (step === 'tidied') while (disk.tidy());
    return disk
  }

  function snapshotOf(disk: Disk): readonly number[] | null {
    const opened = open(disk)
    if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
    return opened.snapshot?.parts.map(([first = 0]) => first - MARK) ?? null
  }

  it.each([
    ['begun', 1, null, [1, 2, 3]],
    ['named', 0, null, [1, 2, 3]],
    ['named', 1, [7, 8], [3]],
    ['settled', 0, [7, 8], [3]],
    ['tidied', 0, [7, 8], [3]],
  ] as const)(
    'a crash at "%s" (%i): the snapshot counts exactly if its name is durable',
    (step, share, parts, left) => {
      for (const read of [snapshotOf, readBack] as const) {
        const disk = compacted(step)
        disk.crash('kept', share)
        expect(read(disk)).toEqual(read === snapshotOf ? parts : left)
      }
    },
  )

  it.each([0, 1, 2, 3, 400_002, 999_999])(
    'a rotation that was under way leaves a segment that can be read (%i)',
    (share) => {
      for (const tail of ['kept', 'part', 'lost', 'torn', 'holed'] as const) {
        const disk = compacted('tidied')
        disk.write([record(4), record(5)], true)
        disk.crash(tail, share)
        const left = readBack(disk)
        expect([3, 4, 5].slice(0, left.length)).toEqual(left)
        expect(left[0]).toBe(3)
        disk.write([record(6)])
        disk.sync()
        disk.crash('kept', 0)
        expect(readBack(disk)).toEqual([...left, 6])
      }
    },
  )

  it('a flipped bit of a snapshot, or of any segment after it, is refused; one of what it replaced is never read', () => {
    fc.assert(
      fc.property(fc.nat(999_999), (share) => {
        const disk = compacted('tidied')
        disk.write([record(4)])
        disk.sync()
        disk.crash('kept', 0)
        expect(disk.damage('flipped', share)).toBe(true)
        expect(open(disk)).toMatchObject({ kind: 'refused', isRight: true })
        disk.mend()
        expect(readBack(disk)).toEqual([3, 4])
      }),
      { seed: 1, numRuns: 60 },
    )
  })
})
