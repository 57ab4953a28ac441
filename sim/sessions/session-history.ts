// Histories of sessions as a fast-check arbitrary: what several owners do to a few sessions, in an order. An owner writes on
// the version that it was shown last, or, as a stale owner does, on an older one; it may send a write again, as one does
// that has heard no answer. Which version that is turns out when the history is played (play.ts), so every history that it
// shrinks to makes sense too.

import fc from 'fast-check'
import { unreachable } from '../../src/base/assert.ts'

/** `stale` counts back from the newest version that this owner was shown: 0 = that one. An owner that knows none creates. */
export type Step =
  | { readonly kind: 'get' | 'put'; readonly owner: string; readonly session: string }
  | {
      readonly kind: 'compareAndPut' | 'delete'
      readonly owner: string
      readonly session: string
      readonly stale: number
    }
  /** An earlier write of this owner comes again, counted back from its last one. */
  | { readonly kind: 'replay'; readonly owner: string; readonly back: number }

export interface SessionHistory {
  readonly steps: readonly Step[]
}

export interface HistoryOptions {
  /** Default 3, at most 26: they are named A, B, C, ... */
  readonly owners?: number
  /** Default 2: s1, s2, ... */
  readonly sessions?: number
  /** Default 20. */
  readonly maxSteps?: number
  /** Whether writes come again with the same `request`. Default false: only for stores that promise to recognise them. */
  readonly replays?: boolean
}

/** Histories of gets, puts, compare-and-puts, deletes and re-creations by concurrent owners. Shrinks to fewer steps, fewer
 * owners, one session, newer versions. */
export function sessionHistory(options: HistoryOptions = {}): fc.Arbitrary<SessionHistory> {
  return fc.array(stepOf(options), { maxLength: options.maxSteps ?? 20, size: 'max' }).map((drawn) => {
    const steps = renamed(drawn)
    return { steps, [fc.toStringMethod]: () => steps.map(tellStep).join('; ') }
  })
}

/** The owner that comes first is A and the first session s1: names shrink at once, and say nothing but who is the same. */
function renamed(steps: readonly Step[]): readonly Step[] {
  const owners = [...new Set(steps.map(({ owner }) => owner))]
  const sessions = [...new Set(steps.flatMap((step) => (step.kind === 'replay' ? [] : [step.session])))]
  return steps.map((step) => {
    const owner = ownerName(owners.indexOf(step.owner))
    return step.kind === 'replay'
      ? { ...step, owner }
      : { ...step, owner, session: sessionName(sessions.indexOf(step.session)) }
  })
}

function ownerName(n: number): string {
  return String.fromCharCode(65 + n)
}

function sessionName(n: number): string {
  return `s${n + 1}`
}

/** One step of a history. */
export function stepOf(options: HistoryOptions = {}): fc.Arbitrary<Step> {
  const { owners = 3, sessions = 2, replays = false } = options
  if (!(owners >= 1 && owners <= 26)) throw new RangeError(`owners is ${owners}: make it 1 to 26`)
  if (!(sessions >= 1)) throw new RangeError(`sessions is ${sessions}: make it 1 or more`)
  const owner = fc.nat({ max: owners - 1 }).map(ownerName)
  const session = fc.nat({ max: sessions - 1 }).map(sessionName)
  // Mostly the newest: a history of stale owners alone changes nothing.
  const stale = fc.nat({ max: 11 }).map((n) => Math.max(0, n - 8))
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), owner, session }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('compareAndPut' as const), owner, session, stale }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('put' as const), owner, session }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), owner, session, stale }) },
    ...(replays
      ? [
          {
            weight: 3,
            arbitrary: fc.record({ kind: fc.constant('replay' as const), owner, back: fc.nat({ max: 3 }) }),
          },
        ]
      : []),
  )
}

export function tellStep(step: Step): string {
  switch (step.kind) {
    case 'get':
    case 'put':
      return `${step.owner} ${step.kind} ${step.session}`
    case 'compareAndPut':
    case 'delete':
      return `${step.owner} ${step.kind} ${step.session}${step.stale === 0 ? '' : `, stale by ${step.stale}`}`
    case 'replay':
      return `${step.owner} sends its ${step.back === 0 ? 'last write' : `write ${step.back} before the last`} again`
    default:
      return unreachable(step)
  }
}
