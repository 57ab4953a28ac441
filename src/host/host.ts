// The loop around a replica: every callback of the world becomes one input with the time it is handled at, every effect
// one call to the world, in order (design.md 1).
//
//   a turn of the loop:  callback -> give(input) -> step -> effects      (any number of times)
//                        end of turn -> step(time) -> effects -> frames leave -> timer for the next deadline
//
// Nothing here decides; what must not be late or early is decided by the replica, which is told the time.

import type { Instant } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import type { AppCall } from '../app/contract.ts'
import type {
  Effect,
  HttpReply,
  Notice,
  Peers,
  PeerSend,
  Persist,
  Reply,
  Send,
  SnapshotWrite,
  Stop,
} from '../replica/effect.ts'
import type { Place } from '../proxy/locate.ts'
import type { Input, InputBody } from '../replica/input.ts'
import type { Clock } from './clock.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'

/** What a timer of Node's takes at most; beyond it fires at once. A turn that comes early is harmless. */
const timerMostMs = 2 ** 31 - 1

/** The replica as the host sees it: one door, and when it wants to be woken. */
export interface Door {
  step(input: Input): readonly Effect[]
  deadline(): Instant | null
}

/** What effects do to the world. None of them may give an input before it returns, but through `Host.give`. */
export interface World {
  send(send: Send): void
  peer(send: PeerSend): void
  /** Who is in the set now. */
  peers(peers: Peers): void
  /** The frames that `peer` was given in this turn leave. */
  flush(): void
  persist(persist: Persist): void
  snapshot(write: SnapshotWrite): void
  openSip(): void
  /** The input `sip-closed` follows, always. */
  closeSip(): void
  /** The input `answered` is to follow. Absent: this process runs no applications, and is asked for none. */
  ask?(call: AppCall): void
  /** Absent: this process has no HTTP address, and gives no request. */
  http?(reply: HttpReply): void
  /** The input `located` follows, always. */
  locate(place: Place): void
  reply(reply: Reply): void
  notice(notice: Notice['notice']): void
  /** A bug showed, the replica asked for it, or it has nothing left to do: this process ends, and gives nothing more. */
  stop(
    why:
      | { readonly kind: 'bug'; readonly error: unknown }
      | { readonly kind: 'stop'; readonly cause: Stop['cause']; readonly reason: string }
      | { readonly kind: 'end' },
  ): void
}

export class Host {
  readonly #door: Door
  readonly #clock: Clock
  readonly #world: World
  readonly #log: Logger
  /** Inputs that came while one was handled. */
  #pending: InputBody[] = []
  #isStepping = false
  #endOfTurn: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #lastStep: Instant
  #over = false

  constructor(door: Door, clock: Clock, world: World, log: Logger) {
    this.#door = door
    this.#clock = clock
    this.#world = world
    this.#log = log
    this.#lastStep = clock.now()
  }

  /** The replica's first chance to say anything. */
  start(): void {
    this.give({ kind: 'time' })
  }

  /** Handles an input now, or after the one that is being handled. */
  give(input: InputBody): void {
    if (this.#over) return
    this.#pending.push(input)
    if (!this.#isStepping) this.#work()
  }

  /** These persist effects are on the disk: what waited for them leaves, then the replica hears of it. */
  durable(persists: readonly Persist[]): void {
    if (this.#over) return
    const last = persists.at(-1)
    if (last === undefined) return
    this.#guarded(() => {
      // After a pause the time input runs before any send.
      if (this.#hasStalled()) this.#step({ kind: 'time' })
      for (const persist of persists) this.#carryOut(persist.then)
    })
    this.give({ kind: 'persisted', upTo: last.number })
  }

  /** No input is handled any more. */
  close(): void {
    this.#over = true
    if (this.#endOfTurn !== null) clearImmediate(this.#endOfTurn)
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #work(): void {
    this.#guarded(() => {
      if (this.#hasStalled()) this.#step({ kind: 'time' })
      for (let i = 0; i < this.#pending.length && !this.#over; i++) this.#step(this.#pending[i] as InputBody)
    })
    this.#pending = []
    if (!this.#over) this.#endOfTurn ??= setImmediate(() => this.#turnEnds())
  }

  #turnEnds(): void {
    if (this.#endOfTurn !== null) clearImmediate(this.#endOfTurn)
    this.#endOfTurn = null
    this.#pending.push({ kind: 'time' })
    this.#guarded(() => {
      for (let i = 0; i < this.#pending.length && !this.#over; i++) this.#step(this.#pending[i] as InputBody)
    })
    this.#pending = []
    if (this.#over) return
    this.#world.flush()
    this.#arm()
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const deadline = this.#door.deadline()
    if (deadline === null) return
    const left = deadline - this.#clock.now()
    // What is due already (a batch that didn't fit one step) waits for one round of sockets.
    if (left <= 0) this.#endOfTurn ??= setImmediate(() => this.#turnEnds())
    else this.#timer = setTimeout(() => this.#turnEnds(), Math.min(timerMostMs, Math.ceil(left / 1_000)))
  }

  #hasStalled(): boolean {
    return this.#clock.now() - this.#lastStep > hostLimits.stallMs * 1_000
  }

  #step(body: InputBody): void {
    const now = this.#clock.now()
    this.#lastStep = now
    this.#carryOut(this.#door.step({ ...body, now, wall: this.#clock.wall() }))
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#over) return
      this.#perform(effect)
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        if (effect.isInside === true) return this.give({ kind: 'sip', flow: effect.flow, data: effect.data })
        return this.#world.send(effect)
      case 'peer':
        return this.#world.peer(effect)
      case 'peers':
        return this.#world.peers(effect)
      case 'persist':
        return this.#world.persist(effect)
      case 'snapshot':
        return this.#world.snapshot(effect)
      case 'open-sip':
        return this.#world.openSip()
      case 'close-sip':
        return this.#world.closeSip()
      case 'end':
        this.close()
        this.#world.flush()
        return this.#world.stop({ kind: 'end' })
      case 'locate':
        return this.#world.locate(effect.place)
      case 'ask':
        return this.#world.ask?.(effect.call)
      case 'reply':
        return this.#world.reply(effect)
      case 'http':
        return this.#world.http?.(effect)
      case 'log':
        return this.#log[effect.level]({ code: effect.code, ...effect.fields }, effect.message)
      case 'notice':
        return this.#world.notice(effect.notice)
      case 'stop':
        this.close()
        return this.#world.stop(effect)
      default:
        unreachable(effect)
    }
  }

  /** What throws in here is a bug, ours or the replica's: its memory can't be trusted any more. */
  #guarded(work: () => void): void {
    this.#isStepping = true
    try {
      work()
    } catch (error) {
      this.close()
      this.#world.stop({ kind: 'bug', error })
    } finally {
      this.#isStepping = false
    }
  }
}
