// What a plan throws at the set, by kind: for the closing line of a long run.

import type { Plan } from './plan.ts'

/** The names of the kinds of faults in the plan. */
export function faultKinds({ faults, udp, peer, disk, clock }: Plan): readonly string[] {
  const rates: readonly (readonly [string, boolean])[] = [
    ['lost datagrams', udp.loss > 0],
    ['datagrams twice', udp.duplication > 0],
    ['datagrams out of order', udp.straggle > 0],
    ['frames of a broken link that come late', peer.late > 0],
    ['slow syncs', disk.slow > 0],
    ['clock drift', clock.driftPpm.some((ppm) => ppm !== 0)],
    ['clock skew', clock.wallSkew.some((us) => us !== 0)],
  ]
  const struck = faults.flatMap((fault) => {
    if (fault.kind !== 'kill') return [fault.kind]
    const damage = fault.damage === undefined ? [] : [`a log ${fault.damage.what}`]
    return [`kill (tail ${fault.tail})`, ...damage]
  })
  return [...new Set([...struck, ...rates.filter(([, is]) => is).map(([name]) => name)])]
}
