// C10: after the last fault everything converges: within a bounded true time every call is over that its people ended, every
// timer has fired, every intent is done, nothing is left of the calls, and all replicas hash equal.
// C7, at this quiet moment: nothing leaks.

import { entityValue } from '../../src/call/entities.ts'
import { CONFIRMED_CALLS, EARLY_CALLS } from '../../src/session/holds.ts'
import type { Store } from '../../src/store/store.ts'
import type { Machine } from '../machine.ts'
import type { Phone } from '../phones/phone.ts'

/** What is kept of calls for 64*T1 after they are over. */
const remembered: ReadonlySet<string> = new Set(['groups', 'entities', 'timersPending'])

/** What has not converged yet, or null. `excused`: Call-IDs of calls that failed with a certificate. If the BYE was lost with
 * its connection, their people have hung up and no proxy can know: such a call may stay as it was. `isBrief`: what is
 * remembered of calls that are over need not be forgotten yet. */
export function unconverged(
  machines: readonly Machine[],
  phones: readonly Phone[],
  excused: ReadonlySet<string>,
  isBrief: boolean,
): string | null {
  const busy = unsettled(phones)
  if (busy !== null) return busy
  for (const machine of machines) {
    const { replica } = machine
    if (replica === null) return `replica ${machine.id} is down`
    if (isAbandoned(replica.store, excused)) continue
    const { groups, entities, timersPending, intentsOpen } = replica.store.counts()
    const early = replica.store.counter(EARLY_CALLS)
    const confirmed = replica.store.counter(CONFIRMED_CALLS)
    const left = { groups, entities, timersPending, intentsOpen, early, confirmed }
    for (const [name, count] of Object.entries(left))
      if (count !== 0 && !(isBrief && remembered.has(name))) return `replica ${machine.id} has ${count} ${name}`
  }
  return differing(machines)
}

/** Whether nothing is left but answered calls of those, which wait for nothing. */
function isAbandoned(store: Store, excused: ReadonlySet<string>): boolean {
  const { timersPending, intentsOpen } = store.counts()
  if (excused.size === 0 || intentsOpen > 0 || store.counter(EARLY_CALLS) > 0) return false
  let expiring = 0
  for (const group of store.groups()) {
    const dialogs = store.group(group)?.entities.map(entityValue) ?? []
    const isOne = dialogs.some((value) => {
      return (value?.kind === 'dialog' || value?.kind === 'leg') && excused.has(value.callId)
    })
    // Their sessions' aliases end after them.
    if (!isOne && !dialogs.every((value) => value?.kind === 'alias')) return false
    const isHosted = dialogs.some((value) => value?.kind === 'application-session' && (value.hosted ?? null) !== null)
    if (!isOne || isHosted || dialogs.some((value) => value?.kind === 'leg')) expiring++
  }
  // An application's session expires at last, and ends it.
  return timersPending <= expiring
}

/** The first phone whose call is not over, or null. */
export function unsettled(phones: readonly Phone[]): string | null {
  for (const phone of phones) {
    // A callee that was never called has nothing to settle.
    if (phone.started ? !phone.settled : phone.side === 'caller') return `${phone}: its call is not over`
  }
  return null
}

function differing(machines: readonly Machine[]): string | null {
  const states = machines.map(({ id, replica }) => ({
    id,
    index: replica?.store.appliedIndex ?? 0,
    hash: replica?.store.hash() ?? '',
    serving: replica?.store.serving().members.length ?? 0,
  }))
  const [first] = states
  for (const state of states) {
    if (state.index !== first?.index)
      return `replicas ${first?.id} and ${state.id} have applied ${first?.index} and ${state.index}`
    if (state.hash !== first.hash)
      return `replicas ${first.id} and ${state.id} hash differently at index ${state.index}`
    if (state.serving !== machines.length) return `${state.serving} of ${machines.length} replicas serve`
  }
  return null
}
