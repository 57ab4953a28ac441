// Marks of releases: sets of two, upgrades, roll backs.

import type { Checker } from '../checkers/checker.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from './coverage.ts'

export class FormatMarks implements Checker {
  readonly #marks: Marks
  /** The newest format of each replica's last process. */
  readonly #newest = new Map<number, number>()

  constructor(marks: Marks) {
    this.#marks = marks
  }

  started(machine: Machine): void {
    const { newest } = machine.formats
    const before = this.#newest.get(machine.id) ?? newest
    this.#newest.set(machine.id, newest)
    this.#marks.reached('two-releases', new Set(this.#newest.values()).size > 1)
    this.#marks.reached('upgraded', newest > before)
    this.#marks.reached('rolled-back', newest < before)
  }

  tooOld(): void {
    this.#marks.reached('too-old')
  }
}
