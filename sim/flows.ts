// The catalogue of call flows (proof.md). Each is a ladder (ladder.ts); waits are drawn per call.

import { forkFlows } from './fork-flows.ts'
import { routingFlows } from './routing-flows.ts'
import { lifetimeFlows } from './lifetime-flows.ts'
import { appFlows } from './app-flows.ts'
import { ladder } from './ladder.ts'
import type { Flow } from './ladder.ts'

export const flows: readonly Flow[] = [
  ladder(
    'basic',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 0.5..20s
  `,
  ),
  ladder(
    'at-once',
    `
    |--INVITE------------>|
    |<---------------200--|
    |--BYE--------------->| 0..0.3s
  `,
  ),
  ladder(
    'ringing-long',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 8..28s
    |--BYE--------------->| 0.5..5s
  `,
  ),
  ladder(
    'early-media',
    `
    |--INVITE------------>|
    |<---------------183--| 0.05..0.5s
    |<---------------180--| 0.2..2s
    |<---------------200--| 0.5..6s
    |<---------------BYE--| 1..10s
  `,
  ),
  ladder(
    'cancelled',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL------------>| 0.1..12s
  `,
  ),
  ladder(
    'cancelled-at-once',
    `
    |--INVITE------------>|
    |--CANCEL------------>| 0..0.4s
  `,
  ),
  ladder(
    'cancel-crossing-answer',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL-->X<---200--| 1..1.05s
  `,
  ),
  ladder(
    'cancel-crossing-refusal',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL-->X<---486--| 1..1.05s
  `,
  ),
  ladder(
    'no-answer',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL------------>| 20..40s
  `,
  ),
  ladder(
    'refused',
    `
    |--INVITE------------>|
    |<---------------486--| 0.02..2s
  `,
  ),
  ladder(
    'refused-late',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------486--| 5..25s
  `,
  ),
  ladder(
    'declined',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------603--| 0.5..4s
  `,
  ),
  ladder(
    'callee-hangs-up',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |<---------------BYE--| 0.5..20s
  `,
  ),
  ladder(
    're-invite',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..2s
    |--INVITE------------>| 1..8s
    |<---------------200--| 0.02..1s
    |--BYE--------------->| 0.5..8s
  `,
  ),
  ladder(
    're-invite-by-callee',
    `
    |--INVITE------------>|
    |<---------------200--| 0.1..2s
    |<------------INVITE--| 1..8s
    |--200--------------->| 0.02..1s
    |<---------------BYE--| 0.5..8s
  `,
  ),
  ladder(
    're-invite-refused',
    `
    |--INVITE------------>|
    |<---------------200--| 0.1..2s
    |--INVITE------------>| 1..8s
    |<---------------488--| 0.02..1s
    |--BYE--------------->| 0.5..8s
  `,
  ),
  ladder(
    're-invite-refused-late',
    `
    |--INVITE------------>|
    |<---------------200--| 0.1..2s
    |--INVITE------------>| 32..33s
    |<---------------488--|
    |<---------------BYE--|
  `,
  ),
  ladder(
    'glare',
    `
    |--INVITE------------>|
    |<---------------200--| 0.1..2s
    |--INVITE->X<-INVITE--| 2..2.04s
    |--BYE--------------->| 8..10s
  `,
  ),
  ladder(
    'bye-crossing-bye',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE----->X<---BYE--| 2..2.05s
  `,
  ),
  ladder(
    'long-call',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 30..45s
  `,
  ),
  ladder(
    'nobody-there',
    `
    |--INVITE------------>|
  `,
    { calleePresent: false },
  ),
  // RFC 3311, and what RFC 4028 makes of it: both targets move with its 2xx.
  ladder(
    'session-refresh',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..2s
    |--UPDATE------------>| 1..6s
    |<------------UPDATE--| 1..6s
    |--BYE--------------->| 0.5..5s
  `,
  ),
  ladder(
    'small-talk',
    `
    |--INVITE------------>|
    |<---------------200--| 0.1..2s
    |--INFO-------------->| 0.2..3s
    |<-----------MESSAGE--| 0.2..3s
    |--OPTIONS----------->| 0.2..3s
    |<---------------BYE--| 0.2..3s
  `,
  ),
  // RFC 3515, as far as a proxy sees it.
  ladder(
    'transfer',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..2s
    |--REFER------------->| 0.5..3s
    |<------------NOTIFY--| 0.05..1s
    |<------------NOTIFY--| 0.5..4s
    |--BYE--------------->| 0.2..2s
  `,
  ),
  // RFC 6665 in the dialog of a call, as far as a proxy sees it, which reads nothing of events: subscribed, told; once more, told again.
  ladder(
    'subscription',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..2s
    |--SUBSCRIBE--------->| 0.5..3s
    |<------------NOTIFY--| 0.05..1s
    |--SUBSCRIBE--------->| 0.5..4s
    |<------------NOTIFY--| 0.05..1s
    |--BYE--------------->| 0.2..2s
  `,
    { isDrawn: false },
  ),
  // Nobody rings for long: a callee that says nothing but 100.
  ladder(
    'answered-after-100',
    `
    |--INVITE------------>|
    |<---------------200--| 3..20s
    |<---------------BYE--| 0.5..5s
  `,
  ),
  // Both phones on TCP, for crash points: seeds draw transports for all flows.
  ladder(
    'basic-on-streams',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 0.5..20s
  `,
    { transport: 'tcp', isDrawn: false },
  ),
  ladder(
    'refused-on-streams',
    `
    |--INVITE------------>|
    |<---------------486--| 0.02..2s
  `,
    { transport: 'tcp', isDrawn: false },
  ),
  ladder(
    'cancelled-on-streams',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |--CANCEL------------>| 0.1..12s
  `,
    { transport: 'tcp', isDrawn: false },
  ),
  // 18.1.1: the set moves it to TCP, and back to UDP where nobody takes that.
  ladder(
    'long-invite',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 0.5..8s
  `,
    { isLong: true, isDrawn: false },
  ),
  ladder(
    'long-invite-refused-streams',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 0.5..8s
  `,
    { isLong: true, takesStreams: false, isDrawn: false },
  ),
  // The 2xx comes again and again; whoever owns the call relays each, and a death meets an INVITE answered and not acknowledged.
  ladder(
    'slow-ack',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
    |<---------------200--| 0.1..3s
    |--BYE--------------->| 1..8s
  `,
    { ackAfter: 2_600_000, isDrawn: false },
  ),
  // Nobody answers and nobody hangs up: timer C ends it after three minutes (16.8).
  ladder(
    'rings-for-ever',
    `
    |--INVITE------------>|
    |<---------------180--| 0.05..1s
  `,
    { isDrawn: false },
  ),
]

