// Where a replica can die: every moment between two effects, counted while a run goes on. What can't be told apart from
// outside is counted once:
//
// - two moments of a machine at one true time with no effect between them are one (the end of an input's effects and the
//   beginning of the next one's in the same turn of the loop);
// - idle inputs (a heartbeat, a barrier, their answers, time that passes) count once per state, that is once between two inputs that
//   changed something (proof.md, "Crash points, all of them"): the first of them with all its moments, of the others the moment after
//   each effect that was not there yet in that state, a message of that kind to that replica.
//
// A death takes what is in memory, and leaves what lies on the disk and what has left. Idle inputs write nothing, so the deaths of one state
// differ by what others were told before it: a heartbeat by 2 and not yet by 3, which will elect earlier. From whom an idle input
// came, and that the same was told again a tenth of a second later, changes nothing but the time of the death, of which there is no end.
//
// With nothing unsynced on its disk, "synced" and "tail lost" are the same death too: one run does for both.

import type { Effect } from '../src/replica/effect.ts'
import type { Input } from '../src/replica/input.ts'
import { decodeFrame } from '../src/wire/codec.ts'
import type { Machine } from './machine.ts'
import type { Work } from './machine-watch.ts'
import type { CrashPoint } from './fault.ts'

export interface CountedPoint extends CrashPoint {
  /** Whether records were written and not synced: the tail that can be lost. */
  readonly hasTail: boolean
}

/**
 * From a true time until the run is over; or from the first death until the dead one serves again, at whoever lives then,
 * itself included: what can be the second death of a pair.
 */
export type CensusWindow = { readonly kind: 'from'; readonly at: number } | { readonly kind: 'after-death' }

/** What is known of one machine while it is counted. */
interface Count {
  /** Effects carried out so far. */
  effects: number
  /** The last moment that was seen. */
  at: number
  seen: number
  picture: string
  /** The last input was idle. */
  isIdle: boolean
  /** What was told to others since an input changed something. */
  readonly told: Set<string>
  /** The last effect was not there yet since then. */
  isNew: boolean
  /** The input being worked on, and others whose records are not durable yet: whether their moments count. */
  readonly counts: Map<number, boolean>
}

export class Census {
  readonly #window: CensusWindow
  readonly #counts = new Map<number, Count>()
  readonly points: CountedPoint[] = []
  #servingAtStart = 0
  #dead: Machine | null = null
  #isOver = false

  constructor(window: CensusWindow) {
    this.#window = window
  }

  /** How many served when the counting began. */
  get servingAtStart(): number {
    return this.#servingAtStart
  }

  died(machine: Machine): void {
    this.#dead ??= machine
  }

  /** Before the moments of an input. */
  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void {
    if (this.#window.kind === 'after-death' && !this.#isOver) this.#isOver = this.#isBack(machine)
    const count = this.#of(machine)
    const picture = pictureOf(machine)
    const isIdle = picture === count.picture && isIdleInput(input) && effects.every(isIdleEffect)
    count.picture = picture
    if (!isIdle) count.told.clear()
    count.counts.set(machine.steps, !isIdle || !count.isIdle)
    count.isIdle = isIdle
  }

  leaving(machine: Machine, effect: Effect): void {
    const count = this.#of(machine)
    const told = effect.kind === 'peer' ? messagesOf(effect.frame).map((kind) => `${effect.to} ${kind}`) : [effect.kind]
    count.effects++
    count.isNew = told.some((one) => !count.told.has(one))
    for (const one of told) count.told.add(one)
  }

  moment(machine: Machine, { input, place }: Work, now: number): void {
    const count = this.#of(machine)
    const isOfItsOwn = count.counts.get(input) === true || count.isNew
    count.isNew = false
    if (!this.#isOpen(now)) return
    if (this.points.length === 0) this.#servingAtStart = machine.replica?.store.serving().members.length ?? 0
    if (!isOfItsOwn || (count.at === now && count.seen === count.effects)) return
    count.at = now
    count.seen = count.effects
    const hasTail = machine.disk.records.length > machine.disk.synced
    this.points.push({ replica: machine.id, input, place, hasTail })
  }

  #isOpen(now: number): boolean {
    if (this.#window.kind === 'from') return now >= this.#window.at
    return this.#dead !== null && !this.#isOver
  }

  /** Whether some replica knows that the dead one serves again. */
  #isBack({ replica }: Machine): boolean {
    const dead = this.#dead
    if (dead === null || dead.replica === null || replica === null) return false
    return replica.store.serving().members.some(({ life }) => life === dead.life)
  }

  #of(machine: Machine): Count {
    let count = this.#counts.get(machine.id)
    if (count === undefined) {
      count = {
        effects: 0,
        at: -1,
        seen: -1,
        picture: '',
        isIdle: false,
        told: new Set(),
        isNew: false,
        counts: new Map(),
      }
      this.#counts.set(machine.id, count)
    }
    return count
  }
}

function pictureOf({ replica }: Machine): string {
  if (replica === null) return ''
  const { term, role, commit, last, leader } = replica.raft.status()
  return `${term} ${role} ${leader} ${commit} ${last} ${replica.store.appliedIndex}`
}

function isIdleEffect(effect: Effect): boolean {
  return (effect.kind === 'peer' && isHeartbeat(effect.frame)) || effect.kind === 'log'
}

function isIdleInput(input: Input): boolean {
  return input.kind === 'time' || (input.kind === 'peer' && isHeartbeat(input.frame))
}

/** Heartbeats, and the barriers that who is fresh asks for all the while (decisions/0010). */
const idleMessages: readonly string[] = ['heartbeat', 'heartbeat-response', 'read-index', 'read-index-response']

/** A frame that nothing but time brings forth. */
function isHeartbeat(bytes: Uint8Array): boolean {
  const messages = messagesOf(bytes)
  return messages.length > 0 && messages.every((kind) => idleMessages.includes(kind))
}

/** The kinds of Raft's messages in a frame. */
function messagesOf(bytes: Uint8Array): readonly string[] {
  const frame = decodeFrame(bytes)
  return frame.ok && frame.value.kind === 'raft' ? frame.value.messages.map(({ kind }) => kind) : []
}
