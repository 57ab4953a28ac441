// A seeded set of replicas on a network that loses, delays, doubles and reorders, with crashes, pauses, partitions, slow disks,
// clocks that have nothing in common, and false news of deaths (which may cost an election, never safety). Members come and go
// meanwhile, leadership is handed over, logs are compacted (operator.ts).
// Sizes and rates are drawn from the seed; a run is a function of it. First everything may happen (safety), then all faults
// stop and the set must come together (liveness).

import type { ReplicaId } from '../../base/brand.ts'
import { index, replicaId } from '../../base/brand.ts'
import { latin1Bytes } from '../../base/bytes.ts'
import { Heap } from '../../base/heap.ts'
import type { Duration, Instant } from '../../base/instant.ts'
import { instant, millis, plus } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import { random } from '../../base/random.ts'
import type { RaftConfig } from '../config.ts'
import { isJoint, membersOf } from '../configuration.ts'
import type { RaftMessage } from '../message.ts'
import type { RaftStatus } from '../status.ts'
import { formatStatus } from '../status.ts'
import { copyMessage, Machine } from './machine.ts'
import { leave, operate } from './operator.ts'
import { BrokenPromise, Oracle } from './oracle.ts'
import type { Rates } from './world.ts'
import { drawWorld } from './world.ts'

type Event =
  | { readonly kind: 'message'; readonly message: RaftMessage; readonly life: number }
  | { readonly kind: 'sync' | 'tick'; readonly id: ReplicaId; readonly life: number }
  | { readonly kind: 'client' | 'fault' | 'operator' }
  | { readonly kind: 'report'; readonly from: ReplicaId; readonly to: ReplicaId; readonly life: number }
  | { readonly kind: 'restart'; readonly id: ReplicaId }
  | { readonly kind: 'heal' }

export interface Totals {
  events: number
  crashes: number
  elections: number
  commits: number
  changes: number
  transfers: number
  snapshots: number
  installed: number
  reads: number
}

export const noTotals: Totals = {
  events: 0,
  crashes: 0,
  elections: 0,
  commits: 0,
  changes: 0,
  transfers: 0,
  snapshots: 0,
  installed: 0,
  reads: 0,
}

export class Network {
  readonly #random: Random
  readonly #oracle = new Oracle()
  readonly #machines: readonly Machine[]
  readonly #events = new Map<number, Event>()
  readonly #queue = new Heap<number>()
  readonly #rates: Rates
  readonly #ids: readonly ReplicaId[]
  #sequence = 0
  #now = instant(0)
  #calm = false
  /** Each life's monotonic clock starts somewhere else. */
  readonly #clocks = new Map<ReplicaId, number>()
  readonly #pausedUntil = new Map<ReplicaId, number>()
  /** Sides of a partition: replicas of different sides don't hear each other. */
  #side = new Map<ReplicaId, number>()
  #proposals = 0
  #contexts = 0
  readonly totals: Totals = { ...noTotals }

  constructor(seed: number) {
    this.#random = random(seed)
    const draw = this.#random
    const { voters, rates, limits } = drawWorld(draw)
    this.#rates = rates
    // Those that may join know of no set.
    const spare = this.#rates.operator === 0 ? 0 : 3
    this.#ids = Array.from({ length: voters.length + spare }, (_, at) => replicaId(at + 1))
    this.#machines = this.#ids.map((id) => {
      const known = voters.includes(id) ? voters : []
      const config: RaftConfig = { id, voters: known, random: draw, ...limits }
      return new Machine(config, this.#oracle)
    })
    for (const machine of this.#machines) this.#oracle.add(machine)
  }

