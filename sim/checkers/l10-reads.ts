// L10: a read barrier that is answered is not older than what was committed when it was asked for (Raft thesis 6.4).

import type { RaftMessage } from '../../src/raft/message.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

export class Reads implements Checker {
  readonly #report: Report
  readonly #committed: () => number
  /** What was committed when each life of a replica asked. */
  readonly #asked = new Map<string, number>()
  readonly #lives = new Map<number, string>()

  constructor(report: Report, committed: () => number) {
    this.#report = report
    this.#committed = committed
  }

  started(machine: Machine): void {
    this.#lives.set(machine.id, machine.life)
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind === 'raft') for (const message of frame.messages) this.#sent(machine, message)
  }

  #sent(machine: Machine, message: RaftMessage): void {
    if (message.kind === 'read-index') {
      this.#asked.set(`${machine.life} ${message.context}`, this.#committed())
      return
    }
    if (message.kind !== 'read-index-response') return
    const committed = this.#asked.get(`${this.#lives.get(message.to)} ${message.context}`)
    if (committed === undefined || message.index >= committed) return
    this.#report(
      'L10',
      `replica ${machine.id} answers a read of ${message.to} with ${message.index}; ${committed} was committed when it asked`,
    )
  }
}
