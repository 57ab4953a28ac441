// Several real replicas in memory, for tests of what they do together: time is moved by hand, links and disks do what they
// are told, frames arrive in order at the instant they were sent. Nothing is drawn by chance but from fixed seeds. The
// simulator (sim/) tries what nobody thought of; here one schedule is written down as a few lines.

import type { Stamp } from '../../base/instant.ts'
import { assert, must } from '../../base/assert.ts'
import type { Result } from '../../base/result.ts'
import { life, replicaId } from '../../base/brand.ts'
import type { Life, ReplicaId } from '../../base/brand.ts'
import { instant, millis, plus, stamp } from '../../base/instant.ts'
import type { Duration, Instant } from '../../base/instant.ts'
import { groupOfCallId } from '../../proxy/token.ts'
import { decodeEntry, decodeFrame, decodeRecord } from '../../wire/codec.ts'
import type { EntryBody, Flow } from '../../wire/entry.ts'
import { formatsUpTo, reads } from '../../wire/formats.ts'
import type { Formats } from '../../wire/formats.ts'
import type { Frame } from '../../wire/frame.ts'
import type { BanAnswer, BanRequest, MemberAnswer, MemberRequest } from '../../wire/member-request.ts'
import type { SnapshotMetadata } from '../../raft/message.ts'
import type { Metric } from '../admin.ts'
import type { Effect, LogLine, Notice, Persist, Send, SnapshotWrite, Stop } from '../effect.ts'
import type { AdminInput, InputBody } from '../input.ts'
import { limits } from '../limits.ts'
import type { Compaction, Durability } from '../options.ts'
import { isOut } from '../peers.ts'
import { Replica } from '../replica.ts'
import { restoredLog } from '../restored-log.ts'
import type { BackedUpLog, RestoredLog } from '../restored-log.ts'
import { memberFault } from './member-invariants.ts'

/** A SIP message that left, by whom, when, and in which step: of all steps the how manyth. */
export interface Sent extends Send {
  readonly by: ReplicaId
  readonly at: Instant
  readonly step: number
}

interface Event {
  readonly to: ReplicaId
  readonly body: InputBody
}

/** One replica with its disk and what waits for it. */
interface Seat {
  readonly replica: Replica
  /** Stopped as by SIGSTOP: what comes for it waits. */
  isStopped: boolean
  readonly waiting: InputBody[]
  /** The snapshot that is being written. */
  unfinished: { metadata: SnapshotMetadata; parts: Uint8Array[] } | null
  /** Records since the last rotation. */
  rotated: Uint8Array[]
  /** Null = its disk takes everything at once; else what waits for room. */
  unwritten: Persist[] | null
}

const wallAtZero = 1_700_000_000_000_000
/** A loop that goes on at one instant for so long would never end. */
const turnsMost = 10_000

export const sip = { host: '127.36.0.1', port: 5060 } as const
export const nextHop = { host: '127.36.0.3', port: 5064, transport: null } as const