  /** Runs the safety phase for `wild`, then clients and faults stop; within `calm` the set must agree. */
  run(wild: Duration, calm: Duration): Totals {
    for (const machine of this.#machines) this.#start(machine)
    this.#schedule(millis(0), { kind: 'client' })
    this.#schedule(this.#rates.faults, { kind: 'fault' })
    if (this.#rates.operator > 0) this.#schedule(this.#rates.operator, { kind: 'operator' })
    this.#runUntil(plus(this.#now, wild))
    this.#calm = true
    this.#side.clear()
    for (const machine of this.#machines) if (machine.raft === null) this.#start(machine)
    const end = plus(this.#now, calm)
    while (!this.#agrees() && this.#now < end) {
      for (const machine of this.#machines) if (leave(machine, this.#time(machine)) !== null) this.#turn(machine)
      this.#runUntil(plus(this.#now, millis(100)))
    }
    if (!this.#agrees()) throw new BrokenPromise(`no convergence:\n${this.#states().map(formatStatus).join('\n')}`)
    this.totals.commits = this.#oracle.committed.length
    this.totals.reads = this.#oracle.answers
    this.totals.elections = Math.max(...this.#machines.map((machine) => machine.raft?.term ?? 0))
    return this.totals
  }

  #runUntil(end: Instant): void {
    for (;;) {
      const at = this.#queue.peekPriority()
      if (at === undefined || at > end) break
      const id = this.#queue.pop() as number
      this.#now = instant(at)
      const event = this.#events.get(id) as Event
      const resumes = this.#resumes(event)
      if (resumes > at) {
        this.#queue.set(id, resumes)
        continue
      }
      this.#events.delete(id)
      this.totals.events++
      this.#handle(event)
    }
    this.#now = end
  }

  /** When a paused replica gets to this event. */
  #resumes(event: Event): number {
    if (this.#calm || (event.kind !== 'message' && event.kind !== 'sync' && event.kind !== 'tick')) return 0
    return this.#pausedUntil.get(event.kind === 'message' ? event.message.to : event.id) ?? 0
  }

  #time(machine: Machine): Instant {
    return instant(this.#now + (this.#clocks.get(machine.id) ?? 0))
  }

  #handle(event: Event): void {
    switch (event.kind) {
      case 'message':
        return this.#deliver(event.message, event.life)
      case 'sync':
        return this.#sync(event.id, event.life)
      case 'tick':
        return this.#tick(event.id, event.life)
      case 'client':
        return this.#client()
      case 'fault':
        return this.#fault()
      case 'operator':
        return this.#operate()
      case 'report':
        return this.#report(event.from, event.to, event.life)
      case 'restart': {
        const machine = this.#machine(event.id)
        return machine.raft === null ? this.#start(machine) : undefined
      }
      case 'heal':
        this.#side.clear()
    }
  }

  #deliver(message: RaftMessage, life: number): void {
    const machine = this.#machine(message.to)
    // A link's frames end with the life they were sent to; so do a sender's (the answers to its reads are its life's).
    if (machine.life !== life || this.#isCut(message.from, message.to)) return
    machine.do((raft) => raft.step(message, this.#time(machine)))
    this.#turn(machine)
  }

  #sync(id: ReplicaId, life: number): void {
    const machine = this.#machine(id)
    if (machine.life !== life || machine.raft === null) return
    this.#carry(machine.sync(1 + this.#random.below(machine.unsynced + 1)))
    if (machine.unsynced > 0) this.#scheduleSync(machine)
    this.#turn(machine)
  }

  #tick(id: ReplicaId, life: number): void {
    const machine = this.#machine(id)
    if (machine.life !== life) return
    machine.do((raft) => raft.tick(this.#time(machine)))
    this.#turn(machine)
    this.#scheduleTick(machine)
  }

  #client(): void {
    if (this.#calm) return
    this.#schedule(this.#rates.between, { kind: 'client' })
    const machine = this.#someLeader() ?? this.#any()
    const burst = 1 + this.#random.below(4)
    for (let i = 0; i < burst; i++) {
      const data = latin1Bytes(`p${++this.#proposals}`)
      machine.do((raft) => raft.propose(data, this.#time(machine)))
    }
    this.#turn(machine)
    for (const reader of this.#machines) {
      // Those who lead, or think so, are the ones that could be wrong.
      if (reader.raft === null || (!reader.raft.isLeader && this.#random.below(4) > 0)) continue
      const context = ++this.#contexts
      this.#oracle.asked(reader.id, context)
      reader.do((raft) => raft.readIndex(context, this.#time(reader)))
      this.#turn(reader)
    }
  }

  #operate(): void {
    if (this.#calm) return
    this.#schedule(this.#rates.operator, { kind: 'operator' })
    const machine = this.#someLeader() ?? this.#any()
    const deed = operate(machine, this.#ids, this.#random, this.#time(machine))
    if (deed === 'change' || deed === 'leave') this.totals.changes++
    if (deed === 'transfer') this.totals.transfers++
    if (deed === 'snapshot') this.totals.snapshots++
    this.#turn(machine)
  }

  /** The caller's news of a snapshot's bytes, which may be wrong. */
  #report(from: ReplicaId, to: ReplicaId, life: number): void {
    const machine = this.#machine(from)
    if (machine.life !== life) return
    machine.do((raft) => raft.reportSnapshot(to, this.#random.below(2) === 0))
    this.#turn(machine)
  }

  #fault(): void {
    if (this.#calm) return
    this.#schedule(this.#rates.faults, { kind: 'fault' })
    const machine = this.#any()
    const roll = this.#random.below(12)
    if (roll < 4) this.#crash(machine)
    else if (roll < 7) this.#partition()
    else if (roll < 9) this.#pausedUntil.set(machine.id, this.#now + this.#random.below(1_500_000))
    else if (roll < 11) this.#falseNews(machine)
    else for (const each of this.#machines) this.#crash(each)
  }

  /** All others believe that this replica died, and it is cut off besides: an old leader that goes on. */
  #falseNews(machine: Machine): void {
    this.#side.clear()
    this.#side.set(machine.id, 1)
    for (const other of this.#machines) {
      if (other === machine) continue
      this.#side.set(other.id, 0)
      other.do((raft) => raft.forget(machine.id, this.#time(other)))
      this.#turn(other)
    }
    this.#schedule(millis(1 + this.#random.below(400)), { kind: 'heal' })
  }

  #crash(machine: Machine): void {
    if (machine.raft === null) return
    this.totals.crashes++
    machine.crash(this.#random.below(6))
    this.#schedule(millis(1 + this.#random.below(600)), { kind: 'restart', id: machine.id })
    if (this.#random.below(2) === 0) return
    for (const other of this.#machines) {
      other.do((raft) => raft.forget(machine.id, this.#time(other)))
      this.#turn(other)
    }
  }

  #partition(): void {
    this.#side.clear()
    for (const machine of this.#machines) this.#side.set(machine.id, this.#random.below(2))
    this.#schedule(millis(1 + this.#random.below(800)), { kind: 'heal' })
  }

  #start(machine: Machine): void {
    this.#clocks.set(machine.id, this.#random.below(1_000_000_000))
    this.#pausedUntil.delete(machine.id)
    machine.start(this.#time(machine))
    this.#scheduleTick(machine)
  }

  /** The end of a turn: all Readys are taken, their messages leave, their writes go to the disk. */
  #turn(machine: Machine): void {
    // Some turns gather more than one input.
    if (this.#random.below(4) === 0 && !this.#calm) return
    for (;;) {
      const idle = machine.unsynced === 0
      const ready = machine.take(this.#time(machine))
      this.#apply(machine)
      if (ready === null) return
      if (ready.snapshot !== null) this.totals.installed++
      this.#carry(ready.messages)
      if (ready.mustPersist && idle) this.#scheduleSync(machine)
    }
  }

  /** What was handed out is applied sooner or later. */
  #apply(machine: Machine): void {
    const log = machine.raft?.inspect().log
    if (log === undefined || log.applied === log.handedOut) return
    const at = this.#calm ? log.handedOut : index(log.applied + this.#random.below(log.handedOut - log.applied + 1))
    machine.apply(at)
  }

  #carry(messages: readonly RaftMessage[]): void {
    const { lossPercent, doublePercent, delay } = this.#rates
    for (const message of messages) {
      if (message.kind === 'snapshot') {
        const { from, to } = message
        this.#schedule(millis(100), { kind: 'report', from, to, life: this.#machine(from).life })
      }
      if (this.#isCut(message.from, message.to)) continue
      if (!this.#calm && this.#random.below(100) < lossPercent) continue
      const copies = this.#random.below(100) < doublePercent ? 2 : 1
      const { life } = this.#machine(message.to)
      for (let i = 0; i < copies; i++) {
        const late = !this.#calm && this.#random.below(50) === 0 ? 20 : 1
        const after = this.#calm ? millis(1) : millis(this.#random.below(delay * late + 1) / 1_000)
        this.#schedule(after, { kind: 'message', message: copyMessage(message), life })
      }
    }
  }

  #scheduleSync(machine: Machine): void {
    const after = this.#calm ? millis(1) : millis(this.#random.below(this.#rates.disk + 1) / 1_000)
    this.#schedule(after, { kind: 'sync', id: machine.id, life: machine.life })
  }

  #scheduleTick(machine: Machine): void {
    const now = this.#time(machine)
    const due = machine.raft?.deadline() ?? now
    // A tick may be late, now and then by a stall.
    const late = this.#calm ? 0 : this.#random.below(this.#random.below(30) === 0 ? 400_000 : 2_000)
    const wait = Math.min(Math.max(due - now, 100), millis(20)) + late
    this.#schedule(wait as Duration, { kind: 'tick', id: machine.id, life: machine.life })
  }

  #schedule(after: Duration, event: Event): void {
    const id = ++this.#sequence
    this.#events.set(id, event)
    this.#queue.set(id, this.#now + Math.max(0, Math.round(after)))
  }

  /** One leader that has committed in its term, and everybody has handed out the same. */
  #agrees(): boolean {
    const [leader, other] = this.#states().filter((state) => state.role === 'leader')
    if (leader === undefined || other !== undefined || leader.commit < leader.last) return false
    if (isJoint(leader.configuration) || this.#oracle.committed.at(-1)?.term !== leader.term) return false
    const members = membersOf(leader.configuration)
    return this.#states().every((state) => !members.includes(state.id) || state.applied === leader.applied)
  }

  #states(): readonly RaftStatus[] {
    return this.#machines.flatMap((machine) => machine.raft?.status() ?? [])
  }

  #isCut(a: ReplicaId, b: ReplicaId): boolean {
    return this.#side.get(a) !== this.#side.get(b)
  }

  /** One of those that lead, or think so; or nobody. */
  #someLeader(): Machine | undefined {
    const leaders = this.#machines.filter(({ raft }) => raft?.isLeader === true)
    return leaders[this.#random.below(leaders.length + 1)]
  }

  #any(): Machine {
    return this.#machines[this.#random.below(this.#machines.length)] as Machine
  }

  #machine(id: ReplicaId): Machine {
    return this.#machines[id - 1] as Machine
  }
}
