// Where a replica can die: every moment between two effects, counted while a run goes on. What can't be told apart from
// outside is counted once:
//
// - two moments of a machine at one true time with no effect between them are one (the end of an input's effects and the
//   beginning of the next one's in the same turn of the loop);
// - idle inputs (a heartbeat, a barrier, their answers, time that passes) count once per state, that is once between two inputs that
//   changed something (proof.md, "Crash points, all of them").
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
  /** Inputs so far that changed something, and the idle ones since then. */
  readonly idle: Set<string>
  picture: string
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
    if (!isIdle) count.idle.clear()
    const kind = `${kindOf(input)}: ${effects.map(({ kind: one }) => one).join(' ')}`
    count.counts.set(machine.steps, !isIdle || !count.idle.has(kind))
    if (isIdle) count.idle.add(kind)
  }

  leaving(machine: Machine): void {
    this.#of(machine).effects++
  }

  moment(machine: Machine, { input, place }: Work, now: number): void {
    if (!this.#isOpen(now)) return
    if (this.points.length === 0) this.#servingAtStart = machine.replica?.store.serving().members.length ?? 0
    const count = this.#of(machine)
    if (count.counts.get(input) !== true || (count.at === now && count.seen === count.effects)) return
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
      count = { effects: 0, at: -1, seen: -1, idle: new Set(), picture: '', counts: new Map() }
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

function kindOf(input: Input): string {
  if (input.kind !== 'peer') return input.kind
  const frame = decodeFrame(input.frame)
  const messages = frame.ok && frame.value.kind === 'raft' ? frame.value.messages.map(({ kind }) => kind) : []
  return `${input.from} ${messages.join(' ')}`
}

/** Heartbeats, and the barriers that who is fresh asks for all the while (decisions/0010). */
const idleMessages: readonly string[] = ['heartbeat', 'heartbeat-response', 'read-index', 'read-index-response']

/** A frame that nothing but time brings forth. */
function isHeartbeat(bytes: Uint8Array): boolean {
  const frame = decodeFrame(bytes)
  if (!frame.ok || frame.value.kind !== 'raft') return false
  return frame.value.messages.every(({ kind }) => idleMessages.includes(kind))
}
