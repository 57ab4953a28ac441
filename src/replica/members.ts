// The set's membership (decision 0018): requests are answered, or become rows of the member book; and the leader brings Raft's
// configuration after the book, a step at a time (member-plan.ts). All that is kept here may be lost with the leader: what is
// wanted is in the book, what is so is in the configuration.
//
//     request --(follower: `ask` frame)--> leader: decide --> book entry --> applied --> decide again: answered with the stage
//                                                                              |
//                              configuration <-- add-learner, promote and remove, ... <-- plan: book against configuration

import type { Index, Life, ReplicaId } from '../base/brand.ts'
import { placeOf, replicaOf } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { configurationFault, membersOf } from '../raft/configuration.ts'
import type { Raft } from '../raft/raft.ts'
import type { RaftStatus } from '../raft/status.ts'
import type { Store } from '../store/store.ts'
import type { BookRow, EntryBody } from '../wire/entry.ts'
import type { AnswerFrame, AskFrame } from '../wire/frame.ts'
import type { LeftSet, MemberAnswer, MemberRequest, Rebootstrap, TransferLeadership } from '../wire/member-request.ts'
import { parseAsked } from '../wire/member-shapes.ts'
import type { Judge } from './judge.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import { answerStage, decide, holderOf, NEW_LEADER } from './member-decisions.ts'
import { mayServe, planOf } from './member-plan.ts'
import type { LearnerView, PlaceView, Situation } from './member-plan.ts'
import type { Outbox } from './outbox.ts'
import { OwnPlace } from './own-place.ts'
import { isOut } from './peers.ts'
import { isQuorumLinked, lostRows, lostVoters } from './rebootstrap.ts'
import { Rounds } from './rounds.ts'
import type { Upgrade } from './upgrade.ts'

/** The first that has the member book, and its frames. */
const BOOK_FORMAT = 2

export interface MembersPorts {
  readonly life: Life
  readonly raft: Raft
  readonly store: Store
  readonly links: Links
  readonly outbox: Outbox
  readonly judge: Judge
  readonly upgrade: Upgrade
  now(): Instant
  /** When the leader was heard last, or a quorum at the leader, or this replica started. */
  contact(): Instant
  /** A leader's duty: where it is in the log. */
  append(body: EntryBody): Index | null
}

/** Who waits for an answer: the admin address, or a peer. */
type Asker =
  | { readonly kind: 'admin'; readonly id: number }
  | { readonly kind: 'peer'; readonly life: Life; readonly id: number }

interface Waiting {
  readonly asker: Asker
  readonly request: Exclude<MemberRequest, Rebootstrap>
  readonly until: Instant
}

export class Members {
  /** This replica's own place. */
  readonly own: OwnPlace
  readonly #ports: MembersPorts
  readonly #self: ReplicaId
  readonly #rounds = new Rounds()
  #ledSince: Instant
  /** Our own book entry, while it may be unapplied. */
  #entry: Index | null = null
  /** Asked of this replica as the leader, in the order in which they came. */
  #asked: Waiting[] = []
  /** Passed on to the leader, by our own number. */
  readonly #passed = new Map<number, Waiting>()
  #passes = 0
  /** Who is about to go and doesn't serve, and since when that is so. */
  readonly #resting = new Map<ReplicaId, Instant>()
  /** ...and has said that it has nothing left to do. */
  readonly #left = new Set<ReplicaId>()
  /** The plan of this turn. */
  #plan: readonly PlaceView[] = []
  /** When all was as it should be, by book and configuration: then nothing needs to be looked at. */
  #quiet = ''
  /** Incarnations that an operator has given up: this replica goes on without them, and says so in the book once it leads. */
  #lost: readonly ReplicaId[] = []
  /** The book and the configuration that the host was told of last. */
  #told = ''

  constructor(ports: MembersPorts) {
    this.#ports = ports
    this.own = new OwnPlace(ports.life, ports.store)
    this.#self = replicaOf(ports.life)
    this.#ledSince = ports.now()
  }

