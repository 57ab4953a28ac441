// What an application does with an INVITE that it proxies, once that is under way (JSR 289 10.2): it names more targets when all have
// failed, or takes all back.
//
//   best failure --doErrorResponse--> proxyTo: more branches of the same INVITE, tried in the place of the answer
//                                '--> nothing: the failure goes to the caller

import { flat } from '../base/bytes.ts'
import { cancelBranches, waitingBranch } from '../call/branches.ts'
import { goesAlso } from '../call/caps.ts'
import type { CallInput } from '../call/contract.ts'
import { allInvites, branchOfId, inviteOfBranch } from '../call/find.ts'
import type { Found } from '../call/find.ts'
import { routeToContact } from '../call/forward.ts'
import type { ForwardWay } from '../call/forward.ts'
import { callLimits } from '../call/limits.ts'
import { baseInvite, laterTargets } from '../call/redirect.ts'
import type { Turn } from '../call/turn.ts'
import { isGlobal } from '../proxy/best-response.ts'
import { viaOf } from '../proxy/upstream.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import { statusOfText } from '../transaction/record.ts'
import type { ProxyPlan } from './contract.ts'

const WHEN =
  'only in doErrorResponse or doRedirectResponse of a call that is proxied, before its answer goes to the caller'

/** In the turn of an INVITE's last failure: why it isn't allowed; null = its new branches wait for that. */
export function proxyAgain(turn: Turn, input: CallInput, plan: ProxyPlan): string | null {
  const found = branchOf(turn, input)
  if (found === null || found.value.state !== 'proceeding' || found.value.dialog !== '')
    return `IllegalState: proxy: more targets are named ${WHEN}`
  const { id, value } = found
  if (value.cancelled) return 'IllegalState: proxy: the caller has given up: nobody is called for it any more (16.10)'
  const failure = input.kind === 'message' && input.message.kind === 'response' ? input.message.status : 408
  const answers = value.branches.flatMap(({ answer }) => (answer === null ? [] : [statusOfText(answer)]))
  if ([failure, ...answers].some(isGlobal)) return 'IllegalState: proxy: after a 6xx nobody else is called (16.7)'
  const room = callLimits.targets - value.branches.length
  const base = baseInvite(turn, value)
  const groups: ForwardWay[][] = []
  let isFullUp = false
  for (const group of plan.targets) {
    const ways: ForwardWay[] = []
    for (const uri of group) {
      const way = routeToContact(turn, base, value.upstream.transport, uri)
      if (way.kind === 'wait') {
        turn.wait(way.place)
        return null
      }
      if (way.kind !== 'forward') continue
      if (goesAlso(turn, value, way)) ways.push(way)
      else isFullUp = true
    }
    if (ways.length > 0) groups.push(ways)
  }
  const count = groups.flat().length
  if (count === 0 && isFullUp) return 'limit: proxy: as many calls as may be go to these targets'
  if (count === 0) return 'IllegalArgument: proxy: none of these targets leads anywhere'
  if (count > room) return `limit: proxy: an INVITE has at most ${callLimits.targets} targets, and ${room} are left`
  const targets = laterTargets(turn, found, base, groups, room)
  const added = targets.map((target, i) => waitingBranch(`${id}.${value.branches.length + i + 1}`, target))
  for (const [i, { id: place }] of added.entries())
    turn.put(place, { kind: 'request', text: flat(targets[i]?.text ?? '') })
  const rules = { isRecursive: plan.recurse, patience: plan.timeout }
  turn.put(id, { ...value, branches: [...value.branches, ...added], rules })
  return null
}

function branchOf(turn: Turn, input: CallInput): (Found<InviteRecord> & { readonly branch: Branch }) | null {
  if (input.kind === 'intent') return branchOfId(turn, input.id.slice(2))
  if (input.kind !== 'message' || input.message.kind !== 'response') return null
  return inviteOfBranch(turn, viaOf(input.message).branch ?? '')
}

/** Proxy.cancel: a CANCEL to each target, and nobody else is tried; the caller gets the best of what they say, 487 as a rule. */
export function cancelProxy(turn: Turn, session: string): string | null {
  const found = allInvites(turn).find(
    ({ value }) => value.session === session && value.dialog === '' && value.state === 'proceeding',
  )
  if (found === undefined)
    return `IllegalState: cancel-proxy: SipSession ${session} has no INVITE that is being proxied`
  turn.put(found.id, cancelBranches(turn, found.id, found.value))
  return null
}
