// Cluster time (design.md 5): one clock for the whole set, which stamps every entry. The leader's monotonic clock moves it,
// so no wall clock that jumps can fire a timer early or hold time back; a slew of at most one part in `slewPart` keeps it near
// the wall clocks of a majority. Followers follow what the leader says, and the next leader goes on from there:
//
//                 hears the leader                lead: the latest that it or its voters heard
//     follower ---------------------> follower ------------------------------------------------> leader
//        ^                                         (nobody heard any: the median wall clock)        |
//        '--------------------------------------- follow -------------------------------------------'
//
// All that is kept is relative to this replica's own monotonic clock: a jump of its wall clock moves nothing but its own
// vote on what time it is.

import { assert } from '../base/assert.ts'
import type { ReplicaId, Term } from '../base/brand.ts'
import { type Duration, type Instant, type Stamp, between, instant, micros, plus, stamp } from '../base/instant.ts'

/** What a replica's clocks say as a frame leaves: offsets for the slew, the time for a new leader. */
export interface ClockReading {
  /** Cluster time as the sender knows it; null = it never heard one. */
  readonly cluster: Stamp | null
  readonly wall: Stamp
}

export interface ClusterClockOptions {
  readonly self: ReplicaId
  /** Cluster time is slewed by at most one part in this many. */
  readonly slewPart: number
  /** Wall clocks within this of each other agree. */
  readonly agreement: Duration
}

/** A wall clock that is off, and by how much from those that agree. */
export interface ClockAlarm {
  readonly peer: ReplicaId
  readonly offset: Duration
}

interface WallView {
  /** The voters' wall clocks that are known, lowest first. */
  readonly known: readonly Duration[]
  /** The median of the most of them that agree, if those are a majority of all voters; else null. */
  readonly agreed: Duration | null
}

/** Cluster time at a moment of our monotonic clock. */
interface Anchor {
  readonly cluster: Stamp
  readonly at: Instant
}

export class ClusterClock {
  readonly #options: ClusterClockOptions
  /** Whose wall clocks count, this replica's included if it votes. */
  #voters: readonly ReplicaId[]
  /** Wall clocks as distances from our monotonic clock, last known; our own among them. */
  readonly #walls = new Map<ReplicaId, Duration>()
  /** What they come to: asked for several times a turn. Null = they have changed since. */
  #view: WallView | null = null
  /** The latest cluster time that this replica heard or made in this life. */
  #anchor: Anchor | null = null
  /** What voters said they know since the last word of a leader: only a new leader asks. */
  readonly #claims = new Map<ReplicaId, Anchor>()
  #leading = false
  /** The term whose leader we follow. */
  #followed: Term | null = null
  /** The slew has been used up to here. */
  #slewed: Instant = instant(0)
  /** Time was read up to here: it doesn't fall, unless we follow the leader of another term. */
  #floor: Stamp = stamp(0)

  constructor(options: ClusterClockOptions, voters: readonly ReplicaId[]) {
    this.#options = options
    this.#voters = voters
  }

