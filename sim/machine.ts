// The host of one simulated replica: what src/host/ is on a real machine. A loop that takes inputs in turns, a clock of its
// own, a disk that syncs in the background; it carries effects out one by one, and can die between any two of them.

import { life, replicaId } from '../src/base/brand.ts'
import type { Life, ReplicaId } from '../src/base/brand.ts'
import { must, unreachable } from '../src/base/assert.ts'
import type { Instant, Stamp } from '../src/base/instant.ts'
import { mixBytes } from '../src/base/hash.ts'
import type { CallSettings } from '../src/call/contract.ts'
import type { Effect, Persist } from '../src/replica/effect.ts'
import type { Input, InputBody } from '../src/replica/input.ts'
import { Replica } from '../src/replica/replica.ts'
import { encodeRecord } from '../src/wire/codec.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { Clock } from './clock.ts'
import { Disk } from './disk.ts'
import { draw, drawBytes, drawHex } from './draws.ts'
import type { Draw } from './draws.ts'
import type { PeerNetwork } from './peer-network.ts'
import type { Plan } from './plan.ts'
import type { SipNetwork, SipProcess } from './sip-network.ts'
import type { Trace } from './trace.ts'
import { traceInput } from './trace-input.ts'

/** A deadline that has passed is looked at again after this, as any event loop would. */
const loopGrain = 100
/** A replica that asks for its next turn at once this often in a row, with no other input, spins. */
const spinMost = 200
/** A host that gave no input for this long has slept: the time comes before anything else (design.md 1). */
const stall = 50_000

/** What the checkers see of a machine. Called after the fact; nothing they do reaches the replica. */
export interface MachineWatch {
  started(machine: Machine): void
  died(machine: Machine): void
  /** After each step, before its effects are carried out. */
  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void
  /** An effect is about to be carried out. */
  leaving(machine: Machine, effect: Effect, work: Work): void
  /** Between two effects, and before the first and after the last of those that leave together. */
  moment?(machine: Machine, work: Work): void
  broken(promise: string, text: string): void
}

/** One input's effects while they are carried out: at once, and when its records are durable. */
export interface Work {
  /** Counts the inputs of all lives of the machine. */
  readonly input: number
  /** True time of what it does: if the machine slept since, and has not had a whole turn yet, of when it fell asleep. */
  readonly at: number
  /** Moments passed: a crash point is one of them. */
  place: number
}

/** Strikes when `effects` more effects have been carried out. */
interface Fuse {
  effects: number
  readonly strike: () => void
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
  #waiting: { readonly effect: Persist; readonly work: Work }[] = []
  #syncing = false
  #fuses: Fuse[] = []
  /** Where it is to die: an input and a place among its moments; twice, if it comes back between. */
  readonly #dooms: { readonly input: number; readonly place: number; readonly die: () => void }[] = []
  /** What it was about to do when it fell asleep, and what came for it meanwhile; null = awake. */
  #asleep: (() => void)[] | null = null
  #sleptAt: number | null = null
  readonly #clock: Clock
  #lastStep: Instant
  #steps = 0

  constructor(id: number, parts: MachineParts) {
    this.id = replicaId(id)
    this.#parts = parts
    this.#draw = draw(parts.plan.seed, `machine ${id}`)
    this.#incarnation = drawHex(parts.plan.seed, `incarnation ${id}`, 8)
    this.#life = life(this.id, this.#incarnation, 0)
    this.#clock = new Clock(parts.agenda, parts.plan.clock, id)
    this.#lastStep = this.now()
  }

  get replica(): Replica | null {
    return this.#replica
  }

  get life(): Life {
    return this.#life
  }

  /** Inputs of all its lives. */
  get steps(): number {
    return this.#steps
  }

  get isAsleep(): boolean {
    return this.#asleep !== null
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
    this.#clock.restart(this.#draw.within(1, 1_000_000_000, 1, start))
    this.#lastStep = this.now()
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
      raft: plan.raft,
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
    this.#fuses = []
    this.#asleep = null
    this.#sleptAt = null
    sip.unbind(this.id)
    peers.detach(this.id)
    watch.died(this)
  }

