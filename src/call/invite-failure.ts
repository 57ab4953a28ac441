// A branch that ends without a 2xx (RFC 3261 16.7 steps 4 to 9): the next targets are tried, or the others waited for, or the best
// failure goes upstream. One commit holds the branch's end, what is stored of it, and what follows from it.

import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import { must } from '../base/assert.ts'
import { answerText } from '../proxy/answer.ts'
import { bestResponse, isGlobal } from '../proxy/best-response.ts'
import type { Failure } from '../proxy/best-response.ts'
import { relayResponse } from '../proxy/response.ts'
import { edit } from '../sip/edit.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { ackFor } from '../transaction/hop-by-hop.ts'
import { resumeInviteClient } from '../transaction/invite-client.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import {
  cancelBranchTimers,
  cancelBranches,
  isOpen,
  startNextGroup,
  startNextPlace,
  withBranch,
  withoutPlaces,
} from './branches.ts'
import { parsedRequest, sentInvite } from './find.ts'
import type { Found } from './find.ts'
import { dropEarly } from './invite-dialog.ts'
import { enterRedirected, followRedirect } from './redirect.ts'
import { buryTransaction } from './settle.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

type FoundBranch = Found<InviteRecord> & { branch: Branch }

/** Its commit holds both what goes up and the ACK. */
export function onFailure(turn: Turn, response: SipResponse, found: FoundBranch): void {
  const invite = sentInvite(turn, found.branch)
  const redirect = followRedirect(turn, response, found)
  if (redirect.kind === 'wait') return turn.wait(redirect.place)
  const ack = ackFor(invite, response)
  turn.sendAfter(found.branch.hop, ack, what.ack(found.branch.id))
  if (redirect.kind === 'follow') {
    enterRedirected(turn, found, flat(ack), redirect)
    return
  }
  // 16.7 step 6: a 503 speaks of all requests to the one that sent it; only if all of ours go there it is true of us.
  const isAnothers = response.status === 503 && turn.ctx.settings.nextHop === null
  const relayed = isAnothers ? null : relayResponse(response)
  // A callee that left out the Vias below ours (SIPp's [last_Via:] after a CANCEL is the CANCEL's) still said what it said.
  const own = isAnothers ? 500 : response.status
  const text = relayed?.text ?? answerText(receivedInvite(invite), turn.ctx.keys, own)
  const change = { state: 'completed', ack: flat(ack), cancel: null } as const
  endBranch(turn, found, change, { status: response.status, text: flat(text) }, response.status === 503)
}

/** 17.1.1.2: a failure that is repeated gets the ACK again; one that comes after our own 408 gets one too, and ends here. */
export function onLaterFailure(turn: Turn, response: SipResponse, branch: Branch): void {
  turn.send(branch.hop, branch.ack ?? ackFor(sentInvite(turn, branch), response), what.ack(branch.id))
}

/** The branch ends with a final of our own making: 408, 487 or 500. */
export function failWith(turn: Turn, found: FoundBranch, status: number): void {
  const { id, branch } = found
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place !== undefined) {
    const client = resumeInviteClient('terminated', place.client.reliable, millis(0), turn.now)
    turn.setInvite(id, {
      ...local,
      branches: new Map(local.branches).set(branch.id, { ...place, client, cancel: null }),
    })
  }
  const text = answerText(receivedInvite(sentInvite(turn, branch)), turn.ctx.keys, status)
  // In calling nothing was heard from there: a transport error, or timer B.
  endBranch(turn, found, { state: 'terminated', ack: null, cancel: null }, { status, text }, branch.state === 'calling')
}

/** `isOfPlace`: a failure of that place alone, after which the next one of its target is tried (RFC 3263 4.3). */
function endBranch(
  turn: Turn,
  { id, value, branch }: FoundBranch,
  change: Partial<Branch>,
  failure: Failure,
  isOfPlace: boolean,
): void {
  cancelBranchTimers(turn, branch)
  // Once a 2xx went upstream nothing but another 2xx does.
  if (value.state !== 'proceeding') {
    turn.put(id, withBranch(value, branch.id, change))
    return
  }
  if (isOfPlace) {
    const next = startNextPlace(turn, id, withBranch(value, branch.id, change), branch.ordinal)
    if (next !== null) return turn.put(id, next)
  }
  let record = withoutPlaces(withBranch(value, branch.id, { ...change, answer: failure.text }), branch.ordinal)
  // Step 5: after a 6xx nobody else is asked, and who rings is told to stop; but the answer waits for them.
  if (isGlobal(failure.status)) record = cancelBranches(turn, id, record)
  if (!record.branches.some(isOpen)) record = startNextGroup(turn, id, record) ?? record
  if (record.branches.some(isOpen)) turn.put(id, record)
  else finish(turn, id, record)
}

/** Step 6 to 9: all branches have ended. */
function finish(turn: Turn, id: string, record: InviteRecord): void {
  const failures = record.branches.flatMap(({ answer }) => (answer === null ? [] : [failureOf(answer)]))
  const [first, ...others] = failures
  const { status, text: final } = bestResponse([must(first, 'an INVITE without a failure'), ...others])
  const branches = record.branches.map((branch) => (branch.answer === null ? branch : { ...branch, answer: null }))
  turn.put(id, { ...record, branches, state: 'completed', provisional: null, final })
  if (record.dialog === '') dropEarly(turn, id)
  buryTransaction(
    turn,
    id,
    record.branches.map((one) => one.id),
  )
  const local = turn.invite(id)
  const { machine } = stepInviteServer(local.server, { kind: 'respond', status }, turn.now)
  const places = new Map([...local.branches].map(([key, one]) => [key, { ...one, cancel: null }]))
  turn.setInvite(id, { ...local, server: machine, branches: places })
  turn.sendAfter(record.upstream, final, what.response(id))
}

function failureOf(text: string): Failure {
  return { status: Number(text.slice('SIP/2.0 '.length, 'SIP/2.0 '.length + 3)), text }
}

/** The INVITE as it came: what we put on top of it taken off again, so that answers find their way. */
export function receivedInvite(sent: SipRequest): SipRequest {
  return parsedRequest(edit(sent).removeTopVia().print())
}
