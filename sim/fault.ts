// What can happen to replicas, their disks, clocks and links: one plain value each, which says all that it needs, so that one
// taken out of a plan leaves the others as they were. Times are microseconds of true time.

import { unreachable } from '../src/base/assert.ts'

export type Fault = Strike | Spell

/** Happens once. */
export type Strike =
  | {
      readonly kind: 'kill'
      readonly at: number
      readonly replica: number
      /** Dies when this many more effects have been carried out: also in the middle of a step. */
      readonly effects: number
      /** Only those count at which something is written and not synced. */
      readonly unsynced?: boolean
      readonly tail: Tail
      /** Where in the tail, per million; half of it unless said. */
      readonly share?: number
      /** What happens to the disk while the process is dead. */
      readonly damage?: Damage
      readonly restartAfter: number
      /** It starts again with a release whose newest format this is; as before unless said. */
      readonly newest?: number
      /** Its operator doesn't ask whether the set still writes what that release reads. */
      readonly rash?: boolean
    }
  | {
      /** What befalls a replica at a crash point, exactly (crash-points.ts). */
      readonly kind: 'crash'
      readonly point: CrashPoint
      readonly how: Blow
      /** Until it is back. */
      readonly length: number
    }
  | {
      /** The process stops between two effects and goes on after `length`: as SIGSTOP and SIGCONT do. */
      readonly kind: 'pause'
      readonly at: number
      readonly replica: number
      readonly effects: number
      readonly length: number
    }
  | {
      /** So does whoever leads then. */
      readonly kind: 'leader-sleeps'
      readonly at: number
      readonly effects: number
      readonly length: number
    }
  /** It is told to end (SIGTERM), and hands over what it does; its supervisor starts it again that long after its end. */
  | { readonly kind: 'drain'; readonly at: number; readonly replica: number; readonly restartAfter: number }
  /** That place is to lead. */
  | { readonly kind: 'transfer'; readonly at: number; readonly replica: number }
  /** A place is added, beyond those of the founders, and a replica comes to it. */
  | { readonly kind: 'join'; readonly at: number; readonly replica: number }
  /** A place is taken out of the set. */
  | { readonly kind: 'remove'; readonly at: number; readonly replica: number }
  /** A process dies, and its disk with it; one with an empty disk comes that long later. */
  | { readonly kind: 'replace'; readonly at: number; readonly replica: number; readonly restartAfter: number }
  /** A wall clock jumps. */
  | { readonly kind: 'clock'; readonly at: number; readonly replica: number; readonly by: number }
  /** It jumps when its replica next becomes leader. */
  | { readonly kind: 'leap'; readonly at: number; readonly replica: number; readonly by: number }
  /** The connection of two replicas breaks. */
  | { readonly kind: 'reset'; readonly at: number; readonly replica: number; readonly other: number }

/** Lasts for a while. */
export type Spell =
  | {
      readonly kind: 'partition'
      readonly at: number
      readonly until: number
      /** The replica that is cut off, or one end of the cut. */
      readonly replica: number
      /** Null = from all others. */
      readonly other: number | null
      readonly way: 'both' | 'out' | 'in'
      /** Whether the cut ends its connections (they are made anew when it heals), or its frames just come late. */
      readonly resets: boolean
    }
  | {
      /** Nothing passes between the groups; all see the replicas that are in none (a bridge). */
      readonly kind: 'split'
      readonly at: number
      readonly until: number
      readonly groups: readonly (readonly number[])[]
      readonly resets: boolean
    }
  | {
      /** A link that is cut and heals, over and over: `period` is one of both. */
      readonly kind: 'flap'
      readonly at: number
      readonly until: number
      readonly replica: number
      readonly other: number
      readonly period: number
      readonly resets: boolean
    }
  | {
      /** Each frame between the two takes this much longer. */
      readonly kind: 'slow-link'
      readonly at: number
      readonly until: number
      readonly replica: number
      readonly other: number
      readonly delay: number
    }
  | {
      /** Each turn of its loop takes this many times as long. */
      readonly kind: 'slow-replica'
      readonly at: number
      readonly until: number
      readonly replica: number
      readonly times: number
    }
  | {
      /** Each sync that begins meanwhile takes this long. */
      readonly kind: 'slow-disk'
      readonly at: number
      readonly until: number
      readonly replica: number
      readonly sync: number
    }
  /** It is told that more comes than its process takes. */
  | { readonly kind: 'overload'; readonly at: number; readonly until: number; readonly replica: number }
  | {
      /** The set takes nothing of those addresses, as its operator wants. */
      readonly kind: 'ban'
      readonly at: number
      readonly until: number
      /** As the set prints it. */
      readonly source: string
      /** It ends by itself: nobody takes it back. */
      readonly runsOut?: true
      /** Phones there repeat what they say for longer, on UDP: their calls must get through it. */
      readonly isOutlasted?: true
    }
  /** No write finds room. */
  | { readonly kind: 'disk-full'; readonly at: number; readonly until: number; readonly replica: number }

/** What a crash leaves of the write that was not synced: all of it, some whole records, nothing; part of its last record (a
 * torn one); or all of it but for one sector that was not written yet. */
export type Tail = 'kept' | 'part' | 'lost' | 'torn' | 'holed'

/** One bit of what was synced is another one now; the log is gone from its folder; the replica comes back with another disk
 * that remembers nothing. None of these may take part. Its operator puts it right that long after the restart. */
