// Time, as integer microseconds. Two clocks never meet: `Instant` is one process's monotonic clock, `Stamp` is cluster
// time, which stamps the log's entries (design.md 5).

import type { Brand } from './brand.ts'

/** Microseconds of one replica's monotonic clock; its zero means nothing. */
export type Instant = Brand<number, 'Instant'>
/** Microseconds of cluster time since 1970, as the log's entries carry it. */
export type Stamp = Brand<number, 'Stamp'>
/** A length of time in integer microseconds. */
export type Duration = Brand<number, 'Duration'>

export function instant(us: number): Instant {
  return us as Instant
}

export function stamp(us: number): Stamp {
  return us as Stamp
}

export function micros(us: number): Duration {
  return us as Duration
}

export function millis(ms: number): Duration {
  return Math.round(ms * 1_000) as Duration
}

export function seconds(s: number): Duration {
  return Math.round(s * 1_000_000) as Duration
}

/** `time` moved on by `duration`; a clock's own type stays. */
export function plus<T extends Instant | Stamp>(time: T, duration: Duration): T {
  return (time + duration) as T
}

/** How long after `earlier` `later` is; negative if it is before. */
export function between<T extends Instant | Stamp>(earlier: T, later: T): Duration {
  return (later - earlier) as Duration
}
