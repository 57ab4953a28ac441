// L8: one change of the set at a time, by a leader that has committed something of its term; two configurations that follow one
// another, or that could decide at the same time, share a voter in every two of their quorums; nobody leads, or owns calls, who is not in the set. And leadership is
// handed to nobody who lacks what the leader has (Raft thesis 3.10, 4.1 to 4.3).

import { replicaOf } from '../../src/base/brand.ts'
import type { Input } from '../../src/replica/input.ts'
import type { VoterSet } from '../../src/raft/quorum.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import { alwaysMeet } from '../majority.ts'
import type { Checker, Report } from './checker.ts'
import { disjointUsable } from './l8-usable.ts'
import type { Elector, LogEnd } from './l8-usable.ts'

interface Looked {
  readonly index: number
  readonly isCommitted: boolean
  readonly isLeader: boolean
  readonly serving: number
}

export class Configurations implements Checker {
  readonly #report: Report
  readonly #machines = new Map<number, Machine>()
  /** The newest that each replica had after its last step. */
  readonly #newest = new Map<number, { readonly index: number; readonly voters: VoterSet }>()
  /** What was looked at last, by replica. */
  readonly #looked = new Map<number, Looked>()
  readonly #end: (id: number) => LogEnd

  constructor(report: Report, end: (id: number) => LogEnd) {
    this.#report = report
    this.#end = end
  }

  started(machine: Machine): void {
    this.#machines.set(machine.id, machine)
    this.#newest.delete(machine.id)
    this.#looked.delete(machine.id)
  }

  died(machine: Machine): void {
    this.#newest.delete(machine.id)
  }

  stepped(machine: Machine, input: Input): void {
    const { replica } = machine
    if (replica === null || input.kind !== 'time') return
    const { raft, store } = replica
    const { configurationIndex: index, configuration } = raft
    const before = this.#newest.get(machine.id)
    if (before?.index !== index) {
      this.#newest.set(machine.id, { index, voters: configuration.voters })
      if (before !== undefined && index > before.index) this.#changed(machine, before, configuration.voters)
    }
    if (this.#differ(configuration.voters)) this.#share()
    const isCommitted = index <= raft.commitIndex
    const serving = store.serving()
    const looked = this.#looked.get(machine.id)
    const isSame = looked?.index === index && looked.isCommitted === isCommitted && looked.isLeader === raft.isLeader
    if (isSame && looked.serving === serving.version) return
    this.#looked.set(machine.id, { index, isCommitted, isLeader: raft.isLeader, serving: serving.version })
    const { incoming, outgoing } = configuration.voters
    if (
      isCommitted &&
      raft.isLeader &&
      incoming.length > 0 &&
      !incoming.includes(machine.id) &&
      !outgoing.includes(machine.id)
    )
      this.#report('L8', `replica ${machine.id} leads, and the committed configuration ${index} has no vote for it`)
    // Who joins knows of no voters until it gets there in the log.
    if (!isCommitted || store.appliedIndex < index || outgoing.length > 0 || incoming.length === 0) return
    const out = serving.members.find(({ life }) => !incoming.includes(replicaOf(life)))
    if (out !== undefined)
      this.#report('L8', `${out.life} may own calls, and the committed configuration ${index} has no vote for it`)
  }

  /** Whether some replica that runs has other voters. */
  #differ({ incoming, outgoing }: VoterSet): boolean {
    const isSame = (a: readonly number[], b: readonly number[]): boolean =>
      a === b || (a.length === b.length && a.every((id, i) => id === b[i]))
    for (const { voters } of this.#newest.values()) {
      if (voters.incoming.length === 0) continue
      if (!isSame(voters.incoming, incoming) || !isSame(voters.outgoing, outgoing)) return true
    }
    return false
  }

  /** Two configurations that could decide something now, each by itself, share a voter in every two of their quorums. */
  #share(): void {
    const electors: Elector[] = []
    // One machine may have been several incarnations: whose disk is lost can't help anybody.
    for (const [id, machine] of this.#machines) {
      if (machine.id !== id) continue
      electors.push({ id: machine.id, core: machine.replica?.raft.inspect() ?? null, end: this.#end(id) })
    }
    const wrong = disjointUsable(electors)
    if (wrong !== null) this.#report('L8', wrong)
  }

  /** A step has put a newer configuration into its log. */
  #changed(machine: Machine, before: { readonly index: number; readonly voters: VoterSet }, voters: VoterSet): void {
    const core = machine.replica?.raft.inspect()
    if (core === undefined || core.role.kind !== 'leader') return
    if (before.index > core.log.commit)
      this.#report('L8', `replica ${machine.id} changes the set while change ${before.index} is not committed`)
    if (core.log.commit < core.role.noOp)
      this.#report('L8', `replica ${machine.id} changes the set before anything of its term is committed`)
    if (before.voters.incoming.length > 0 && !alwaysMeet(before.voters, voters))
      this.#report(
        'L8',
        `replica ${machine.id} goes from configuration ${before.index} to one that can decide without it`,
      )
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind !== 'raft') return
    const { raft } = machine.replica ?? {}
    for (const message of frame.messages) {
      // A removed leader's last word is to whoever has most.
      if (message.kind !== 'timeout-now' || raft?.isLeader !== true || raft.term !== message.term) continue
      const far = this.#machines.get(message.to)
      const last = far?.id === message.to ? far.replica?.raft.lastIndex() : undefined
      if (last !== undefined && last < raft.inspect().log.commit)
        this.#report('L8', `replica ${machine.id} hands over to ${message.to}, which lacks what is committed`)
    }
  }
}