export interface Damage {
  readonly what: 'flipped' | 'gone' | 'swapped'
  readonly mendedAfter: number
}

/** A moment between two effects of a replica: the effects of its `input`th input (all its lives counted), and which of that
 * input's moments; those after its records became durable included. */
export interface CrashPoint {
  readonly replica: number
  readonly input: number
  readonly place: number
}

/** Killed with its unsynced records kept or lost; stopped for a while; nothing gets out of it, or nothing into it. */
export type Blow = 'kept' | 'lost' | 'pause' | 'out' | 'in'

/** When a fault is due; a crash point has its place in the work, not in time. */
export function timeOf(fault: Fault): number {
  return fault.kind === 'crash' ? 0 : fault.at
}

/** Which replicas it names. */
export function replicasOf(fault: Fault): readonly number[] {
  if (fault.kind === 'leader-sleeps' || fault.kind === 'ban') return []
  if (fault.kind === 'crash') return [fault.point.replica]
  if (fault.kind === 'split') return fault.groups.flat()
  return [fault.replica, ...('other' in fault && fault.other !== null ? [fault.other] : [])]
}

/** One line of the list that is printed before anything happens. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return describeKill(fault)
    case 'crash': {
      const { replica, input, place } = fault.point
      return `replica ${replica} at moment ${place} of its input ${input}: ${fault.how}, for ${span(fault.length)}`
    }
    case 'pause':
      return `replica ${fault.replica} stops ${after(fault.effects)} and goes on ${span(fault.length)} later`
    case 'leader-sleeps':
      return `the leader stops ${after(fault.effects)} and goes on ${span(fault.length)} later`
    case 'transfer':
      return `replica ${fault.replica} is to lead`
    case 'join':
      return `replica ${fault.replica} is added to the set`
    case 'remove':
      return `replica ${fault.replica} is to be removed from the set`
    case 'replace':
      return `replica ${fault.replica} dies and its disk is lost; it comes with an empty one ${span(fault.restartAfter)} later`
    case 'drain':
      return `replica ${fault.replica} is told to end; it starts again ${span(fault.restartAfter)} after its end`
    case 'clock':
      return `replica ${fault.replica}'s wall clock jumps by ${span(fault.by)}`
    case 'leap':
      return `replica ${fault.replica}'s wall clock jumps by ${span(fault.by)} when it next becomes leader`
    case 'reset':
      return `the link ${fault.replica} - ${fault.other} breaks`
    default:
      return `${describeSpell(fault)}, for ${span(fault.until - fault.at)}`
  }
}

function describeKill({
  replica,
  effects,
  unsynced,
  tail,
  damage,
  restartAfter,
  newest,
}: Fault & { kind: 'kill' }): string {
  const tails: Readonly<Record<Tail, string>> = {
    kept: 'what was written stays',
    part: 'some of the unsynced records stay',
    lost: 'what was not synced is lost',
    torn: 'the last unsynced record is torn',
    holed: 'a sector of the unsynced records is not written',
  }
  const damages: Readonly<Record<Damage['what'], string>> = {
    flipped: 'a bit of its log flips',
    gone: 'its log is gone',
    swapped: 'it comes back with another disk',
  }
  const release = newest === undefined ? '' : `, with a release that reads formats up to ${newest}`
  const mended = damage === undefined ? '' : `; ${damages[damage.what]}, put right ${span(damage.mendedAfter)} later`
  return `replica ${replica} dies ${after(effects)}${unsynced === true ? ' with something unsynced' : ''}, ${tails[tail]}; it starts again ${span(restartAfter)} later${release}${mended}`
}

function describeSpell(fault: Spell): string {
  switch (fault.kind) {
    case 'partition': {
      const ways = { both: 'between', out: 'from', in: 'to' } as const
      const whom = fault.other === null ? 'all others' : `replica ${fault.other}`
      return `nothing passes ${ways[fault.way]} replica ${fault.replica} ${fault.way === 'in' ? 'from' : 'and'} ${whom}${broken(fault)}`
    }
    case 'split':
      return `the set falls apart into ${fault.groups.map((group) => `{${group.join(' ')}}`).join(' | ')}${broken(fault)}`
    case 'flap':
      return `the link ${fault.replica} - ${fault.other} comes and goes every ${span(fault.period)}${broken(fault)}`
    case 'slow-link':
      return `the link ${fault.replica} - ${fault.other} is slower by ${span(fault.delay)}`
    case 'slow-replica':
      return `replica ${fault.replica} is ${fault.times} times slower`
    case 'slow-disk':
      return `replica ${fault.replica}'s disk takes ${span(fault.sync)} for a sync`
    case 'overload':
      return `replica ${fault.replica} has more to do than it can`
    case 'ban':
      return `nothing is taken of ${fault.source}${fault.runsOut === true ? ', which runs out' : ''}`
    case 'disk-full':
      return `replica ${fault.replica}'s disk is full`
    default:
      return unreachable(fault)
  }
}

function broken({ resets }: { readonly resets: boolean }): string {
  return resets ? ', connections break' : ''
}

function after(effects: number): string {
  return effects === 0 ? 'at once' : `after ${effects} more effects`
}

function span(us: number): string {
  const ms = us / 1_000
  return Math.abs(ms) < 1_000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 100) / 10} s`
}
