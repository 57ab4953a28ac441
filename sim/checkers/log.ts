// The invariants of the log (proof.md, 1 to 7), over all replicas and all their lives. `L` and a number is the invariant's.

import type { Effect, Persist } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import { checkState, checkStep, observe } from '../../src/raft/invariants.ts'
import type { Observation } from '../../src/raft/invariants.ts'
import type { Raft } from '../../src/raft/raft.ts'
import type { AppendResponse, RaftMessage, SnapshotMetadata } from '../../src/raft/message.ts'
import { decodeConfiguration, formatConfiguration } from '../../src/raft/configuration.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Disk } from '../disk.ts'
import type { Machine } from '../machine.ts'
import type { Work } from '../machine-watch.ts'
import type { Checker, Report } from './checker.ts'
import { LogMirror } from './log-mirror.ts'
import type { LoggedEntry } from './log-mirror.ts'

export interface LogListener {
  /** An entry is about to be written somewhere; it was made, or came, at that true time. */
  written(index: number, term: number, at: number): void
  /** Told of each entry once, in order, when it is committed anywhere. */
  committed(logged: LoggedEntry): void
}

export class LogInvariants implements Checker {
  readonly #report: Report
  readonly #listener: LogListener
  /** The snapshot that each disk goes on from. */
  readonly #bases = new Map<number, number>()
  readonly #machines = new Map<number, Machine>()
  readonly #mirrors = new Map<number, LogMirror>()
  /** By incarnation: also of those that were lost. */
  readonly #disks = new Map<number, Disk>()
  /** The configurations that are committed, and what each replica had when it was looked at last. */
  readonly #settled: { readonly index: number; readonly text: string }[] = []
  readonly #inForce = new Map<number, string>()
  /** Up to here a leader has counted a quorum. */
  readonly #counted: () => number
  readonly #observed = new Map<number, Observation>()
  readonly #leaders = new Map<number, number>()
  readonly #votes = new Map<string, number>()
  readonly #committed: LoggedEntry[] = []
  readonly #hashes = new Map<number, string>()
  /** Up to here a replica's committed entries are on its disk, synced or not. */
  readonly #written = new Map<number, number>()
  readonly #checkedTo = new Map<number, number>()
  readonly #appliedTo = new Map<number, number>()
  /** Installed a leader's snapshot that is not durable yet: its log on disk is still the old one. */
  readonly #installing = new Set<number>()

  constructor(report: Report, listener: LogListener, counted: () => number) {
    this.#report = report
    this.#listener = listener
    this.#counted = counted
  }

  get committed(): number {
    return this.#committed.length
  }

  /** The term of that entry on a replica's disk as a crash would leave it now, or left it when the disk was lost; null = it isn't there. */
  durableTerm(id: number, at: number): number | null {
    const disk = this.#disks.get(id)
    if (disk === undefined) return null
    return this.#mirrors.get(id)?.durable(disk).entries[at - 1]?.term ?? null
  }

  /** The term that a replica's disk has, and where its log ends there. */
  durableEnd(id: number): { readonly term: number; readonly last: number; readonly lastTerm: number } {
    const [disk, mirror] = [this.#disks.get(id), this.#mirrors.get(id)]
    if (disk === undefined || mirror === undefined) return { term: 0, last: 0, lastTerm: 0 }
    const { term, entries } = mirror.durable(disk)
    return { term, last: entries.length, lastTerm: entries.at(-1)?.term ?? 0 }
  }

  started(machine: Machine): void {
    this.#machines.set(machine.id, machine)
    this.#disks.set(machine.id, machine.disk)
    this.#reread(machine)
    this.#installing.delete(machine.id)
    this.#observed.delete(machine.id)
    this.#inForce.delete(machine.id)
    this.#appliedTo.delete(machine.id)
    this.#written.delete(machine.id)
    this.#sameLog(machine)
    this.#checkedTo.set(machine.id, 0)
  }

  died(machine: Machine): void {
    this.#reread(machine)
  }

  /** L6, L7: what the disk goes on from is what was committed up to there; its content is compared by hash. */
  snapshotStands(machine: Machine, metadata: SnapshotMetadata, dropped: number): void {
    this.#installing.delete(machine.id)
    this.#goOnFrom(machine, metadata, dropped)
    this.#checkedTo.set(machine.id, Math.max(metadata.index, this.#checkedTo.get(machine.id) ?? 0))
  }

  #goOnFrom(machine: Machine, { index, term }: SnapshotMetadata, dropped: number): void {
    const last = this.#committed[index - 1]
    if (last === undefined || last.term !== term) {
      const known = last === undefined ? 'nothing is committed there' : `term ${last.term} is committed there`
      this.#report('L7', `replica ${machine.id} has a snapshot at entry ${index} of term ${term}; ${known}`)
    }
    this.#mirror(machine).goOnFrom(this.#committed.slice(0, index), dropped)
    this.#bases.set(machine.id, index)
  }

