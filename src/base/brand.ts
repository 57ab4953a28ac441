// Different kinds of numbers and strings are different types, at no cost when run.

declare const brand: unique symbol

export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** One incarnation of a replica: `place + 1000 * generation`. The *place* is its number in its set, 1 to 999, which users see; the
 * generation counts the disks (in memory: the starts) that the log has allotted the place. Generation 0 is the founders'. */
export type ReplicaId = Brand<number, 'ReplicaId'>
/** One start of one incarnation of a replica, printed `replica.incarnation.start` (design.md, words). */
export type Life = Brand<string, 'Life'>
/** What all entities of one call share: 16 lower-case hexadecimal digits. */
export type GroupKey = Brand<string, 'GroupKey'>
/** A position in the log, from 1; 0 = before the first entry. */
export type Index = Brand<number, 'Index'>
/** Raft's term, from 1; 0 = before the first election. */
export type Term = Brand<number, 'Term'>

export function replicaId(value: number): ReplicaId {
  return value as ReplicaId
}

const GENERATION = 1_000
export const MOST_PLACE = GENERATION - 1

export function placeOf(id: ReplicaId): number {
  return id % GENERATION
}

export function generationOf(id: ReplicaId): number {
  return Math.floor(id / GENERATION)
}

export function memberId(place: number, generation: number): ReplicaId {
  return (place + GENERATION * generation) as ReplicaId
}

export function index(value: number): Index {
  return value as Index
}

export function term(value: number): Term {
  return value as Term
}

export function groupKey(value: string): GroupKey {
  return value as GroupKey
}

export function life(replica: ReplicaId, incarnation: string, start: number): Life {
  return `${replica}.${incarnation}.${start}` as Life
}

/** The replica of a life. */
export function replicaOf(value: Life): ReplicaId {
  return Number(value.slice(0, value.indexOf('.'))) as ReplicaId
}

/** Which start of its incarnation it is. */
export function startOf(value: Life): number {
  return Number(value.slice(value.lastIndexOf('.') + 1))
}

/** Negative if `a` is an earlier start than `b` of the same incarnation, positive if later; 0 if they are the same or of
 * different replicas or incarnations (those have no order). */
export function compareLives(a: Life, b: Life): number {
  const cutA = a.lastIndexOf('.')
  const cutB = b.lastIndexOf('.')
  if (a.slice(0, cutA) !== b.slice(0, cutB)) return 0
  return startOf(a) - startOf(b)
}
