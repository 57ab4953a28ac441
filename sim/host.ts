// The host of one life of a simulated replica: what src/host/host.ts is on a real machine. A loop that takes inputs in turns
// and carries effects out one by one; it can die or fall asleep between any two of them.

import { placeOf } from '../src/base/brand.ts'
import type { Life } from '../src/base/brand.ts'
import { must, unreachable } from '../src/base/assert.ts'
import { seconds } from '../src/base/instant.ts'
import type { Instant } from '../src/base/instant.ts'
import { mixBytes } from '../src/base/hash.ts'
import type { AppAnswer, AppCall } from '../src/app/contract.ts'
import type { Place } from '../src/proxy/locate.ts'
import type { Effect, Persist } from '../src/replica/effect.ts'
import type { Input, InputBody } from '../src/replica/input.ts'
import type { Replica } from '../src/replica/replica.ts'
import type { Appointment } from './agenda.ts'
import type { Disk } from './disk.ts'
import { moment } from './draws.ts'
import type { Draw } from './draws.ts'
import { answerOf } from './applications.ts'
import { atTheDoor, locatedAt } from './forks.ts'
import { LogWriter } from './log-writer.ts'
import { SnapshotWriter } from './snapshot-writer.ts'
import type { Written } from './log-writer.ts'
import type { Machine, MachineParts } from './machine.ts'
import type { MachineWatch, Work } from './machine-watch.ts'
import type { OwnHost } from './own/own.ts'
import { applicationOf } from './plan.ts'
import { traceInput } from './trace-input.ts'

/** A deadline that has passed is looked at again after this, as any event loop would. */
const loopGrain = 100
/** A replica that asks for its next turn at once this often in a row, with no other input, spins. */
const spinMost = 200
/** A host that gave no input for this long has slept: the time comes before anything else (design.md 1). */
const stall = 50_000
/** However slow a replica is, a turn takes no longer than this. */
const busyMost = 150_000

/** Strikes when `effects` more effects have been carried out. */
interface Fuse {
  effects: number
  /** Counts only while something is written and not synced. */
  readonly unsynced: boolean
  readonly strike: () => void
}

