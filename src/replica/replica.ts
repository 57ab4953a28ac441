// One replica: one deterministic object behind one door. `step(input)` is the map of the program; sim/ and host/ are the two
// worlds around it.
//
//   SIP bytes --> receive (call/receive.ts) --> keep --> owner? --no--> pass on (passing.ts)
//                                                         |yes
//                                                  stepGroup (owner.ts) --> commit --> Raft (log-port.ts) --> quorum
//                                                         ^                                               |
//                                              outcome ---'---------------- Store.apply <-----------------'
//                                                 '--> messages leave (egress.ts)
//
// What a turn of the host's loop gathers leaves with its `time` input: one append, one sync, one write per peer.

import { assert, unreachable } from '../base/assert.ts'
import { type Index, type Life, type ReplicaId, type Term, replicaOf } from '../base/brand.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { AppContext } from '../app/context.ts'
import type { InputRef } from '../call/contract.ts'
import { allVoters } from '../raft/quorum.ts'
import type { RaftEntry, RaftMessage, SnapshotMetadata } from '../raft/message.ts'
import type { Ready } from '../raft/ready.ts'
import type { Raft } from '../raft/raft.ts'
import { isAdmitted } from '../store/ownership.ts'
import type { Store } from '../store/store.ts'
import type { Applied } from '../store/view.ts'
import { earliest } from '../transaction/machine.ts'
import { ClusterClock } from '../timer/cluster-clock.ts'
import { decodeFrame } from '../wire/codec.ts'
import type { EntryBody } from '../wire/entry.ts'
import { Admission } from './admission.ts'
import { Announcement } from './announcement.ts'
import { Audit } from './audit.ts'
import type { Picture } from './admin.ts'
import { Bans } from './bans.ts'
import type { Effect } from './effect.ts'
import { callContext } from './call-context.ts'
import { Configured } from './configured.ts'
import { DiskRoom } from './disk-room.ts'
import { Duties } from './duties.ts'
import { Egress } from './egress.ts'
import { toRoom } from './frame-rooms.ts'
import type { FrameRooms } from './frame-rooms.ts'
import { Freshness } from './freshness.ts'
import { Http } from './http.ts'
import type { HttpPorts } from './http.ts'
import type { Input, LinkInput } from './input.ts'
import { Judge } from './judge.ts'
import { limits } from './limits.ts'
import { Leaving } from './leaving.ts'
import { Links } from './links.ts'
import { LogPort } from './log-port.ts'
import { Members } from './members.ts'
import { Names } from './names.ts'
import type { ReplicaOptions } from './options.ts'
import { Orders } from './orders.ts'
import { Outbox, OUTCOME_COUNTERS } from './outbox.ts'
import { Owner } from './owner.ts'
import type { OwnerPorts } from './owner-ports.ts'
import { Passing } from './passing.ts'
import type { PassingPorts } from './passing.ts'
import { Questions } from './questions.ts'
import { contextsOf } from './read-contexts.ts'
import { contradiction, removed } from './removed.ts'
import { compactionOf, formatsOf, isInMemory, lifeRecordOf, makeStore, restoreRaft, restoreStore } from './restore.ts'
import { Snapshots } from './snapshots.ts'
import { Upgrade } from './upgrade.ts'

export class Replica {
  readonly #options: ReplicaOptions
  readonly #outbox = new Outbox()
  readonly #raft: Raft
  readonly #store: Store
  readonly #clock: ClusterClock
  readonly #links: Links
  readonly #log: LogPort
  readonly #judge: Judge
  readonly #members: Members
  readonly #duties: Duties
  readonly #owner: Owner
  readonly #egress: Egress
  readonly #passing: Passing
  readonly #orders: Orders
  readonly #bans: Bans
  readonly #freshness: Freshness
  readonly #http: Http
  readonly #snapshots: Snapshots
  readonly #leaving: Leaving
  readonly #upgrade: Upgrade
  readonly #audit: Audit
  readonly #questions: Questions
  readonly #admission = new Admission()
  readonly #names = new Names(this.#outbox)
  readonly #context: AppContext
  readonly #configured: Configured
  #now: Instant
  #wall: Stamp
  readonly #announcement: Announcement
  /** What `deadline` said last: how late a step comes tells whether this process slept. */
  #due: Instant | null = null
  /** Nothing has happened since. */
  #isDueKnown = false
  /** More is committed than one turn applies. */
  #hasToApply = false
  /** This step came so late that answers lie unread in sockets: nothing is retransmitted before they are read. */
  #stalled = false

