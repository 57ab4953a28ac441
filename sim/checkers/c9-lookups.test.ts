import { expect, it } from 'vitest'
import type { Effect } from '../../src/replica/effect.ts'
import { calm } from '../scenarios.ts'
import { simulate } from '../simulate.ts'
import type { Machine } from '../machine.ts'
import { Lookups } from './c9-lookups.ts'

const second = 1_000_000

/** A history by hand: who asked when, and was shown which version when. */
function history(
  reads: readonly { readonly from: number; readonly until: number; readonly version: number }[],
): string[] {
  const found: string[] = []
  let now = 0
  const lookups = new Lookups(
    (_promise, text) => found.push(text),
    () => now,
  )
  const moments = reads.flatMap((read, id) => [
    { at: read.from, go: () => lookups.asked(id, 'call') },
    {
      at: read.until,
      go: () => {
        const reply: Effect = { kind: 'reply', id, status: 200, body: { version: read.version } }
        lookups.leaving({ id: 1 } as Machine, reply)
      },
    },
  ])
  for (const { at, go } of moments.toSorted((a, b) => a.at - b.at)) {
    now = at
    go()
  }
  lookups.quiet()
  return found
}

it('a version that nobody committed is reported', () => {
  expect(history([{ from: 1, until: 2, version: 3 }])).toEqual([expect.stringContaining('which was never committed')])
})

it('lookups at all replicas, through the deaths of each, are linearizable', () => {
  const kill = { kind: 'kill', effects: 0, tail: 'lost', restartAfter: 2 * second } as const
  const plan = calm(
    1,
    [{ flow: 're-invite', at: 4 * second }],
    [1, 2, 3].map((replica, i) => ({ ...kill, at: (5 + 4 * i) * second, replica })),
  )
  const lookups = Array.from({ length: 60 }, (_, i) => ({ at: 3_900_000 + i * 200_000, replica: 1 + (i % 3), call: 1 }))
  const lines: string[] = []
  expect(simulate({ ...plan, lookups }, (line) => lines.push(line)).failure).toBeNull()
  const answers = lines.filter((line) => /answers lookup \d+ with 200/.test(line))
  expect(answers.length).toBeGreaterThan(20)
})