  // ---- requests -----------------------------------------------------------------------------------------------------

  ask(asker: Asker, request: MemberRequest): void {
    const { raft, links, store, now } = this.#ports
    if (request.kind === 'rebootstrap') return this.#answer(asker, ...this.#rebootstrap(request))
    const waiting: Waiting = { asker, request, until: plus(now(), limits.memberAnswer) }
    if (store.format < BOOK_FORMAT) {
      this.#refuse(asker, 503, this.#tooEarly(request))
    } else if (request.kind === 'transfer' && request.place === null) {
      if (!raft.isLeader) this.#answer(asker, ...done(this.#self))
      else this.#answer(asker, ...this.#transfer(request))
    } else if (this.#asked.length + this.#passed.size >= limits.memberRequests) {
      this.#refuse(asker, 503, `${limits.memberRequests} requests about the set wait already: ask again`)
    } else if (raft.isLeader) {
      this.#asked.push(waiting)
    } else if (asker.kind === 'peer') {
      this.#refuse(asker, 503, 'leadership has changed meanwhile: ask again')
    } else {
      const id = ++this.#passes
      const { leader } = raft
      if (leader === null || !links.send(leader, { kind: 'ask', id, request: JSON.stringify(request) })) {
        this.#refuse(asker, 503, 'no leader is known that could change the set: ask again once a quorum is up')
      } else this.#passed.set(id, waiting)
    }
  }

  /** At a format without a member book, a request can't even be passed on; but a replica that is given up by it is waited for no
   * longer. It is asked again. */
  #tooEarly({ kind, place }: MemberRequest): string {
    const { raft, upgrade, now } = this.#ports
    const { leader } = raft
    if (leader === null) return 'no leader is known that could change the set: ask again once a quorum is up'
    if (!raft.isLeader)
      return `the set is too old to pass this on: ask replica ${placeOf(leader)}, the leader, at its own admin address`
    if (kind === 'replace' || kind === 'remove') {
      const status = raft.status()
      const holder = membersOf(status.configuration).find((id) => placeOf(id) === place)
      if (holder !== undefined && this.#knowsSilence && !this.#isReachable(status, holder)) upgrade.excuse(holder)
    }
    return upgrade.held(now())
  }

  onAsk(from: Life, { id, request: json }: AskFrame): void {
    const asker = { kind: 'peer', life: from, id } as const
    const asked = parseAsked(json)
    if (!asked.ok) this.#refuse(asker, 400, asked.error)
    else if (asked.value.kind === 'left') this.#left.add(replicaOf(from))
    else this.ask(asker, asked.value)
  }