export class Bench {
  readonly ids: ReplicaId[]
  /** With whom the set was founded. */
  #founders: readonly ReplicaId[]
  now: Instant = instant(1_000_000)
  readonly sent: Sent[] = []
  /** The formats of the frames that left. */
  readonly formatsSent = new Set<number>()
  /** True: frames may be sent to who doesn't read them. */
  ignoresFormats = false
  readonly lines: (LogLine & { readonly by: ReplicaId })[] = []
  readonly notices: (Notice['notice'] & { readonly by: ReplicaId; readonly at: Instant })[] = []
  /** Whose sockets are to be closed, and who has nothing left to do, in order. */
  readonly sipCloses: ReplicaId[] = []
  readonly ended: ReplicaId[] = []
  /** Replicas that asked to be ended, and why. Those that were removed do end. */
  readonly stopped: { readonly by: ReplicaId; readonly cause: Stop['cause']; readonly reason: string }[] = []
  /** True: this frame is lost on its way. */
  loses: (frame: Frame, from: ReplicaId, to: ReplicaId) => boolean = () => false
  /** True: sockets close, and processes end, as soon as they may. */
  endsLeft = false
  /** True: disks take no snapshots. */
  refusesPieces = false
  /** True: no snapshot becomes durable. */
  keepsFinish = false
  readonly #seats = new Map<ReplicaId, Seat>()
  readonly #events: Event[] = []
  readonly #written = new Map<ReplicaId, Uint8Array[]>()
  /** The last finished one of each disk. */
  readonly #snapshots = new Map<ReplicaId, { metadata: SnapshotMetadata; parts: Uint8Array[] }>()
  readonly #starts = new Map<ReplicaId, number>()
  readonly #compaction: Partial<Compaction>
  readonly #durability: Durability
  /** Whom each was told to be linked with. */
  readonly #told = new Map<ReplicaId, readonly ReplicaId[]>()
  /** Pairs of lives that met. */
  readonly #met = new Set<string>()
  /** Processes that end with this step. */
  readonly #ended: ReplicaId[] = []
  readonly #answers = new Map<number, { readonly status: number; readonly body: unknown; readonly next?: number }>()
  readonly #most = new Map<ReplicaId, number>()
  #asked = 0
  #isLossDeclared = false
  #steps = 0

  /** `absent` replicas are voters that never start. `most`: the newest format that each reads, if not all. */
  constructor(
    absent: readonly number[] = [],
    voters = 3,
    compaction: Partial<Compaction> = {},
    durability: Durability = 'wal',
    most: readonly number[] = [],
  ) {
    for (const [at, format] of most.entries()) this.#most.set(replicaId(at + 1), format)
    this.#compaction = compaction
    this.#durability = durability
    this.ids = Array.from({ length: voters }, (_, at) => replicaId(at + 1))
    this.#founders = [...this.ids]
    const present = this.ids.filter((id) => !absent.includes(id))
    for (const id of present) {
      this.#written.set(id, [])
      this.#seats.set(id, this.#sit(id))
    }
    for (const at of present) for (const to of present) if (at !== to) this.link(at, to, 'up')
  }

