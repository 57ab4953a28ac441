// L9: a replica that comes back with another disk neither votes nor counts: nobody listens to it, it could vote twice.

import { replicaOf } from '../../src/base/brand.ts'
import type { Life } from '../../src/base/brand.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

export class Incarnations implements Checker {
  readonly #report: Report
  readonly #incarnations = new Map<number, string>()

  constructor(report: Report) {
    this.#report = report
  }

  started(machine: Machine): void {
    if (!this.#incarnations.has(machine.id)) this.#incarnations.set(machine.id, incarnationOf(machine.life))
  }

  stepped(machine: Machine, input: Input): void {
    if (input.kind === 'peer') this.#listens(machine, input.from)
    else if (input.kind === 'link' && input.state.kind === 'up') this.#listens(machine, input.state.life)
  }

  #listens(machine: Machine, far: Life): void {
    const known = this.#incarnations.get(replicaOf(far))
    if (known === undefined || known === incarnationOf(far)) return
    this.#report(
      'L9',
      `replica ${machine.id} listens to ${far}, which has another disk than replica ${replicaOf(far)} had`,
    )
  }
}

function incarnationOf(life: Life): string {
  return life.split('.')[1] ?? ''
}