  /** The set has changed. */
  set voters(voters: readonly ReplicaId[]) {
    if (voters === this.#voters) return
    this.#voters = voters
    this.#view = null
    for (const id of [...this.#walls.keys()]) {
      if (id !== this.#options.self && !voters.includes(id)) this.#walls.delete(id)
    }
    for (const id of [...this.#claims.keys()]) if (!voters.includes(id)) this.#claims.delete(id)
  }

  /** A frame came with its sender's clocks. `led`: the term that the sender leads and we are in; null = it leads none. */
  heard(from: ReplicaId, reading: ClockReading, now: Instant, wall: Stamp, led: Term | null): void {
    const votes = this.#voters.includes(from)
    if (votes) this.#shows(from, distance(now, reading.wall))
    this.#shows(this.#options.self, distance(now, wall))
    if (this.#leading || reading.cluster === null) return
    const heard: Anchor = { cluster: reading.cluster, at: now }
    if (led === null) {
      if (votes) this.#claims.set(from, heard)
      return
    }
    // Kept across the terms of one leader the floor would be a claim that time is later than it ever said.
    if (this.#followed !== led) this.#floor = stamp(0)
    this.#followed = led
    this.#anchor = heard
    // What voters claimed before is in the leader's time already; kept, it would undo a slew that held time back.
    this.#claims.clear()
  }

  /** This replica leads now. `lastStamp` is that of the last entry it applied. */
  lead(now: Instant, wall: Stamp, lastStamp: Stamp): void {
    this.#shows(this.#options.self, distance(now, wall))
    const heard = [...this.#claims.values(), ...(this.#anchor === null ? [] : [this.#anchor])]
    const latest =
      heard.length > 0
        ? Math.max(...heard.map((anchor) => anchor.cluster + between(anchor.at, now)))
        : plus(stamp(now), median(this.#walled().known))
    this.#anchor = { cluster: stamp(Math.max(latest, lastStamp)), at: now }
    this.#claims.clear()
    this.#followed = null
    this.#leading = true
    this.#slewed = now
  }

  /** This replica doesn't lead (any more). */
  follow(): void {
    this.#leading = false
  }

  /** Cluster time. The leader's is the cluster's; a follower's is what it heard last and its own monotonic time since; of one
   * that never heard any, the wall clock's guess. */
  read(now: Instant, wall: Stamp): Stamp {
    this.#shows(this.#options.self, distance(now, wall))
    if (this.#anchor === null) return wall
    if (this.#leading) this.#anchor = this.#advanced(this.#anchor, now)
    const time = plus(this.#anchor.cluster, between(this.#anchor.at, now))
    if (time > this.#floor) this.#floor = time
    return this.#floor
  }

  /** What rides on a frame that leaves now. */
  reading(now: Instant, wall: Stamp): ClockReading {
    const cluster = this.read(now, wall)
    return { cluster: this.#anchor === null ? null : cluster, wall }
  }

  /** The wall clock that is farthest off, if one is. It changes nothing. */
  alarm(): ClockAlarm | null {
    const known = this.#walled().known
    if (known.length === 0) return null
    const right = this.#walled().agreed ?? median(known)
    let worst: ClockAlarm | null = null
    for (const voter of this.#voters) {
      const wall = this.#walls.get(voter)
      if (wall === undefined) continue
      const offset = micros(wall - right)
      if (Math.abs(offset) <= Math.max(this.#options.agreement, Math.abs(worst?.offset ?? 0))) continue
      worst = { peer: voter, offset }
    }
    return worst
  }

  /** Moves time on by the monotonic clock, slewed towards the walls that agree; without agreement by nothing else. */
  #advanced(anchor: Anchor, now: Instant): Anchor {
    const elapsed = between(anchor.at, now)
    assert(elapsed >= 0, 'a monotonic clock never falls')
    const cluster = plus(anchor.cluster, elapsed)
    const agreed = this.#walled().agreed
    const most = Math.floor(between(this.#slewed, now) / this.#options.slewPart)
    // The slew's own clock moves by whole steps, so that many short turns slew as much as a long one.
    this.#slewed = agreed === null ? now : plus(this.#slewed, micros(most * this.#options.slewPart))
    if (agreed === null) return { cluster, at: now }
    const error = between(cluster, plus(stamp(now), agreed))
    return { cluster: plus(cluster, micros(Math.max(-most, Math.min(most, error)))), at: now }
  }

  #shows(voter: ReplicaId, wall: Duration): void {
    if (this.#walls.get(voter) === wall) return
    this.#walls.set(voter, wall)
    this.#view = null
  }

  #walled(): WallView {
    if (this.#view !== null) return this.#view
    const known = this.#voters.map((voter) => this.#walls.get(voter)).filter((wall) => wall !== undefined)
    known.sort((a, b) => a - b)
    this.#view = { known, agreed: agreedOf(known, this.#voters.length, this.#options.agreement) }
    return this.#view
  }
}

function agreedOf(known: readonly Duration[], voters: number, agreement: Duration): Duration | null {
  let [best, most] = [0, 0]
  for (let from = 0, to = 0; from < known.length; from++) {
    // Those from `from` to `to` agree: the walls are sorted.
    while (to < known.length && (known[to] as Duration) - (known[from] as Duration) <= agreement) to++
    if (to - from > most) [best, most] = [from, to - from]
  }
  return 2 * most > voters ? median(known.slice(best, best + most)) : null
}

function distance(now: Instant, wall: Stamp): Duration {
  return micros(wall - now)
}

/** The middle one; of two in the middle the lower, for time that is too late fires nothing early. */
function median(sorted: readonly Duration[]): Duration {
  return sorted[(sorted.length - 1) >> 1] ?? micros(0)
}
