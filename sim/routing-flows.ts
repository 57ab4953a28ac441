// Call flows whose first target is not where the call ends up (docs/decisions/0029): a name with several places (RFC 3263 4.3), and
// next hops that redirect (RFC 3261 16.7 step 4). Written as in fork-flows.ts, in the notation of forks.ts. A callee that has said 503
// says it to all else that isn't an ACK, too. Seeds don't draw them; the schedule `routing` does, and `--crash-points`.

import { answers, rings } from './fork-flows.ts'
import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

const refuses = `
    |--INVITE------------>|
    |<---------------486--| 0.05..2s
`

const redirects = `
    |--INVITE------------>|
    |<---------------302--| 0.02..1s
`

const redirectedAnd = (rest: string): string => `${redirects}${rest}`

const hangsUp = `    |--BYE--------------->| 0.5..8s\n`

const talks = `
    |--INFO-------------->| 0.2..3s
    |--OPTIONS----------->| 0.2..3s
    |--BYE--------------->| 0.5..8s
`

export const routingFlows: readonly Flow[] = [
  ladder(
    'next-place',
    `
    |--INVITE------------>|
    |<---------------503--| 0.02..1s
    ${talks}`,
    {
      forks: '1:2',
      others: [
        `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    ${talks}`,
      ],
    },
  ),
  ladder(
    'next-place-hangs-up',
    `
    |--INVITE------------>|
    |<---------------503--| 0.02..1s
    |--INFO-------------->| 0.2..3s
    |<---------------BYE--|
  `,
    {
      forks: '1:2',
      others: [
        `
    |--INVITE------------>|
    |<---------------200--| 0.1..3s
    |--INFO-------------->| 0.2..3s
    |<---------------BYE--| 0.5..8s
  `,
      ],
    },
  ),
  ladder('redirected', redirectedAnd(hangsUp), { forks: '1>2', others: [answers] }),
  ladder('redirected-on-streams', redirectedAnd(hangsUp), { forks: '1>2', transport: 'tcp', others: [answers] }),
  ladder('redirected-to-a-stream', redirectedAnd(hangsUp), { forks: '1>2t', others: [answers] }),
  ladder('redirected-to-two', redirectedAnd(hangsUp), { forks: '1>2&3', others: [rings, answers] }),
  ladder('redirected-by-q', redirectedAnd(hangsUp), { forks: '1>2~3', others: [refuses, answers] }),
  ladder('redirected-past-nobody', redirectedAnd(hangsUp), { forks: '1>2~3', others: [null, answers] }),
  ladder('redirected-twice', redirectedAnd(hangsUp), { forks: '1>2>3', others: [redirects, answers] }),
  ladder('redirected-in-a-circle', redirects, { forks: '1>2>3>2', others: [redirects, redirects] }),
  ladder('redirected-and-refused', redirects, { forks: '1>2', others: [refuses] }),
  ladder(
    'redirected-and-cancelled',
    `
    |--INVITE------------>|
    |--CANCEL-->X<---302--| 0.5..3s
  `,
    { forks: '1>2', others: [rings] },
  ),
  ladder(
    'fork-one-redirects',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 20s
    |--BYE--------------->| 0.5..8s
  `,
    { forks: '1,2>3', others: [redirects, answers] },
  ),
]
