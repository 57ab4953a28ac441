// What a seed makes of a user's simulation: some of its calls at drawn times, and deaths, pauses, cuts and losses around them.

import { draw } from '../draws.ts'
import type { Fault, Plan, PlannedCall } from '../plan.ts'
import { calm } from '../scenarios.ts'
import type { Simulation } from './definition.ts'

const second = 1_000_000
const firstCall = 3 * second
const burst = 6 * second
const callsOfARun = 12
const replicas = [1, 2, 3]

/** The plan of a seed; `module`: the file that the simulation is in, for whoever runs the plan elsewhere. */
export function planOf(simulation: Simulation, seed: number, module = ''): Plan {
  const of = draw(seed, 'own simulation')
  const names = [...simulation.calls.keys()]
  const most = names.length === 0 ? 0 : (simulation.definition.callsOfARun ?? callsOfARun)
  const calls = Array.from({ length: most }, (_, i): PlannedCall => {
    const flow = names[(i + seed) % names.length] ?? names[of.below(names.length, 1, i)] ?? ''
    return { flow, at: firstCall + of.within(0, burst, 2, i) }
  }).toSorted((a, b) => a.at - b.at)
  const faults = Array.from({ length: of.below(8, 3) }, (_, n) => faultOf(seed, n)).toSorted((a, b) => a.at - b.at)
  const plan = calm(seed, calls, faults, 30)
  const udp = of.chance(500_000, 4) ? { ...plan.udp, loss: 40_000, duplication: 20_000 } : plan.udp
  const peer = { ...plan.peer, delayMost: of.within(300, 20_000, 5) }
  return { ...plan, udp, peer, application: { module } }
}

type Timed = Extract<Fault, { kind: 'kill' | 'pause' | 'split' }>

function faultOf(seed: number, n: number): Timed {
  const of = draw(seed, `own fault ${n}`)
  const at = firstCall + of.within(0, burst + 8 * second, 1)
  const replica = of.within(1, 3, 2)
  const effects = of.below(20, 3)
  const kind = of.below(10, 4)
  if (kind < 6) {
    const tail = of.chance(500_000, 5) ? 'kept' : 'lost'
    return { kind: 'kill', at, replica, effects, tail, restartAfter: of.within(300_000, 3 * second, 6) }
  }
  const length = of.within(100_000, 2 * second, 7)
  if (kind < 8) return { kind: 'pause', at, replica, effects, length }
  const others = replicas.filter((one) => one !== replica)
  return { kind: 'split', at, until: at + length, groups: [[replica], others], resets: of.chance(500_000, 8) }
}