export class Host {
  readonly replica: Replica
  readonly life: Life
  readonly #machine: Machine
  readonly #parts: MachineParts
  readonly #draw: Draw
  readonly #watch: MachineWatch
  readonly #writer: LogWriter
  readonly #snapshots: SnapshotWriter
  #over = false
  #inbox: InputBody[] = []
  #turn: Appointment | null = null
  #alarm: Appointment | null = null
  #busyUntil = 0
  #idleTurns = 0
  #toldFull = false
  #fuses: Fuse[] = []
  /** What it was about to do when it fell asleep, and what came for it meanwhile; null = awake. */
  #asleep: (() => void)[] | null = null
  #sleptAt: number | null = null
  #lastStep: Instant
  readonly #asker: OwnHost = {
    isOver: () => this.#over,
    ask: (id, query) => this.deliver({ kind: 'admin', id, query }),
    answer: (call, answer) => this.#toldBy(call, answer),
  }

  constructor(
    machine: Machine,
    life: Life,
    replica: Replica,
    parts: MachineParts,
    around: { readonly disk: Disk; readonly draw: Draw; readonly watch: MachineWatch },
  ) {
    this.#machine = machine
    this.life = life
    this.replica = replica
    this.#parts = parts
    this.#draw = around.draw
    this.#watch = around.watch
    this.#lastStep = machine.now()
    this.#writer = new LogWriter({
      agenda: parts.agenda,
      disk: around.disk,
      syncTime: () => this.#syncTime(),
      whenAwake: (go) => this.#whenAwake(go),
      durable: (batch) => this.#durable(batch),
      full: (full) => this.#diskFull(full),
    })
    this.#snapshots = new SnapshotWriter({
      agenda: parts.agenda,
      disk: around.disk,
      writeTime: () => this.#draw.within(5, parts.plan.disk.syncMost, 9, moment(parts.agenda.now)),
      syncTime: () => this.#syncTime(),
      whenAwake: (go) => this.#whenAwake(go),
      moment: (work) => this.#moment(work),
      stands: (metadata, dropped) => {
        parts.trace.tell(`[${machine.place}] its disk goes on from a snapshot at index ${metadata.index}`)
        around.watch.snapshotStands?.(machine, metadata, dropped)
      },
      answer: (input) => this.deliver(input),
    })
  }

  now(): Instant {
    return this.#machine.now()
  }

  get isAsleep(): boolean {
    return this.#asleep !== null
  }

  /** Its replica was told so, and refuses new calls. */
  get toldFull(): boolean {
    return this.#toldFull
  }

  /** Inputs that wait for a turn. */
  get waiting(): number {
    return this.#inbox.length
  }

  /** The first deadline is its replica's first chance to say anything. */
  begin(): void {
    this.#armAlarm()
  }

  /** It is dead: nothing of it happens any more. */
  end(): void {
    const { agenda } = this.#parts
    this.#over = true
    this.#writer.close()
    this.#snapshots.close()
    agenda.cancel(this.#turn)
    agenda.cancel(this.#alarm)
  }

  /** `strike` is called when `effects` more effects have been carried out. */
  lightFuse(effects: number, strike: () => void, unsynced = false): void {
    if (this.#asleep === null) this.#fuses.push({ effects, unsynced, strike })
    else strike()
  }

  /** Stops between two effects; kernel and disk go on. What comes meanwhile waits. */
  sleep(us: number, onWaking: () => void): void {
    if (this.#asleep !== null) return
    this.#parts.trace.tell(`[${this.#machine.place}] is stopped for ${us / 1_000} ms`)
    this.#asleep = []
    this.#sleptAt ??= this.#parts.agenda.now
    this.#parts.agenda.after(us, () => {
      if (this.#over || this.#asleep === null) return
      this.#wake(this.#asleep)
      onWaking()
    })
  }

  #wake(waiting: readonly (() => void)[]): void {
    this.#parts.trace.tell(`[${this.#machine.place}] goes on`)
    this.#asleep = null
    for (const go of waiting) {
      this.#whenAwake(go)
      if (this.#over) return
    }
    this.#idleTurns = 0
    this.#scheduleTurn()
  }

  #whenAwake(go: () => void): void {
    if (this.#asleep === null) go()
    else this.#asleep.push(go)
  }

  /** An input from outside, for one of the next turns. */
  deliver(input: InputBody): void {
    if (this.#over) return
    this.#inbox.push(input)
    this.#idleTurns = 0
    this.#scheduleTurn()
  }

  #scheduleTurn(): void {
    if (this.#turn !== null || this.#asleep !== null) return
    const { agenda } = this.#parts
    const wake = this.#draw.within(1, 40, 4, moment(agenda.now))
    this.#turn = agenda.at(Math.max(agenda.now + wake, this.#busyUntil), () => this.#takeTurn())
  }

  /** One turn of the loop: some inputs, then time. */
  #takeTurn(): void {
    const { agenda, plan } = this.#parts
    this.#turn = null
    const goesOn = (): boolean => !this.#over && this.#asleep === null
    if (!goesOn()) return
    const take = this.#draw.within(1, plan.loop.batchMost, 5, moment(agenda.now))
    if (this.#hasStalled()) this.#step({ kind: 'time' })
    for (let taken = 0; taken < take && goesOn(); taken++) {
      const input = this.#inbox.shift()
      if (input === undefined) break
      this.#step(input)
    }
    if (goesOn()) this.#step({ kind: 'time' })
    if (!goesOn()) return
    this.#sleptAt = null
    const busy = this.#draw.within(5, plan.loop.busyMost, 6, moment(agenda.now))
    this.#busyUntil = agenda.now + Math.min(busy * this.#machine.condition.times, Math.max(busy, busyMost))
    if (this.#inbox.length > 0) this.#scheduleTurn()
    this.#armAlarm()
  }

  #hasStalled(): boolean {
    return this.#machine.now() - this.#lastStep > stall
  }

  #armAlarm(): void {
    const { agenda } = this.#parts
    agenda.cancel(this.#alarm)
    this.#alarm = null
    const deadline = this.replica.deadline()
    if (deadline === null) return
    const wait = deadline - this.#machine.now()
    if (wait <= 0 && ++this.#idleTurns > spinMost) {
      const spins = `its deadline has passed after ${spinMost} time inputs in a row`
      this.#watch.broken('bounded', `replica ${this.#machine.id} spins: ${spins}`)
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
    if (this.#over) return
    const { agenda, trace } = this.#parts
    const machine = this.#machine
    const now = machine.now()
    const input: Input = { ...body, now, wall: machine.wall() }
    this.#lastStep = now
    const nth = machine.countStep()
    traceInput(trace, machine.id, body)
    const led = this.replica.raft.isLeader
    const effects = this.replica.step(input)
    if (!led && this.replica.raft.isLeader) machine.leads()
    this.#watch.stepped(machine, input, effects)
    this.#carryOut(effects, { input: nth, at: this.#sleptAt ?? agenda.now, place: 0 })
  }

  #carryOut(effects: readonly Effect[], work: Work): void {
    for (const [at, effect] of effects.entries()) {
      this.#moment(work)
      if (this.#over) return
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
    this.#watch.moment?.(this.#machine, work)
    this.#machine.meetDoom(work.input, work.place++)
    const { disk } = this.#machine
    for (const fuse of [...this.#fuses]) {
      if (fuse.unsynced && disk.records.length === disk.synced) continue
      if (this.#over || fuse.effects-- > 0) continue
      this.#fuses = this.#fuses.filter((other) => other !== fuse)
      fuse.strike()
    }
  }

  #perform(effect: Effect, work: Work): void {
    const { sip, peers, trace } = this.#parts
    const machine = this.#machine
    const { place } = machine
    // Right before the system call (design.md 1).
    if (effect.kind === 'send' && effect.isInside !== true && effect.notAfter < machine.now()) {
      this.deliver({ kind: 'unsent', send: effect, reason: 'late' })
      return
    }
    this.#watch.leaving(machine, effect, work)
    switch (effect.kind) {
      case 'send':
        if (effect.isInside === true) this.deliver({ kind: 'sip', flow: effect.flow, data: effect.data })
        else if (!sip.fromSet(place, effect)) this.deliver({ kind: 'unsent', send: effect, reason: 'no-stream' })
        break
      case 'peer':
        trace.event(
          mixBytes(effect.to, effect.frame).low,
          () => `[${place}] -> [${placeOf(effect.to)}] frame of ${effect.frame.length}`,
        )
        peers.send(place, effect.to, effect.frame)
        break
      case 'peers':
        trace.tell(`[${place}] is linked with ${effect.members.map((member) => member.id).join(', ') || 'nobody'}`)
        peers.follow(place, effect)
        break
      case 'persist':
        this.#persist(effect, work)
        break
      case 'snapshot':
        trace.event(effect.number, () => `[${place}] snapshot, piece ${effect.number}: ${effect.piece.kind}`)
        this.#snapshots.write(effect, work)
        break
      case 'open-sip':
        trace.tell(`[${place}] binds the shared address`)
        sip.bind(place, this)
        break
      case 'close-sip':
        trace.tell(`[${place}] closes its SIP sockets`)
        sip.unbind(place)
        this.deliver({ kind: 'sip-closed' })
        break
      case 'end':
        machine.ends()
        break
      case 'log':
        trace.tell(`[${place}] ${effect.level} ${effect.code}: ${effect.message} ${JSON.stringify(effect.fields)}`)
        break
      case 'notice':
        trace.tell(`[${place}] notice ${JSON.stringify(effect.notice)}`)
        if (effect.notice.kind === 'format') peers.formatRaised(place)
        break
      case 'locate':
        this.#locate(effect.place)
        break
      case 'ask':
        this.#ask(effect.call)
        break
      case 'reply':
        trace.tell(`[${place}] answers lookup ${effect.id} with ${effect.status}`)
        this.#parts.answered(effect)
        break
      case 'http':
        this.#parts.answeredWeb(effect)
        break
      case 'stop':
        if (effect.cause === 'removed') machine.leave()
        else if (machine.tooOld(effect.reason)) machine.kill('kept', 0)
        else this.#watch.broken('assertion', `replica ${place} stopped itself: ${effect.reason}`)
        break
      default:
        unreachable(effect)
    }
  }

  #persist(effect: Persist, work: Work): void {
    const { id, place } = this.#machine
    for (const record of effect.records) {
      this.#parts.trace.event(mixBytes(id, record).low, () => `[${place}] writes a record of ${record.length}`)
    }
    this.#writer.append(effect, work)
  }

  /** Its handler runs beside the loop. */
  #ask(call: AppCall): void {
    const { agenda, plan, trace, own } = this.#parts
    const { place } = this.#machine
    if (own !== null) return own.ask(call, this.#asker)
    const name = must(applicationOf(plan), 'a plain set asks nobody')
    const reply = answerOf(name, call, this.#draw, moment(agenda.now))
    trace.tell(`[${place}] asks ${name}.${call.handler} (${call.id}): ${reply.kind}`)
    if (reply.kind === 'never') return
    const { id } = call
    const answer: AppAnswer =
      reply.kind === 'failed'
        ? { kind: 'failed', reason: 'it threw' }
        : { kind: 'done', ops: reply.ops, result: reply.result ?? null }
    agenda.after(reply.after, () => this.#whenAwake(() => this.deliver({ kind: 'answered', id, answer })))
  }

  /** Of a user's application. */
  #toldBy({ application, handler, id }: AppCall, answer: AppAnswer): void {
    const { agenda, trace } = this.#parts
    const what = answer.kind === 'failed' ? answer.reason : answer.ops.map(({ kind }) => kind).join(', ')
    trace.tell(`[${this.#machine.place}] was asked ${application}.${handler} (${id}): ${answer.kind}: ${what}`)
    const after = this.#draw.within(100, 8_000, 11, moment(agenda.now), id)
    agenda.after(after, () => this.#whenAwake(() => this.deliver({ kind: 'answered', id, answer })))
  }

  /** DNS says the same thing always, after a while. */
  #locate(place: Place): void {
    const { agenda } = this.#parts
    const after = this.#draw.within(200, 30_000, 9, moment(agenda.now))
    agenda.after(after, () => {
      this.#whenAwake(() =>
        this.deliver({
          kind: 'located',
          place,
          answer: this.#parts.own === null ? locatedAt(place) : atTheDoor(),
          ttl: seconds(20),
        }),
      )
    })
  }

  #syncTime(): number {
    const { agenda, plan } = this.#parts
    const { syncLeast, syncMost, slow, slowMost } = plan.disk
    const at = moment(agenda.now)
    const most = this.#draw.chance(slow, 7, at) ? slowMost : syncMost
    return this.#machine.condition.sync ?? this.#draw.within(syncLeast, most, 8, at)
  }

  #diskFull(full: boolean): void {
    this.#toldFull = full
    this.deliver({ kind: 'disk', reason: 'no-space', full })
  }

  /** These records are durable: what waited for them leaves, then the replica hears of it. */
  #durable(batch: readonly Written[]): void {
    if (this.#hasStalled()) this.#step({ kind: 'time' })
    for (const { effect, work } of batch) {
      if (this.#over) return
      this.#carryOut(effect.then, work)
    }
    if (this.#over) return
    const last = must(batch.at(-1), 'a write has records').effect.number
    this.#whenAwake(() => this.deliver({ kind: 'persisted', upTo: last }))
  }
}
