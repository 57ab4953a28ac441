// Whether a history of sessions can be true of a store that keeps the promises of versioned-store.ts, and if not, what was
// lost. That it can't is decided by search (linearize.ts), which neither misses nor invents; then the plainest reason is
// looked for, because "not linearizable" helps nobody.

import { linearize } from './linearize.ts'
import { isAccepted, tell, versionOf } from './operation.ts'
import type { Operation } from './operation.ts'

export interface Loss {
  readonly kind: 'lost update' | 'applied twice' | 'stale read' | 'lost session' | 'version' | 'no order'
  readonly session: string
  /** One sentence. */
  readonly text: string
  /** Those that the sentence is about. */
  readonly operations: readonly Operation[]
}

/** The first loss in a history, by session; null = nothing was lost. Operations may come in any order. Throws a RangeError if
 * too many of one session are concurrent to be searched: some twenty at a time are fine. */
export function checkHistory(operations: readonly Operation[]): Loss | null {
  for (const session of [...new Set(operations.map((operation) => operation.session))].sort()) {
    const own = operations.filter((operation) => operation.session === session).sort((a, b) => a.called - b.called)
    const result = linearize(own)
    if (result.kind === 'explained') continue
    for (const reason of reasons) {
      const found = reason(own)
      if (found !== null) return { session, ...found, text: `${found.kind} in ${session}: ${found.text}` }
    }
    const { order, stuck } = result
    const why = `no order of its ${own.length} operations explains their answers; after ${order.length} of them, it can't be that ${tell(stuck)}`
    return { kind: 'no order', session, text: `no order in ${session}: ${why}`, operations: [stuck] }
  }
  return null
}

type Found = Pick<Loss, 'kind' | 'text' | 'operations'> | null

/** The plainest first. */
const reasons: readonly ((own: readonly Operation[]) => Found)[] = [
  appliedTwice,
  lostUpdate,
  jumpedOver,
  overwritten,
  versionAgain,
  changed,
  staleRead,
  lostSession,
  fallenVersion,
]

/** A replay, or a write that is back. */
function appliedTwice(own: readonly Operation[]): Found {
  for (const first of own) {
    const version = versionOf(first)
    if (first.kind === 'get' || first.kind === 'delete' || version === null) continue
    const again = own.find((other) => {
      const isSame =
        other.kind === 'get'
          ? shownValue(other) === first.value
          : other.kind !== 'delete' && other.request === first.request
      return isSame && (versionOf(other) ?? version) !== version
    })
    if (again === undefined) continue
    const ended = own.find((other) => other.kind === 'delete' && isAccepted(other) && other.called < again.called)
    const revived = ended === undefined ? '' : ', so a deleted session lives again'
    const text = `${first.request} was written as version ${version}, and again as version ${versionOf(again)}${revived}`
    return { kind: 'applied twice', text, operations: [first, again] }
  }
  return null
}

/** Two writes on one version, or as one version. A delete is a write too. */
function lostUpdate(own: readonly Operation[]): Found {
  const writes = own.filter(isAccepted)
  for (const [i, a] of writes.entries()) {
    for (const b of writes.slice(i + 1)) {
      if (a.kind === 'get' || b.kind === 'get' || a.request === b.request || isDeletedBetween(own, a, b)) continue
      const replaced = a.kind === 'put' ? 0 : a.expected
      const isOneBase =
        a.kind !== 'put' && b.kind !== 'put' && a.expected === b.expected && (replaced > 0 || !isEnded(own, a, b))
      const isOneVersion = versionOf(a) !== null && versionOf(a) === versionOf(b)
      if (!isOneBase && !isOneVersion) continue
      const based = replaced === 0 ? 'both created it' : `both replaced version ${replaced}`
      const what = isOneBase ? based : `both became version ${versionOf(a)}`
      const [winner, loser] = winnerOf(own, a, b)
      const text = `${nameOfWrite(a)} and ${nameOfWrite(b)} ${what}: ${name(loser)} is overwritten by ${name(winner)}, whose owner had not seen it`
      return { kind: 'lost update', text, operations: [a, b] }
    }
  }
  return null
}

function nameOfWrite(write: Operation): string {
  return write.kind === 'delete' ? `${name(write)} (delete)` : name(write)
}

function isDeletedBetween(own: readonly Operation[], a: Operation, b: Operation): boolean {
  return own.some((other) => other.kind === 'delete' && isAccepted(other) && precedes(a, other) && precedes(other, b))
}

/** Of two writes, the one that reads show, or that came later. */
function winnerOf(own: readonly Operation[], a: Operation, b: Operation): readonly [Operation, Operation] {
  const last = own.findLast((other) => [name(a), name(b)].includes(shownValue(other) ?? ''))
  const isFirst = last === undefined ? (versionOf(a) ?? 0) > (versionOf(b) ?? 0) : shownValue(last) === name(a)
  return isFirst ? [a, b] : [b, a]
}