  /** A crash may have left a snapshot that this checker was not told of: its name was synced, or just stayed. */
  #reread(machine: Machine): void {
    const metadata = machine.disk.snapshots.metadata
    if (metadata !== null && metadata.index !== this.#bases.get(machine.id)) this.#goOnFrom(machine, metadata, 0)
    this.#mirror(machine).reread(machine.disk)
  }

  stepped(machine: Machine, input: Input): void {
    const { replica } = machine
    if (replica === null || input.kind === 'sip') return
    const { raft, store } = replica
    const now = observe(raft)
    const before = this.#observed.get(machine.id)
    const wrong = checkState(raft) ?? (before === undefined ? null : checkStep(before, now))
    if (wrong !== null) this.#report('L5', `replica ${machine.id}: ${wrong}`)
    this.#observed.set(machine.id, now)
    const isNew = before?.role !== 'leader' || before.term !== now.term
    if (now.role === 'leader' && isNew) this.#leads(machine, now.term)
    // What was committed and given to the disk before this step is written by now.
    this.#sameCommits(machine, this.#written.get(machine.id) ?? 0)
    const installs = before !== undefined && now.snapshot > before.snapshot && now.snapshot > before.commit
    if (installs) this.#installing.add(machine.id)
    if (!this.#installing.has(machine.id)) {
      this.#written.set(machine.id, Math.min(now.commit, raft.inspect().disk.handed))
    }
    if (store.appliedIndex !== this.#appliedTo.get(machine.id)) {
      this.#appliedTo.set(machine.id, store.appliedIndex)
      this.#sameHash(machine, store.appliedIndex, store.hash())
    }
    this.#sameConfiguration(machine, raft)
  }