  #leader: ReplicaId | null = null
  /** The last replica that led, for its successor's first verdict. */
  #lastLeader: ReplicaId | null = null
  #term: Term
  #leads = false
  #opened = false
  readonly #room: DiskRoom
  readonly #rooms: FrameRooms

  /** Throws only if the disk's records contradict themselves. */
  constructor(options: ReplicaOptions) {
    // The old log's bytes are the Raft log's from here on.
    this.#options = { ...options, snapshot: null, records: [] }
    ;[this.#now, this.#wall] = [options.now, options.wall]
    this.#configured = new Configured(options.applications, options.settings)
    this.#raft = restoreRaft(options)
    this.#store = restoreStore(makeStore(options.keptEvents), options.snapshot?.parts ?? null, formatsOf(options))
    this.#audit = new Audit(this.#store, this.#outbox)
    this.#announcement = new Announcement(options.now, this.#outbox)
    this.#clock = new ClusterClock(
      { self: options.id, slewPart: limits.slewPart, agreement: limits.clockAgreement },
      allVoters(this.#raft.configuration.voters),
    )
    ;[this.#term, this.#links] = [this.#raft.term, new Links(options.life, this.#outbox)]
    this.#judge = new Judge(options.life, this.#links, (id) => this.#members.mayServe(id))
    this.#room = new DiskRoom(this.#raft, this.#outbox)
    const contexts = contextsOf(options.life)
    this.#freshness = new Freshness(options.now, contexts.freshness)
    this.#context = callContext({
      store: this.#store,
      clock: this.#clock,
      configured: this.#configured,
      admission: this.#admission,
      names: this.#names,
      now: () => this.#now,
      wall: () => this.#wall,
      isBusy: () => this.#isBusy(),
      unlogged: () => this.#owner.unlogged,
    })
    const lifeRecord = lifeRecordOf(options)
    const [now, stale] = [(): Instant => this.#now, (): boolean => this.#freshness.stale]
    const [raft, links, judge, outbox] = [this.#raft, this.#links, this.#judge, this.#outbox]
    const [{ life, keptEvents, settings }, inMemory, formats] = [options, isInMemory(options), formatsOf(options)]
    const shared = { life, store: this.#store, links, outbox, raft, now, stale, formats, inMemory, keptEvents }
    this.#log = new LogPort(
      {
        ...shared,
        clock: this.#clock,
        wall: () => this.#wall,
        oldestOpen: () => this.#owner.oldestOpen(),
        openBodies: () => this.#owner.openBodies(),
        wantSnapshot: (to) => this.#snapshots.want(to),
        lifeRecord,
      },
      options.now,
    )
    this.#upgrade = new Upgrade(shared)
    this.#upgrade.tell()
    const contact = (): Instant => this.#freshness.contact
    const [picture, members] = [(): Picture => this.#picture(), (): Members => this.#members]
    this.#questions = new Questions({ ...shared, picture, members, orders: () => this.#orders }, contexts.lookups)
    const question: HttpPorts['question'] = (id, query) => this.#questions.take({ kind: 'admin', id, query }, this.#now)
    this.#http = new Http({ ...shared, context: () => this.#context, question })
    const append = (body: EntryBody): Index | null => this.#duties.append(body)
    this.#members = new Members({ ...shared, judge, upgrade: this.#upgrade, contact, append })
    this.#duties = new Duties({
      ...shared,
      log: this.#log,
      judge,
      members: this.#members,
      upgrade: this.#upgrade,
      audit: this.#audit,
      freshKey: options.freshKey,
      laterKeys: options.laterKeys ?? null,
      keyAge: () => this.#configured.settings.keyAge ?? null,
      time: () => this.#clock.read(this.#now, this.#wall),
    })
    const before = options.records.reduce((bytes, { length }) => bytes + length, 0)
    this.#snapshots = new Snapshots({ ...shared, ...compactionOf(options), lifeRecord, log: this.#log, before })
    const closed = (): boolean => this.#leaving.isClosed
    this.#egress = new Egress({ ...shared, settings, owner: () => this.#owner, closed })
    let refs = 0
    const [nextRef, context] = [(): InputRef => ++refs, (): AppContext => this.#context]
    this.#owner = new Owner({ ...shared, ...this.#ownerPorts(), context })
    const owner = this.#owner
    const detached = (): boolean => this.#freshness.isDetached(this.#now)
    this.#orders = new Orders({ ...shared, owner, context, nextRef, detached }, contexts.orders)
    this.#bans = new Bans(this.#store)
    const bans = this.#bans
    this.#passing = new Passing(
      { ...shared, ...this.#passingPorts(), owner, bans, context, nextRef, detached },
      options.now,
    )
    const [log, passing, egress, orders] = [this.#log, this.#passing, this.#egress, this.#orders]
    this.#rooms = { log, passing, egress, orders, judge, members: this.#members, snapshots: this.#snapshots }
    this.#leaving = new Leaving({ ...shared, judge, members: this.#members, kept: () => passing.kept })
  }

  #ownerPorts(): Omit<OwnerPorts, 'life' | 'store' | 'outbox' | 'context'> {
    return {
      propose: (proposal, isAwaited) => this.#log.propose(proposal, isAwaited),
      hurry: () => this.#log.hurry(),
      send: (outgoing, group) => this.#egress.send(outgoing, group),
      wasLent: (outgoing, group) => this.#egress.wasLent(outgoing, group),
      handled: (ref, outcome) => this.#orders.handled(ref, outcome) || this.#passing.handled(ref),
      passedOn: (ref, to) => this.#passing.passedOn(ref, to),
      unsent: (unsent) => this.#egress.unsent(unsent),
      dropped: (ref) => this.#orders.dropped(ref) || this.#passing.forget(ref),
    }
  }

  #passingPorts(): Pick<PassingPorts, 'standIn' | 'isLending' | 'answer'> {
    return {
      standIn: () => this.#standIn(),
      isLending: (holder, group) => this.#egress.isLending(holder, group),
      answer: (outgoing) => this.#egress.send(outgoing, null),
    }
  }

  /** For checkers: what is replicated, and the consensus under it. */
  get store(): Store {
    return this.#store
  }

  get raft(): Raft {
    return this.#raft
  }

  /** The one door: everything that happens to a replica, and everything it asks for. It throws only what a bug causes. */
  step(input: Input): readonly Effect[] {
    assert(input.now >= this.#now, 'time never falls')
    const late = this.#due === null ? 0 : Math.max(0, input.now - Math.max(this.#due, this.#now))
    this.#now = input.now
    this.#wall = input.wall
    this.#stalled = late > limits.stall
    if (this.#stalled) this.#judge.stalled(input.now)
    if (this.#freshness.check(input.now, late)) this.#becomeStale()
    switch (input.kind) {
      case 'sip':
        this.#passing.receive(input.flow, input.data, this.#now)
        break
      case 'peer':
        this.#frame(input.from, input.frame)
        break
      case 'link':
        this.#link(input)
        break
      case 'persisted':
        this.#log.onPersisted(input.upTo)
        break
      case 'time':
        this.#turn()
        break
      case 'stream-closed':
        // A send on it comes back as `unsent`; nothing else depends on it.
        break
      case 'unsent':
        this.#egress.onUnsent(input)
        break
      case 'admin':
        this.#questions.take(input, this.#now)
        break
      case 'disk':
        this.#room.change(input, this.#now)
        break
      case 'load':
        this.#passing.load(input.isFull, this.#now)
        break
      case 'located':
        this.#names.onLocated(input, this.#now)
        this.#owner.located(input.place)
        break
      case 'answered':
        if (input.id < 0) this.#http.answered(input.id, input.answer)
        else this.#owner.answered(input.id, input.answer)
        break
      case 'http':
        this.#http.take(input)
        break
      case 'http-gone':
        this.#http.forget(input.id)
        break
      case 'applications':
      case 'settings':
        this.#configured.change(input)
        break
      case 'snapshot':
        this.#snapshots.onInput(input)
        break
      case 'drain':
        this.#leaving.begin()
        break
      case 'sip-closed':
        this.#leaving.sipClosed()
        break
      default:
        unreachable(input)
    }
    // Every other input is followed by a `time` input in the same turn.
    if (input.kind === 'time') this.#due = this.#nextDeadline()
    this.#isDueKnown = input.kind === 'time'
    return this.#outbox.take()
  }

  /** When the next `time` input must come at the latest; null = only after another input. */
  deadline(): Instant | null {
    return this.#isDueKnown ? this.#due : this.#nextDeadline()
  }

  #nextDeadline(): Instant | null {
    if (this.#hasToApply || this.#log.busy || this.#owner.busy) return this.#now
    return earliest([
      this.#raft.deadline(),
      this.#owner.deadline(),
      this.#passing.deadline(),
      this.#orders.deadline(),
      this.#egress.deadline(),
      this.#freshness.deadline(),
      this.#questions.deadline(),
      this.#http.deadline(),
      this.#log.deadline(),
      this.#snapshots.deadline(),
      this.#leaving.deadline(),
      this.#duties.deadline(),
      this.#members.deadline(),
      this.#announcement.deadline(this.#now),
    ])
  }

  // ---- peers --------------------------------------------------------------------------------------------------------

  #frame(from: Life, bytes: Uint8Array): void {
    if (this.#store.book.isGone(replicaOf(from))) {
      this.#outbox.count('frames_of_removed')
      return
    }
    const decoded = decodeFrame(bytes, formatsOf(this.#options))
    if (!decoded.ok) {
      this.#outbox.count('frames_unreadable')
      this.#outbox.log('warn', 'frame-unreadable', `a frame from ${from} can't be read: ${decoded.error}`, { from })
      return
    }
    const frame = decoded.value
    switch (frame.kind) {
      case 'raft':
        this.#judge.heard(from, frame.applied, this.#now)
        this.#clock.heard(replicaOf(from), frame.clock, this.#now, this.#wall, this.#ledBy(replicaOf(from)))
        for (const message of frame.messages) this.#onRaft(replicaOf(from), message)
        break
      case 'relay':
        if (frame.to === this.#options.id) this.#relayed(frame.from, frame.frame)
        else this.#links.sendBytes(frame.to, frame.frame, frame.from)
        break
      default:
        toRoom(frame, from, this.#now, this.#rooms)
    }
  }

  /** By way of the leader come only frames between owners and keepers, never Raft's. */
  #relayed(from: Life, bytes: Uint8Array): void {
    const inner = decodeFrame(bytes, formatsOf(this.#options))
    if (!inner.ok || inner.value.kind === 'relay' || inner.value.kind === 'raft') return
    this.#links.heardByLeader(from)
    this.#frame(from, bytes)
  }

  /** The term we are in, if it leads it. */
  #ledBy(id: ReplicaId): Term | null {
    return id === this.#leader ? this.#raft.term : null
  }

  #onRaft(from: ReplicaId, message: RaftMessage): void {
    if (message.from !== from || message.to !== this.#options.id) return
    if (message.kind === 'snapshot' && !this.#snapshots.isHere(message)) return
    this.#raft.step(message, this.#now)
    const fromLeader = message.kind === 'append' || message.kind === 'heartbeat'
    if (fromLeader && message.term === this.#raft.term) this.#freshness.heard(this.#now)
  }

  #link(input: LinkInput): void {
    this.#links.change(input)
    const { state, peer } = input
    if (state.kind === 'up') {
      this.#passing.linkUp(state.life)
      this.#orders.retry()
      this.#egress.linkUp(peer)
      if (peer === this.#leader) this.#log.offerAgain()
    }
    if (state.kind === 'refused') this.#raft.forget(peer, this.#now)
    if (state.kind === 'removed' && this.#members.own.told() && this.#members.own.isWanted)
      this.#outbox.push(contradiction(peer))
  }

  // ---- a turn -------------------------------------------------------------------------------------------------------

  #turn(): void {
    this.#passing.turn(this.#now)
    this.#orders.turn(this.#now)
    this.#egress.retry(this.#now)
    this.#members.expire()
    this.#raft.tick(this.#now)
    const context = this.#freshness.ask(this.#now)
    if (context !== null) this.#raft.readIndex(context, this.#now)
    const lookup = this.#questions.ask(this.#now)
    if (lookup !== null) this.#raft.readIndex(lookup, this.#now)
    const barrier = this.#orders.barrier(this.#now)
    if (barrier !== null) this.#raft.readIndex(barrier, this.#now)
    this.#owner.turn(this.#now, !this.#stalled)
    // Applying an entry may lead to proposals, and what was appended is to leave now: until nothing is left, or enough is applied.
    let [appended, applied] = [false, 0]
    const take = (): Ready | null => (applied < limits.appliedEntries ? this.#raft.takeReady(this.#now) : null)
    do {
      this.#log.offer(this.#leader)
      for (let ready = take(); ready !== null; ready = take()) {
        this.#roleChanged()
        if (ready.snapshot !== null) this.#install(ready.snapshot)
        this.#log.carryOut(ready)
        for (const entry of ready.committed) this.#apply(entry)
        applied += ready.committed.length
        for (const read of ready.reads) {
          this.#freshness.answered(read.context, read.index)
          this.#questions.answered(read.context, read.index)
          this.#orders.confirmed(read.context, read.index)
        }
      }
      this.#roleChanged()
      this.#refresh()
      appended = this.#duties.perform()
      this.#owner.turn(this.#now, !this.#stalled)
      this.#hasToApply = applied >= limits.appliedEntries
    } while (!this.#hasToApply && (appended || this.#log.busy))
    this.#clock.voters = allVoters(this.#raft.configuration.voters)
    this.#members.tellHost()
    const { stale } = this.#freshness
    if (this.#members.own.isDismissed(stale)) this.#leaving.part()
    if (this.#members.own.isOut(this.#now, stale && !this.#members.isQuorumLinked))
      this.#outbox.push(removed(this.#options.id))
    this.#snapshots.turn(this.#now)
    this.#passing.tellKeepers()
    this.#questions.answer(this.#now)
    this.#orders.settle()
    this.#http.turn(this.#now)
    this.#egress.tellOwners()
    this.#announce()
    this.#leaving.turn()
  }

  /** What was held and kept stands on a store that is gone. The new one may be older than commits of this life that are on their way. */
  #install(metadata: SnapshotMetadata): void {
    this.#snapshots.install(metadata)
    if (this.#freshness.doubt(this.#now)) this.#becomeStale()
    this.#upgrade.tell()
    this.#passing.giveBack()
    this.#owner.storeReplaced()
    this.#bans.storeReplaced()
    this.#passing.storeReplaced()
    this.#orders.storeReplaced()
  }

  #apply(entry: RaftEntry): void {
    if (this.#upgrade.isStopped) return
    if (entry.kind !== 'normal') {
      this.#store.applyNoOp(entry.index)
      if (entry.kind === 'no-op') this.#duties.noOp(entry.term)
      return
    }
    const read = this.#upgrade.read(entry)
    if (read !== null) this.#applied(this.#store.apply(entry.index, read))
    else if (!this.#upgrade.isStopped) this.#store.applyNoOp(entry.index)
  }

  #applied(applied: Applied): void {
    this.#bans.applied(applied)
    switch (applied.kind) {
      case 'commit':
        this.#outbox.count(OUTCOME_COUNTERS[applied.outcome])
        if (applied.commit.proposer === this.#options.life) this.#owner.outcome(applied.commit, applied.outcome)
        break
      case 'pulse':
        this.#outbox.count('timers_fired', applied.fired.length)
        this.#owner.fired(applied.fired)
        this.#audit.pulsed(applied.audit)
        break
      case 'serving':
        if (!applied.accepted) break
        // One of an earlier leader, which our no-op committed, says nothing of our verdict.
        if (this.#duties.isSettled) this.#judge.decided()
        this.#owner.servingChanged(applied.before, applied.after)
        if (isAdmitted(this.#options.life, applied) && this.#freshness.admitted(this.#now)) this.#becomeStale()
        this.#outbox.push({
          kind: 'notice',
          notice: { kind: 'serving', lives: applied.after.members.map(({ life }) => life) },
        })
        this.#passing.servingChanged()
        this.#orders.retry()
        break
      case 'key':
        this.#passing.giveWaiting()
        break
      case 'raise':
        this.#upgrade.tell()
        break
      case 'book':
        if (this.#store.book.isGone(this.#options.id)) this.#outbox.push(removed(this.#options.id))
        break
      default:
        unreachable(applied)
    }
  }

  // ---- roles and duties ---------------------------------------------------------------------------------------------

  #roleChanged(): void {
    const { leader, term } = this.#raft
    if (leader === this.#leader && term === this.#term) return
    const previous = this.#lastLeader
    this.#leader = leader
    this.#term = term
    this.#links.leader = leader
    this.#duties.roleChanged()
    this.#members.roleChanged()
    const led = this.#leads
    this.#leads = this.#raft.isLeader
    if (this.#leads) {
      this.#judge.lead(this.#now, previous)
      this.#clock.lead(this.#now, this.#wall, this.#store.lastStamp)
    } else if (led) {
      this.#clock.follow()
    }
    if (leader === null) return
    this.#lastLeader = leader
    this.#freshness.heard(this.#now)
    this.#outbox.push({ kind: 'notice', notice: { kind: 'leader', id: leader, term } })
    this.#log.offerAgain()
    this.#passing.leaderChanged()
    this.#orders.retry()
  }

  // ---- freshness ----------------------------------------------------------------------------------------------------

  #becomeStale(): void {
    this.#owner.frozen = true
    this.#outbox.count('stale')
  }

  #refresh(): void {
    if (this.#raft.isLeader) this.#freshness.heard(this.#raft.quorumContact)
    if (this.#freshness.reached(this.#store.appliedIndex, this.#now)) {
      this.#owner.frozen = false
      if (!this.#opened && !this.#leaving.isUnderWay) {
        this.#opened = true
        this.#outbox.push({ kind: 'open-sip' })
      }
      this.#passing.giveWaiting()
      this.#orders.retry()
    }
    this.#passing.retryAhead(this.#now)
  }

  #announce(): void {
    const [serving, voters] = [this.#store.serving().members.length, this.#raft.configuration.voters.incoming.length]
    if (!this.#freshness.stale) this.#announcement.look(this.#leader, serving, voters, this.#now)
  }

  /** With a full disk nothing is acknowledged, so the leader sends no more entries, and this replica can't catch up; and one
   * that is too slow may not for long: what phones send to it would wait in vain. */
  #standIn(): Life | null {
    return this.#room.takesNothing || this.#freshness.isStuck(this.#now) ? this.#links.lifeOfLeader : null
  }

  // ---- shared views -------------------------------------------------------------------------------------------------

  #isBusy(): boolean {
    return this.#room.isFull || this.#passing.kept >= limits.busy || this.#owner.openCommits >= limits.busy
  }

  #picture(): Picture {
    return {
      options: this.#options,
      store: this.#store,
      context: this.#context,
      raft: this.#raft.status(),
      plan: this.#members.plan(),
      counters: this.#outbox.counters(),
      commitTimes: this.#outbox.commitTimes,
      detached: this.#freshness.isDetached(this.#now),
      stale: this.#freshness.stale,
      leaving: this.#leaving.isUnderWay,
      full: this.#room.full,
      kept: this.#passing.kept,
      openCommits: this.#owner.openCommits,
    }
  }
}
