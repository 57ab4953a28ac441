// One machine with its replica: a disk, two clocks, and a process that lives on them, or doesn't. What befalls the machine
// befalls it here; how a process lives is host.ts.

import { generationOf, life, replicaId } from '../src/base/brand.ts'
import type { Life, ReplicaId } from '../src/base/brand.ts'
import type { Instant, Stamp } from '../src/base/instant.ts'
import type { CallSettings } from '../src/call/contract.ts'
import type { VoterSet } from '../src/raft/quorum.ts'
import type { HttpReply, Reply } from '../src/replica/effect.ts'
import type { ReplicaOptions } from '../src/replica/options.ts'
import { Replica } from '../src/replica/replica.ts'
import { formatsUpTo, NEWEST_FORMAT } from '../src/wire/formats.ts'
import type { Formats } from '../src/wire/formats.ts'
import type { Agenda } from './agenda.ts'
import { applicationInfos } from './applications.ts'
import { Clock } from './clock.ts'
import { Disk } from './disk.ts'
import type { Opened } from './disk.ts'
import { drawBytes, drawHex, drawInRun } from './draws.ts'
import type { Draw } from './draws.ts'
import type { Damage, Tail } from './fault.ts'
import { unwatched } from './machine-watch.ts'
import type { MachineWatch } from './machine-watch.ts'
import type { PeerNetwork } from './peer-network.ts'
import type { Own } from './own/own.ts'
import { applicationOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { Host } from './host.ts'
import type { SipNetwork } from './sip-network.ts'
import type { Trace } from './trace.ts'

/** Few, so that the oldest go while calls go on. */
const keptEvents = 30

export interface MachineParts {
  readonly agenda: Agenda
  readonly plan: Plan
  readonly trace: Trace
  readonly peers: PeerNetwork
  readonly sip: SipNetwork
  readonly settings: CallSettings
  readonly watch: MachineWatch
  /** Whose applications the calls are of; null = the simulator's. */
  readonly own: Own | null
  /** A question of the admin address has its answer. */
  answered(reply: Reply): void
  /** A browser has its answer. */
  answeredWeb(reply: HttpReply): void
}

/** What a spell does to it while it lasts. */
export interface Condition {
  /** Each turn takes this many times as long. */
  times: number
  /** Each sync takes this long; null = as the plan says. */
  sync: number | null
}

export class Machine {
  /** Its number in the set, as its address has it. */
  readonly place: number
  /** A founder, or a replica that came later and has not been removed. */
  isMember: boolean
  #id: ReplicaId
  #disk: Disk
  readonly condition: Condition = { times: 1, sync: null }
  readonly #parts: MachineParts
  readonly #draw: Draw
  readonly #clock: Clock
  #host: Host | null = null
  /** Another disk that it came back with. */
  #otherDisk: Disk | null = null
  #hasRun = false
  /** Its supervisor wants it up; what the start's draws are about. */
  #wanted: { readonly about: number } | null = null
  #life: Life
  /** It was told to end, and is to be started again by this. */
  #onEnd: (() => void) | null = null
  /** By how much its wall clock jumps when it next becomes leader. */
  #leap = 0
  /** Where it is to die: an input and a place among its moments; twice, if it comes back between. */
  readonly #dooms: { readonly input: number; readonly place: number; readonly die: () => void }[] = []
  #steps = 0
  /** The newest format that its release reads. */
  #newest: number
  /** What its set wrote, as it knew when it died. */
  #active = 0
  #voters: VoterSet | null = null
  #isTooOld = false
  /** Its process has ended, and nobody told it to: its supervisor may start it again. */
  onEndOfItself: () => void = () => undefined
  /** Its release can't take part in its set. */
  onTooOld: () => void = () => undefined

  constructor(id: number, parts: MachineParts) {
    this.place = id
    this.isMember = id <= parts.plan.replicas
    this.#id = replicaId(id)
    this.#parts = parts
    this.#draw = drawInRun(parts.plan, `machine ${id}`, () => parts.agenda.now)
    const incarnation = drawHex(parts.plan.seed, `incarnation ${id}`, 8)
    this.#disk = new Disk(incarnation)
    this.#life = life(this.#id, incarnation, 0)
    this.#clock = new Clock(parts.agenda, parts.plan.clock, id)
    this.#newest = parts.plan.formats?.[id - 1] ?? NEWEST_FORMAT
  }

  /** The incarnation that has the place. */
  get id(): ReplicaId {
    return this.#id
  }

  /** The disk of that incarnation. */
  get disk(): Disk {
    return this.#disk
  }

  /** Null while it is dead, or is none of the set's. */
  get replica(): Replica | null {
    return this.#otherDisk === null ? (this.#host?.replica ?? null) : null
  }

  /** Null while it is dead. */
  get host(): Host | null {
    return this.#host
  }

  /** The last one of the set's voter. */
  get life(): Life {
    return this.#life
  }

  /** Inputs of all its lives. */
  get steps(): number {
    return this.#steps
  }

  /** What its release reads. */
  get formats(): Formats {
    return formatsUpTo(this.#newest)
  }

  /** What its set writes, as far as it knows or knew. */
  get active(): number {
    return Math.max(this.#active, this.replica?.store.format ?? 0)
  }

  /** Who decides by the newest configuration in its log, also while it is dead; null = it has none. */
  get voters(): VoterSet | null {
    return this.replica?.raft.configuration.voters ?? this.#voters
  }

  /** Another release, for its next start. */
  install(newest: number): void {
    if (newest === this.#newest) return
    this.#parts.trace.tell(`[${this.place}] a release is installed that reads formats up to ${newest}`)
    this.#newest = newest
  }

  /** It is refused, or ends itself, because the set writes what it doesn't read; false if that can't be. */
  tooOld(reason: string): boolean {
    if (this.#newest >= NEWEST_FORMAT || !/reads formats? \d/.test(reason)) return false
    if (!this.#isTooOld) {
      this.#parts.trace.tell(`[${this.place}] is too old: ${reason}`)
      this.#parts.watch.tooOld?.(this)
      this.onTooOld()
    }
    this.#isTooOld = true
    return true
  }

  now(): Instant {
    return this.#clock.now()
  }

  wall(): Stamp {
    return this.#clock.wall()
  }

  /** A new process on its disk, if that is as it should be; what is drawn for it depends on `about`. */
  start(about: number): void {
    if (this.#host !== null || !this.isMember) return
    this.#wanted = { about }
    const { trace, watch } = this.#parts
    const isOther = this.#otherDisk !== null
    const disk = this.#otherDisk ?? this.disk
    const opened = disk.open('sim', this.id, this.#hasRun && !isOther)
    if (opened.kind === 'wrong') {
      watch.broken('L2', `replica ${this.id}: ${opened.text}`)
      return
    }
    if (opened.kind === 'refused') {
      trace.tell(`[${this.place}] does not start: ${opened.reason}`)
      if (!opened.isRight) watch.broken('L2', `replica ${this.id} does not start: ${opened.reason}`)
      return
    }
    if (!isOther) {
      this.#hasRun = true
      this.#life = opened.life
    }
    const { snapshot, records } = opened
    const from = snapshot === null ? '' : ` and a snapshot at index ${snapshot.metadata.index}`
    trace.tell(`[${this.place}] starts as ${opened.life} with ${records.length} records${from}`)
    this.#live(disk, opened, about)
  }

  #live(disk: Disk, opened: Extract<Opened, { kind: 'opened' }>, about: number): void {
    const { life: own } = opened
    const { peers } = this.#parts
    const watch = disk === this.disk ? this.#parts.watch : unwatched(this.#parts.watch)
    this.#clock.restart(this.#draw.within(1, 1_000_000_000, 1, about))
    const replica = this.#make(opened, about)
    if (replica === null) return
    const host = new Host(this, own, replica, this.#parts, { disk, draw: this.#draw, watch })
    this.#host = host
    watch.started(this)
    this.#isTooOld = false
    peers.attach(this.place, {
      life: own,
      known: disk.known,
      formats: this.formats,
      active: () => replica.store.format,
      unfit: (reason) => this.tooOld(reason),
      deliver: (input) => host.deliver(input),
    })
    host.begin()
  }

  /** Null: its release does not read what lies on its disk. */
  #make({ life: own, snapshot, records }: Extract<Opened, { kind: 'opened' }>, about: number): Replica | null {
    const { plan, settings } = this.#parts
    const options: ReplicaOptions = {
      id: this.id,
      set: 'sim',
      // Who comes later learns them from the log.
      voters: generationOf(this.#id) > 0 ? [] : Array.from({ length: plan.replicas }, (_, i) => replicaId(i + 1)),
      life: own,
      seed: this.#draw.below(0xffff_ffff, 2, about),
      freshKey: drawBytes(plan.seed, `set key ${this.id} ${about}`, 16),
      laterKeys: drawBytes(plan.seed, `later keys ${this.id} ${about}`, 16),
      snapshot,
      records,
      ...(plan.compaction === undefined ? {} : { compaction: plan.compaction }),
      keptEvents,
      settings,
      ...this.#applications(),
      raft: plan.raft,
      formats: this.formats,
      now: this.now(),
      wall: this.wall(),
    }
    try {
      return new Replica(options)
    } catch (error) {
      if (error instanceof Error && this.tooOld(error.message)) return null
      throw error
    }
  }

  #applications(): Pick<ReplicaOptions, 'applications'> {
    const { own, plan } = this.#parts
    if (own !== null) return { applications: own.infos }
    const name = applicationOf(plan)
    return name === undefined ? {} : { applications: applicationInfos(name) }
  }

  /** The process dies now. Of what was not synced `tail` and `share` say what the disk keeps. */
  kill(tail: Tail, share: number): void {
    this.#wanted = null
    this.#onEnd = null
    if (this.#host === null) return
    const { peers, sip, trace, watch } = this.#parts
    this.#active = this.active
    this.#voters = this.voters
    const disk = this.#otherDisk ?? this.disk
    const unsynced = disk.records.length - disk.synced
    const kept = disk.crash(tail, share)
    trace.tell(`[${this.place}] dies; ${kept} of ${unsynced} unsynced records stay`)
    this.#host.end()
    this.#host = null
    sip.unbind(this.place)
    peers.detach(this.place)
    if (disk === this.disk) watch.died(this)
  }

  /** It is told to end. */
  drain(onEnd: () => void): void {
    if (this.#host === null) return
    this.#parts.trace.tell(`[${this.place}] is told to end`)
    this.#onEnd = onEnd
    this.#host.deliver({ kind: 'drain' })
  }

  /** Its process ends by itself, as it was told to. */
  ends(): void {
    const onEnd = this.#onEnd
    this.#parts.trace.tell(`[${this.place}] has nothing left to do, and ends`)
    this.kill('kept', 0)
    if (onEnd === null) this.onEndOfItself()
    else onEnd()
  }

  /** It has an empty disk and is to start as that incarnation, which the set has given it. */
  become(id: ReplicaId, incarnation: string, about: number): void {
    const { isFull } = this.#disk
    this.#id = id
    this.#disk = new Disk(incarnation)
    this.#disk.isFull = isFull
    this.#voters = null
    this.#hasRun = false
    this.#otherDisk = null
    this.isMember = true
    this.start(about)
  }

  /** The set has said that this incarnation is none of it any more. */
  leave(): void {
    this.kill('kept', 0)
    this.isMember = false
  }

  /** Its disk is lost with the process; another incarnation is to take the place. */
  lose(): void {
    this.kill('lost', 0)
    this.isMember = false
  }

  /** Of a dead one: its next start meets a damaged disk, or another one. */
  damage(what: Damage['what'], share: number): void {
    const isDone = what === 'swapped' || this.disk.damage(what, share)
    if (what === 'swapped') this.#otherDisk = new Disk(drawHex(this.#parts.plan.seed, `other disk ${this.id}`, 8))
    if (isDone) this.#parts.trace.tell(`[${this.place}] its disk is ${what}`)
  }

  /** Its operator puts its own disk back, as it was. */
  mend(): void {
    if (!this.disk.isDamaged && this.#otherDisk === null) return
    const wanted = this.#wanted
    if (this.#otherDisk !== null) this.kill('kept', 0)
    this.#parts.trace.tell(`[${this.place}] its disk is put right`)
    this.#otherDisk = null
    this.disk.mend()
    if (wanted !== null) this.start(wanted.about)
  }

  /** Whether its disk's writes find room. */
  fill(isFull: boolean): void {
    this.#parts.trace.tell(`[${this.place}] its disk ${isFull ? 'is full' : 'has room again'}`)
    this.disk.isFull = isFull
    if (!isFull && this.#wanted !== null) this.start(this.#wanted.about)
  }

  /** Its wall clock jumps. */
  stepWall(us: number): void {
    this.#parts.trace.tell(`[${this.place}] its wall clock jumps by ${us / 1_000} ms`)
    this.#clock.step(us)
  }

  /** Its wall clock jumps when it next becomes leader. */
  leap(us: number): void {
    this.#leap += us
  }

  /** It has just become leader. */
  leads(): void {
    if (this.#leap !== 0) this.stepWall(this.#leap)
    this.#leap = 0
  }

  /** `die` is called at that moment of the work on that input. */
  doom(input: number, place: number, die: () => void): void {
    this.#dooms.push({ input, place, die })
  }

  /** Its process has come to that moment. */
  meetDoom(input: number, place: number): void {
    for (const doom of this.#dooms) if (doom.input === input && doom.place === place) doom.die()
  }

  /** One more input; which one it is. */
  countStep(): number {
    return ++this.#steps
  }
}
