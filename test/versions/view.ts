// A group as these tests see it, and what one input makes of it: the plainest telling of what a commit means.

import { assert, unreachable } from '../../src/base/assert.ts'
import { micros, stamp } from '../../src/base/instant.ts'
import { enterConfirmed, enterEarly, readSipSession, sipSessionFields } from '../../src/session/sip-session.ts'
import type { SipSession } from '../../src/session/sip-session.ts'
import type { GroupView } from '../../src/store/view.ts'
import type { Commit, Hold, TimerAction } from '../../src/wire/entry.ts'
import { pack, unpack } from '../../src/wire/pack.ts'

/** Names of things in a group, sorted where they are shown. */
export type Id = 'a' | 'b' | 'c'

/** What an input asks for. */
export type Change =
  | { readonly kind: 'write'; readonly ids: readonly Id[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'drop'; readonly id: Id }
  | { readonly kind: 'timer'; readonly id: Id; readonly after: number; readonly target: Id | null }
  /** One of the pending timers, or of the open intents. */
  | { readonly kind: 'cancel' | 'done'; readonly which: number }
  | { readonly kind: 'hold'; readonly count: number; readonly limit: number | null }

export interface View {
  readonly version: number
  /** By id: its version, and the inputs that wrote it, in order. */
  readonly entities: ReadonlyMap<string, { readonly version: number; readonly text: string }>
  readonly timers: ReadonlyMap<string, string>
  readonly intents: ReadonlySet<string>
  readonly holds: number
}

export const nothing: View = { version: 0, entities: new Map(), timers: new Map(), intents: new Set(), holds: 0 }

export function viewOf(group: GroupView | null): View {
  if (group === null) return nothing
  return {
    version: group.version,
    entities: new Map(group.entities.map(({ id, version, bytes }) => [id, { version, text: contentOf(bytes) }])),
    timers: new Map(group.timers.map(({ id, action }) => [id, actionText(action)])),
    intents: new Set(group.intents.map(({ id }) => id)),
    holds: group.holds.length,
  }
}

/** One text for each view: equal views have equal texts. */
export function textOf({ version, entities, timers, intents, holds }: View): string {
  return JSON.stringify([version, [...entities].sort(byFirst), [...timers].sort(byFirst), [...intents].sort(), holds])
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function actionText(action: TimerAction): string {
  return action.kind === 'delete' ? `delete ${action.targets.map(({ id }) => id).join(' ')}` : action.kind
}

type Parts = Pick<Commit, 'puts' | 'deletes' | 'timers' | 'cancels' | 'holds' | 'opened' | 'done'>

const noParts: Parts = { puts: [], deletes: [], timers: [], cancels: [], holds: null, opened: [], done: [] }

/** What a commit says for this change of this view, and the view after it. In a group that isn't there, all begins with a
 * write. */
export function edit(view: View, change: Change, input: string): { readonly parts: Parts; readonly result: View } {
  const parts = partsOf(view, view.entities.size === 0 ? { kind: 'write', ids: ['a'] } : change, input)
  const entities = new Map(view.entities)
  for (const { id } of parts.deletes) entities.delete(id)
  for (const { id, expected } of parts.puts) {
    entities.set(id, { version: expected + 1, text: textOfSession(sessionAfter(view.entities.get(id)?.text, input)) })
  }
  // An end has a version for what is built on it, before it is known whether it was accepted.
  if (entities.size === 0) return { parts, result: { ...nothing, version: view.version + 1 } }
  const timers = new Map(view.timers)
  for (const id of parts.cancels) timers.delete(id)
  for (const { id, action } of parts.timers) timers.set(id, actionText(action))
  const intents = new Set([...view.intents].filter((id) => !parts.done.includes(id)))
  const holds = parts.holds?.length ?? view.holds
  return { parts, result: { version: view.version + 1, entities, timers, intents, holds } }
}

function partsOf(view: View, change: Change, input: string): Parts {
  const ref = (id: string) => ({ tree: 'SipSession' as const, id })
  const expected = (id: string): number => view.entities.get(id)?.version ?? 0
  switch (change.kind) {
    case 'write': {
      const puts = [...new Set(change.ids)].map((id) => {
        const session = sessionAfter(view.entities.get(id)?.text, input)
        return { ...ref(id), expected: expected(id), bytes: pack(sipSessionFields(session, 2)) }
      })
      return { ...noParts, puts }
    }
    case 'end':
      return { ...noParts, deletes: [...view.entities.keys()].map((id) => ({ ...ref(id), expected: expected(id) })) }
    case 'drop':
      return {
        ...noParts,
        deletes: expected(change.id) === 0 ? [] : [{ ...ref(change.id), expected: expected(change.id) }],
      }
    case 'timer': {
      const action: TimerAction =
        change.target === null ? { kind: 'callback' } : { kind: 'delete', targets: [ref(change.target)] }
      return { ...noParts, timers: [{ id: change.id, after: micros(change.after), action }] }
    }
    case 'cancel':
      return { ...noParts, cancels: oneOf([...view.timers.keys()], change.which) }
    case 'done':
      return { ...noParts, done: oneOf([...view.intents], change.which) }
    case 'hold': {
      const hold: Hold = { counter: 'calls', limit: change.limit }
      return { ...noParts, holds: Array.from({ length: change.count }, () => hold) }
    }
    default:
      return unreachable(change)
  }
}

function oneOf(ids: string[], which: number): readonly string[] {
  return ids.length === 0 ? [] : [ids.sort()[which % ids.length] as string]
}

/** A session one state further; its Call-ID lists the inputs that wrote it. */
function sessionAfter(before: string | undefined, input: string): SipSession {
  const [state = '', inputs = ''] = (before ?? '').split(' ')
  const session: SipSession = {
    kind: 'session',
    state: 'INITIAL',
    callId: `${inputs}${input},`,
    callerTag: 'tag',
    caller: 'sip:a@example.org',
    callee: 'sip:b@example.org',
    created: stamp(7),
    hosted: null,
    began: stamp(7),
    answered: null,
  }
  return state === '' ? session : state === 'INITIAL' ? enterEarly(session) : enterConfirmed(session, stamp(8))
}

function textOfSession({ state, callId, callerTag, caller, callee, created }: SipSession): string {
  return [state, callId, callerTag, caller, callee, created].join(' ')
}

function contentOf(bytes: Uint8Array): string {
  const unpacked = unpack(bytes)
  assert(unpacked.ok, 'what was packed can be unpacked')
  return textOfSession(readSipSession(unpacked.value))
}
