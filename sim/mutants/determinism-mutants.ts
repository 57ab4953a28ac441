// What makes a run depend on more than its seed. No promise about calls breaks: two runs of one seed must differ.

import type { Mutant } from './mutant.ts'

export const determinismMutants: readonly Mutant[] = [
  {
    name: 'stray-clock',
    room: 'raft',
    file: 'src/raft/core.ts',
    find: 'micros(electionTimeout + random.below(electionSpread))',
    replace: 'micros(electionTimeout + (Math.floor(performance.now() * 1_000) % electionSpread))',
    story: "an election timeout depends on the machine's clock",
    promise: 'determinism',
  },
  {
    name: 'stray-random',
    room: 'raft',
    file: 'src/raft/core.ts',
    find: 'micros(electionTimeout + random.below(electionSpread))',
    replace: 'micros(electionTimeout + Math.floor(Math.random() * electionSpread))',
    story: 'an election timeout is drawn from outside of the seed',
    promise: 'determinism',
  },
  {
    name: 'order-of-arrival',
    room: 'replica',
    file: 'src/replica/log-port.ts',
    find: '    for (const to of receivers) {',
    replace: `    const met: ReplicaId[] = ((globalThis as any).met ??= [])
    for (const { to } of messages) if (!met.includes(to)) met.push(to)
    for (const to of met) {`,
    story: 'frames leave in the order in which their receivers were first met, which an earlier run may have decided',
    promise: 'determinism',
  },
]
