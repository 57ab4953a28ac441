// The branches of an INVITE, one client transaction each: how they begin, are cancelled, and stop.
//
//   waiting --its group's turn--> calling --1xx--> proceeding --2xx--> accepted
//      |                             |                 |------300 to 699--> completed
//      +---CANCEL, 2xx, 6xx----------+---timeouts------+------------------> terminated

import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { cancelFor } from '../transaction/hop-by-hop.ts'
import { startInviteClient } from '../transaction/invite-client.ts'
import { startNonInviteClient } from '../transaction/non-invite-client.ts'
import type { Branch, InviteRecord, ProxyRules } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import { sentInvite } from './find.ts'
import type { Target } from './forward.ts'
import type { BranchLocal } from './group-state.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** A client transaction whose turn is to come. */
export function waitingBranch(id: string, { ordinal, attempt, rank, branch, hop }: Target): Branch {
  return {
    id,
    ordinal,
    attempt,
    rank,
    branch,
    hop: { ...hop, host: flat(hop.host) },
    state: 'waiting',
    ack: null,
    cancel: null,
    answer: null,
  }
}

/** Whether a final is to come. */
export function isOpen(branch: Branch): boolean {
  return branch.state === 'calling' || branch.state === 'proceeding'
}

export function withBranch(record: InviteRecord, id: string, change: Partial<Branch>): InviteRecord {
  return {
    ...record,
    branches: record.branches.map((branch) => (branch.id === id ? { ...branch, ...change } : branch)),
  }
}

function ringsFor(rules: ProxyRules | null): Duration {
  return Math.min(rules?.patience ?? timers.timerC, timers.timerC) as Duration
}

/** The INVITE of a branch goes out after the commit, whose timer C runs from there (16.6 step 11). The answer is its local part. */
export function startBranch(turn: Turn, branch: Branch, text: string, rules: ProxyRules | null): BranchLocal {
  turn.setTimer(`c.${branch.id}`, ringsFor(rules), null)
  turn.sendAfter(branch.hop, text, what.invite(branch.id))
  return { client: startInviteClient(branch.hop.transport !== 'udp', turn.now), cancel: null, timerC: turn.now }
}

/** 16.6: the next group of targets is tried, each at the first of its places. Null = there is none. */
export function startNextGroup(turn: Turn, id: string, record: InviteRecord): InviteRecord | null {
  const next = record.branches.find((branch) => branch.state === 'waiting')
  return next === undefined ? null : startGroup(turn, id, record, next.rank)
}

/** That group of targets is tried, each at the first of its places. */
export function startGroup(turn: Turn, id: string, record: InviteRecord, rank: number): InviteRecord {
  const group = record.branches.filter((branch) => branch.state === 'waiting' && branch.rank === rank)
  const firsts = group.filter(({ ordinal }, i) => group.findIndex((one) => one.ordinal === ordinal) === i)
  return startWaiting(turn, id, record, firsts)
}

/** RFC 3263 4.3: the target is tried at the next of its places. Null = there is none. */
export function startNextPlace(turn: Turn, id: string, record: InviteRecord, target: number): InviteRecord | null {
  const next = record.branches.find(({ state, ordinal }) => state === 'waiting' && ordinal === target)
  return next === undefined ? null : startWaiting(turn, id, record, [next])
}

/** The target has answered, or can't: its other places are not tried. */
export function withoutPlaces(record: InviteRecord, target: number): InviteRecord {
  if (!record.branches.some(({ state, ordinal }) => state === 'waiting' && ordinal === target)) return record
  const branches = record.branches.map((branch): Branch => {
    return branch.state === 'waiting' && branch.ordinal === target ? { ...branch, state: 'terminated' } : branch
  })
  return { ...record, branches }
}

function startWaiting(turn: Turn, id: string, record: InviteRecord, group: readonly Branch[]): InviteRecord {
  const local = turn.invite(id)
  const places = new Map(local.branches)
  const branches = record.branches.map((waiting): Branch => {
    const request = turn.get('Transaction', waiting.id)
    if (!group.some((one) => one.id === waiting.id) || request?.kind !== 'request') return waiting
    // Put once more: the stamp of this commit is what timer B runs from at another owner.
    turn.put(waiting.id, { ...request })
    places.set(waiting.id, startBranch(turn, waiting, request.text, record.rules))
    return { ...waiting, state: 'calling' }
  })
  turn.setInvite(id, { ...local, branches: places })
  return { ...record, branches }
}

/** A CANCEL for each open branch (16.7 step 10, 16.10), and what waits is not tried any more. `only`: for that branch alone
 * (16.8), and the others go on. The record is the same where nothing is open. */
export function cancelBranches(turn: Turn, id: string, record: InviteRecord, only: string | null = null): InviteRecord {
  let value = record
  for (const branch of record.branches) {
    if (only !== null && branch.id !== only) continue
    if (branch.state === 'waiting') value = withBranch(value, branch.id, { state: 'terminated' })
    if (!isOpen(branch) || branch.cancel !== null) continue
    const cancel = flat(cancelFor(sentInvite(turn, branch)))
    value = withBranch(value, branch.id, { cancel })
    // 9.1: given up after 64*T1.
    turn.setTimer(`k.${branch.id}`, timers.sixtyFourT1, null)
    turn.cancelTimer(`c.${branch.id}`)
    // 9.1: not before the first provisional.
    if (branch.state === 'proceeding') sendCancel(turn, id, { ...branch, cancel }, 'after')
  }
  return value
}

/** The stored CANCEL goes out, with its own client transaction. */
export function sendCancel(turn: Turn, id: string, branch: Branch, when: 'at-once' | 'after', age = millis(0)): void {
  if (branch.cancel === null) return
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place === undefined) return
  const cancel = startNonInviteClient(branch.hop.transport !== 'udp', age as Duration, turn.now)
  turn.setInvite(id, { ...local, branches: new Map(local.branches).set(branch.id, { ...place, cancel }) })
  if (when === 'at-once') turn.send(branch.hop, branch.cancel, what.cancel(branch.id))
  else turn.sendAfter(branch.hop, branch.cancel, what.cancel(branch.id))
}

/** The log timers of a branch that has its final. */
export function cancelBranchTimers(turn: Turn, branch: Branch): void {
  turn.cancelTimer(`c.${branch.id}`)
  if (branch.cancel !== null) turn.cancelTimer(`k.${branch.id}`)
}
