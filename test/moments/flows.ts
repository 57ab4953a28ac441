// The calls of the moments (sim/ladder.ts). No line waits: what is to wait is held back (crowd.ts).

import { ladder } from '../../sim/ladder.ts'

export const answered = ladder(
  'answered',
  `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------200--|
    |--BYE--------------->|
  `,
)

export const refused = ladder(
  'refused',
  `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------486--|
  `,
)

export const cancelled = ladder(
  'cancelled',
  `
    |--INVITE------------>|
    |<---------------180--|
    |--CANCEL------------>|
  `,
)

export const cancelCrossing = ladder(
  'cancel-crossing',
  `
    |--INVITE------------>|
    |<---------------180--|
    |--CANCEL-->X<---200--|
  `,
)

export const forked = ladder(
  'forked',
  `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------200--|
    |--BYE--------------->|
  `,
  {
    forks: '1,2',
    others: [
      `
    |--INVITE------------>|
    |<---------------180--|
  `,
    ],
  },
)

export const bothAnswer = ladder(
  'both-answer',
  `
    |--INVITE------------>|
    |<---------------200--|
    |--BYE--------------->| 1s
  `,
  {
    forks: '1,2',
    others: [
      `
    |--INVITE------------>|
    |<---------------200--|
  `,
    ],
  },
)

export const glare = ladder(
  'glare',
  `
    |--INVITE------------>|
    |<---------------200--|
    |--INVITE->X<-INVITE--|
    |--BYE--------------->| 5s
  `,
)

export const calleeHangsUp = ladder(
  'callee-hangs-up',
  `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------200--|
    |<---------------BYE--|
  `,
)

export const byeCrossing = ladder(
  'bye-crossing',
  `
    |--INVITE------------>|
    |<---------------180--|
    |<---------------200--|
    |--BYE----->X<---BYE--|
  `,
)

export const reInvite = ladder(
  're-invite',
  `
    |--INVITE------------>|
    |<---------------200--|
    |--INVITE------------>|
    |<---------------200--|
    |--BYE--------------->|
  `,
)

export const refresh = ladder(
  'refresh',
  `
    |--INVITE------------>|
    |<---------------200--|
    |--UPDATE------------>|
    |<------------UPDATE--|
    |--BYE--------------->|
  `,
)

export const reliable = ladder(
  'reliable',
  `
    |--INVITE------------>|
    |<---------------183--|
    |--CANCEL------------>|
  `,
  { isReliable: true },
)
