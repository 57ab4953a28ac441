// Is there an order of concurrent operations that explains all answers (Herlihy and Wing 1990)? The search of Wing and Gong
// with Lowe's memory of what was tried: of the operations that no other one precedes, take one that fits, go on, go back.

import { after, noSession } from './session-model.ts'
import type { SessionState } from './session-model.ts'
import type { Operation } from './operation.ts'

/** What was tried at most. Test histories need some hundreds; this is a second's work. */
const most = 20_000

export type Linearized =
  | { readonly kind: 'explained'; readonly order: readonly Operation[] }
  /** The longest order that could be made, and an operation that can't follow. */
  | { readonly kind: 'inexplicable'; readonly order: readonly Operation[]; readonly stuck: Operation }

/** Of one session's operations, in any order. Throws a RangeError if there are too many concurrent ones to be searched. */
export function linearize(operations: readonly Operation[]): Linearized {
  const all = [...operations].sort((a, b) => a.called - b.called)
  const tried = new Set<string>()
  const taken = all.map(() => false)
  const order: Operation[] = []
  let longest: readonly Operation[] = []
  let stuck = all[0]

  const search = (state: SessionState): boolean => {
    const open = candidates(all, taken)
    if (all.every((operation, i) => taken[i] || operation.returned === null)) return true
    const key = `${taken.map(Number).join('')} ${state.version} ${state.highest} ${state.value}`
    if (tried.has(key)) return false
    if (tried.size >= most) {
      throw new RangeError(
        `${all.length} operations are too many concurrent ones to be checked: make histories shorter`,
      )
    }
    tried.add(key)
    for (const i of open) {
      const operation = all[i] as Operation
      const next = after(state, operation)
      if (next === null) {
        if (order.length > longest.length || stuck === undefined) stuck = operation
        if (order.length > longest.length) longest = [...order]
        continue
      }
      taken[i] = true
      order.push(operation)
      if (search(next)) return true
      order.pop()
      taken[i] = false
    }
    return false
  }

  if (search(noSession) || stuck === undefined) return { kind: 'explained', order }
  return { kind: 'inexplicable', order: longest, stuck }
}

/** Places of the operations that may come next: none that is left was answered before they were asked. Those whose outcome
 * is known come first: an unknown one is only taken when nothing else helps. */
function candidates(all: readonly Operation[], taken: readonly boolean[]): readonly number[] {
  let firstReturn = Infinity
  for (const [i, { returned }] of all.entries()) {
    if (!taken[i] && returned !== null && returned < firstReturn) firstReturn = returned
  }
  const open = all.flatMap(({ called }, i) => (!taken[i] && called < firstReturn ? [i] : []))
  const isUnknown = (i: number): number => (all[i]?.returned === null ? 1 : 0)
  return open.sort((a, b) => isUnknown(a) - isUnknown(b) || a - b)
}
