import { expect, test } from 'vitest'
import { index, life, replicaId } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import { instant, millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Serving } from '../store/view.ts'
import type { ServingChange } from '../wire/entry.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import { Judge } from './judge.ts'
import { Links } from './links.ts'
import { limits } from './limits.ts'
import { Outbox } from './outbox.ts'

const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)]
const self = life(one, 'a1', 1)
const second = life(two, 'b2', 1)
const third = life(three, 'c3', 1)
const start = instant(10_000_000)

function at(ms: number): Instant {
  return plus(start, millis(ms))
}

/** Replica 1 leads since `start`; its links to 2 and 3 are up; 2 and 3 are heard every 100 ms up to `heardUntil`. */
class Bench {
  readonly links = new Links(self, new Outbox())
  readonly judge = new Judge(self, this.links)
  serving: Serving

  constructor(serving: readonly Life[]) {
    this.serving = { version: index(3), members: serving.map((life) => ({ life, since: index(3) })) }
    this.links.change({ kind: 'link', peer: two, state: { kind: 'up', life: second, formats: KNOWN_FORMATS } })
    this.links.change({ kind: 'link', peer: three, state: { kind: 'up', life: third, formats: KNOWN_FORMATS } })
    this.judge.lead(start, null)
  }

  hear(who: Life, from: number, to: number): this {
    for (let ms = from; ms <= to; ms += 100) this.judge.heard(who, index(100), at(ms))
    return this
  }

  verdict(ms: number, commit = 100): ServingChange | null {
    return this.judge.verdict(this.serving, index(commit), index(commit), at(ms))
  }
}

test('a leader that does not serve admits itself with its first entry', () => {
  const bench = new Bench([])
  expect(bench.verdict(0)).toEqual({ kind: 'serving', replaces: 3, admit: [self], remove: [] })
})

test('a replica is admitted after a second of answered heartbeats', () => {
  const bench = new Bench([self]).hear(second, 0, 1_000)
  expect(bench.verdict(999)).toBeNull()
  expect(bench.verdict(1_000)).toEqual({ kind: 'serving', replaces: 3, admit: [second], remove: [] })
})

test('... but not while it lags', () => {
  const bench = new Bench([self]).hear(second, 0, 1_000)
  expect(bench.verdict(1_000, 100 + limits.admissionLag)).toBeNull()
  expect(bench.verdict(1_000, 100 + limits.admissionLag - 1)?.admit).toEqual([second])
})

test('a silent life is removed after 500 ms, and not before', () => {
  const bench = new Bench([self, second, third]).hear(second, 0, 1_000).hear(third, 0, 400)
  expect(bench.verdict(900)).toBeNull()
  expect(bench.verdict(901)).toEqual({ kind: 'serving', replaces: 3, admit: [], remove: [third] })
})

test('a judge that stalled starts its window again', () => {
  const bench = new Bench([self, second, third]).hear(second, 0, 100).hear(third, 0, 100)
  bench.judge.stalled(at(2_000))
  expect(bench.verdict(2_000)).toBeNull()
  expect(bench.verdict(2_501)?.remove).toEqual([second, third])
})

test('a refused reconnect is a death at once', () => {
  const bench = new Bench([self, second, third]).hear(second, 0, 100).hear(third, 0, 100)
  bench.links.change({ kind: 'link', peer: three, state: { kind: 'closed' } })
  expect(bench.verdict(101)).toBeNull()
  bench.links.change({ kind: 'link', peer: three, state: { kind: 'refused' } })
  expect(bench.verdict(102)?.remove).toEqual([third])
})

test('another life of a replica removes the earlier one at once, and is admitted anew', () => {
  const bench = new Bench([self, second, third]).hear(second, 0, 100).hear(third, 0, 100)
  const again = life(three, 'c3', 2)
  bench.links.change({ kind: 'link', peer: three, state: { kind: 'up', life: again, formats: KNOWN_FORMATS } })
  expect(bench.verdict(110)).toEqual({ kind: 'serving', replaces: 3, admit: [], remove: [third] })
  bench.serving = { version: index(4), members: [self, second].map((life) => ({ life, since: index(3) })) }
  bench.hear(second, 200, 1_200).hear(again, 200, 1_200)
  expect(bench.verdict(1_200)?.admit).toEqual([again])
})

test("a new leader's first entry removes the old one unless it was heard in this term", () => {
  const bench = new Bench([self, second, third])
  bench.hear(second, -100, 0).hear(third, -100, 0)
  bench.judge.lead(start, two)
  bench.hear(third, 20, 20)
  expect(bench.verdict(30)?.remove).toEqual([second])
  const other = new Bench([self, second, third])
  other.judge.heard(second, index(100), at(0))
  other.judge.lead(start, two)
  other.hear(second, 20, 20)
  expect(other.verdict(30)).toBeNull()
})

