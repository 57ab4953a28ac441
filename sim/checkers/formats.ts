// Releases of two formats in one set (docs/UPGRADING.md): nothing is written or sent in a format that the set was not raised to,
// nor to one whose release doesn't read it; and the set is raised only once all its members read the next one.

import { placeOf } from '../../src/base/brand.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import { decodeEntry, decodeRecord } from '../../src/wire/codec.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

/** For so long a replica that was rolled back may count as what it was: until its leader has not heard that for half a second,
 * on the slowest link. */
const grace = 5_000_000

interface Installed {
  readonly newest: number
  readonly since: number
}

export class FormatRules implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #isGivenUp: (place: number) => boolean
  /** The last of each replica, dead or alive. */
  readonly #installed = new Map<ReplicaId, Installed>()
  /** Those that were looked at, by place and term. */
  readonly #raises = new Set<string>()

  constructor(report: Report, now: () => number, isGivenUp: (place: number) => boolean) {
    this.#isGivenUp = isGivenUp
    this.#report = report
    this.#now = now
  }

  started(machine: Machine): void {
    this.#installed.set(machine.id, { newest: machine.formats.newest, since: this.#now() })
  }

  leaving(machine: Machine, effect: Effect): void {
    const active = machine.replica?.store.format
    if (active === undefined) return
    if (effect.kind === 'peer') {
      const format = effect.frame[0] ?? 0
      this.#written(machine, format, active, `a frame for replica ${effect.to}`)
      if (!this.#reads(effect.to, format) && !this.#isGivenUp(placeOf(effect.to))) {
        this.#report('formats', `replica ${machine.id} sends replica ${effect.to} a frame of format ${format}`)
      }
    } else if (effect.kind === 'persist') {
      for (const record of effect.records) {
        this.#written(machine, record[0] ?? 0, active, 'a record')
        if (mayBeRaise(record)) this.#raised(record)
      }
    }
  }

  #written(machine: Machine, format: number, active: number, what: string): void {
    if (format <= active) return
    this.#report('formats', `replica ${machine.id} writes ${what} in format ${format}, and its set writes ${active}`)
  }

  #raised(bytes: Uint8Array): void {
    const record = decodeRecord(bytes)
    if (!record.ok || record.value.kind !== 'entry') return
    const { index, term, data } = record.value.entry
    const entry = decodeEntry(data)
    const key = `${index} ${term}`
    if (!entry.ok || entry.value.body.kind !== 'raise' || this.#raises.has(key)) return
    this.#raises.add(key)
    const { format } = entry.value.body
    for (const id of this.#installed.keys()) {
      if (this.#reads(id, format) || this.#isGivenUp(placeOf(id))) continue
      this.#report('formats', `entry ${index} raises the set to format ${format}, which replica ${id} does not read`)
    }
  }

  #reads(id: ReplicaId, format: number): boolean {
    const installed = this.#installed.get(id)
    return installed === undefined || installed.newest >= format || this.#now() - installed.since < grace
  }
}

/** Whether a record ends as that of a raise does: eight bytes of stamp, 0, the format. */
function mayBeRaise(record: Uint8Array): boolean {
  return record.length < 64 && record.at(-2) === 0 && record.at(-12) === 0xc4 && record.at(-11) === 10
}
