/** What real processes can't be brought to, and where the simulator has it. */
export const notStaged: readonly (readonly [nth: number, what: string, why: string, where: string])[] = [
  [
    10,
    'a timer due in the very tick of the death',
    'no phone and no hook sees a tick; above, it is within the first BYEs of a second of them',
    'sim --crash-points: idle ticks with a due timer are crash points of their own; rings-for-ever (timer C)',
  ],
  [
    10,
    'cancel inside the callback, extend inside expiry',
    'no phone sees an instant; deaths in callbacks are `npm run app-deaths`',
    'src/store/timers.test.ts, src/app/timers.test.ts, sim/sessions',
  ],
  [
    11,
    'a one-way cut, and its healing',
    'the loopback of one machine has no ways to cut',
    'sim --crash-points=all (one-way cuts); faults partition, split and flap of every seed',
  ],
  [
    13,
    'skew, and a step of the clock',
    'one machine has one clock',
    'faults clock, leap and drift of every seed; a leap at a leader change',
  ],
  [
    14,
    'a rolling upgrade with calls in flight',
    'needs a second release',
    'test/cluster/upgrade.ci.test.ts (formats); sim, faults drain and newest',
  ],
  [15, 'one of three dies at 80 % load', 'more than 100 calls', 'npm run test:long (test/cluster/rate.long.test.ts)'],
]