test('each suspicion doubles the wait before the next admission', () => {
  const bench = new Bench([self, second, third]).hear(second, 0, 3_100).hear(third, 0, 0)
  expect(bench.verdict(600)?.remove).toEqual([third])
  bench.serving = { version: index(4), members: [self, second].map((life) => ({ life, since: index(3) })) }
  bench.hear(third, 1_100, 3_100)
  expect(bench.verdict(2_200)).toBeNull()
  expect(bench.verdict(3_100)?.admit).toEqual([third])
})

test('...and is never longer than a minute', () => {
  const bench = new Bench([self, third])
  const [both, alone] = [bench.serving, { version: index(4), members: [{ life: self, since: index(3) }] }]
  // Out and back in ten times: 1,024 s by doubling alone.
  let ms = 0
  for (let time = 0; time < 10; time++) {
    bench.serving = both
    bench.judge.heard(third, index(100), at(ms))
    ms += limits.silence / 1_000 + 1
    expect(bench.verdict(ms)?.remove).toEqual([third])
  }
  bench.serving = alone
  const most = limits.admissionMost / 1_000
  bench.hear(third, ms, ms + most)
  expect(bench.verdict(ms + most - 100)).toBeNull()
  expect(bench.verdict(ms + most)?.admit).toEqual([third])
})

/** Times when the third replica, which serves, is heard no more, its life being sound for `soundMs` after its wait was over; how long it
 * waits after the last of them. */
function waitAfter(times: number, soundMs: number): number {
  const bench = new Bench([self, third])
  const [both, alone] = [bench.serving, { version: index(4), members: [{ life: self, since: index(3) }] }]
  let [ms, wait] = [0, 0]
  bench.judge.heard(third, index(100), at(ms))
  for (let time = 0; time < times; time++) {
    bench.serving = both
    bench.hear(third, ms, ms + soundMs)
    ms += soundMs + limits.silence / 1_000 + 1
    expect(bench.verdict(ms)?.remove).toEqual([third])
    bench.serving = alone
    const gone = ms
    bench.judge.heard(third, index(100), at(gone))
    do bench.judge.heard(third, index(100), at((ms += 100)))
    while (bench.verdict(ms) === null)
    wait = ms - gone
  }
  return wait
}

test('... and is short again for one that was sound for a minute since', () => {
  const minute = limits.sound / 1_000
  const first = (2 * limits.admission) / 1_000
  expect(waitAfter(1, minute)).toBe(first)
  expect(waitAfter(4, minute)).toBe(first)
  // Not for one that comes and goes; however long it waited in between.
  expect(waitAfter(4, minute - 1_000)).toBe(8 * first)
  expect(waitAfter(8, 1_000)).toBe(limits.admissionMost / 1_000)
})

test('... and is not admitted again before it has caught up: its disk may be full', () => {
  const bench = new Bench([self, third])
  for (let ms = 0; ms <= 3_000; ms += 100) {
    bench.hear(second, ms, ms)
    bench.judge.heard(third, index(110), at(ms))
    bench.verdict(ms, ms < 500 ? 100 : 110)
  }
  expect(bench.verdict(3_000, 110)).toBeNull()
  bench.judge.heard(second, index(110), at(3_100))
  expect(bench.verdict(3_100, 110)).toEqual({ kind: 'serving', replaces: 3, admit: [second], remove: [] })
})

test('a life whose apply lags over 2 s is removed', () => {
  const bench = new Bench([self, second, third])
  for (let ms = 0; ms <= 3_000; ms += 100) {
    bench.judge.heard(second, index(ms), at(ms))
    bench.judge.heard(third, index(5), at(ms))
    const verdict = bench.verdict(ms, 10 + ms)
    if (ms < 2_000) expect(verdict).toBeNull()
  }
  expect(bench.verdict(3_000, 3_010)?.remove).toEqual([third])
})

test('one that was removed for its lag is not admitted again the moment it catches up: a slow disk would come and go', () => {
  const bench = new Bench([self, second, third])
  const told = (ms: number, applied: number): ServingChange | null => {
    bench.judge.heard(second, index(10 + ms), at(ms))
    bench.judge.heard(third, index(applied), at(ms))
    return bench.verdict(ms, 10 + ms)
  }
  let gone = 0
  while (told(gone, 5) === null) gone += 100
  bench.serving = { version: index(4), members: [self, second].map((life) => ({ life, since: index(3) })) }
  let back = gone + 100
  while (told(back, 10 + back) === null) back += 100
  // Twice the wait of a first admission.
  expect(back - gone).toBe((2 * limits.admission) / 1_000)
})

test('a new leader that heard only an earlier start of a life gives it its window', () => {
  const again = life(three, 'c3', 2)
  const bench = new Bench([self, second, again]).hear(third, -100, 0)
  bench.links.change({ kind: 'link', peer: three, state: { kind: 'up', life: again, formats: KNOWN_FORMATS } })
  bench.judge.lead(start, null)
  bench.hear(second, 0, 600)
  expect(bench.verdict(10)).toBeNull()
  expect(bench.verdict(501)?.remove).toEqual([again])
})
