// A 3xx that is followed (RFC 3261 16.5, 16.7 step 4): its contacts become targets of the INVITE, by q, each URI once. They are
// branches in the INVITE's record from the commit on that ends the redirected one (docs/decisions/0029), so that every owner sends
// the same bytes to the same places; the best of them are called with that commit, the others wait for their turn.
//
// Only what went to the set's own next hop is followed: where a Route or the Request-URI itself led, others answer for it (16.5).

import { flat } from '../base/bytes.ts'
import { must } from '../base/assert.ts'
import { isRedirect } from '../proxy/best-response.ts'
import { asReceived, isMoved } from '../proxy/forward.ts'
import type { Place } from '../proxy/locate.ts'
import { relayResponse } from '../proxy/response.ts'
import { isSips } from '../proxy/route.ts'
import { breadthOf, shareOf, withinBreadth } from '../proxy/targets.ts'
import { edit } from '../sip/edit.ts'
import { header, parseMessage, routes, values } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { parseNameAddr } from '../sip/name-addr.ts'
import { equalUris, parseUri, uriText } from '../sip/uri.ts'
import type { Uri } from '../sip/uri.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import { cancelBranchTimers, startGroup, waitingBranch, withBranch, withoutPlaces } from './branches.ts'
import { goesAlso } from './caps.ts'
import { sentInvite } from './find.ts'
import type { Found } from './find.ts'
import { forwarded, routeToContact } from './forward.ts'
import type { Target, Way } from './forward.ts'
import { callLimits } from './limits.ts'
import type { Turn } from './turn.ts'

type FoundBranch = Found<InviteRecord> & { branch: Branch }
type ForwardWay = Extract<Way, { kind: 'forward' }>

export type Redirect =
  /** It is a failure like others. */
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly place: Place }
  | {
      readonly kind: 'follow'
      /** In the order in which they are tried. */
      readonly targets: readonly Target[]
      /** What is left of the response for upstream, its other contacts; null = nothing. */
      readonly left: string | null
    }

const NONE: Redirect = { kind: 'none' }

interface Contact {
  /** As in the response. */
  readonly text: string
  readonly uri: Uri | null
  readonly q: number
}

export function followRedirect(turn: Turn, response: SipResponse, found: FoundBranch): Redirect {
  if (!mayFollow(turn, response, found)) return NONE
  const { value, branch } = found
  const sent = value.branches.map((branch) => sentInvite(turn, branch))
  if (sent.some((one) => routes(one).length > 0)) return NONE
  const base = baseInvite(turn, value)
  const transport = isMoved(sentInvite(turn, branch)) ? 'udp' : branch.hop.transport
  const known = sent.flatMap(({ requestUri }) => parseUri(requestUri) ?? [])
  const room = callLimits.targets - value.branches.length
  const ways: { readonly q: number; readonly way: ForwardWay }[] = []
  const left: string[] = []
  for (const contact of contactsOf(response)) {
    const uri = targetUri(contact, base)
    if (uri !== null && known.some((one) => equalUris(one, uri))) continue
    const isOne = uri !== null && ways.length < room
    const way = isOne ? routeToContact(turn, base, transport, uriText(uri)) : null
    if (way?.kind === 'wait') return way
    // One for which there is no room, by the bounds of calls, is left to the caller too.
    if (uri === null || way?.kind !== 'forward' || !goesAlso(turn, value, way)) left.push(contact.text)
    else {
      known.push(uri)
      ways.push({ q: contact.q, way })
    }
  }
  if (ways.length === 0) return NONE
  return { kind: 'follow', targets: targetsOf(turn, found, base, ways, room), left: responseWith(response, left) }
}

function mayFollow({ ctx }: Turn, { status }: SipResponse, { value, branch }: FoundBranch): boolean {
  const { followsRedirects = false, nextHop } = ctx.settings
  const isFollowed = value.rules?.isRecursive ?? (followsRedirects && nextHop !== null)
  if (!isFollowed || ctx.format === 1 || !isRedirect(status)) return false
  // 16.10: nobody is called for a caller that has given up, nor after a 6xx or a 2xx; and a re-INVITE goes where its dialog leads.
  return value.state === 'proceeding' && !value.cancelled && branch.cancel === null && value.dialog === ''
}

