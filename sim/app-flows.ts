// Call flows of an application's calls (decision 0031). All calls of a run have the same application, so seeds don't draw them: the
// schedule `applications` does, and `--crash-points`.

import { endFlows } from './end-flows.ts'
import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

const up = `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
`
const talk = `${up}
    |--INFO-------------->| 0.2..1s
    |<--------------INFO--| 0.2..1s
`

export const appFlows: readonly Flow[] = [
  ladder('app-counted', `${talk}|--BYE--------------->| 0.2..2s`, { application: 'counts' }),
  ladder('app-counted-on-streams', `${talk}|<---------------BYE--| 0.2..2s`, {
    application: 'counts',
    transport: 'tcp',
  }),
  ladder('app-counted-crossing', `${up}|--INFO---->X<---INFO--| 0.2..0.202s\n|--BYE----->X<---BYE--| 2..2.002s`, {
    application: 'counts',
  }),
  ladder(
    'app-counted-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    {
      application: 'counts',
    },
  ),
  ladder('app-counted-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, { application: 'counts' }),
  ladder('app-falters', `${talk}|--BYE--------------->| 0.2..2s`, { application: 'falters' }),
  // The INFO's handler never ends, and the call does all the same.
  ladder('app-hangs', `${up}|--INFO---->X<---BYE--| 0.2..0.202s`, { application: 'hangs' }),
  ladder('app-hangs-own-bye', `${up}|--INFO-------------->| 0.2..1s\n|--BYE--------------->| 0.05..0.2s`, {
    application: 'hangs',
  }),
  ladder('app-cuts-off', up, { application: 'cuts-off' }),
  ladder('app-cuts-off-meets-bye', `${up}|--BYE--------------->| 4.01..4.03s`, { application: 'cuts-off' }),
  ladder('app-keeps-time', `${up}|--INFO-------------->| 0.5..2s\n|--BYE--------------->| 1..3s`, {
    application: 'keeps-time',
  }),
  ladder('app-keeps-time-long', `${up}|--BYE--------------->| 8..9s`, { application: 'keeps-time' }),
  ladder('app-keeps-time-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, {
    application: 'keeps-time',
  }),
  ladder('app-cuts-off-too-late', `${up}|--BYE--------------->| 1..3s`, { application: 'cuts-off' }),
  ladder('chain-basic', `${up}|--BYE--------------->| 0.2..2s`, { application: 'chain' }),
  ladder('chain-talk', `${talk}|<---------------BYE--| 0.2..2s`, { application: 'chain' }),
  ladder('chain-on-streams', `${talk}|--BYE--------------->| 0.2..2s`, { application: 'chain', transport: 'tcp' }),
  ladder('chain-crossing', `${up}|--BYE----->X<---BYE--| 2..2.05s`, { application: 'chain' }),
  ladder(
    'chain-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    { application: 'chain' },
  ),
  ladder('chain-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, { application: 'chain' }),
  ladder(
    'chain-re-invite',
    `${up}|--INVITE------------>| 0.5..2s\n|<---------------200--| 0.02..1s\n|--BYE--------------->| 0.2..2s`,
    { application: 'chain' },
  ),
  ladder('chain-b2bua-basic', `${up}|--BYE--------------->| 0.2..2s`, { application: 'chain-b2bua' }),
  ladder('chain-b2bua-callee-hangs-up', `${talk}|<---------------BYE--| 0.2..2s`, { application: 'chain-b2bua' }),
  ladder(
    'chain-b2bua-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    { application: 'chain-b2bua' },
  ),
  ladder('chain-b2bua-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, {
    application: 'chain-b2bua',
  }),
  ladder('chain-keyed-call', `${talk}|--BYE--------------->| 0.2..2s`, { application: 'chain-keyed' }),
  ladder(
    'chain-keyed-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    { application: 'chain-keyed' },
  ),
  ladder('chain-keyed-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, {
    application: 'chain-keyed',
  }),
  ladder('chain-keyed-on-streams', `${up}|<---------------BYE--| 0.2..2s`, {
    application: 'chain-keyed',
    transport: 'tcp',
  }),
  // A browser looks at the call's session and changes it meanwhile (sim/pages.ts).
  ladder('app-changed-by-http', `${talk}|--INFO-------------->| 0.5..1s\n|--BYE--------------->| 0.5..2s`, {
    application: 'pages',
  }),
  ladder(
    'app-changed-by-http-till-its-end',
    `${up}|--INFO------>X<---INFO--| 0.5..0.502s\n|<---------------BYE--| 1..3s`,
    {
      application: 'pages',
    },
  ),
  ladder('keyed-call', `${talk}|--BYE--------------->| 0.2..2s`, { application: 'keyed' }),
  ladder(
    'keyed-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    {
      application: 'keyed',
    },
  ),
  ladder('keyed-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, { application: 'keyed' }),
  ladder('keyed-on-streams', `${up}|<---------------BYE--| 0.2..2s`, { application: 'keyed', transport: 'tcp' }),
  ...endFlows,
]
