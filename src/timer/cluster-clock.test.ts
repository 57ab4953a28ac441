import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { replicaId, term as termOf } from '../base/brand.ts'
import { type Instant, type Stamp, instant, micros, millis, seconds, stamp } from '../base/instant.ts'
import { ClusterClock } from './cluster-clock.ts'

const HOUR = seconds(3_600)
const NEVER = stamp(0)
const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)]
const [term, next] = [termOf(1), termOf(2)]

function clock(self = one, voters = [one, two, three]): ClusterClock {
  return new ClusterClock({ self, slewPart: 100, agreement: seconds(1) }, voters)
}

/** True time in seconds as a wall clock shows it, and as our monotonic clock does, whose zero means nothing. */
const wallAt = (s: number): Stamp => stamp(1_700_000_000_000_000 + seconds(s))
const nowAt = (s: number): Instant => instant(5_000_000 + seconds(s))
const off = (time: Stamp, by: number): Stamp => stamp(time + by)

/** A leader since second 0 whose voters' wall clocks are right. */
function leader(): ClusterClock {
  const made = clock()
  for (const peer of [two, three]) made.heard(peer, { cluster: null, wall: wallAt(0) }, nowAt(0), wallAt(0), null)
  made.lead(nowAt(0), wallAt(0), NEVER)
  return made
}

describe('design.md 5: the leader', () => {
  test('moves time by its monotonic clock', () => {
    const made = leader()
    expect(made.read(nowAt(0), wallAt(0))).toBe(wallAt(0))
    expect(made.read(nowAt(10), wallAt(10))).toBe(wallAt(10))
  })

  test('an hour forward on its wall clock fires nothing early', () => {
    const made = leader()
    expect(made.read(nowAt(1), off(wallAt(1), HOUR))).toBe(wallAt(1))
    expect(made.read(nowAt(100), off(wallAt(100), HOUR))).toBe(wallAt(100))
  })

  test('an hour back on its wall clock: time goes on', () => {
    const made = leader()
    expect(made.read(nowAt(1), off(wallAt(1), -HOUR))).toBe(wallAt(1))
    expect(made.read(nowAt(100), off(wallAt(100), -HOUR))).toBe(wallAt(100))
  })

  test('alone in its set, it slews by one part in a hundred after its own clock and no faster', () => {
    const made = clock(one, [one])
    made.lead(nowAt(0), wallAt(0), NEVER)
    expect(made.read(nowAt(100), off(wallAt(100), HOUR))).toBe(wallAt(101))
    expect(made.read(nowAt(200), off(wallAt(200), -HOUR))).toBe(wallAt(200))
  })

  test('many short turns slew as much as one long turn', () => {
    const made = clock(one, [one])
    made.lead(nowAt(0), wallAt(0), NEVER)
    for (let us = 7; us <= 1_000_006; us += 7) made.read(instant(nowAt(0) + us), off(wallAt(0), us + HOUR))
    const end = 1_000_006
    const time = made.read(instant(nowAt(0) + end), off(wallAt(0), end + HOUR))
    expect(time - wallAt(0) - end).toBe(10_000)
  })

  test('slews towards the median wall clock of those that agree, then stays there', () => {
    const made = clock()
    made.heard(two, { cluster: null, wall: off(wallAt(0), millis(400)) }, nowAt(0), wallAt(0), null)
    made.heard(three, { cluster: null, wall: off(wallAt(0), millis(900)) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), off(wallAt(0), seconds(5)))
    // It starts 5 s ahead by the last stamp; the median is 0.4 s ahead.
    expect(made.read(nowAt(100), wallAt(100))).toBe(off(wallAt(100), seconds(4)))
    expect(made.read(nowAt(1_000), wallAt(1_000))).toBe(off(wallAt(1_000), millis(400)))
    expect(made.read(nowAt(1_001), wallAt(1_001))).toBe(off(wallAt(1_001), millis(400)))
  })

  test('the slew uses the last known offset of a voter that is dead', () => {
    const made = leader()
    // Its own clock leaps; both others were heard at second 0 only.
    expect(made.read(nowAt(500), off(wallAt(500), HOUR))).toBe(wallAt(500))
  })

  test('the slew stops unless a majority agree within 1 s', () => {
    const made = clock()
    made.heard(two, { cluster: null, wall: off(wallAt(0), seconds(2)) }, nowAt(0), wallAt(0), null)
    made.heard(three, { cluster: null, wall: off(wallAt(0), seconds(4)) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), off(wallAt(0), seconds(60)))
    expect(made.read(nowAt(100), wallAt(100))).toBe(off(wallAt(100), seconds(60)))
    // What it didn't use while they disagreed is not made up for.
    made.heard(two, { cluster: null, wall: wallAt(100) }, nowAt(100), wallAt(100), null)
    expect(made.read(nowAt(100), wallAt(100))).toBe(off(wallAt(100), seconds(60)))
    expect(made.read(nowAt(101), wallAt(101))).toBe(off(wallAt(101), seconds(60) - millis(10)))
  })

  test('two known clocks of five are no majority, even if they agree', () => {
    const made = clock(one, [1, 2, 3, 4, 5].map(replicaId))
    made.heard(two, { cluster: null, wall: wallAt(0) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), off(wallAt(0), seconds(60)))
    expect(made.read(nowAt(100), wallAt(100))).toBe(off(wallAt(100), seconds(60)))
  })

  test('a learner’s clock counts for nothing', () => {
    const made = clock(one, [one])
    made.heard(three, { cluster: wallAt(900), wall: wallAt(900) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), NEVER)
    expect(made.read(nowAt(0), wallAt(0))).toBe(wallAt(0))
    expect(made.alarm()).toBe(null)
  })

  test('time never falls while it leads, whatever the wall clocks do', () => {
    const step = fc.record({
      us: fc.nat({ max: 3_000_000 }),
      own: fc.integer({ min: -HOUR, max: HOUR }),
      peer: fc.integer({ min: -HOUR, max: HOUR }),
      from: fc.constantFrom(two, three),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const made = leader()
        let at = 0
        let last = made.read(nowAt(0), wallAt(0))
        for (const { us, own, peer, from } of steps) {
          at += us
          const now = instant(nowAt(0) + at)
          made.heard(from, { cluster: null, wall: off(wallAt(0), at + peer) }, now, off(wallAt(0), at + own), null)
          const time = made.read(now, off(wallAt(0), at + own))
          expect(Number.isSafeInteger(time)).toBe(true)
          expect(time).toBeGreaterThanOrEqual(last)
          // At most one part in a hundred off the monotonic clock, from the beginning.
          expect(Math.abs(time - wallAt(0) - at)).toBeLessThanOrEqual(at / 100)
          last = time
        }
      }),
    )
  })
})