/** RFC 3262: each 1xx has its PRACK, in a dialog that isn't confirmed yet. */
export const reliableFlows: readonly Flow[] = [
  ladder(
    'reliable',
    `
    |--INVITE------------>|
    |<---------------183--| 0.05..0.5s
    |<---------------180--| 1..2s
    |<---------------200--| 1..3s
    |--BYE--------------->| 0.5..8s
  `,
    { isReliable: true, isDrawn: false },
  ),
  ladder(
    'reliable-cancelled',
    `
    |--INVITE------------>|
    |<---------------183--| 0.05..0.5s
    |--CANCEL------------>| 0..1s
  `,
    { isReliable: true, isDrawn: false },
  ),
]

export const flowNames: readonly string[] = flows.map((flow) => flow.name)

/** Those with an INVITE that forks, which need a set with several next hops. */
export const forkFlowNames: readonly string[] = [...forkFlows, ...routingFlows].map((flow) => flow.name)

/** Those with calls that the set ends or watches, which need a set that is told so. */
export const lifetimeFlowNames: readonly string[] = lifetimeFlows.map((flow) => flow.name)

/** Those whose callee wants a PRACK. */
export const reliableFlowNames: readonly string[] = reliableFlows.map((flow) => flow.name)

/** Those of applications, which need a set that has one. */
export const appFlowNames: readonly string[] = appFlows.map((flow) => flow.name)

/** Those that seeds draw from. */
export const drawnFlowNames: readonly string[] = flows.filter((flow) => flow.isDrawn).map((flow) => flow.name)

/** The flow of that name, or undefined. */
export function flowNamed(name: string): Flow | undefined {
  return [...flows, ...forkFlows, ...routingFlows, ...reliableFlows, ...lifetimeFlows, ...appFlows].find(
    (flow) => flow.name === name,
  )
}
