// The host of one simulated replica: what src/host/ is on a real machine. A loop that takes inputs in turns, a clock of its
// own, a disk that syncs in the background; it carries effects out one by one, and can die between any two of them.

import { life, replicaId } from '../src/base/brand.ts'
import type { Life, ReplicaId } from '../src/base/brand.ts'
import { unreachable } from '../src/base/assert.ts'
import { instant, stamp } from '../src/base/instant.ts'
import type { Instant, Stamp } from '../src/base/instant.ts'
import { mixBytes, mixText } from '../src/base/hash.ts'
import type { CallSettings } from '../src/call/contract.ts'
import type { Effect, Persist } from '../src/replica/effect.ts'
import type { Input, InputBody } from '../src/replica/input.ts'
import { Replica } from '../src/replica/replica.ts'
import { encodeRecord } from '../src/wire/codec.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { Disk } from './disk.ts'
import { draw, drawBytes, drawHex } from './draws.ts'
import type { Draw } from './draws.ts'
import type { PeerNetwork } from './peer-network.ts'
import type { Plan } from './plan.ts'
import type { SipNetwork } from './sip-network.ts'
import { nameOf, summary } from './sip-network.ts'
import type { Trace } from './trace.ts'

/** True time zero is this wall clock time. */
const wallAtStart = 1_800_000_000_000_000
/** A deadline that has passed is looked at again after this, as any event loop would. */
const loopGrain = 100
/** A replica that asks for its next turn at once this often in a row, with no other input, spins. */
const spinMost = 200

/** What the checkers see of a machine. Called after the fact; nothing they do reaches the replica. */
export interface MachineWatch {
  started(machine: Machine): void
  died(machine: Machine): void
  /** After each step, before its effects are carried out. */
  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void
  /** An effect is about to be carried out. */
  leaving(machine: Machine, effect: Effect): void
  broken(promise: string, text: string): void
}

export interface MachineParts {
  readonly agenda: Agenda
  readonly plan: Plan
  readonly trace: Trace
  readonly peers: PeerNetwork
  readonly sip: SipNetwork
  readonly settings: CallSettings
  readonly watch: MachineWatch
}

export class Machine {
  readonly id: ReplicaId
  readonly disk = new Disk()
  readonly #parts: MachineParts
  readonly #draw: Draw
  readonly #incarnation: string
  #starts = 0
  #replica: Replica | null = null
  #life: Life
  #inbox: InputBody[] = []
  #turn: Appointment | null = null
  #alarm: Appointment | null = null
  #busyUntil = 0
  #idleTurns = 0
  #waiting: Persist[] = []
  #syncing = false
  /** Effects still to be carried out before the drawn death; null = none is drawn. */
  #fuse: { effects: number; readonly die: () => void } | null = null
  #clockOffset = 0
  #steps = 0

  constructor(id: number, parts: MachineParts) {
    this.id = replicaId(id)
    this.#parts = parts
    this.#draw = draw(parts.plan.seed, `machine ${id}`)
    this.#incarnation = drawHex(parts.plan.seed, `incarnation ${id}`, 8)
    this.#life = life(this.id, this.#incarnation, 0)
  }

  get replica(): Replica | null {
    return this.#replica
  }

  get life(): Life {
    return this.#life
  }

  /** Steps of all its lives. */
  get steps(): number {
    return this.#steps
  }

