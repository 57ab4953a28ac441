// Call flows of applications that are an end of their calls (src/app/legs.ts): what the callee's side says is the application's where it
// answers by itself, and another leg's where it is a B2BUA. Seeds don't draw them, as all of applications (app-flows.ts).

import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

const answered = `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------200--|
`
const up = `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
`
const alone = { application: 'answers', calleePresent: false } as const
const both = { application: 'b2bua' } as const

export const endFlows: readonly Flow[] = [
  ladder('uas-answer', `${answered}|--BYE--------------->| 0.5..3s`, alone),
  ladder('uas-answer-on-streams', `${answered}|--INFO-------------->| 0.5..1s\n|--BYE--------------->| 0.5..3s`, {
    ...alone,
    transport: 'tcp',
  }),
  ladder(
    'uas-re-invite',
    `${answered}|--INVITE------------>| 0.2..2s\n|<---------------200--|\n|--BYE--------------->| 0.2..2s`,
    alone,
  ),
  ladder('uas-cancelled', `|--INVITE------------>|\n|<---------------180--|\n|--CANCEL------------>| 0.1..0.8s`, alone),
  ladder(
    'uas-cancel-crossing-answer',
    `|--INVITE------------>|\n|<---------------180--|\n|--CANCEL------------>| 0.98..1.02s`,
    alone,
  ),
  ladder('uas-busy', `|--INVITE------------>|\n|<---------------486--|`, {
    application: 'refuses',
    calleePresent: false,
  }),
  // Its ACK comes when all is over.
  ladder('uas-no-ack', answered, { ...alone, ackAfter: 40_000_000 }),
  // The second call takes the place of the one before it, which the application then ends.
  ladder('replaced', `${answered}|<---------------BYE--|`, { application: 'hands-over', calleePresent: false }),
  ladder('replaces', `|--INVITE------------>|\n|<---------------200--|\n|--BYE--------------->| 0.5..3s`, {
    application: 'hands-over',
    calleePresent: false,
  }),
  ladder('b2bua-basic', `${up}|--BYE--------------->| 0.2..2s`, both),
  ladder('b2bua-on-streams', `${up}|--INFO-------------->| 0.2..1s\n|--BYE--------------->| 0.2..2s`, {
    ...both,
    transport: 'tcp',
  }),
  ladder(
    'b2bua-talk',
    `${up}|--INFO-------------->| 0.2..1s\n|<--------------INFO--| 0.2..1s\n|--BYE--------------->| 0.2..2s`,
    both,
  ),
  ladder('b2bua-callee-hangs-up', `${up}|<---------------BYE--| 0.2..2s`, both),
  ladder('b2bua-bye-crossing-bye', `${up}|--BYE----->X<---BYE--| 2..2.05s`, both),
  ladder(
    'b2bua-cancelled',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL------------>| 0.1..2s`,
    both,
  ),
  ladder(
    'b2bua-cancel-crossing-answer',
    `|--INVITE------------>|\n|<---------------180--| 0.05..1s\n|--CANCEL-->X<---200--| 1..1.05s`,
    both,
  ),
  ladder('b2bua-refused', `|--INVITE------------>|\n|<---------------486--| 0.02..2s`, both),
  ladder(
    'b2bua-re-invite',
    `${up}|--INVITE------------>| 0.5..2s\n|<---------------200--| 0.02..1s\n|--BYE--------------->| 0.2..2s`,
    both,
  ),
  ladder(
    'b2bua-re-invite-by-callee',
    `${up}|<------------INVITE--| 0.5..2s\n|--200--------------->| 0.02..1s\n|<---------------BYE--| 0.2..2s`,
    both,
  ),
]