describe('design.md 5: a new leader', () => {
  test('takes the time that it heard, and its monotonic time since', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(-60), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    made.lead(nowAt(3), off(wallAt(3), HOUR), NEVER)
    expect(made.read(nowAt(3), wallAt(3))).toBe(wallAt(-57))
    // From there on it is slewed: a minute behind, 10 ms a second.
    expect(made.read(nowAt(4), wallAt(4))).toBe(off(wallAt(-56), millis(10)))
  })

  test('takes the latest that its voters heard', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(10), wall: wallAt(0) }, nowAt(0), wallAt(0), null)
    made.heard(three, { cluster: wallAt(11), wall: wallAt(2) }, nowAt(2), wallAt(2), null)
    made.lead(nowAt(2), wallAt(2), NEVER)
    expect(made.read(nowAt(2), wallAt(2))).toBe(wallAt(12))
  })

  test('at rest nothing is proposed: restarted at minute 9, leading at minute 10, it is not 9 minutes late', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(540), wall: wallAt(540) }, nowAt(540), wallAt(540), term)
    made.lead(nowAt(600), wallAt(600), wallAt(0))
    expect(made.read(nowAt(600), wallAt(600))).toBe(wallAt(600))
  })

  test('never goes below the last stamp', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(0), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    made.lead(nowAt(1), wallAt(1), wallAt(30))
    expect(made.read(nowAt(1), wallAt(1))).toBe(wallAt(30))
  })

  test('jumps to the median wall clock only if nobody heard any', () => {
    const made = clock()
    made.heard(two, { cluster: null, wall: off(wallAt(0), millis(200)) }, nowAt(0), wallAt(0), null)
    made.heard(three, { cluster: null, wall: off(wallAt(0), HOUR) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), wallAt(-60))
    expect(made.read(nowAt(0), wallAt(0))).toBe(off(wallAt(0), millis(200)))
  })

  test('of two clocks that disagree takes the one that fires nothing early', () => {
    const made = clock()
    made.heard(two, { cluster: null, wall: off(wallAt(0), HOUR) }, nowAt(0), wallAt(0), null)
    made.lead(nowAt(0), wallAt(0), NEVER)
    expect(made.read(nowAt(0), wallAt(0))).toBe(wallAt(0))
  })

  test('what voters claimed before the leader’s last word doesn’t undo its slew', () => {
    const made = clock()
    made.heard(three, { cluster: wallAt(5), wall: wallAt(0) }, nowAt(0), wallAt(0), null)
    // The leader was 5 s ahead and has been slewed back since.
    made.heard(two, { cluster: wallAt(600), wall: wallAt(600) }, nowAt(600), wallAt(600), term)
    made.lead(nowAt(601), wallAt(601), NEVER)
    expect(made.read(nowAt(601), wallAt(601))).toBe(wallAt(601))
  })

  test('goes on from its own time when nobody led between', () => {
    const made = leader()
    made.read(nowAt(10), wallAt(10))
    made.follow()
    made.lead(nowAt(20), off(wallAt(20), HOUR), NEVER)
    expect(made.read(nowAt(20), off(wallAt(20), HOUR))).toBe(wallAt(20))
  })
})