  /** `strike` is called when `effects` more effects have been carried out. */
  lightFuse(effects: number, strike: () => void): void {
    if (this.#replica === null) return
    if (this.#asleep === null) this.#fuses.push({ effects, strike })
    else strike()
  }

  /** `die` is called at that moment of the work on that input. */
  doom(input: number, place: number, die: () => void): void {
    this.#dooms.push({ input, place, die })
  }

  /** Stops between two effects; kernel and disk go on. What comes meanwhile waits. */
  sleep(us: number, onWaking: () => void): void {
    if (this.#replica === null || this.#asleep !== null) return
    const replica = this.#replica
    this.#parts.trace.tell(`[${this.id}] is stopped for ${us / 1_000} ms`)
    this.#asleep = []
    this.#sleptAt ??= this.#parts.agenda.now
    this.#parts.agenda.after(us, () => {
      if (this.#replica !== replica || this.#asleep === null) return
      this.#wake(this.#asleep)
      onWaking()
    })
  }

  #wake(waiting: readonly (() => void)[]): void {
    this.#parts.trace.tell(`[${this.id}] goes on`)
    const replica = this.#replica
    this.#asleep = null
    for (const go of waiting) {
      this.#whenAwake(go)
      if (this.#replica !== replica) return
    }
    this.#idleTurns = 0
    this.#scheduleTurn()
  }

  #whenAwake(go: () => void): void {
    if (this.#asleep === null) go()
    else this.#asleep.push(go)
  }

  /** Its wall clock jumps. */
  stepWall(us: number): void {
    this.#parts.trace.tell(`[${this.id}] its wall clock jumps by ${us / 1_000} ms`)
    this.#clock.step(us)
  }

  /** An input from outside, for one of the next turns. */
  deliver(input: InputBody): void {
    if (this.#replica === null) return
    this.#inbox.push(input)
    this.#idleTurns = 0
    this.#scheduleTurn()
  }

  now(): Instant {
    return this.#clock.now()
  }

  wall(): Stamp {
    return this.#clock.wall()
  }

  #scheduleTurn(): void {
    if (this.#turn !== null || this.#asleep !== null) return
    const { agenda } = this.#parts
    const wake = this.#draw.within(1, 40, 4, agenda.now)
    this.#turn = agenda.at(Math.max(agenda.now + wake, this.#busyUntil), () => this.#takeTurn())
  }

  /** One turn of the loop: some inputs, then time. */
  #takeTurn(): void {
    const { agenda, plan } = this.#parts
    this.#turn = null
    const replica = this.#replica
    const goesOn = (): boolean => this.#replica === replica && this.#asleep === null
    if (!goesOn()) return
    const take = this.#draw.within(1, plan.loop.batchMost, 5, agenda.now)
    if (this.now() - this.#lastStep > stall) this.#step({ kind: 'time' })
    for (let taken = 0; taken < take && goesOn(); taken++) {
      const input = this.#inbox.shift()
      if (input === undefined) break
      this.#step(input)
    }
    if (goesOn()) this.#step({ kind: 'time' })
    if (!goesOn()) return
    this.#sleptAt = null
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
    const { watch, trace } = this.#parts
    const now = this.now()
    const input: Input = { ...body, now, wall: this.wall() }
    this.#lastStep = now
    this.#steps++
    traceInput(trace, this.id, body)
    const effects = replica.step(input)
    watch.stepped(this, input, effects)
    this.#carryOut(effects, { input: this.#steps, at: this.#sleptAt ?? this.#parts.agenda.now, place: 0 })
  }

  #carryOut(effects: readonly Effect[], work: Work): void {
    const replica = this.#replica
    for (const [at, effect] of effects.entries()) {
      this.#moment(work)
      if (this.#replica !== replica) return
      if (this.#asleep !== null) {
        this.#asleep.push(() => this.#carryOut(effects.slice(at), work))
        return
      }
      this.#perform(effect, work)
    }
    this.#moment(work)
  }

  /** Here it may die or fall asleep. */
  #moment(work: Work): void {
    const replica = this.#replica
    this.#parts.watch.moment?.(this, work)
    const place = work.place++
    for (const doom of this.#dooms) if (doom.input === work.input && doom.place === place) doom.die()
    for (const fuse of [...this.#fuses]) {
      if (this.#replica !== replica || fuse.effects-- > 0) continue
      this.#fuses = this.#fuses.filter((other) => other !== fuse)
      fuse.strike()
    }
  }

  #perform(effect: Effect, work: Work): void {
    const { sip, peers, trace, watch } = this.#parts
    // Right before the system call (design.md 1).
    if (effect.kind === 'send' && effect.notAfter < this.now()) {
      this.deliver({ kind: 'unsent', send: effect, reason: 'late' })
      return
    }
    watch.leaving(this, effect, work)
    switch (effect.kind) {
      case 'send':
        sip.fromSet(this.id, effect)
        break
      case 'peer':
        trace.event(
          mixBytes(effect.to, effect.frame).low,
          () => `[${this.id}] -> [${effect.to}] frame of ${effect.frame.length}`,
        )
        peers.send(this.id, effect.to, effect.frame)
        break
      case 'persist':
        this.#persist(effect, work)
        break
      case 'open-sip':
        trace.tell(`[${this.id}] binds the shared address`)
        sip.bind(this.id, this.#sipProcess())
        break
      case 'log':
        trace.tell(`[${this.id}] ${effect.level} ${effect.code}: ${effect.message} ${JSON.stringify(effect.fields)}`)
        break
      case 'notice':
        trace.tell(`[${this.id}] notice ${JSON.stringify(effect.notice)}`)
        break
      case 'reply':
        trace.tell(`[${this.id}] answers lookup ${effect.id} with ${effect.status}`)
        break
      case 'stop':
        watch.broken('assertion', `replica ${this.id} stopped itself: ${effect.reason}`)
        break
      default:
        unreachable(effect)
    }
  }

  #sipProcess(): SipProcess {
    const isAsleep = (): boolean => this.isAsleep
    return {
      life: this.#life,
      deliver: (input) => this.deliver(input),
      now: () => this.now(),
      get isAsleep() {
        return isAsleep()
      },
    }
  }

  #persist(effect: Persist, work: Work): void {
    for (const record of effect.records) {
      this.#parts.trace.event(mixBytes(this.id, record).low, () => `[${this.id}] writes a record of ${record.length}`)
    }
    this.disk.append(effect.records)
    this.#waiting.push({ effect, work })
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
      this.#whenAwake(() => this.#durable(batch))
    })
  }

  /** These records are durable: what waited for them leaves, then the replica hears of it. */
  #durable(batch: readonly { readonly effect: Persist; readonly work: Work }[]): void {
    const replica = this.#replica
    if (this.now() - this.#lastStep > stall) this.#step({ kind: 'time' })
    for (const { effect, work } of batch) {
      if (this.#replica !== replica) return
      this.#carryOut(effect.then, work)
    }
    if (this.#replica !== replica) return
    this.#whenAwake(() => {
      this.#syncing = false
      this.deliver({ kind: 'persisted', upTo: must(batch.at(-1), 'a sync is of something').effect.number })
      if (this.#waiting.length > 0) this.#sync()
    })
  }
}