  /** Until all that run serve, and nothing is on its way. */
  begin(): this {
    for (let tries = 0; tries < 100; tries++) {
      this.pass(millis(100))
      if (this.#running().every((id) => this.serving(id).length === this.#seats.size)) return this
    }
    throw new Error('not all of them serve')
  }

  replica(id: ReplicaId): Replica {
    return this.#seat(id).replica
  }

  /** What that replica reads. */
  formatsOf(id: ReplicaId): Formats {
    return formatsUpTo(this.#most.get(id) ?? null)
  }

  lifeOf(id: ReplicaId): Life {
    return life(id, `${id}${id}`, this.#starts.get(id) ?? 1)
  }

  leader(): ReplicaId {
    return must(
      this.#running().find((id) => this.replica(id).raft.isLeader),
      'somebody leads',
    )
  }

  /** The running replicas that don't lead, in order. */
  followers(): readonly ReplicaId[] {
    return this.#running().filter((id) => !this.replica(id).raft.isLeader)
  }

  /** Who serves as far as that replica has applied. */
  serving(id: ReplicaId = this.leader()): readonly ReplicaId[] {
    const { members } = this.replica(id).store.serving()
    return members.map((member) => replicaId(Number(member.life.split('.')[0]))).sort()
  }

  /** Call-IDs whose groups that replica owns, as it sees it: the first `count` of `name-0`, `name-1`, ... */
  callIds(owner: ReplicaId, count: number, name = 'call'): readonly string[] {
    const { store } = this.replica(owner)
    const keys = {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
    const found: string[] = []
    for (let at = 0; found.length < count; at++) {
      const callId = `${name}-${at}`
      if (store.ownerOf(groupOfCallId(keys, callId)) === this.lifeOf(owner)) found.push(callId)
    }
    return found
  }

  // ---- what happens -------------------------------------------------------------------------------------------------

  /** One input, and what it asks for is carried out; frames stay on their way. */
  step(id: ReplicaId, body: InputBody): void {
    const seat = this.#seats.get(id)
    if (seat === undefined) return
    if (seat.isStopped) return void seat.waiting.push(body)
    this.#steps++
    const input = { ...body, now: this.now, wall: stamp(wallAtZero + this.now) }
    for (const effect of seat.replica.step(input)) this.#carryOut(id, seat, effect)
    const fault = memberFault(seat.replica.store, seat.replica.raft, this.#isLossDeclared)
    assert(fault === null, `replica ${id}: ${fault ?? ''}`)
    for (const ended of this.#ended.splice(0)) {
      if (!this.#seats.delete(ended)) continue
      for (const kind of ['closed', 'refused'] as const) {
        for (const other of this.#running()) {
          this.#events.push({ to: other, body: { kind: 'link', peer: ended, state: { kind } } })
        }
      }
    }
  }

  /** A message from a phone, and all that follows at this instant. */
  sip(id: ReplicaId, flow: Flow, data: string): void {
    this.step(id, { kind: 'sip', flow, data })
    this.settle()
  }

  /** The state that a replica's link to another comes into. */
  link(at: ReplicaId, to: ReplicaId, state: 'up' | 'closed' | 'refused' | 'removed'): void {
    const change =
      state === 'up'
        ? ({ kind: state, life: this.lifeOf(to), formats: this.formatsOf(to) } as const)
        : ({ kind: state } as const)
    this.step(at, { kind: 'link', peer: to, state: change })
  }

  /** Turns end and frames arrive until all is quiet at this instant. */
  settle(): void {
    for (let turns = 0; turns < turnsMost; turns++) {
      const events = this.#events.splice(0)
      for (const { to, body } of events) this.step(to, body)
      for (const id of this.#running()) this.step(id, { kind: 'time' })
      if (events.length === 0 && this.#events.length === 0 && !this.#running().some((id) => this.#isDue(id))) return
    }
    throw new Error('no end of what happens at one instant')
  }

  /** Time passes, from deadline to deadline. */
  pass(duration: Duration): void {
    const end = plus(this.now, duration)
    this.settle()
    for (let next = this.#next(); next !== null && next <= end; next = this.#next()) {
      this.now = next
      this.settle()
    }
    this.now = end
    this.settle()
  }

  /** SIGSTOP: it does nothing, and what comes for it waits. */
  stop(id: ReplicaId): void {
    this.#seat(id).isStopped = true
  }

  /** SIGCONT: the time comes first, as in the host, then what waited. */
  resume(id: ReplicaId): void {
    const seat = this.#seat(id)
    seat.isStopped = false
    this.step(id, { kind: 'time' })
    for (const body of seat.waiting.splice(0)) this.step(id, body)
    this.settle()
  }

  /** SIGKILL: the others' links to it close, and its address refuses them. */
  kill(id: ReplicaId): void {
    this.#seats.delete(id)
    for (const state of ['closed', 'refused'] as const) for (const other of this.#running()) this.link(other, id, state)
    this.settle()
  }

  /** It starts again from its disk, as another life; `most`: with a release whose newest format that is. */
  restart(id: ReplicaId, most: number | null = this.#most.get(id) ?? null): void {
    if (most === null) this.#most.delete(id)
    else this.#most.set(id, most)
    assert(!this.#seats.has(id), 'it was killed')
    this.#starts.set(id, (this.#starts.get(id) ?? 1) + 1)
    this.#seats.set(id, this.#sit(id))
    for (const other of this.#running()) {
      if (other === id) continue
      this.link(other, id, 'up')
      this.link(id, other, 'up')
    }
    this.settle()
  }

  /** All are gone, and a new set begins with what a backup of that disk is made into (decision 0045), which runs alone at first. */
  restore(id: ReplicaId, places: readonly number[]): Result<RestoredLog, string> {
    const restored = restoredLog(this.backup(id), places)
    if (!restored.ok) return restored
    this.#isLossDeclared = true
    this.#seats.clear()
    this.#told.clear()
    // A backup is restored by a release that reads all.
    this.#most.clear()
    this.#events.length = 0
    this.#founders = []
    for (const other of this.ids.splice(0)) {
      this.#written.delete(other)
      if (other !== id) this.#snapshots.delete(other)
    }
    this.#written.set(id, [...restored.value.records])
    this.#starts.set(id, (this.#starts.get(id) ?? 1) + 1)
    this.sit(id)
    return restored
  }

  /** What its disk says now. */
  backup(id: ReplicaId): BackedUpLog {
    return { replica: id, voters: this.#founders, snapshot: this.snapshotOf(id), records: this.recordsOf(id) }
  }

  /** A process without a log comes to a place: it asks one of the set who it is, and starts as that; or the answer that it got. */
  join(place: number, incarnation: string, by: ReplicaId = this.leader()): ReplicaId | MemberAnswer {
    const at = `127.0.0.${place}`
    const request = { kind: 'join', place, incarnation, peer: `${at}:9000`, admin: `${at}:8000` } as const
    const { body } = this.request(by, request)
    if (!body.ok || body.id === null) return body
    this.sit(body.id)
    return body.id
  }

  /** A replica that joins takes its seat: nobody has a link to it yet. */
  sit(id: ReplicaId): void {
    assert(!this.#seats.has(id), 'nobody sits there')
    if (!this.ids.includes(id)) this.ids.push(id)
    if (!this.#written.has(id)) this.#written.set(id, [])
    this.#seats.set(id, this.#sit(id))
    // Those that know it dial it, as they would have all the time.
    for (const other of this.#running()) if (this.#told.get(other)?.includes(id)) this.#meet(other, id)
    this.settle()
  }

  /** What is answered to a request about the set, at this instant. */
  request(id: ReplicaId, request: MemberRequest): { readonly status: number; readonly body: MemberAnswer } {
    if (request.kind === 'rebootstrap') this.#isLossDeclared = true
    const number = ++this.#asked
    this.step(id, { kind: 'admin', id: number, query: { kind: 'member', request } })
    this.settle()
    const answer = must(this.#answers.get(number), 'an answer at this instant')
    return { status: answer.status, body: answer.body as MemberAnswer }
  }

  /** What is answered to a request about banned sources, within a second; null = nothing. */
  ban(id: ReplicaId, request: BanRequest): { readonly status: number; readonly body: BanAnswer } | null {
    const number = ++this.#asked
    this.step(id, { kind: 'admin', id: number, query: { kind: 'ban', request } })
    this.pass(millis(1_000))
    const answer = this.#answers.get(number)
    return answer === undefined ? null : { status: answer.status, body: answer.body as BanAnswer }
  }

  /** A question that needs time: its number, for `answerTo`. */
  begins(id: ReplicaId, query: AdminInput['query']): number {
    const number = ++this.#asked
    this.step(id, { kind: 'admin', id: number, query })
    return number
  }

  /** Null = it has no answer yet. */
  answerTo(number: number): { readonly status: number; readonly body: unknown } | null {
    return this.#answers.get(number) ?? null
  }

  /** From now on that disk takes nothing. The host tells the replica when a write fails, which this does at once. */
  fillDisk(id: ReplicaId): void {
    this.#seat(id).unwritten = []
    this.step(id, { kind: 'disk', reason: 'no-space', full: true })
    this.settle()
  }

  /** What waited is written, and then the replica is told. */
  freeDisk(id: ReplicaId): void {
    const seat = this.#seat(id)
    const waiting = must(seat.unwritten, 'a full disk')
    seat.unwritten = null
    this.step(id, { kind: 'disk', reason: 'no-space', full: false })
    for (const persist of waiting) this.#carryOut(id, seat, persist)
    this.settle()
  }

  // ---- what can be seen ---------------------------------------------------------------------------------------------

  /** What left since the last call. */
  takeSent(): readonly Sent[] {
    return this.sent.splice(0)
  }

  runs(id: ReplicaId): boolean {
    return this.#seats.get(id)?.isStopped === false
  }

  /** What is on its disk after the last snapshot. */
  recordsOf(id: ReplicaId): readonly Uint8Array[] {
    return this.#written.get(id) ?? []
  }

  /** The snapshot on its disk; null = there is none. */
  snapshotOf(id: ReplicaId): { readonly metadata: SnapshotMetadata; readonly parts: readonly Uint8Array[] } | null {
    return this.#snapshots.get(id) ?? null
  }

  /** What that replica has written, as entries' bodies, in order. */
  entries(id: ReplicaId): readonly EntryBody[] {
    return (this.#written.get(id) ?? []).flatMap((bytes) => {
      const record = decodeRecord(bytes)
      if (!record.ok || record.value.kind !== 'entry' || record.value.entry.kind !== 'normal') return []
      const entry = decodeEntry(record.value.entry.data)
      return entry.ok ? [entry.value.body] : []
    })
  }

  /** A number of `/metrics`; 0 if it was never counted. */
  metric(id: ReplicaId, name: string): number {
    const metrics = this.ask(id, { kind: 'metrics' }).body as readonly Metric[]
    return metrics.find((metric) => metric.name === name || metric.name === `${name}_total`)?.value ?? 0
  }

  ask(
    id: ReplicaId,
    query: AdminInput['query'],
  ): { readonly status: number; readonly body: unknown; readonly next?: number } {
    const number = ++this.#asked
    this.step(id, { kind: 'admin', id: number, query })
    return must(this.#answers.get(number), 'an answer at once')
  }

  // -------------------------------------------------------------------------------------------------------------------

  #sit(id: ReplicaId): Seat {
    return { replica: this.#make(id), isStopped: false, waiting: [], unfinished: null, rotated: [], unwritten: null }
  }

  #make(id: ReplicaId): Replica {
    return new Replica({
      id,
      set: 'bench',
      voters: this.#founders.includes(id) ? this.#founders : [],
      life: this.lifeOf(id),
      seed: id,
      freshKey: new Uint8Array(16).fill(7),
      snapshot: this.#snapshots.get(id) ?? null,
      records: [...(this.#written.get(id) ?? [])],
      durability: this.#durability,
      compaction: this.#compaction,
      settings: { sip, nextHop },
      formats: this.formatsOf(id),
      now: this.now,
      wall: stamp(wallAtZero + this.now),
    })
  }

  #seat(id: ReplicaId): Seat {
    return must(this.#seats.get(id), 'a replica that runs')
  }

  #running(): readonly ReplicaId[] {
    return this.ids.filter((id) => this.#seats.get(id)?.isStopped === false)
  }

  #isDue(id: ReplicaId): boolean {
    const due = this.replica(id).deadline()
    return due !== null && due <= this.now
  }

  #next(): Instant | null {
    const dues = this.#running().flatMap((id) => this.replica(id).deadline() ?? [])
    // What is still due was settled at this instant: nothing is nearer than a grain.
    return dues.length === 0 ? null : instant(Math.max(Math.min(...dues), this.now + limits.grain))
  }

  #carryOut(by: ReplicaId, seat: Seat, effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.sent.push({ ...effect, by, at: this.now, step: this.#steps })
        return
      case 'peer': {
        const frame = decodeFrame(effect.frame)
        assert(frame.ok, 'a replica sends what replicas can read')
        const format = must(effect.frame[0], 'a frame is not empty')
        this.formatsSent.add(format)
        assert(
          this.ignoresFormats || reads(this.formatsOf(effect.to), format),
          `replica ${effect.to} reads what it is sent`,
        )
        if (this.#isLinked(by, effect.to) && !this.loses(frame.value, by, effect.to))
          this.#events.push({ to: effect.to, body: { kind: 'peer', from: this.lifeOf(by), frame: effect.frame } })
        return
      }
      case 'peers':
        this.#told.set(
          by,
          effect.members.map((member) => member.id),
        )
        for (const { id } of effect.members) if (this.#seats.has(id)) this.#meet(by, id)
        for (const id of this.ids) {
          if (id === by || !isOut(effect, id) || !this.#seats.has(id)) continue
          // Its links are closed, and as it dials again it is told why.
          this.#events.push({ to: id, body: { kind: 'link', peer: by, state: { kind: 'closed' } } })
          this.#events.push({ to: id, body: { kind: 'link', peer: by, state: { kind: 'removed' } } })
        }
        return
      case 'stop':
        this.stopped.push({ by, cause: effect.cause, reason: effect.reason })
        if (effect.cause === 'removed') this.#ended.push(by)
        return
      case 'persist':
        assert(this.#durability === 'wal', 'without a disk nothing is given to one')
        if (seat.unwritten !== null) return void seat.unwritten.push(effect)
        if (effect.rotate === true) seat.rotated = []
        seat.rotated.push(...effect.records)
        this.#written.get(by)?.push(...effect.records)
        for (const then of effect.then) this.#carryOut(by, seat, then)
        this.#events.push({ to: by, body: { kind: 'persisted', upTo: effect.number } })
        return
      case 'snapshot': {
        assert(this.#durability === 'wal', 'without a disk nothing is given to one')
        const { number, piece } = effect
        if (piece.kind === 'finish' && this.keepsFinish) return
        const isRefused = this.refusesPieces && piece.kind !== 'abandon'
        const outcome = isRefused ? 'failed' : this.#writePiece(by, seat, piece)
        this.#events.push({ to: by, body: { kind: 'snapshot', number, outcome, reason: '' } })
        return
      }
      case 'close-sip':
        this.sipCloses.push(by)
        if (this.endsLeft) this.#events.push({ to: by, body: { kind: 'sip-closed' } })
        return
      case 'end':
        this.ended.push(by)
        if (this.endsLeft) this.#ended.push(by)
        return
      case 'reply':
        this.#answers.set(effect.id, effect)
        return
      case 'log':
        this.lines.push({ ...effect, by })
        return
      case 'notice':
        this.notices.push({ ...effect.notice, by, at: this.now })
        return
      default:
    }
  }

  #writePiece(by: ReplicaId, seat: Seat, piece: SnapshotWrite['piece']): 'written' | 'finished' {
    if (piece.kind === 'begin') seat.unfinished = { metadata: piece.metadata, parts: [] }
    else if (piece.kind === 'parts') seat.unfinished?.parts.push(...piece.parts)
    else if (piece.kind === 'abandon') seat.unfinished = null
    else {
      this.#snapshots.set(by, must(seat.unfinished, 'a snapshot is being written'))
      this.#written.set(by, [...seat.rotated])
      return 'finished'
    }
    return 'written'
  }

  /** One dials the other, which dials back. */
  #meet(one: ReplicaId, two: ReplicaId): void {
    for (const [at, to] of [[one, two] as const, [two, one] as const]) {
      const pair = `${this.lifeOf(at)} ${this.lifeOf(to)}`
      if (this.#met.has(pair)) continue
      this.#met.add(pair)
      this.#events.push({
        to: at,
        body: { kind: 'link', peer: to, state: { kind: 'up', life: this.lifeOf(to), formats: this.formatsOf(to) } },
      })
    }
  }

  #isLinked(from: ReplicaId, to: ReplicaId): boolean {
    return this.#seats.has(from) && this.#seats.has(to)
  }
}