/** A write between a compare-and-put and the version that it was compared with: versions only rise. */
function jumpedOver(own: readonly Operation[]): Found {
  for (const write of own) {
    const version = versionOf(write)
    if (write.kind !== 'compareAndPut' || version === null) continue
    const between = own.find((other) => {
      const at = other.kind === 'put' || other.kind === 'compareAndPut' ? versionOf(other) : null
      if (at === null || at <= write.expected || at >= version) return false
      return write.expected > 0 || !isEnded(own, other, write)
    })
    if (between === undefined) continue
    const text = `${tell(between)}, and ${tell(write)}: ${name(between)} is overwritten by ${name(write)}, whose owner had not seen it`
    return { kind: 'lost update', text, operations: [between, write] }
  }
  return null
}

/** Whether a delete may have ended what one of two writes made before the other one came: versions only rise. */
function isEnded(own: readonly Operation[], a: Operation, b: Operation): boolean {
  const versions = [versionOf(a) ?? 0, versionOf(b) ?? 0]
  const [first, last] = [Math.min(...versions), Math.max(...versions)]
  return own.some(
    (other) =>
      other.kind === 'delete' &&
      (isAccepted(other) || other.returned === null) &&
      other.expected >= first &&
      other.expected < last,
  )
}

/** A write on a version that was known to be replaced. */
function overwritten(own: readonly Operation[]): Found {
  for (const write of own) {
    if (!isAccepted(write) || (write.kind !== 'compareAndPut' && write.kind !== 'delete')) continue
    const newer = own.find((other) => precedes(other, write) && (versionOf(other) ?? 0) > write.expected)
    if (newer === undefined || (write.expected === 0 && own.some(({ kind }) => kind === 'delete'))) continue
    const lost = newer.kind === 'get' ? shownValue(newer) : name(newer)
    const text = `${tell(write)}, although version ${versionOf(newer)} was there before: ${lost} is lost`
    return { kind: 'lost update', text, operations: [newer, write] }
  }
  return null
}

/** A version that holds something else than was written. */
function changed(own: readonly Operation[]): Found {
  for (const write of own) {
    if (write.kind === 'get' || write.kind === 'delete' || !isAccepted(write)) continue
    const read = own.find(
      (other) => other.kind === 'get' && versionOf(other) === versionOf(write) && shownValue(other) !== write.value,
    )
    if (read === undefined) continue
    const text = `${tell(write)}, but at that version ${shownValue(read)} is shown: ${name(write)} is lost`
    return { kind: 'lost update', text, operations: [write, read] }
  }
  return null
}

function staleRead(own: readonly Operation[]): Found {
  for (const read of own) {
    const version = versionOf(read)
    if (read.kind !== 'get' || version === null) continue
    const newer = own.find((other) => precedes(other, read) && (versionOf(other) ?? 0) > version)
    if (newer === undefined) continue
    const text = `${tell(read)} after ${tell(newer)}`
    return { kind: 'stale read', text, operations: [newer, read] }
  }
  return null
}

function lostSession(own: readonly Operation[]): Found {
  const isDeletable = (version: number): boolean =>
    own.some(
      (other) => other.kind === 'delete' && other.expected >= version && (isAccepted(other) || other.returned === null),
    )
  for (const read of own) {
    if (read.kind !== 'get' || read.answer !== null) continue
    const write = own.find((other) => {
      const version = versionOf(other)
      return precedes(other, read) && version !== null && !isDeletable(version)
    })
    if (write === undefined) continue
    return {
      kind: 'lost session',
      text: `${tell(read)} after ${tell(write)}, and nobody deleted it`,
      operations: [write, read],
    }
  }
  return null
}

/** A version that comes again after a delete. */
function versionAgain(own: readonly Operation[]): Found {
  return fallenVersion(
    own.filter((write) => versionOf(write) === null || own.some((other) => isSameVersion(write, other))),
  )
}

function isSameVersion(a: Operation, b: Operation): boolean {
  return a !== b && a.kind !== 'get' && b.kind !== 'get' && versionOf(a) === versionOf(b)
}

/** A version that is not above all before: it would be taken for an older one, or come twice. */
function fallenVersion(own: readonly Operation[]): Found {
  for (const write of own) {
    const version = versionOf(write)
    if (write.kind === 'get' || version === null) continue
    const before = own.find((other) => other !== write && precedes(other, write) && (versionOf(other) ?? 0) >= version)
    if (before === undefined) continue
    const text = `${tell(write)}, although ${tell(before)} before: a version must be higher than all before it, also after a delete`
    return { kind: 'version', text, operations: [before, write] }
  }
  return null
}

function precedes(a: Operation, b: Operation): boolean {
  return a.returned !== null && a.returned < b.called
}

function name(operation: Operation): string {
  return operation.kind === 'get' ? operation.owner : operation.request
}

function shownValue(operation: Operation): string | null {
  const { kind, answer } = operation
  return kind === 'get' && typeof answer === 'object' ? (answer?.value ?? null) : null
}
