// Where an application proxies an INVITE to (RFC 3261 16.5): the URIs that it names, each as the Request-URI of its branch, in the
// place of the set's own route. Those of a group are tried at once, the groups one after another.

import { must } from '../base/assert.ts'
import type { Aim } from '../call/invite.ts'
import { aimOf } from '../call/invite.ts'
import { flowsOfWay, forwardedTo, routeToContact } from '../call/forward.ts'
import type { ForwardWay, Way } from '../call/forward.ts'
import type { Turn } from '../call/turn.ts'
import type { SipRequest } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import type { ProxyPlan } from './contract.ts'

/** `onward`: what each target's request visits first, as the application router says. */
export function aimAt(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  plan: ProxyPlan,
  onward: ReadonlyMap<number, readonly string[]>,
): Aim {
  if (plan.targets.flat().length === 0) {
    turn.goOnBy(onward.get(0) ?? [])
    return aimOf(turn, request, flow)
  }
  let target = 0
  const groups: ForwardWay[][] = []
  let refusal: Extract<Way, { kind: 'refuse' }> | null = null
  for (const group of plan.targets) {
    const ways: ForwardWay[] = []
    for (const uri of group) {
      const isUri = parseUri(uri) !== null
      const way = routeToContact(turn, request, flow.transport, uri, isUri ? onward.get(target++) : [])
      if (way.kind === 'wait') return way
      if (way.kind === 'refuse') refusal ??= way
      else ways.push(way)
    }
    if (ways.length > 0) groups.push(ways)
  }
  // A target that leads nowhere is none; if all do, the first one's reason is the answer.
  const first = groups[0]?.[0]
  if (first === undefined) return must(refusal, 'a plan with targets has a way or a refusal')
  const flows = groups.map((group) => group.map(flowsOfWay))
  return { kind: 'targets', way: { ...first, targets: flows }, targets: forwardedTo(turn, request, flow, groups) }
}