  leaving(machine: Machine, effect: Effect, work: Work): void {
    if (effect.kind === 'persist') this.#writing(machine, effect, work.at)
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind !== 'raft') return
    for (const message of frame.messages) {
      this.#durableBefore(machine, message)
      if (message.kind === 'append-response' && !message.rejected) this.#agrees(machine, message)
    }
  }

  /** L3, log matching: what a follower acknowledges is what its leader has there. An acknowledgement that waited for a slow disk
   * speaks of what was there when it was made; a later term may have overwritten it since. Being late is the network's right too,
   * and the vote for that later term weighed the entry. */
  #agrees(machine: Machine, { to, term, index }: AppendResponse): void {
    const leader = this.#machines.get(to)?.replica?.raft.inspect()
    if (leader === undefined || leader.role.kind !== 'leader' || leader.term !== term || index === 0) return
    const own = this.#mirror(machine).written.entries[index - 1]?.term
    const its = leader.log.termAt(index)
    if (own === undefined || its === null || own === its || own > term) return
    this.#report(
      'L3',
      `replica ${machine.id} acknowledges entry ${index} to ${to}, which has term ${its} there; its own is of term ${own}`,
    )
  }

  /** L2: a start makes of its disk what that says. */
  #sameLog(machine: Machine): void {
    const { raft } = machine.replica ?? {}
    const { entries } = this.#mirror(machine).written
    if (raft === undefined) return
    if (raft.lastIndex() !== entries.length)
      this.#report(
        'L2',
        `replica ${machine.id} starts with a log up to entry ${raft.lastIndex()}; its disk has ${entries.length}`,
      )
    const newest = entries.findLast(({ entry }) => entry.kind === 'configuration')
    const [own, its] = [formatConfiguration(raft.configuration), newest === undefined ? null : configurationIn(newest)]
    if (its !== null && own !== its) this.#report('L2', `replica ${machine.id} starts with ${own}; its disk has ${its}`)
  }

  /** L1: one leader per term at most; it voted for itself. */
  #leads(machine: Machine, term: number): void {
    this.#oneVote(machine, term, machine.id)
    const other = this.#leaders.get(term)
    if (other === undefined) this.#leaders.set(term, machine.id)
    else if (other !== machine.id) this.#report('L1', `replicas ${other} and ${machine.id} both lead term ${term}`)
  }

  /** L1: one vote per (identity, term), over all its lives. A vote that never left the replica is none. */
  #oneVote(machine: Machine, term: number, vote: number): void {
    const key = `${machine.id} ${term}`
    const other = this.#votes.get(key)
    if (other === undefined) this.#votes.set(key, vote)
    else if (other !== vote) this.#report('L1', `replica ${machine.id} voted for ${other} and ${vote} in term ${term}`)
  }

  /** L2: what a vote or an acknowledgement says is on disk for good when it leaves. */
  #durableBefore(machine: Machine, message: RaftMessage): void {
    if (message.kind !== 'vote-response' && message.kind !== 'append-response') return
    const mirror = this.#mirror(machine)
    const durable = mirror.durable(machine.disk)
    if (message.kind === 'vote-response' && message.granted) {
      this.#oneVote(machine, message.term, message.to)
      if (durable.term < message.term || (durable.term === message.term && durable.vote !== message.to)) {
        this.#report(
          'L2',
          `replica ${machine.id}'s vote for ${message.to} in term ${message.term} left before it was durable`,
        )
      }
    }
    if (message.kind === 'append-response' && !message.rejected) {
      if (mirror.reachedIn(message.term, machine.disk) < message.index) {
        this.#report(
          'L2',
          `replica ${machine.id} acknowledged entry ${message.index} of term ${message.term} before it was durable`,
        )
      }
    }
  }

  /** L7: truncation only on a term conflict, never at or below commit. */
  #writing(machine: Machine, effect: Persist, madeAt: number): void {
    const commit = this.#checkedTo.get(machine.id) ?? 0
    const wrong = this.#mirror(machine).write(effect.records, commit, effect.rotate === true, ({ index, term }) => {
      this.#listener.written(index, term, madeAt)
    })
    if (wrong !== null) this.#report('L7', `replica ${machine.id}: ${wrong}`)
  }

  /** L3 and L4: a committed (index, term, hash) never changes, and a quorum has it durable. */
  #sameCommits(machine: Machine, commit: number): void {
    const { entries } = this.#mirror(machine).written
    const upTo = Math.min(commit, entries.length)
    for (let at = this.#checkedTo.get(machine.id) ?? 0; at < upTo; at++) {
      const own = entries[at] as LoggedEntry
      const known = this.#committed[at]
      if (known === undefined) {
        if (at >= this.#counted())
          this.#report(
            'L4',
            `entry ${at + 1} counts as committed at replica ${machine.id}, and no leader has counted it`,
          )
        this.#committed.push(own)
        const text = configurationIn(own)
        if (text !== null) this.#settled.push({ index: at + 1, text })
        this.#listener.committed(own)
      } else if (known.term !== own.term || known.hash !== own.hash) {
        this.#report(
          'L3',
          `entry ${at + 1}: replica ${machine.id} has term ${own.term}, committed was term ${known.term}`,
        )
      }
    }
    this.#checkedTo.set(machine.id, Math.max(upTo, this.#checkedTo.get(machine.id) ?? 0))
  }

  /** L6: a configuration that is settled is what the log said up to there, also where a snapshot has taken the log's place. */
  #sameConfiguration(machine: Machine, { configuration, configurationIndex: at, commitIndex }: Raft): void {
    const limit = Math.min(commitIndex, this.#committed.length)
    if (at > limit) return
    const settled = this.#settled.findLast(({ index }) => index <= limit)
    const state = `${at} ${settled?.index ?? 0}`
    if (this.#inForce.get(machine.id) === state) return
    this.#inForce.set(machine.id, state)
    const known = settled?.text
    const own = formatConfiguration(configuration)
    if (known !== undefined && known !== own)
      this.#report('L6', `replica ${machine.id} has ${own} as of entry ${at}; the log has ${known}`)
  }

  /** L6: equal store hash at equal index. */
  #sameHash(machine: Machine, at: number, hash: string): void {
    const known = this.#hashes.get(at)
    if (known === undefined) this.#hashes.set(at, hash)
    else if (known !== hash)
      this.#report('L6', `replica ${machine.id}'s store at index ${at} is ${hash}, elsewhere ${known}`)
  }

  #mirror(machine: Machine): LogMirror {
    let mirror = this.#mirrors.get(machine.id)
    if (mirror === undefined) {
      mirror = new LogMirror()
      this.#mirrors.set(machine.id, mirror)
    }
    return mirror
  }
}

/** The configuration that the entry holds, in words; null = none. */
function configurationIn({ entry }: LoggedEntry): string | null {
  if (entry.kind !== 'configuration') return null
  const decoded = decodeConfiguration(entry.data)
  return decoded.ok ? formatConfiguration(decoded.value) : null
}