describe('design.md 5: a follower', () => {
  test('follows the leader, whatever its own wall clock says', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(7), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    expect(made.read(nowAt(1), off(wallAt(1), -HOUR))).toBe(wallAt(8))
    made.heard(two, { cluster: off(wallAt(9), millis(10)), wall: wallAt(2) }, nowAt(2), wallAt(2), term)
    expect(made.read(nowAt(2), wallAt(2))).toBe(off(wallAt(9), millis(10)))
  })

  test('does not fall while frames of the same leader take longer', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(7), wall: wallAt(7) }, nowAt(7), wallAt(7), term)
    expect(made.read(nowAt(8), wallAt(8))).toBe(wallAt(8))
    made.heard(two, { cluster: wallAt(7.8), wall: wallAt(7.8) }, nowAt(8), wallAt(8), term)
    expect(made.read(nowAt(8), wallAt(8))).toBe(wallAt(8))
    expect(made.read(nowAt(9), wallAt(9))).toBe(off(wallAt(9), -millis(200)))
  })

  test('takes over a new leader’s time at once, also if it is lower', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(7), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    made.read(nowAt(1), wallAt(1))
    made.heard(three, { cluster: wallAt(2), wall: wallAt(2) }, nowAt(2), wallAt(2), next)
    expect(made.read(nowAt(2), wallAt(2))).toBe(wallAt(2))
  })

  test('takes over the time of the same leader in a later term, also if it is lower: it claims no more than it heard', () => {
    const made = clock()
    made.heard(two, { cluster: wallAt(7), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    made.read(nowAt(1), wallAt(1))
    made.heard(two, { cluster: wallAt(2), wall: wallAt(2) }, nowAt(2), wallAt(2), next)
    expect(made.reading(nowAt(2), wallAt(2))).toEqual({ cluster: wallAt(2), wall: wallAt(2) })
  })

  test('that never heard a time guesses by its wall clock, says so, and doesn’t stick to the guess', () => {
    const made = clock()
    expect(made.read(nowAt(0), off(wallAt(0), HOUR))).toBe(off(wallAt(0), HOUR))
    expect(made.reading(nowAt(0), wallAt(0))).toEqual({ cluster: null, wall: wallAt(0) })
    made.heard(two, { cluster: wallAt(0), wall: wallAt(0) }, nowAt(0), wallAt(0), term)
    expect(made.read(nowAt(0), off(wallAt(0), HOUR))).toBe(wallAt(0))
    expect(made.reading(nowAt(1), wallAt(1))).toEqual({ cluster: wallAt(1), wall: wallAt(1) })
  })
})

describe('design.md 5: one bad clock raises an alarm and changes nothing', () => {
  test.each([
    ['an hour ahead', HOUR],
    ['an hour behind', -HOUR],
    ['just beyond agreement', seconds(1) + 1],
  ])('%s', (_, by) => {
    const made = leader()
    expect(made.alarm()).toBe(null)
    made.heard(three, { cluster: null, wall: off(wallAt(1), by) }, nowAt(1), wallAt(1), null)
    expect(made.alarm()).toEqual({ peer: three, offset: micros(by) })
    expect(made.read(nowAt(100), wallAt(100))).toBe(wallAt(100))
  })

  test('it may be our own', () => {
    const made = leader()
    made.read(nowAt(1), off(wallAt(1), -HOUR))
    expect(made.alarm()).toEqual({ peer: one, offset: -HOUR })
    made.read(nowAt(2), wallAt(2))
    expect(made.alarm()).toBe(null)
  })
})