/** The INVITE as it came, but for our own Routes and its share of Max-Breadth. */
export function baseInvite(turn: Turn, { branches, upstream }: InviteRecord): SipRequest {
  const first = must(branches[0], 'an INVITE without a branch')
  const { settings, keys } = turn.ctx
  return asReceived(sentInvite(turn, first), first.hop, { group: turn.key, set: settings.sip, keys, arrival: upstream })
}

function contactsOf(response: SipResponse): readonly Contact[] {
  return values(response, 'Contact').map((text) => {
    const parsed = parseNameAddr(text)
    const q = Number(parsed?.params.get('q') ?? 1)
    return { text, uri: parsed === null ? null : parseUri(parsed.uri), q: q >= 0 && q <= 1 ? q : 0 }
  })
}

/** The contact as a Request-URI (19.1.1: without headers and method); null = it can't be one. */
function targetUri({ uri }: Contact, base: SipRequest): Extract<Uri, { kind: 'sip' }> | null {
  if (uri === null || uri.kind !== 'sip') return null
  // 16.7 step 4: what was asked for by sips is not looked for elsewhere.
  if (isSips(base.requestUri) && !uri.secure) return null
  return { ...uri, headers: '', params: new Map([...uri.params].filter(([name]) => name !== 'method')) }
}

/** By q, the highest first, equal ones at once (16.6); each with the places that DNS names for it. */
function targetsOf(
  turn: Turn,
  found: FoundBranch,
  base: SipRequest,
  ways: readonly { readonly q: number; readonly way: ForwardWay }[],
  room: number,
): readonly Target[] {
  const qs = [...new Set(ways.map(({ q }) => q))].sort((a, b) => b - a)
  const byQ = qs.map((q) => ways.filter((one) => one.q === q).map(({ way }) => way))
  return laterTargets(turn, found, base, byQ, room)
}

/** More targets for an INVITE that has some: in groups, one tried after another, once that branch has ended. */
export function laterTargets(
  turn: Turn,
  { value, branch }: FoundBranch,
  base: SipRequest,
  ways: readonly (readonly ForwardWay[])[],
  room: number,
): readonly Target[] {
  const breadth = breadthOf(sentInvite(turn, branch))
  const groups = withinBreadth(ways, breadth, room)
  const places = Math.max(1, Math.floor(room / ways.flat().length))
  let ordinal = Math.max(...value.branches.map((one) => one.ordinal))
  const rank = Math.max(...value.branches.map((one) => one.rank))
  return groups.flatMap((group, i) =>
    group.flatMap((way) => {
      ordinal++
      const flows = way.targets?.[0]?.[0] ?? [way.hop]
      const isForked = group.length > 1 || header(base, 'Max-Breadth') !== null
      const share = isForked ? { breadth: shareOf(breadth, group.length) } : {}
      return flows.slice(0, places).map((hop, n): Target => {
        const place = { ordinal, attempt: n + 1 }
        const out = forwarded(turn, base, value.upstream, { ...way, hop }, true, { ...place, ...share })
        return { ...out, ...place, rank: rank + i + 1 }
      })
    }),
  )
}

/** 16.7 step 4: what goes upstream has only the contacts that nobody called; without any it goes nowhere. */
function responseWith(response: SipResponse, contacts: readonly string[]): string | null {
  const relayed = contacts.length === 0 ? null : relayResponse(response)
  const parsed = relayed === null ? null : parseMessage(relayed.text)
  return parsed === null || !parsed.ok ? null : flat(edit(parsed.value).set('Contact', contacts.join(', ')).print())
}

/** The branch ends, and the contacts take its place. */
export function enterRedirected(
  turn: Turn,
  { id, value, branch }: FoundBranch,
  ack: string,
  { targets, left }: Extract<Redirect, { kind: 'follow' }>,
): void {
  cancelBranchTimers(turn, branch)
  const change = { state: 'completed', ack, cancel: null, answer: left } as const
  const ended = withoutPlaces(withBranch(value, branch.id, change), branch.ordinal)
  const added = targets.map((target, i) => waitingBranch(`${id}.${value.branches.length + i + 1}`, target))
  for (const [i, { id: place }] of added.entries()) {
    turn.put(place, { kind: 'request', text: flat(targets[i]?.text ?? '') })
  }
  const at = ended.branches.findIndex((one) => one.id === branch.id) + 1
  const branches = [...ended.branches.slice(0, at), ...added, ...ended.branches.slice(at)]
  const first = must(added[0], 'a redirection without a target')
  turn.put(id, startGroup(turn, id, { ...ended, branches }, first.rank))
}
