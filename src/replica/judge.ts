// The leader's judgement of who serves (design.md 3). Its other duties, the set key and pulses, are `Replica.#lead`'s.
// Nothing here is remembered by others: a new leader judges anew, from what it hears itself.

import { compareLives, replicaOf } from '../base/brand.ts'
import type { Index, Life, ReplicaId } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Duration, Instant } from '../base/instant.ts'
import type { Serving } from '../store/view.ts'
import type { ServingChange } from '../wire/entry.ts'
import type { Links } from './links.ts'
import { limits } from './limits.ts'

interface Witness {
  /** The life that was heard last. */
  life: Life
  heard: Instant
  /** Since when it has answered without a silence. */
  since: Instant
  applied: Index
  /** Since when it has said that it is stale; null = it is fresh. */
  stale: Instant | null
  /** How often it was suspected, for silence, lag or staleness: each doubles the wait before it is admitted again. None, once it has
   * been sound for `limits.sound` beyond that wait. */
  suspicions: number
}

interface CommitMark {
  readonly at: Instant
  readonly commit: Index
}

export class Judge {
  readonly #self: Life
  readonly #links: Links
  readonly #mayServe: (id: ReplicaId) => boolean
  /** Invariant: in the order of the replicas. */
  #witnesses: ReadonlyMap<ReplicaId, Witness> = new Map()
  readonly #leading: { since: Instant; firstDone: boolean; previous: ReplicaId | null } = {
    since: 0 as Instant,
    firstDone: false,
    previous: null,
  }
  /** Of each replica the last life that said that it leaves. No life takes that back. */
  readonly #leaving = new Map<ReplicaId, Life>()
  /** Where the commit index was, twice per applyLag at least: a replica's lag in time is read off here. */
  #marks: CommitMark[] = []

  /** `mayServe`: votes, and stays in the set. */
  constructor(self: Life, links: Links, mayServe: (id: ReplicaId) => boolean = () => true) {
    this.#self = self
    this.#links = links
    this.#mayServe = mayServe
  }

  /** This replica became leader: everybody's window starts now. `previous` led before, as far as is known. */
  lead(now: Instant, previous: ReplicaId | null): void {
    this.#leading.since = now
    this.#leading.firstDone = false
    this.#leading.previous = previous
    this.#marks = []
    for (const witness of this.#witnesses.values()) {
      witness.heard = now
      witness.since = now
      if (witness.stale !== null) witness.stale = now
    }
  }

  /** The judge itself was not looking for a while: whatever it did not hear meanwhile counts for nothing. */
  stalled(now: Instant): void {
    for (const witness of this.#witnesses.values()) {
      witness.heard = now
      if (witness.stale !== null) witness.stale = now
    }
  }

  /** `applied`: as its frames say; 0 = it is stale. */
  heard(life: Life, applied: Index, now: Instant): void {
    const isStale = applied === 0
    const known = this.#witnesses.get(replicaOf(life))
    if (known === undefined || known.life !== life) {
      if (known !== undefined && compareLives(life, known.life) < 0) return
      const stale = isStale ? now : null
      const witness = { life, heard: now, since: now, applied, stale, suspicions: known?.suspicions ?? 0 }
      this.#witnesses = new Map([...this.#witnesses, [replicaOf(life), witness] as const].sort(([a], [b]) => a - b))
      return
    }
    if (between(known.heard, now) > limits.silence) known.since = now
    known.heard = now
    known.stale = isStale ? (known.stale ?? now) : null
    if (!isStale) known.applied = applied
  }

  /** That life is told to end: it is taken out of serving as soon as another one serves, and not admitted again. */
  leaves(life: Life): void {
    this.#leaving.set(replicaOf(life), life)
  }

  /** Who is out of the set need not be remembered. */
  forget(isOut: (id: ReplicaId) => boolean): void {
    this.#witnesses = new Map([...this.#witnesses].filter(([id]) => !isOut(id)))
    for (const id of [...this.#leaving.keys()]) if (isOut(id)) this.#leaving.delete(id)
  }

  isLeaving(life: Life): boolean {
    return this.#leaving.size > 0 && this.#leaving.get(replicaOf(life)) === life
  }

  /** The serving change to propose now, or null if all is as it should be. */
  verdict(serving: Serving, commit: Index, applied: Index, now: Instant): ServingChange | null {
    this.#mark(commit, now)
    const remove: Life[] = []
    for (const { life } of serving.members) {
      if (life !== this.#self && this.#isGone(life, commit, now)) remove.push(life)
    }
    const admit: Life[] = []
    const stays = this.#mayServe(replicaOf(this.#self)) && !this.isLeaving(this.#self)
    if (stays && !serving.members.some(({ life }) => life === this.#self)) {
      admit.push(this.#self)
      for (const { life } of serving.members) {
        if (replicaOf(life) === replicaOf(this.#self) && !remove.includes(life)) remove.push(life)
      }
    }
    for (const [replica, witness] of this.#witnesses) {
      if (serving.members.some(({ life }) => life === witness.life) || !this.#mayServe(replica)) continue
      if (!this.#isReady(witness, applied, now) || this.#lags(witness, commit, now)) continue
      admit.push(witness.life)
      for (const { life } of serving.members) {
        if (replicaOf(life) === replica && !remove.includes(life)) remove.push(life)
      }
    }
    this.#dismiss(serving, admit, remove)
    if (admit.length === 0 && remove.length === 0) return null
    for (const life of remove) this.#suspect(life, commit, now)
    return { kind: 'serving', replaces: serving.version, admit, remove }
  }

  /** Who ends, or leaves the set, is removed once somebody else serves; and if nobody would be left, this replica serves after
   * all. */
  #dismiss(serving: Serving, admit: Life[], remove: Life[]): void {
    const goes = ({ life }: { readonly life: Life }): boolean =>
      this.isLeaving(life) || !this.#mayServe(replicaOf(life))
    if (remove.length === 0 && !serving.members.some(goes)) return
    const staying = serving.members.filter(({ life }) => !remove.includes(life))
    const leaving = staying.filter(goes).map(({ life }) => life)
    if (admit.length > 0 || leaving.length < staying.length) remove.push(...leaving)
    else if (staying.length === 0 && serving.members.length > 0) admit.push(this.#self)
  }

  /** The first serving entry of this leadership is applied: the old leader's fate is settled. */
  decided(): void {
    this.#leading.firstDone = true
  }

  #isGone(life: Life, commit: Index, now: Instant): boolean {
    if (this.#links.isDead(life)) return true
    const witness = this.#witnesses.get(replicaOf(life))
    if (witness === undefined || witness.life !== life) {
      // A later start of it was heard: it is over. Never heard, or only an earlier start (when this replica followed): its
      // window began with this leadership.
      const isOver = witness !== undefined && compareLives(witness.life, life) > 0
      return isOver || between(this.#leading.since, now) > limits.silence
    }
    const unheard = witness.heard <= this.#leading.since
    if (!this.#leading.firstDone && unheard && replicaOf(life) === this.#leading.previous) return true
    return between(witness.heard, now) > limits.silence || this.#isUseless(witness, commit, now)
  }

  /** It answers, and handles nothing. */
  #isUseless(witness: Witness, commit: Index, now: Instant): boolean {
    const isStuck = witness.stale !== null && between(witness.stale, now) > limits.applyLag
    return isStuck || this.#lags(witness, commit, now)
  }

  #lags(witness: Witness, commit: Index, now: Instant): boolean {
    if (witness.applied >= commit) return false
    const then = this.#marks.findLast(({ at }) => between(at, now) >= limits.applyLag)
    return then !== undefined && witness.applied < then.commit
  }

  #isReady(witness: Witness, applied: Index, now: Instant): boolean {
    if (this.#links.isDead(witness.life) || !this.#links.isUp(replicaOf(witness.life))) return false
    if (witness.stale !== null || this.isLeaving(witness.life)) return false
    if (between(witness.heard, now) > limits.silence) return false
    const since = Math.max(witness.since, this.#leading.since) as Instant
    return between(since, now) >= this.#wait(witness) && applied - witness.applied < limits.admissionLag
  }

  #wait(witness: Witness): Duration {
    return Math.min(limits.admission * 2 ** Math.min(witness.suspicions, 16), limits.admissionMost) as Duration
  }

  /** It was silent, stale, or applied too late, and lives: it waits longer each time, else a slow disk would come and go. */
  #suspect(life: Life, commit: Index, now: Instant): void {
    const witness = this.#witnesses.get(replicaOf(life))
    if (witness === undefined || witness.life !== life || this.#links.isDead(life)) return
    if (between(witness.heard, now) <= limits.silence && !this.#isUseless(witness, commit, now)) return
    // What was long ago says nothing of now; without this, a few pauses in a year would end in a minute's wait each time.
    if (between(witness.since, witness.heard) >= this.#wait(witness) + limits.sound) witness.suspicions = 0
    witness.suspicions++
    witness.since = now
  }

  #mark(commit: Index, now: Instant): void {
    const last = this.#marks.at(-1)
    if (last !== undefined && between(last.at, now) < limits.applyLag / 4) return
    this.#marks.push({ at: now, commit })
    if (this.#marks.length > 16) this.#marks.shift()
  }

  /** When the verdict may change although nothing is heard. */
  deadline(now: Instant): Instant {
    return plus(now, limits.heartbeat)
  }
}
