// Who serves, and which life owns a group (design.md 3): rendezvous hashing of the group key over the serving lives, under
// the newest serving entry and under those before it that a commit may still be judged by.

import { must } from '../base/assert.ts'
import { type GroupKey, type Index, type Life, compareLives, index, placeOf, replicaOf } from '../base/brand.ts'
import { type HashKey, sipHashText } from '../base/hash.ts'
import type { ServingChange } from '../wire/entry.ts'
import type { Digest, Fact } from './digest.ts'
import { byText } from './order.ts'
import type { Serials } from './serials.ts'
import type { Serving, ServingMember } from './view.ts'

/** Public: the hash only deals groups out evenly, and group keys are themselves hashes under the set's secret. */
const RENDEZVOUS: HashKey = { k0: 0x686f6c64, k1: 0x66617374, k2: 0x6f776e65, k3: 0x72736869 }

/** Owners remembered: forgotten all at once, which must not be felt. */
const MOST_OWNERS = 8_192

const NOBODY: Serving = { version: index(0), members: [] }

/** The owner of a group under a serving entry, or null if nobody serves. By place, not by life: a restarted replica gets its
 * groups back, and so does one with a new disk. */
export function ownerUnder(serving: Serving, group: GroupKey): Life | null {
  let best: ServingMember | null = null
  let bestHigh = 0
  let bestLow = 0
  for (const member of serving.members) {
    const { high, low } = sipHashText(RENDEZVOUS, group, `/${placeOf(replicaOf(member.life))}`)
    const wins =
      best === null ||
      high > bestHigh ||
      (high === bestHigh && (low > bestLow || (low === bestLow && replicaOf(member.life) < replicaOf(best.life))))
    if (!wins) continue
    best = member
    bestHigh = high
    bestLow = low
  }
  return best?.life ?? null
}

export class Ownership {
  readonly #digest: Digest
  readonly #serials: Serials
  /** How many serving entries a commit may be judged by. */
  readonly #kept: number
  /** Oldest first, the one in force last. Invariant: never empty, versions rise. */
  readonly #history: Serving[] = [NOBODY]
  /** Of groups that were asked for, under the entry in force: each costs a hash a replica. */
  readonly #owners = new Map<GroupKey, Life | null>()

  constructor(digest: Digest, serials: Serials, kept: number) {
    this.#digest = digest
    this.#serials = serials
    this.#kept = kept
  }

  get serving(): Serving {
    return must(this.#history.at(-1), 'a serving entry is in force')
  }

  /** The owner of a group, which need not exist; null = nobody serves. */
  ownerOf(group: GroupKey): Life | null {
    const known = this.#owners.get(group)
    if (known !== undefined) return known
    if (this.#owners.size >= MOST_OWNERS) this.#owners.clear()
    const owner = ownerUnder(this.serving, group)
    this.#owners.set(group, owner)
    return owner
  }

  /** The serving entries that are kept, oldest first. */
  get history(): readonly Serving[] {
    return [...this.#history]
  }

  /** As a snapshot has it. */
  restore(history: readonly Serving[]): void {
    this.#history.splice(0, this.#history.length, ...history)
    this.#owners.clear()
    for (const serving of history) if (serving.version > 0) this.#digest.add(servingFact(serving))
  }

  /** Index of the entry that admitted a life which serves, else null. */
  sinceOf(life: Life): Index | null {
    return this.serving.members.find((member) => member.life === life)?.since ?? null
  }

  /** Whether `life` owned the group under every serving entry since `judged`. `judged` must itself be one of those kept: an
   * older one could hide that the group moved away and back. */
  ownedSince(life: Life, judged: Index, group: GroupKey): boolean {
    if (this.ownerOf(group) !== life) return false
    if (this.serving.version === judged) return true
    for (let at = this.#history.length - 2; at >= 0; at--) {
      const serving = must(this.#history[at], 'within the history')
      if (ownerUnder(serving, group) !== life) return false
      if (serving.version === judged) return true
    }
    return false
  }

  /** Applies a serving entry whole, or not at all. It is refused if it replaces another version than the one in force, if
   * nobody would serve, or if it admits what can't be: two lives of one replica, or a start before one that is known. */
  change(at: Index, { replaces, admit, remove }: ServingChange): boolean {
    const before = this.serving
    if (replaces !== before.version) return false
    if (new Set(admit.map(replicaOf)).size !== admit.length) return false
    if (admit.some((life) => this.#isPast(life))) return false
    // Removal comes first: a life in both lists is admitted anew. A later life takes the place of the earlier one.
    const staying = before.members.filter(({ life }) => !remove.includes(life))
    const serves = (life: Life): boolean => staying.some((member) => member.life === life)
    const admitted = admit.filter((life) => !serves(life)).map((life) => ({ life, since: at }))
    const replaced = new Set(admitted.map(({ life }) => replicaOf(life)))
    const members = [...staying.filter(({ life }) => !replaced.has(replicaOf(life))), ...admitted]
    if (members.length === 0) return false
    for (const { life } of admitted) this.#begin(life)
    this.#push({ version: at, members: members.sort((a, b) => byText(a.life, b.life)) })
    return true
  }

  #isPast(life: Life): boolean {
    for (const known of this.#serials.lives()) if (compareLives(life, known) < 0) return true
    return false
  }

  #begin(life: Life): void {
    for (const known of [...this.#serials.lives()]) {
      if (known !== life && replicaOf(known) === replicaOf(life)) this.#serials.drop(known)
    }
    this.#serials.begin(life)
  }

  #push(serving: Serving): void {
    this.#history.push(serving)
    this.#owners.clear()
    this.#digest.add(servingFact(serving))
    if (this.#history.length <= this.#kept) return
    const oldest = must(this.#history.shift(), 'a history longer than what is kept')
    if (oldest.version > 0) this.#digest.remove(servingFact(oldest))
  }
}

function servingFact({ version, members }: Serving): Fact {
  return ['serving', version, ...members.flatMap(({ life, since }) => [life, since])]
}

/** Whether that life serves from this entry on. */
export function isAdmitted(
  life: Life,
  { before, after }: { readonly before: Serving; readonly after: Serving },
): boolean {
  const serves = ({ members }: Serving): boolean => members.some((member) => member.life === life)
  return serves(after) && !serves(before)
}
