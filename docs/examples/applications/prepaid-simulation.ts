// The prepaid calls under deaths, pauses and cuts: `holdfast sim --own prepaid-simulation.ts --seeds 1-100` (docs/SIMULATION.md).

import { defineSimulation } from 'holdfast/sim'
import type { SimulatedCall, SimulatedRun } from 'holdfast/sim'
import { prepaid } from './prepaid.ts'

const up = `
  |--INVITE------------>|
  |<---------------180--| 0.1..1s
  |<---------------200--| 0.1..2s
`

export const prepaidCalls = defineSimulation({
  applications: [prepaid],

  calls: {
    // Bob has credit for three seconds.
    'is-cut-off': { from: 'bob', ladder: up },
    'hangs-up-first': { from: 'bob', ladder: `${up} |--BYE--------------->| 0.5..2s` },
    'hangs-up-at-that-moment': { from: 'bob', ladder: `${up} |--BYE--------------->| 2.9..3.1s` },
    'has-credit': { from: 'alice', ladder: `${up} |<---------------BYE--| 4..8s` },
    'has-none': { from: 'mallory', ladder: up },
  },

  // After each commit.
  committed({ timers }) {
    if (timers.length > 1) return `${timers.length} timers will cut off one call`
  },

  // When all calls are over.
  ended(run) {
    return run.calls.map((call) => wrong(call, run)).find((text) => text !== null)
  },
})

function wrong({ name, caller, callee, excused }: SimulatedCall, { outage }: SimulatedRun): string | null {
  // There was no quorum for too long: nobody could have done better.
  if (excused !== null || caller === null) return null
  if (name === 'has-none') return caller.status === 402 ? null : `a caller without credit got ${caller.status}`
  if (caller.status !== 200) return `${name}: the caller got ${caller.status}`
  const byes = [...caller.messages, ...callee.messages].filter(({ what }) => what === 'BYE')
  const from = callee.messages.find(({ what }) => what === '200 INVITE')?.at ?? 0
  const until = Math.min(...byes.map(({ at }) => at))
  const talked = until - from
  const credit = caller.user === 'bob' ? 3 : 600
  // A death delays the end by a takeover, and no quorum by as long as there is none.
  if (talked > credit + 6 + outage(from, until)) return `${name}: ${caller.user} talked for ${talked.toFixed(1)} s`
  const isCutOff = byes.every(({ way }) => way === 'heard')
  return isCutOff && talked < credit - 0.1 ? `${name}: cut off after ${talked.toFixed(1)} s` : null
}
