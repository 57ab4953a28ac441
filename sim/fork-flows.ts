// Call flows whose INVITE forks (RFC 3261 16.6, 16.7). The first ladder is the caller's and the first callee's, those in `others`
// the further callees'. A caller that gets a second 2xx acknowledges it and hangs up there at once. Seeds don't draw them: all calls
// of a run have the same next hops. The schedule `forks` does, and `--crash-points`.

import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

/** What a callee of several says. */
export const rings = `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
`

export const answers = `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 1..3s
    |--BYE--------------->| 0.5..8s
`

export const forkFlows: readonly Flow[] = [
  ladder('fork', answers, { forks: '1,2', others: [rings] }),
  ladder(
    'fork-second-answers',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 20s
    |--BYE--------------->| 0.5..8s
  `,
    { forks: '1,2', others: [answers] },
  ),
  // Both at once: the CANCEL of the other comes too late, or not.
  ladder(
    'fork-both-answer',
    `
    |--INVITE------------>|
    |<---------------200--| 1..1.01s
    |--BYE--------------->| 0.5..8s
  `,
    {
      forks: '1,2',
      others: [
        `
    |--INVITE------------>|
    |<---------------200--| 1..1.01s
    |--BYE--------------->|
  `,
      ],
    },
  ),
  ladder(
    'fork-both-answer-on-streams',
    `
    |--INVITE------------>|
    |<---------------200--| 1..1.01s
    |--BYE--------------->| 0.5..8s
  `,
    {
      forks: '1,2',
      transport: 'tcp',
      others: [
        `
    |--INVITE------------>|
    |<---------------200--| 1..1.01s
    |--BYE--------------->|
  `,
      ],
    },
  ),
  ladder(
    'fork-all-refuse',
    `
    |--INVITE------------>|
    |<---------------486--| 0.05..2s
  `,
    {
      forks: '1,2',
      others: [
        `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------480--| 0.1..3s
  `,
      ],
    },
  ),
  ladder(
    'fork-declined',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------603--| 0.5..4s
  `,
    { forks: '1,2', others: [rings] },
  ),
  ladder(
    'fork-busy-and-declined',
    `
    |--INVITE------------>|
    |<---------------486--| 0.05..3s
  `,
    {
      forks: '1,2',
      others: [
        `
    |--INVITE------------>|
    |<---------------603--| 0.05..3s
  `,
      ],
    },
  ),
  ladder(
    'fork-cancelled',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL------------>| 0.5..8s
  `,
    { forks: '1,2', others: [rings] },
  ),
  ladder(
    'fork-on-both-transports',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 20s
    |--BYE--------------->| 0.5..8s
  `,
    { forks: '1,2t', others: [answers] },
  ),
  ladder('fork-one-absent', answers, { forks: '1,2', others: [null] }),
  ladder(
    'hunt',
    `
    |--INVITE------------>|
    |<---------------486--| 0.05..2s
    |--BYE--------------->| 0.5..8s
  `,
    { forks: '1|2', others: [answers] },
  ),
  ladder(
    'hunt-all-refuse',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------486--| 0.05..2s
  `,
    {
      forks: '1|2',
      others: [
        `
    |--INVITE------------>|
    |<---------------480--| 0.1..3s
  `,
      ],
    },
  ),
  ladder(
    'hunt-cancelled',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..0.5s
    |--CANCEL-->X<---486--| 1..4s
  `,
    { forks: '1|2', others: [rings] },
  ),
  ladder(
    'fork-and-hunt',
    `
    |--INVITE------------>|
    |<---------------486--| 0.05..2s
    |--BYE--------------->| 0.5..8s
  `,
    {
      forks: '1,2|3',
      others: [
        `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------480--| 0.1..3s
  `,
        answers,
      ],
    },
  ),
]