  /** A new process on this disk: its life is durable before anything else happens. */
  start(): void {
    if (this.#replica !== null) return
    const { plan, trace, peers, watch, settings } = this.#parts
    const start = ++this.#starts
    this.#life = life(this.id, this.#incarnation, start)
    const records = this.disk.records.map((record) => record.slice())
    const born = { kind: 'life', set: 'sim', replica: this.id, incarnation: this.#incarnation, start } as const
    this.disk.append([encodeRecord(born)])
    this.disk.sync(this.disk.records.length)
    this.#clockOffset = this.#draw.within(1, 1_000_000_000, 1, start)
    trace.tell(`[${this.id}] starts as ${this.#life} with ${records.length} records`)
    this.#replica = new Replica({
      id: this.id,
      set: 'sim',
      voters: Array.from({ length: plan.replicas }, (_, i) => replicaId(i + 1)),
      life: this.#life,
      seed: this.#draw.below(0xffff_ffff, 2, start),
      freshKey: drawBytes(plan.seed, `set key ${this.id} ${start}`, 16),
      records,
      settings,
      now: this.now(),
      wall: this.wall(),
    })
    watch.started(this)
    peers.attach(this.id, { life: this.#life, deliver: (input) => this.deliver(input) })
    this.#armAlarm()
  }

  /** The process dies now. Of the unsynced records `tail` says what the disk keeps. */
  kill(tail: 'kept' | 'part' | 'lost'): void {
    if (this.#replica === null) return
    const { agenda, peers, sip, trace, watch } = this.#parts
    const unsynced = this.disk.records.length - this.disk.synced
    const part = this.#draw.below(unsynced + 1, 3, this.#starts)
    const kept = tail === 'kept' ? unsynced : tail === 'lost' ? 0 : part
    trace.tell(`[${this.id}] dies; ${kept} of ${unsynced} unsynced records stay`)
    this.#replica = null
    this.disk.crash(kept)
    agenda.cancel(this.#turn)
    agenda.cancel(this.#alarm)
    this.#turn = null
    this.#alarm = null
    this.#inbox = []
    this.#waiting = []
    this.#syncing = false
    this.#fuse = null
    sip.unbind(this.id)
    peers.detach(this.id)
    watch.died(this)
  }

  /** Dies when `effects` more effects have been carried out; `die` is called then. */
  lightFuse(effects: number, die: () => void): void {
    if (this.#replica !== null) this.#fuse = { effects, die }
  }

  /** An input from outside, for one of the next turns. */
  deliver(input: InputBody): void {
    if (this.#replica === null) return
    this.#inbox.push(input)
    this.#idleTurns = 0
    this.#scheduleTurn()
  }

  /** This replica's monotonic clock: its own zero in each life, its own rate. */
  now(): Instant {
    return instant(this.#clockOffset + this.#parts.agenda.now + this.#drifted(this.#parts.agenda.now))
  }

  /** Its wall clock. */
  wall(): Stamp {
    const skew = this.#parts.plan.clock.wallSkew[this.id - 1] ?? 0
    return stamp(wallAtStart + skew + this.#parts.agenda.now + this.#drifted(this.#parts.agenda.now))
  }

  #drifted(us: number): number {
    return Math.floor((us * (this.#parts.plan.clock.driftPpm[this.id - 1] ?? 0)) / 1_000_000)
  }

  #scheduleTurn(): void {
    if (this.#turn !== null) return
    const { agenda } = this.#parts
    const wake = this.#draw.within(1, 40, 4, agenda.now)
    this.#turn = agenda.at(Math.max(agenda.now + wake, this.#busyUntil), () => this.#takeTurn())
  }

  /** One turn of the loop: some inputs, then time. */
  #takeTurn(): void {
    const { agenda, plan } = this.#parts
    this.#turn = null
    const replica = this.#replica
    const take = this.#draw.within(1, plan.loop.batchMost, 5, agenda.now)
    for (const input of this.#inbox.splice(0, take)) {
      this.#step(input)
      if (this.#replica !== replica) return
    }
    this.#step({ kind: 'time' })
    if (this.#replica !== replica) return
    this.#busyUntil = agenda.now + this.#draw.within(5, plan.loop.busyMost, 6, agenda.now)
    if (this.#inbox.length > 0) this.#scheduleTurn()
    this.#armAlarm()
  }

  #armAlarm(): void {
    const { agenda, watch } = this.#parts
    agenda.cancel(this.#alarm)
    this.#alarm = null
    const deadline = this.#replica?.deadline() ?? null
    if (deadline === null) return
    const wait = deadline - this.now()
    if (wait <= 0 && ++this.#idleTurns > spinMost) {
      watch.broken(
        'bounded',
        `replica ${this.id} spins: its deadline has passed after ${spinMost} time inputs in a row`,
      )
      return
    }
    if (wait > 0) this.#idleTurns = 0
    // Clocks drift by less than one part in a thousand: look again rather than be early.
    this.#alarm = agenda.after(Math.max(loopGrain, wait), () => {
      this.#alarm = null
      this.#scheduleTurn()
    })
  }

  #step(body: InputBody): void {
    const replica = this.#replica
    if (replica === null) return
    const { watch } = this.#parts
    const input: Input = { ...body, now: this.now(), wall: this.wall() }
    this.#steps++
    if (body.kind !== 'sip' && body.kind !== 'time') this.#traceInput(body)
    const effects = replica.step(input)
    watch.stepped(this, input, effects)
    this.#carryOut(effects)
  }

  #carryOut(effects: readonly Effect[]): void {
    const replica = this.#replica
    for (const effect of effects) {
      this.#burn()
      if (this.#replica !== replica) return
      this.#perform(effect)
      if (this.#replica !== replica) return
    }
  }

  #burn(): void {
    if (this.#fuse === null) return
    if (this.#fuse.effects-- > 0) return
    this.#fuse.die()
  }

  #perform(effect: Effect): void {
    const { sip, peers, trace, watch } = this.#parts
    watch.leaving(this, effect)
    switch (effect.kind) {
      case 'send':
        if (effect.notAfter < this.now()) this.deliver({ kind: 'unsent', send: effect, reason: 'late' })
        else sip.fromSet(this.id, effect.flow, effect.data)
        break
      case 'peer':
        trace.event(
          mixBytes(effect.to, effect.frame).low,
          () => `[${this.id}] -> [${effect.to}] frame of ${effect.frame.length}`,
        )
        peers.send(this.id, effect.to, effect.frame)
        break
      case 'persist':
        this.#persist(effect)
        break
      case 'open-sip':
        trace.tell(`[${this.id}] binds the shared address`)
        sip.bind(this.id, this.#life, (input) => this.deliver(input))
        break
      case 'log':
        trace.tell(`[${this.id}] ${effect.level} ${effect.code}: ${effect.message} ${JSON.stringify(effect.fields)}`)
        break
      case 'notice':
        trace.tell(`[${this.id}] notice ${JSON.stringify(effect.notice)}`)
        break
      case 'reply':
        break
      case 'stop':
        watch.broken('assertion', `replica ${this.id} stopped itself: ${effect.reason}`)
        break
      default:
        unreachable(effect)
    }
  }

  #persist(effect: Persist): void {
    for (const record of effect.records) {
      this.#parts.trace.event(mixBytes(this.id, record).low, () => `[${this.id}] writes a record of ${record.length}`)
    }
    this.disk.append(effect.records)
    this.#waiting.push(effect)
    if (!this.#syncing) this.#sync()
  }

  /** Group commit: one sync for all that was written before it began. */
  #sync(): void {
    const { agenda, plan } = this.#parts
    const { syncLeast, syncMost, slow, slowMost } = plan.disk
    const batch = this.#waiting
    const upTo = this.disk.records.length
    const replica = this.#replica
    this.#waiting = []
    this.#syncing = true
    const most = this.#draw.chance(slow, 7, agenda.now) ? slowMost : syncMost
    agenda.after(this.#draw.within(syncLeast, most, 8, agenda.now), () => {
      if (this.#replica !== replica) return
      this.disk.sync(upTo)
      this.#syncing = false
      let last = 0
      for (const { number, then } of batch) {
        this.#carryOut(then)
        if (this.#replica !== replica) return
        last = number
      }
      this.deliver({ kind: 'persisted', upTo: last })
      if (this.#waiting.length > 0) this.#sync()
    })
  }

  #traceInput(body: InputBody): void {
    const { trace } = this.#parts
    switch (body.kind) {
      case 'peer':
        trace.event(
          mixBytes(this.id, body.frame).high,
          () => `[${this.id}] <- ${body.from} frame of ${body.frame.length}`,
        )
        break
      case 'link':
        trace.tell(`[${this.id}] link to ${body.peer} ${body.state.kind}`)
        break
      case 'persisted':
        trace.event(body.upTo, () => `[${this.id}] persisted ${body.upTo}`)
        break
      case 'unsent':
        trace.event(
          mixText(this.id, body.send.data).low,
          () => `[${this.id}] unsent (${body.reason}) to ${nameOf(body.send.flow)} ${summary(body.send.data)}`,
        )
        break
      default:
        trace.tell(`[${this.id}] ${body.kind}`)
    }
  }
}
