// Banned sources (docs/decisions/0030). Once a replica has applied a ban, nothing that comes from there does anything at it: no answer,
// no frame, no record. And what the operator was told about a source is so (L11): the list has it, through all deaths, until it is
// taken back or runs out. That calls of others go on is C1's and C2's.

import { BANS } from '../../src/call/bans.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Store } from '../../src/store/store.ts'
import type { BanWatch } from '../ban-orders.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from '../marks/coverage.ts'
import { summary } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'
import { earlyPart } from './own-requests.ts'

export class Banned implements Checker, BanWatch {
  readonly #report: Report
  readonly #now: () => number
  /** The committed log, applied. */
  readonly #truth: () => Store
  readonly #marks: Marks
  /** What the operator knows, by source: until when it is banned at least; null = it is free. */
  readonly #known = new Map<string, number | null>()

  constructor(report: Report, now: () => number, truth: () => Store, marks: Marks) {
    this.#report = report
    this.#now = now
    this.#truth = truth
    this.#marks = marks
  }

  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void {
    const store = machine.replica?.store
    if (input.kind !== 'sip' || store === undefined) return
    const { host } = input.flow
    const source = listOf(store).find((one) => covers(one, host))
    if (source === undefined) return
    this.#marks.reached('dropped-banned')
    const did = effects.find(({ kind }) => kind !== 'log')
    if (did === undefined) return
    this.#report(
      'bans',
      `replica ${machine.id} has ${source} banned, and "${did.kind}" came of ${summary(input.data)} from ${host}`,
    )
  }

  asked(source: string): void {
    this.#known.delete(source)
  }

  known(source: string, state: Parameters<BanWatch['known']>[1]): void {
    const until = state.kind === 'free' ? null : this.#now() + (state.until - this.#now()) * earlyPart
    this.#known.set(source, until)
    this.look()
  }

  /** To be called every now and then. */
  look(): void {
    if (this.#known.size === 0) return
    const list = listOf(this.#truth())
    for (const [source, until] of this.#known) {
      if (until !== null && until <= this.#now()) this.#known.delete(source)
      else if (list.includes(source) !== (until !== null)) {
        const told = until === null ? 'is free, and the list has it' : 'is banned, and the list lacks it'
        this.#report('L11', `the operator was told that ${source} ${told}`)
      }
    }
  }
}

/** The sources on that replica's list. */
export function listOf(store: Store): readonly string[] {
  const entities = store.group(BANS)?.entities ?? []
  return entities.map(entityValue).flatMap((value) => (value?.kind === 'ban' ? [value.source] : []))
}

/** Whether that block of IPv4 addresses has the address. */
export function covers(block: string, address: string): boolean {
  const [first = '', bits = '32'] = block.split('/')
  const size = 2 ** (32 - Number(bits))
  return Math.floor(numberOf(first) / size) === Math.floor(numberOf(address) / size)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}
