import { describe, expect, it } from 'vitest'
import { drawPlan } from '../plan.ts'
import { calm } from '../scenarios.ts'
import { simulate } from '../simulate.ts'
import { ladderText } from './ladder-text.ts'
import { absencesOf, happeningOf } from './happenings.ts'
import { record } from './recorder.ts'

const second = 1_000_000

describe('a recorded run', () => {
  it('is the run that it would be with nobody recording', () => {
    for (const seed of [3]) expect(record(drawPlan(seed)).result).toEqual(simulate(drawPlan(seed)))
  })

  it('has every message of a calm call, from phone to phone by way of the owner', () => {
    const { ways, commits, reigns } = record(calm(1, [{ flow: 'refused', at: 3 * second }], []))
    const between = ways.filter(({ from, to }) => typeof from === 'string' || typeof to === 'string')
    expect(between.map(({ from, label }) => `${typeof from === 'number' ? 'set' : from} ${label}`)).toEqual([
      'caller INVITE',
      'set INVITE',
      'set 100 INVITE',
      'callee 486 INVITE',
      'set ACK',
      'set 486 INVITE',
      'caller ACK',
    ])
    expect(ways.filter(({ call, arrivedAt }) => call !== 1 || arrivedAt === null)).toEqual([])
    const [owner] = reigns
    expect(commits.map(({ call, replica }) => [call, replica])).toEqual(commits.map(() => [1, owner?.owner]))
  })

  it('tells who was away, and how', () => {
    const { absences } = record(
      calm(
        2,
        [],
        [
          { kind: 'kill', at: 3 * second, replica: 1, effects: 0, tail: 'lost', restartAfter: 2 * second },
          { kind: 'pause', at: 8 * second, replica: 2, effects: 0, length: second },
          {
            kind: 'partition',
            at: 12 * second,
            until: 14 * second,
            replica: 3,
            other: null,
            way: 'both',
            resets: true,
          },
        ],
        20,
      ),
    )
    expect(absences).toMatchObject([
      { replica: 1, kind: 'dead' },
      { replica: 2, kind: 'paused' },
      { replica: 3, kind: 'cut', from: 12 * second, until: 14 * second },
    ])
    for (const { from, until } of absences) expect(until).toBeGreaterThan(from)
  })
})

describe('a ladder', () => {
  it('shows a call, its owner and its commits', () => {
    const text = ladderText(record(calm(1, [{ flow: 'basic', at: 3 * second }], [])))
    expect(text).toContain('call 1 (basic)')
    for (const what of [/-INVITE-+>/, /<-+180 INVITE-/, /<-+200 INVITE-/, /-ACK-+>/, /-BYE-+>/, /<-+200 BYE-/]) {
      expect(text).toMatch(what)
    }
    expect(text).toMatch(/= owns the call/)
    expect(text).toMatch(/commit \d+ \(acks [\d,]+\): invite/)
  })

  it('fits 120 columns and a few screens, and times never fall', () => {
    for (const seed of [1, 4]) {
      const lines = ladderText(record(drawPlan(seed))).split('\n')
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120)
      expect(lines.length).toBeLessThan(250)
      const times = lines.map((line) => Number(line.slice(0, 11))).filter((time) => time > 0)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }
  })

  it('leaves a gap where a replica is dead', () => {
    const plan = calm(
      1,
      [{ flow: 'long-call', at: 3 * second }],
      [{ kind: 'kill', at: 10 * second, replica: 2, effects: 0, tail: 'lost', restartAfter: 5 * second }],
    )
    const lines = ladderText(record(plan)).split('\n')
    const column = lines.find((line) => line.includes('seconds'))?.indexOf('2') ?? 0
    const at = (from: number, to: number): readonly string[] =>
      lines
        .filter((line) => Number(line.slice(0, 11)) > from && Number(line.slice(0, 11)) < to)
        .map((line) => line[column] ?? '')
    expect(at(10.5, 14.9)).not.toContain('|')
    expect(at(3, 9.9)).toContain('|')
  })
})

describe('lines of a trace', () => {
  it.each([
    ['[2] dies; 1 of 3 unsynced records stay', { replica: 2, kind: 'death' }],
    ['[1] is stopped for 3686.036 ms', { replica: 1, kind: 'pause' }],
    ['cut 3 in 2', { replica: 3, kind: 'cut', text: 'cut off from 2, what it is sent' }],
    ['reset of the link 1 - 3', { replica: 1, kind: 'reset', text: 'link to 3 is reset' }],
    ['[3] loses its disk', { replica: 3, kind: 'other', text: 'loses its disk' }],
    ['the moon falls', { replica: null, kind: 'other', text: 'the moon falls' }],
  ] as const)('%s is a happening', (line, happening) => {
    expect(happeningOf(line, 5)).toMatchObject({ at: 5, ...happening })
  })

  it.each([
    '[1] -> [2] frame of 70',
    '[1] persisted 7',
    '10.0.0.1:5060 ~> [1]  INVITE',
    '    lost: a b  ACK',
    'plan {}',
  ])('%s is none', (line) => {
    expect(happeningOf(line, 5)).toBeNull()
  })

  it('an absence lasts to its end or to the end of the run', () => {
    const happenings = ['[1] dies; x', '[2] is stopped for 1 ms', '[2] dies; x', '[1] starts as y'].map((line, at) =>
      happeningOf(line, at),
    )
    const absences = absencesOf(happenings.filter((happening) => happening !== null))
    expect(absences.map(({ kind, from, until }) => [kind, from, until])).toEqual([
      ['dead', 0, 3],
      ['paused', 1, 2],
      ['dead', 2, null],
    ])
  })
})
