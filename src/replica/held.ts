// A group in its owner's memory, with what is on its way for it.

import type { GroupKey } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { AppAnswer } from '../app/contract.ts'
import type { Ask, Group, GroupInput } from '../app/group.ts'
import type { InputRef, OrderOutcome, Outgoing } from '../call/contract.ts'
import type { GroupView } from '../store/view.ts'
import type { Commit, Destination } from '../wire/entry.ts'

/** What waits for a commit. */
export interface Awaiting {
  /** The group before the first of `inputs`. */
  readonly before: Group
  /** Its own input, and later ones that needed no commit: all are handled again if it falls. */
  readonly inputs: GroupInput[]
  readonly sends: Outgoing[]
  readonly handled: InputRef[]
}

/** A commit on its way through the log. */
export interface OpenCommit extends Awaiting {
  readonly serial: number
  readonly at: Instant
  commit: Commit
  /** Its bytes, once it has left; until then a later commit of the group may be folded into it. */
  body: Uint8Array | null
}

/** Whether the group has moved on, and all its entities are what that commit was made on: timers that ask their owner for something have
 * fired, which an owner knows by their intents, and nothing else has happened. */
export function isUntouched({ version, entities }: GroupView, { commit, before }: OpenCommit): boolean {
  if (version <= commit.expected || entities.length !== before.entities.size) return false
  return entities.every((entity) => before.entities.get(`${entity.tree}/${entity.id}`)?.version === entity.version)
}

/** Whether a timer has fired that the commit cancels or sets anew, and knows nothing of that: it would be performed all the same. */
export function meetsFiring({ intents }: GroupView, { commit: { timers, cancels, done } }: OpenCommit): boolean {
  const changed = new Set([...timers.map(({ id }) => id), ...cancels])
  return intents.some(({ id }) => changed.has(id) && !done.includes(id))
}

/** An input that the group's application is asked about. */
export interface Asking {
  readonly id: number
  readonly input: GroupInput
  readonly ask: Ask
  /** What it said, while that waits for what DNS says of a place. */
  answer: AppAnswer | null
  place: string
}

export interface Held {
  readonly key: GroupKey
  group: Group
  /** The group's version after all open commits. */
  version: number
  readonly open: OpenCommit[]
  /** Inputs of fallen commits, and those that came while this replica was stale. Handled before any other. */
  redo: GroupInput[]
  /** Inputs that wait for what DNS says of a place, in order of arrival. */
  lost: { readonly input: GroupInput; readonly place: string }[]
  asking: Asking | null
  /** Inputs that wait for the answer, in order of arrival. */
  queue: GroupInput[]
  /** What may leave, but not while this replica is stale. */
  released: Outgoing[]
  /** Inputs that are handled once that has left: if the group goes first, their keepers pass them on. */
  answered: InputRef[]
  readonly refs: Set<InputRef>
  /** What has become of orders, as of the last time that they were handled; told once they are answered. */
  readonly outcomes: Map<InputRef, OrderOutcome>
  /** Of those, what is another group's: its keeper is told that instead of that it is handled. */
  readonly elsewhere: Map<InputRef, Destination>
}

export function newHeld(key: GroupKey, group: Group, version: number): Held {
  return {
    key,
    group,
    version,
    open: [],
    redo: [],
    lost: [],
    asking: null,
    queue: [],
    released: [],
    answered: [],
    refs: new Set(),
    outcomes: new Map(),
    elsewhere: new Map(),
  }
}
