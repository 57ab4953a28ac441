// Where an application proxies an INVITE to (RFC 3261 16.5): the URIs that it names, each as the Request-URI of its branch, in the
// place of the set's own route. Those of a group are tried at once, the groups one after another.

import { must } from '../base/assert.ts'
import type { Aim } from '../call/invite.ts'
import { aimOf } from '../call/invite.ts'
import { forwarded, routeToContact } from '../call/forward.ts'
import type { Target, Way } from '../call/forward.ts'
import { callLimits } from '../call/limits.ts'
import type { Turn } from '../call/turn.ts'
import { breadthOf, shareOf, withinBreadth } from '../proxy/targets.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import type { ProxyPlan } from './contract.ts'

type ForwardWay = Extract<Way, { kind: 'forward' }>

export function aimAt(turn: Turn, request: SipRequest, flow: Flow, plan: ProxyPlan): Aim {
  if (plan.targets.flat().length === 0) return aimOf(turn, request, flow)
  const groups: ForwardWay[][] = []
  let refusal: Extract<Way, { kind: 'refuse' }> | null = null
  for (const group of plan.targets) {
    const ways: ForwardWay[] = []
    for (const uri of group) {
      const way = routeToContact(turn, request, flow.transport, uri)
      if (way.kind === 'wait') return way
      if (way.kind === 'refuse') refusal ??= way
      else ways.push(way)
    }
    if (ways.length > 0) groups.push(ways)
  }
  // A target that leads nowhere is none; if all do, the first one's reason is the answer.
  const first = groups[0]?.[0]
  if (first === undefined) return must(refusal, 'a plan with targets has a way or a refusal')
  const flows = groups.map((group) => group.map(flowsOf))
  return { kind: 'targets', way: { ...first, targets: flows }, targets: targetsOf(turn, request, flow, groups) }
}

function flowsOf({ hop, targets }: ForwardWay): readonly Flow[] {
  return targets?.[0]?.[0] ?? [hop]
}

function targetsOf(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  ways: readonly (readonly ForwardWay[])[],
): readonly Target[] {
  const breadth = breadthOf(request)
  const groups = withinBreadth(ways, breadth, callLimits.targets)
  const count = groups.flat().length
  const places = Math.max(1, Math.floor(callLimits.targets / count))
  let ordinal = 0
  return groups.flatMap((group, i) =>
    group.flatMap((way) => {
      ordinal++
      return flowsOf(way)
        .slice(0, places)
        .map((hop, n): Target => {
          const place = { ordinal, attempt: n + 1 }
          const share = count === 1 ? {} : { breadth: shareOf(breadth, group.length) }
          const out = forwarded(turn, request, flow, { ...way, hop }, true, { ...place, ...share })
          return { ...out, ...place, rank: i + 1 }
        })
    }),
  )
}
