// What must hold between the replicas of a set, watched from outside after every step (the project's invariants of the log 1
// to 5 and 7 to 11). It keeps its own history and trusts none of the cores.

import type { ReplicaId } from '../../base/brand.ts'
import { latin1Text } from '../../base/bytes.ts'
import type { Configuration } from '../configuration.ts'
import { decodeConfiguration, formatConfiguration, formatVoters } from '../configuration.ts'
import type { RaftEntry, RaftMessage, SnapshotMetadata } from '../message.ts'
import { outcome } from '../quorum.ts'
import type { Raft } from '../raft.ts'
import type { Ready } from '../ready.ts'
import type { Machine } from './machine.ts'
import { disjointUsable } from './usable.ts'

export class BrokenPromise extends Error {
  override name = 'BrokenPromise'
}

interface Seen {
  readonly content: string
  readonly previousTerm: number
}

export class Oracle {
  readonly #machines = new Map<ReplicaId, Machine>()
  /** term -> leader */
  readonly #leaders = new Map<number, ReplicaId>()
  /** `replica:term` -> the vote that left it, over all lives */
  readonly #votes = new Map<string, ReplicaId>()
  /** `index/term` -> content and the term before it: log matching says that they are functions of it */
  readonly #entries = new Map<string, Seen>()
  /** The committed log: place i has index i + 1. */
  readonly committed: RaftEntry[] = []
  /** In which term each of them was. */
  readonly #committedIn: number[] = []
  readonly #payloads = new Set<string>()
  /** The commit index of each core when last looked at: also what nobody was handed yet is promised. */
  readonly #commits = new Map<ReplicaId, number>()
  /** `replica:context` -> the highest commit index that existed when the read was asked. */
  readonly #reads = new Map<string, number>()
  readonly #applied = new Map<ReplicaId, number>()
  /** The configuration in force at each core when last looked at (invariant 8: two that can decide anything at the same time share
   * a voter in every two quorums). */
  readonly #inForce = new Map<ReplicaId, Configuration>()
  #differ = false
  /** Reads answered. */
  answers = 0

  add(machine: Machine): void {
    this.#machines.set(machine.id, machine)
  }

  check(id: ReplicaId, fault: string | null): void {
    if (fault !== null) throw new BrokenPromise(`replica ${id}: ${fault}`)
  }

  started(machine: Machine): void {
    const start = machine.durable.snapshot?.index ?? 0
    this.#applied.set(machine.id, start)
    this.#commits.set(machine.id, start)
    this.#inForce.delete(machine.id)
  }

