// How a replica that is told to end leaves, so that no call waits for its death to be noticed (decisions/0023). It hands
// leadership over, and says to each leader that it leaves; the leader takes it out of serving, and its groups go to others
// by the same entry at all replicas. Its sockets close only after that: until then what reaches them is passed on.
//
//   no --drain--> serving --(an entry without it is applied)--> closing --sip-closed--> settling --(nothing is kept)-> over
//                    '-- `leave` passed --> over                                           '---- `settle` passed ------^
//
// Neither wait is without end: a set without a quorum takes nobody out, and ending is then what a kill would be. With no
// link up (it is alone, or the whole set ends) there is nobody to wait for.
//
// Who leaves the set (own-place.ts) goes the same way, but not to its end: it is *parted*, tells each leader so, and votes until it
// is told that it is out; without end, for those that are left may need it. Is it wanted again, it ends, to be started anew.
//
//   settling --> parted --(told: removed.ts)--> stopped
//                   '--(wanted again, or told to end)--> over

import { replicaOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Raft } from '../raft/raft.ts'
import type { Store } from '../store/store.ts'
import type { Judge } from './judge.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Members } from './members.ts'
import type { Outbox } from './outbox.ts'

export interface LeavingPorts {
  readonly life: Life
  readonly raft: Raft
  readonly store: Store
  readonly links: Links
  readonly judge: Judge
  readonly members: Members
  readonly outbox: Outbox
  now(): Instant
  /** Messages that were passed on, or wait to be, and are not handled. */
  kept(): number
}

type Stage = 'no' | 'serving' | 'closing' | 'settling' | 'parted' | 'over'

export class Leaving {
  readonly #ports: LeavingPorts
  #stage: Stage = 'no'
  /** When this stage began. */
  #since: Instant
  /** When it is said again that this replica leaves, and to whom it was said last. */
  #sayAt: Instant
  #told: ReplicaId | null = null
  /** It leaves the set. */
  #parts = false

  constructor(ports: LeavingPorts) {
    this.#ports = ports
    this.#since = ports.now()
    this.#sayAt = ports.now()
  }

  /** It was told to end. */
  get isUnderWay(): boolean {
    return this.#stage !== 'no'
  }

  /** None of its streams is left. */
  get isClosed(): boolean {
    return this.#stage === 'settling' || this.#stage === 'parted' || this.#stage === 'over'
  }

  /** It is told to end. Told again, it goes on as it does. */
  begin(): void {
    this.#parts = false
    if (this.#stage === 'parted') this.#end()
    else this.#start('this replica is told to end: it hands over what it does')
  }

  /** It is to leave the set. */
  part(): void {
    if (this.#stage !== 'no') return
    this.#parts = true
    this.#start('this replica is to leave the set: it hands over what it does')
  }

  #start(why: string): void {
    if (this.#stage !== 'no') return
    const { judge, life, outbox, now } = this.#ports
    this.#become('serving')
    this.#sayAt = now()
    judge.leaves(life)
    outbox.log('info', 'leaving', why)
  }

  /** The host has closed the SIP sockets. */
  sipClosed(): void {
    if (this.#stage === 'closing') this.#become('settling')
  }

  /** At the end of each turn. */
  turn(): void {
    if (this.#stage === 'no' || this.#stage === 'over') return
    this.#say()
    const { outbox, kept } = this.#ports
    if (this.#stage === 'serving' && !this.#serves) {
      outbox.push({ kind: 'close-sip' })
      this.#become('closing')
    } else if (this.#stage === 'serving' && this.#isDue(limits.leave)) {
      // At once: without sockets what it still owns would be answered with 500, where silence lets a phone's repetition do.
      outbox.log('warn', 'leaves-serving', 'nobody took over in time: this replica ends as if it died')
      this.#end()
    }
    if (this.#stage === 'settling' && ((kept() === 0 && !this.#serves) || this.#isDue(limits.settle))) {
      outbox.log('info', 'left', 'this replica has nothing left to do', { kept: kept() })
      if (this.#parts) this.#part()
      else this.#end()
    }
    if (this.#stage === 'parted' && this.#ports.members.own.isWanted) {
      outbox.log('warn', 'wanted-again', 'this replica is to stay in the set after all: it ends, to be started again')
      this.#end()
    }
  }

  /** When a turn has something to do although nothing happens. */
  deadline(): Instant | null {
    const { now } = this.#ports
    switch (this.#stage) {
      case 'no':
      case 'over':
        return null
      case 'closing':
        return this.#sayAt
      case 'serving':
        return this.#serves ? earlier(this.#sayAt, plus(this.#since, limits.leave)) : now()
      case 'settling':
        return this.#ports.kept() > 0 || this.#serves ? earlier(this.#sayAt, plus(this.#since, limits.settle)) : now()
      case 'parted':
        return this.#sayAt
    }
  }

  #end(): void {
    this.#ports.outbox.push({ kind: 'end' })
    this.#become('over')
  }

  #part(): void {
    this.#become('parted')
    this.#sayAt = this.#ports.now()
  }

  #become(stage: Stage): void {
    this.#stage = stage
    this.#since = this.#ports.now()
  }

  get #serves(): boolean {
    return this.#ports.store.sinceOf(this.#ports.life) !== null
  }

  #isDue(patience: typeof limits.leave): boolean {
    return !this.#ports.links.isAnyUp || between(this.#since, this.#ports.now()) >= patience
  }

  /** To every leader at once, and again: frames are lost, and a leader that never heard it would admit this replica. */
  #say(): void {
    const { raft, links, now } = this.#ports
    if (now() < this.#sayAt && raft.leader === this.#told) return
    this.#sayAt = plus(now(), limits.heartbeat)
    this.#told = raft.leader
    if (raft.isLeader) this.#handOver()
    else if (raft.leader !== null) links.send(raft.leader, { kind: 'leave' })
    if (this.#stage === 'parted') this.#ports.members.sayLeft()
  }

  /** To who has most of the log; who serves comes first, for what it takes over is then with it already. */
  #handOver(): void {
    const { raft, links, judge, store, now } = this.#ports
    const { peers, transferee, configuration } = raft.status()
    if (transferee !== null) return
    const serving = new Set(store.serving().members.map(({ life }) => replicaOf(life)))
    let best: (typeof peers)[number] | null = null
    for (const peer of peers) {
      const life = links.lifeOf(peer.id)
      // Raft hands over to nobody else: who only votes in the outgoing half is about to go.
      if (!configuration.voters.incoming.includes(peer.id)) continue
      if (life === null || !links.isUp(peer.id) || judge.isLeaving(life)) continue
      const isBetter =
        best === null ||
        (serving.has(peer.id) === serving.has(best.id) ? peer.match > best.match : serving.has(peer.id))
      if (isBetter) best = peer
    }
    if (best !== null) raft.transferLeadership(best.id, now())
  }
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b
}
