// What must hold between the replicas of a set, watched from outside after every step (the project's invariants of the log 1
// to 5, 7, 10 and 11). It keeps its own history and trusts none of the cores.

import type { ReplicaId } from '../../base/brand.ts'
import { latin1Text } from '../../base/bytes.ts'
import type { RaftEntry, RaftMessage } from '../message.ts'
import type { Raft } from '../raft.ts'
import type { Ready } from '../ready.ts'
import type { Machine } from './machine.ts'

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
  /** Reads answered. */
  answers = 0

  add(machine: Machine): void {
    this.#machines.set(machine.id, machine)
  }

  check(id: ReplicaId, fault: string | null): void {
    if (fault !== null) throw new BrokenPromise(`replica ${id}: ${fault}`)
  }

  started(machine: Machine): void {
    this.#applied.set(machine.id, 0)
    this.#commits.set(machine.id, 0)
  }

  looked(machine: Machine, raft: Raft): void {
    const { id } = machine
    const { term, role, log } = raft.inspect()
    if (role.kind === 'leader' && this.#leaders.get(term) !== id) {
      this.#remember(this.#leaders, term, id, id, `second leader of term ${term}`)
      this.#checkComplete(id, raft)
    }
    if (log.commit > (this.#commits.get(id) ?? 0)) this.#checkCommit(id, raft)
    this.#commits.set(id, log.commit)
  }

  tookReady(machine: Machine, ready: Ready): void {
    for (const entry of ready.entries) this.#checkMatching(machine, entry)
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
    const isVote = message.kind === 'vote' || (message.kind === 'vote-response' && message.granted)
    if (isVote) {
      const votedFor = message.kind === 'vote' ? id : message.to
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
    const here = raft.log.termAt(message.index)
    const agrees = message.index === 0 || machine.durableTermAt(message.index) === here
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
      if (log.termAt(entry.index) !== entry.term)
        this.check(id, `leads without committed entry ${entry.index}/${entry.term}`)
    }
  }

  /** What is committed is on a quorum's disks when it becomes so, and stays (invariants 3 and 4). */
  #checkCommit(id: ReplicaId, raft: Raft): void {
    const { log, term } = raft.inspect()
    for (let at = (this.#commits.get(id) ?? 0) + 1; at <= log.commit; at++) {
      const entry = log.entryAt(at as typeof log.commit)
      const known = this.committed[at - 1]
      if (known === undefined) this.#commitFirst(id, entry, term)
      else if (known.term !== entry.term || latin1Text(known.data) !== latin1Text(entry.data)) {
        this.check(id, `committed ${entry.index}/${entry.term}, elsewhere ${known.index}/${known.term}`)
      }
    }
    const top = this.committed[log.commit - 1]
    const copies = [...this.#machines.values()].filter(
      (machine) => machine.durableTermAt(log.commit) === top?.term,
    ).length
    const quorum = Math.floor(this.#machines.size / 2) + 1
    // A replica with a log of its own making (a script's) may start with commits that no set made.
    if (machineLeads(raft))
      this.check(id, copies < quorum ? `committed ${log.commit} on ${copies} of ${this.#machines.size} disks` : null)
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

function machineLeads(raft: Raft): boolean {
  return raft.inspect().role.kind === 'leader'
}