  looked(machine: Machine, raft: Raft): void {
    const { id } = machine
    const { term, role, log, membership } = raft.inspect()
    if (role.kind === 'leader' && this.#leaders.get(term) !== id) {
      this.#remember(this.#leaders, term, id, id, `second leader of term ${term}`)
      this.#checkComplete(id, raft)
    }
    if (log.commit > (this.#commits.get(id) ?? 0)) this.#checkCommit(id, raft)
    this.#commits.set(id, log.commit)
    if (this.#inForce.get(id) !== membership.latest) {
      this.#inForce.set(id, membership.latest)
      const names = [...this.#inForce.values()].map(({ voters }) => formatVoters(voters))
      this.#differ = new Set(names.filter((name) => name !== '-')).size > 1
    }
    if (this.#differ) this.check(id, disjointUsable([...this.#machines.values()]))
  }

  /** A snapshot says of an index what the log said there (invariant 6). */
  snapshotTaken(id: ReplicaId, snapshot: SnapshotMetadata): void {
    const known = this.committed[snapshot.index - 1]
    // One made by hand, in a script, is of entries that no set committed.
    if (known === undefined) return
    this.check(
      id,
      known.term === snapshot.term ? null : `snapshot ${snapshot.index}/${snapshot.term}, not ${known.term}`,
    )
    const entry = this.committed.slice(0, snapshot.index).findLast(({ kind }) => kind === 'configuration')
    const decoded = entry === undefined ? null : decodeConfiguration(entry.data)
    if (decoded === null || !decoded.ok) return
    const [here, there] = [formatConfiguration(snapshot.configuration), formatConfiguration(decoded.value)]
    this.check(id, here === there ? null : `snapshot ${snapshot.index} has ${here}, the log ${there}`)
  }

  tookReady(machine: Machine, ready: Ready): void {
    for (const entry of ready.entries) this.#checkMatching(machine, entry)
    if (ready.snapshot !== null) {
      this.snapshotTaken(machine.id, ready.snapshot)
      this.#applied.set(machine.id, ready.snapshot.index)
    }
    for (const entry of ready.committed) {
      const applied = (this.#applied.get(machine.id) ?? 0) + 1
      this.check(machine.id, entry.index === applied ? null : `handed out ${entry.index} after ${applied - 1}`)
      this.#applied.set(machine.id, applied)
    }
    for (const read of ready.reads) {
      const least = this.#reads.get(`${machine.id}:${read.context}`)
      this.check(machine.id, least === undefined ? `nobody asked for read ${read.context}` : null)
      this.check(
        machine.id,
        read.index < (least ?? 0) ? `read ${read.context} at ${read.index}, older than ${least ?? 0}` : null,
      )
      this.answers++
    }
  }

  /** A read was asked: its answer must cover all that anyone knew to be committed. */
  asked(id: ReplicaId, context: number): void {
    this.#reads.set(`${id}:${context}`, this.committed.length)
  }

  /** What a message claims of its sender's disk must be there when it leaves (invariant 2). */
  leaves(machine: Machine, message: RaftMessage): void {
    const { state } = machine.durable
    const { id } = machine
    const asksVote = message.kind === 'vote' || message.kind === 'transfer-vote'
    const isVote = asksVote || (message.kind === 'vote-response' && message.granted)
    if (isVote) {
      const votedFor = asksVote ? id : message.to
      const kept = state.term > message.term || (state.term === message.term && state.vote === votedFor)
      this.check(id, kept ? null : `a vote of term ${message.term} leaves before it is durable`)
      this.#remember(this.#votes, `${id}:${message.term}`, votedFor, id, `voted twice in term ${message.term}`)
    }
    const promises = message.kind === 'pre-vote' || (message.kind === 'pre-vote-response' && message.granted)
    if (!promises && state.term < message.term)
      this.check(id, `${message.kind} leaves in term ${message.term}, not durable`)
    if (message.kind !== 'append-response' || message.rejected) return
    const raft = machine.raft?.inspect()
    if (raft === undefined || raft.term !== message.term) return
    // Since then a snapshot may have taken the place of what the disk still has.
    const isPurged = message.index < raft.log.first - 1
    const here = isPurged ? (this.committed[message.index - 1]?.term ?? null) : raft.log.termAt(message.index)
    const agrees = machine.holds(message.index, here)
    this.check(id, agrees ? null : `acknowledgement of ${message.index} leaves before it is durable`)
  }

  /** Log matching (paper 5.3): index and term tell the entry and all before it. */
  #checkMatching(machine: Machine, entry: RaftEntry): void {
    const content = `${entry.kind}:${latin1Text(entry.data)}`
    const previousTerm = machine.raft?.inspect().log.termAt((entry.index - 1) as typeof entry.index) ?? -1
    const key = `${entry.index}/${entry.term}`
    const seen = this.#entries.get(key)
    if (seen === undefined) this.#entries.set(key, { content, previousTerm })
    else if (seen.content !== content || seen.previousTerm !== previousTerm) {
      this.check(
        machine.id,
        `entry ${key} is ${content} after ${previousTerm}, elsewhere ${seen.content} after ${seen.previousTerm}`,
      )
    }
  }

  /** Leader completeness (paper 5.4.3): whatever was committed in an earlier term. (A candidate may win an old term late, and
   * lead nobody.) */
  #checkComplete(id: ReplicaId, raft: Raft): void {
    const { log, term } = raft.inspect()
    for (const [at, entry] of this.committed.entries()) {
      if ((this.#committedIn[at] as number) >= term) continue
      if (entry.index >= log.first && log.termAt(entry.index) !== entry.term)
        this.check(id, `leads without committed entry ${entry.index}/${entry.term}`)
    }
  }

  /** What is committed is on a quorum's disks when it becomes so, and stays (invariants 3 and 4). */
  #checkCommit(id: ReplicaId, raft: Raft): void {
    const { log, term, role, membership } = raft.inspect()
    for (let at = Math.max(this.#commits.get(id) ?? 0, log.first - 1) + 1; at <= log.commit; at++) {
      const entry = log.entryAt(at as typeof log.commit)
      const known = this.committed[at - 1]
      if (known === undefined) this.#commitFirst(id, entry, term)
      else if (known.term !== entry.term || latin1Text(known.data) !== latin1Text(entry.data)) {
        this.check(id, `committed ${entry.index}/${entry.term}, elsewhere ${known.index}/${known.term}`)
      }
    }
    const top = this.committed[log.commit - 1]
    if (role.kind !== 'leader' || top === undefined) return
    // Of the configuration by which it was decided: what follows from the commit may have changed it already.
    const { voters } = this.#inForce.get(id) ?? membership.latest
    const isDecided =
      outcome(voters, (voter) => this.#machines.get(voter)?.holds(log.commit, top.term) ?? false) === 'won'
    this.check(id, isDecided ? null : `committed ${log.commit} without the disks of a quorum`)
  }

  #commitFirst(id: ReplicaId, entry: RaftEntry, term: number): void {
    this.committed.push(entry)
    this.#committedIn.push(term)
    if (entry.kind !== 'normal') return
    const payload = latin1Text(entry.data)
    this.check(id, this.#payloads.has(payload) ? `proposal ${payload} committed twice` : null)
    this.#payloads.add(payload)
  }

  #remember<K, V>(map: Map<K, V>, key: K, value: V, id: ReplicaId, fault: string): void {
    const known = map.get(key)
    if (known !== undefined && known !== value) this.check(id, fault)
    map.set(key, value)
  }
}