  /** This replica is to go, and has nothing left to do but to vote. The leader is told again and again, and answers with a change of
   * the set. */
  sayLeft(): void {
    const { raft, links, store } = this.#ports
    if (raft.isLeader) this.#left.add(this.#self)
    else if (raft.leader !== null && store.format >= BOOK_FORMAT) {
      const left: LeftSet = { kind: 'left', place: placeOf(this.#self) }
      links.send(raft.leader, { kind: 'ask', id: 0, request: JSON.stringify(left) })
    }
  }

  onAnswer({ id, status, body }: AnswerFrame): void {
    const waiting = this.#passed.get(id)
    if (waiting === undefined) return
    this.#passed.delete(id)
    try {
      this.#answer(waiting.asker, status, JSON.parse(body) as MemberAnswer)
    } catch {
      this.#refuse(waiting.asker, 503, "the leader's answer can't be read: ask it at its own admin address")
    }
  }

  /** The next answer that is due to come too late. */
  deadline(): Instant | null {
    let least: Instant | null = null
    if (this.#asked.length + this.#passed.size === 0) return least
    for (const { until } of [...this.#asked, ...this.#passed.values()])
      if (least === null || until < least) least = until
    return least
  }

  /** Whoever waited too long is told so. */
  expire(): void {
    if (this.#asked.length + this.#passed.size === 0) return
    const now = this.#ports.now()
    const late = 'no quorum agreed in time: ask again, the same request is never done twice'
    for (const [id, { asker, until }] of [...this.#passed]) {
      if (until > now) continue
      this.#passed.delete(id)
      this.#refuse(asker, 503, late)
    }
    if (this.#asked.length === 0) return
    const { isLeader } = this.#ports.raft
    for (const { asker, until } of this.#asked) {
      if (!isLeader) this.#refuse(asker, 503, 'leadership has changed meanwhile: ask again')
      else if (until <= now) this.#refuse(asker, 503, late)
    }
    this.#asked = isLeader ? this.#asked.filter(({ until }) => until > now) : []
  }

  #answer(asker: Asker, status: number, body: MemberAnswer): void {
    const { outbox, links, store } = this.#ports
    if (asker.kind === 'admin') outbox.push({ kind: 'reply', id: asker.id, status, body })
    // Else it has not applied the raise that its peer has: it has no words for an answer yet, and the peer gives up in time.
    else if (store.format >= BOOK_FORMAT)
      links.send(replicaOf(asker.life), { kind: 'answer', id: asker.id, status, body: JSON.stringify(body) })
  }

  #refuse(asker: Asker, status: number, error: string): void {
    this.#answer(asker, status, { ok: false, error })
  }

  // ---- the leader ---------------------------------------------------------------------------------------------------

  /** This replica became leader, or isn't any more. */
  roleChanged(): void {
    this.#rounds.clear()
    this.#resting.clear()
    this.#left.clear()
    this.#entry = null
    this.#quiet = ''
    this.#ledSince = this.#ports.now()
  }

  /** A settled leader's turn, before it judges who serves: what is the next step, and who asked what. */
  lead(): void {
    const { raft, store } = this.#ports
    const state = `${store.book.version} ${raft.configurationIndex} ${raft.configurationIndex <= raft.commitIndex}`
    if (this.#quiet === state && this.#asked.length === 0 && this.#lost.length === 0) return
    const status = raft.status()
    this.#measure(status)
    this.#plan = planOf(this.#situation(status))
    this.#watchResting()
    const isQuiet = this.#plan.every(({ stage, step }) => step === null && ['done', 'awaited'].includes(stage.kind))
    this.#quiet = isQuiet ? state : ''
    if (this.#entry !== null && this.#entry > store.appliedIndex) return
    this.#entry = null
    if (store.format < BOOK_FORMAT) return
    if (this.#lost.length > 0 && this.#writeLost()) return
    this.#decide(status)
    if (this.#entry === null) this.#step(status)
  }

  /** Whether that replica may own groups. */
  mayServe(id: ReplicaId): boolean {
    return mayServe(this.#ports.raft.configuration, this.#plan, id)
  }

  /** How things stand, place by place. */
  plan(): readonly PlaceView[] {
    return planOf(this.#situation(this.#ports.raft.status()))
  }

  #situation(status: RaftStatus): Situation {
    const { raft, store } = this.#ports
    const serving = new Set(store.serving().members.map(({ life }) => replicaOf(life)))
    const { configuration } = status
    return {
      rows: store.book.rows,
      configuration,
      isCommitted: status.configurationIndex <= status.commit,
      serves: (id) => serving.has(id),
      lead: raft.isLeader
        ? {
            isReachable: (id) => this.#isReachable(status, id),
            learner: (id) => this.#learner(status, id),
            hasLeft: (id) => this.#hasLeft(status, id),
          }
        : null,
    }
  }

  #isReachable(status: RaftStatus, id: ReplicaId): boolean {
    if (id === this.#self) return true
    const heard = status.heard.get(id)
    return heard !== undefined && between(heard, this.#ports.now()) <= limits.reach
  }

  /** Before that, who wasn't heard may have had no time to answer. */
  get #knowsSilence(): boolean {
    return between(this.#ledSince, this.#ports.now()) > limits.silence
  }

  #watchResting(): void {
    const { store, now } = this.#ports
    const serving = new Set(store.serving().members.map(({ life }) => replicaOf(life)))
    const leaving = new Set(this.#plan.flatMap((view) => view.leaving).filter((id) => !serving.has(id)))
    for (const id of [...this.#resting.keys()]) if (!leaving.has(id)) this.#resting.delete(id)
    for (const id of [...this.#left]) if (!leaving.has(id)) this.#left.delete(id)
    for (const id of leaving) if (!this.#resting.has(id)) this.#resting.set(id, now())
  }

  #hasLeft(status: RaftStatus, id: ReplicaId): boolean {
    const since = this.#resting.get(id)
    if (this.#left.has(id)) return true
    if (this.#knowsSilence && !this.#isReachable(status, id)) return true
    return since !== undefined && between(since, this.#ports.now()) >= limits.depart
  }

  #learner(status: RaftStatus, id: ReplicaId): LearnerView {
    const peer = status.peers.find((one) => one.id === id)
    return {
      isCaughtUp: this.#rounds.isCaughtUp(id),
      behind: peer === undefined ? status.last : status.last - peer.match,
      snapshot: peer === undefined || peer.pendingSnapshot === 0 ? null : peer.pendingSnapshot,
      rounds: this.#rounds.slow(id),
    }
  }

  #measure({ peers, last, configuration }: RaftStatus): void {
    this.#rounds.keep(configuration.learners)
    for (const { id, isLearner, match } of peers) {
      if (!isLearner || !this.#rounds.look(id, match, last, this.#ports.now())) continue
      const place = placeOf(id)
      this.#ports.outbox.log(
        'warn',
        'member-slow',
        `replica ${place} does not catch up: the log grows as fast as it reads, after ${this.#rounds.slow(id)} rounds`,
        { place, behind: last - match },
      )
    }
  }

  #decide(status: RaftStatus): void {
    const council = {
      plan: this.#plan,
      configuration: status.configuration,
      isReachable: (id: ReplicaId) => this.#isReachable(status, id),
      knowsSilence: this.#knowsSilence,
    }
    for (const waiting of [...this.#asked]) {
      const { request, asker } = waiting
      if (request.kind === 'transfer') {
        this.#answered(waiting, ...this.#transfer(request))
        continue
      }
      const decision = decide(request, council)
      if (decision.kind === 'answer') this.#answered(waiting, decision.status, decision.body)
      else if (this.#writeRow(decision.row, asker.kind)) return
    }
  }

  #answered(waiting: Waiting, status: number, body: MemberAnswer): void {
    this.#asked = this.#asked.filter((one) => one !== waiting)
    this.#answer(waiting.asker, status, body)
  }

  #writeRow(row: BookRow, by: 'admin' | 'peer' | 'plan'): boolean {
    const { store, append, outbox } = this.#ports
    this.#entry = append({ kind: 'book', replaces: store.book.version, rows: [row] })
    if (this.#entry === null) return false
    const { place, generation, wanted, gone } = row
    const what = `the member book has a new row for replica ${place}`
    outbox.log('info', 'member-book', what, { place, generation, wanted, gone, by })
    return true
  }

  /** One change at a time: the first that can be made. */
  #step(status: RaftStatus): void {
    const { raft, outbox, now } = this.#ports
    for (const { row, step, stage } of this.#plan) {
      if (step === null) continue
      if (step.kind === 'book') {
        if (this.#writeRow(step.row, 'plan')) return
        continue
      }
      if (status.configurationIndex > status.commit || status.transferee !== null) continue
      const begun = raft.proposeConfChange(step.changes, now())
      if (!begun.ok) continue
      const changes = step.changes.changes.map(({ kind, replica }) => `${kind} ${replica}`).join(', ')
      const what = `the set changes: ${changes}`
      outbox.log('info', 'member-change', what, { place: row.place, stage: stage.kind, index: begun.value })
      // What it was drawn from is over.
      this.#plan = planOf(this.#situation(raft.status()))
      return
    }
  }

  #transfer({ place }: TransferLeadership): [number, MemberAnswer] {
    const { raft, now } = this.#ports
    const status = raft.status()
    const to = place === null ? this.#successor(status) : holderOf(planOf(this.#situation(status)), place)
    if (to === null || !status.configuration.voters.incoming.includes(to)) {
      const voters = status.configuration.voters.incoming.map(placeOf).join(', ')
      const error =
        place === null ? 'there is no other voter that could lead' : `replica ${place} is no voter: those are ${voters}`
      return [place === null ? 409 : 404, { ok: false, error }]
    }
    if (to === this.#self) return done(to)
    if (!this.#isReachable(status, to)) {
      if (!this.#knowsSilence) return [503, { ok: false, error: NEW_LEADER }]
      return [409, { ok: false, error: `replica ${placeOf(to)} can't be reached: start it, or name another` }]
    }
    if (status.transferee !== to) raft.transferLeadership(to, now())
    const { status: code, body } = answerStage(placeOf(to), to, { kind: 'handing-over' })
    return [code, body]
  }

  /** What it takes is not in anybody's log: no quorum is left to agree. */
  #rebootstrap(request: Rebootstrap): [number, MemberAnswer] {
    const { raft, outbox, now } = this.#ports
    const lost = lostVoters(request, { ...this.#ports, self: this.#self })
    if ('error' in lost) return [lost.status, { ok: false, error: lost.error }]
    const refused = raft.rebootstrap(now())
    if (refused !== null) return [409, { ok: false, error: `not now (${refused}): ask again` }]
    this.#lost = lost
    const { place } = request
    const lose = request.lose.join(', ')
    const said = `replica ${place} goes on alone: what only replicas ${lose} had is lost, and they come back as others or not at all`
    outbox.log('error', 'rebootstrap', said, { place, lost: request.lose.join() })
    return [200, { ok: true, place, id: this.#self, stage: { kind: 'done' }, said }]
  }

  #writeLost(): boolean {
    const { store, append } = this.#ports
    this.#entry = append({ kind: 'book', replaces: store.book.version, rows: lostRows(this.#lost, store.book) })
    this.#lost = []
    return this.#entry !== null
  }

  /** Whether a quorum of the voters that it knows is linked with this replica. */
  get isQuorumLinked(): boolean {
    return isQuorumLinked({ ...this.#ports, self: this.#self })
  }

  /** The reachable voter that has most of the log and stays; the lowest of several. */
  #successor(status: RaftStatus): ReplicaId | null {
    let best: { readonly id: ReplicaId; readonly match: Index } | null = null
    for (const { id, match } of status.peers) {
      if (!this.mayServe(id) || !this.#isReachable(status, id)) continue
      if (best === null || match > best.match) best = { id, match }
    }
    return best?.id ?? null
  }

  // ---- who is linked with whom ----------------------------------------------------------------------------------------

  /** Tells the host when that has changed. Who is out by a configuration that isn't committed is in as before: it is told that it
   * is out, and ends, only after that. */
  tellHost(): void {
    const { raft, store, links, judge, outbox } = this.#ports
    const told = `${store.book.version} ${raft.configurationIndex} ${raft.configurationIndex <= raft.commitIndex}`
    if (told === this.#told) return
    this.#told = told
    // One that joins knows nobody until the leader's log comes.
    if (configurationFault(raft.configuration) !== null) return
    const { book } = store
    const peers = {
      members: raft.possibleMembers
        .filter((id) => id !== this.#self && !book.isGone(id))
        .map((id) => ({ id, peer: book.addressOf(id)?.peer || null })),
      gone: book.rows.map(({ place, gone, generation }) => ({ place, generation: gone, newest: generation })),
    }
    for (const id of links.known) if (isOut(peers, id)) links.forget(id)
    judge.forget((id) => id !== this.#self && isOut(peers, id))
    outbox.push({ kind: 'peers', ...peers })
  }
}

function done(id: ReplicaId): [number, MemberAnswer] {
  const { status, body } = answerStage(placeOf(id), id, { kind: 'done' })
  return [status, body]
}
