// Two commits of one group as one. A commit behind (a 1xx, a relayed BYE) that has not left when the next one is made need
// not be a commit of its own: the log carries one entry, with what both made true.
//
// Sessions that an application has are left alone: it compares their versions, so one version must not stand for what two turns made.

import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { Delete, EntityRef, Put } from '../wire/entry.ts'
import type { CommitBody } from './contract.ts'
import type { Group, Held } from './group-state.ts'

/** What `second`, built on `first`, makes of the two, and the group after it: each entity's version rises by one, not two.
 * Null if they can't be one: an entity that `first` deletes comes again, or both change a session of an application. */
export function fold(
  group: Group,
  first: CommitBody,
  second: CommitBody,
): { readonly group: Group; readonly commit: CommitBody } | null {
  const gone = new Set(first.deletes.map(nameOf))
  if ([...second.puts, ...second.deletes].some((change) => gone.has(nameOf(change)))) return null
  const puts = new Map<string, Put>(first.puts.map((put) => [nameOf(put), put]))
  if (isHosted(group) && second.puts.some((put) => isSession(put) && puts.has(nameOf(put)))) return null
  const deletes = new Map<string, Delete>(first.deletes.map((change) => [nameOf(change), change]))
  const entities = new Map<string, Held>(group.entities)
  for (const put of second.puts) {
    const before = puts.get(nameOf(put))
    const held = entities.get(nameOf(put))
    puts.set(nameOf(put), before === undefined ? put : { ...put, expected: before.expected })
    if (before !== undefined && held !== undefined) entities.set(nameOf(put), { ...held, version: held.version - 1 })
  }
  for (const change of second.deletes) {
    const before = puts.get(nameOf(change))
    puts.delete(nameOf(change))
    // What was made and deleted in one commit never was.
    if (before === undefined) deletes.set(nameOf(change), change)
    else if (before.expected > 0) deletes.set(nameOf(change), { ...change, expected: before.expected })
  }
  const commit: CommitBody = {
    puts: [...puts.values()],
    deletes: [...deletes.values()],
    ...foldTimers(first, second),
    holds: second.holds ?? first.holds,
    opened: [...first.opened.filter(({ id }) => !second.done.includes(id)), ...second.opened],
    done: [...first.done, ...second.done],
  }
  return { group: { ...group, entities }, commit }
}

function isHosted(group: Group): boolean {
  const session = group.entities.get(`SipApplicationSession/${APPLICATION_SESSION}`)?.value
  return session?.kind === 'application-session' && session.hosted !== null
}

function isSession({ tree, id }: EntityRef): boolean {
  return tree === 'SipSession' || (tree === 'SipApplicationSession' && id === APPLICATION_SESSION)
}

/** In one commit cancels come before timers. */
function foldTimers(first: CommitBody, second: CommitBody): Pick<CommitBody, 'timers' | 'cancels'> {
  const set = new Set(second.timers.map(({ id }) => id))
  const kept = first.timers.filter(({ id }) => !set.has(id) && !second.cancels.includes(id))
  return { timers: [...kept, ...second.timers], cancels: [...new Set([...first.cancels, ...second.cancels])] }
}

function nameOf({ tree, id }: EntityRef): string {
  return `${tree}/${id}`
}
