// L10: a read barrier that is answered is not older than what was committed when it was asked for (Raft thesis 6.4).

import type { Input } from '../../src/replica/input.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

export class Reads implements Checker {
  readonly #report: Report
  readonly #committed: () => number
  /** What was committed when a replica asked, in whatever life: an answer tells none. */
  readonly #asked = new Map<string, number>()

  constructor(report: Report, committed: () => number) {
    this.#report = report
    this.#committed = committed
  }

  /** A leader's own reads, as it hands them out. */
  stepped(machine: Machine, input: Input): void {
    if (input.kind !== 'peer') return
    for (const { index } of machine.replica?.raft.inspect().reads ?? []) this.#afterNoOp(machine, index)
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind === 'raft') for (const message of frame.messages) this.#sent(machine, message)
  }

  /** Thesis 6.4, step 1: before its term's first commit a leader may not know what was committed. */
  #afterNoOp(machine: Machine, index: number): void {
    const role = machine.replica?.raft.inspect().role
    if (role?.kind !== 'leader' || index >= role.noOp) return
    this.#report(
      'L10',
      `replica ${machine.id} answers a read with ${index}, before entry ${role.noOp}, the first of its term, is committed`,
    )
  }

  #sent(machine: Machine, message: RaftMessage): void {
    if (message.kind === 'read-index') {
      const key = `${machine.id} ${message.context}`
      // The answer to the first one would count for the second.
      if (this.#asked.has(key)) this.#report('L10', `replica ${machine.id} asks with context ${message.context} again`)
      this.#asked.set(key, this.#committed())
      return
    }
    if (message.kind !== 'read-index-response') return
    this.#afterNoOp(machine, message.index)
    const committed = this.#asked.get(`${message.to} ${message.context}`)
    if (committed === undefined || message.index >= committed) return
    this.#report(
      'L10',
      `replica ${machine.id} answers a read of ${message.to} with ${message.index}; ${committed} was committed when it asked`,
    )
  }
}
