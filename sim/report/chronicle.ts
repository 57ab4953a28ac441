// What a report tells of one run: plain data, made by recorder.ts, drawn by ladder-text.ts and by the page. Times are
// microseconds of true time.

import type { Plan } from '../plan.ts'
import type { RunResult } from '../simulate.ts'

/** Who stands at a column: a phone of the call, or a replica by its number. */
export type Party = 'caller' | 'callee' | number

/** A SIP message on its way: over the network, or passed on from one replica to another. */
export interface Way {
  readonly call: number | null
  readonly from: Party
  readonly sentAt: number
  /** Null = somewhere in the set: it never arrived. */
  readonly to: Party | null
  /** Null = it never arrived. */
  readonly arrivedAt: number | null
  /** `INVITE`, `180 INVITE`. */
  readonly label: string
  readonly text: string
  /** The same bytes left there before. */
  readonly isRepeat: boolean
}

/** A commit, or a timer's firing, that the log decided. */
export interface Committed {
  readonly call: number | null
  readonly at: number
  /** Who proposed it, or owned the group when its timer fired. */
  readonly replica: number
  readonly index: number
  /** `accepted`, `fired`, or why it was rejected. */
  readonly outcome: string
  /** What it puts, sets and ends, in a few words. */
  readonly what: string
  /** Who had said by then that it is on their disk. */
  readonly acknowledgedBy: readonly number[]
}

export type HappeningKind =
  | 'start'
  | 'death'
  | 'pause'
  | 'wake'
  | 'cut'
  | 'heal'
  | 'reset'
  | 'leader'
  | 'serving'
  | 'other'
  | 'failure'

/** What befell a replica (or the world: null), or what it became. */
export interface Happening {
  readonly at: number
  readonly replica: number | null
  readonly kind: HappeningKind
  readonly text: string
}

/** What a replica is from then on. */
export interface Stance {
  readonly at: number
  readonly replica: number
  readonly role: string
  readonly term: number
  /** The serving entry it has applied (docs/GLOSSARY.md, "epoch"). */
  readonly epoch: number
  readonly applied: number
}

/** Who owns a call's group from then on, by the log; null = nobody. */
export interface Reign {
  readonly at: number
  readonly call: number
  readonly owner: number | null
}

/** A stretch of time in which a replica was dead, stopped, or cut off. */
export interface Absence {
  readonly replica: number
  readonly kind: 'dead' | 'paused' | 'cut'
  readonly from: number
  /** Null = to the end. */
  readonly until: number | null
  readonly text: string
}

export interface Chronicle {
  readonly plan: Plan
  readonly result: RunResult
  readonly end: number
  readonly calls: readonly { readonly call: number; readonly flow: string; readonly at: number }[]
  readonly ways: readonly Way[]
  readonly commits: readonly Committed[]
  readonly happenings: readonly Happening[]
  readonly stances: readonly Stance[]
  readonly reigns: readonly Reign[]
  readonly absences: readonly Absence[]
}

/** The call that a failure is about; else the last one that was under way; null = there are none. */
export function callToShow({ result: { failure }, calls, ways, commits }: Chronicle): number | null {
  if (failure?.call !== null && failure?.call !== undefined) return failure.call
  const before = failure?.at ?? Number.MAX_SAFE_INTEGER
  const commit = failure === null ? undefined : commits.findLast(({ call, at }) => call !== null && at <= before)
  const way = ways.findLast(({ call, sentAt }) => call !== null && sentAt <= before)
  return commit?.call ?? way?.call ?? calls[0]?.call ?? null
}
