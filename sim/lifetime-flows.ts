// Call flows that the set ends by itself, or keeps an eye on (docs/decisions/0028). All calls of a run have the same lifetime, so seeds don't
// draw them: the schedule `lifetimes` does, and `--crash-points`.

import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

const up = `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
`

export const lifetimeFlows: readonly Flow[] = [
  // Nobody hangs up. So short a limit runs from the ACK.
  ladder('too-old', up, { lifetime: { maxCall: 4 } }),
  ladder('too-old-on-streams', up, { lifetime: { maxCall: 4 }, transport: 'tcp' }),
  // The caller has moved, and moves again before it hears that this is known: the set's BYE goes to where it is.
  ladder(
    'too-old-moved',
    `${up}
    |--UPDATE------------>| 0.5..2s
    |--UPDATE------------>| 0..0.004s
  `,
    { lifetime: { maxCall: 4 }, isMoving: true },
  ),
  // No ACK before its time.
  ladder('too-old-unacknowledged', up, { lifetime: { maxCall: 4 }, ackAfter: 5_000_000 }),
  ladder('too-old-meets-bye', `${up}|--BYE--------------->| 4.0405..4.042s`, { lifetime: { maxCall: 4 } }),
  ladder('too-old-meets-bye-of-callee', `${up}|<---------------BYE--| 4.0425..4.044s`, { lifetime: { maxCall: 4 } }),
  ladder(
    'too-old-meets-re-invite',
    `${up}
    |--INVITE------------>| 3.998..4.004s
    |<---------------200--| 0.05..0.2s
  `,
    { lifetime: { maxCall: 4 } },
  ),
  ladder('ended-before-its-time', `${up}|--BYE--------------->| 1..3s`, { lifetime: { maxCall: 4 } }),
  // The callee loses its power: silence for 64*T1.
  ladder('silent-death', `${up}|<--------------DIES--| 2..4s`, { lifetime: { every: 32, grace: 0 } }),
  ladder('silent-death-of-caller', `${up}|--DIES-------------->| 2..4s`, { lifetime: { every: 32, grace: 0 } }),
  // The callee has begun anew: 481, twice.
  ladder('forgotten', `${up}|<-----------FORGETS--| 2..4s`, { lifetime: { every: 32, grace: 2 } }),
  // Everybody is there, and what they say after they were asked is not refused.
  ladder(
    'asked-and-there',
    `${up}
    |--INVITE------------>| 33..34s
    |<---------------200--| 0.02..1s
    |<------------INVITE--| 1..2s
    |--200--------------->| 0.02..1s
    |--BYE--------------->| 30..32s
  `,
    { lifetime: { every: 32, grace: 0 } },
  ),
  ladder(
    'session-refreshed',
    `${up}
    |--UPDATE------------>| 25s
    |--BYE--------------->| 30s
  `,
    { lifetime: { sessions: true }, sessionExpires: 40 },
  ),
  ladder(
    'session-not-refreshed',
    `${up}
    |<--------------DIES--| 2s
    |--DIES-------------->| 3s
  `,
    { lifetime: { sessions: true }, sessionExpires: 40 },
  ),
]
