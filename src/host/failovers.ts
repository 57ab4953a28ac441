// What becomes of a set when a replica goes away: when another one led, when its calls had owners again, when it was back. A pure
// reading of facts, each with the time at which somebody saw it; `up` sees its processes end within a millisecond, who only asks for
// statuses sees it with the next one.
//
//   gone ----- leader ----- serving without it ----- runs ----- serving with it
//    |  leaderMs: if it led       |                                |
//    |----- ownersMs -------------'                                |
//    |----- backMs ------------------------------------------------'

export type SetFact =
  /** It ended, or nobody answers there. */
  | { readonly kind: 'gone'; readonly replica: number; readonly why: string }
  | { readonly kind: 'runs'; readonly replica: number }
  | { readonly kind: 'leader'; readonly replica: number; readonly term: number }
  /** Those that may own calls, from there on. */
  | { readonly kind: 'serving'; readonly lives: readonly ServingLife[] }

export interface ServingLife {
  /** The replica. */
  readonly id: number
  readonly life: string
}

export interface Failover {
  readonly replica: number
  /** Wall clock, milliseconds. */
  readonly at: number
  readonly why: string
  /** It was the leader. */
  readonly led: boolean
  /** Until another one led; null = it did not lead, or nobody does yet. */
  readonly leaderMs: number | null
  /** Until its calls had new owners; null = not yet, or it had none. */
  readonly ownersMs: number | null
  /** Until it served again; null = not yet. */
  readonly backMs: number | null
}

/** What a replica was during a time, for a picture of it. `until` null: it still is. */
export interface Stretch {
  readonly replica: number
  readonly state: 'leader' | 'follower' | 'gone'
  readonly from: number
  readonly until: number | null
}

/** More than anybody looks at. */
const MOST_FAILOVERS = 20
const MOST_STRETCHES = 200

/** With the life that ended; null = it owned nothing any more. */
type Open = Failover & { readonly life: string | null }

export class Failovers {
  /** Newest first. */
  #list: readonly Open[] = []
  /** In order of their beginnings. */
  #stretches: readonly Stretch[] = []
  #leader: { readonly replica: number; readonly term: number } | null = null
  #serving: readonly ServingLife[] = []

  get list(): readonly Failover[] {
    return this.#list.map(({ life: _life, ...failover }) => failover)
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches
  }

  /** Whether that says anything new. */
  take(fact: SetFact, at: number): boolean {
    switch (fact.kind) {
      case 'gone':
        return this.#gone(fact.replica, fact.why, at)
      case 'runs':
        return this.#runs(fact.replica, at)
      case 'leader':
        return this.#leads(fact.replica, fact.term, at)
      case 'serving':
        return this.#serve(fact.lives, at)
    }
  }

  #gone(replica: number, why: string, at: number): boolean {
    if (this.#stateOf(replica) === 'gone' || this.#stateOf(replica) === null) return false
    const led = this.#leader?.replica === replica
    // One that handed over before it went has no calls left.
    const life = this.#serving.find(({ id }) => id === replica)?.life ?? null
    const failover = { replica, at, why, led, life, leaderMs: null, ownersMs: life === null ? 0 : null, backMs: null }
    this.#list = [failover, ...this.#list].slice(0, MOST_FAILOVERS)
    this.#enter(replica, 'gone', at)
    return true
  }

  #runs(replica: number, at: number): boolean {
    const state = this.#stateOf(replica)
    if (state !== null && state !== 'gone') return false
    this.#enter(replica, 'follower', at)
    return true
  }

  #leads(replica: number, term: number, at: number): boolean {
    if (this.#leader !== null && this.#leader.term >= term) return false
    const before = this.#leader?.replica ?? null
    this.#leader = { replica, term }
    if (before !== null && before !== replica && this.#stateOf(before) === 'leader') {
      this.#enter(before, 'follower', at)
    }
    if (this.#stateOf(replica) === 'follower') this.#enter(replica, 'leader', at)
    this.#list = this.#list.map((one) =>
      one.led && one.leaderMs === null && one.backMs === null ? { ...one, leaderMs: at - one.at } : one,
    )
    return true
  }

  #serve(lives: readonly ServingLife[], at: number): boolean {
    const serves = (life: string | null): boolean => lives.some((one) => one.life === life)
    if (lives.length === this.#serving.length && this.#serving.every(({ life }) => serves(life))) return false
    this.#serving = lives
    const seen = new Set<number>()
    this.#list = this.#list.map((one) => {
      // Of each replica only its last end is open.
      if (seen.has(one.replica)) return one
      seen.add(one.replica)
      const ownersMs = one.ownersMs ?? (serves(one.life) ? null : at - one.at)
      const isBack = lives.some(({ id, life }) => id === one.replica && life !== one.life)
      return { ...one, ownersMs, backMs: one.backMs ?? (isBack ? at - one.at : null) }
    })
    return true
  }

  #stateOf(replica: number): Stretch['state'] | null {
    return this.#stretches.findLast((stretch) => stretch.replica === replica)?.state ?? null
  }

  #enter(replica: number, state: Stretch['state'], at: number): void {
    const closed = this.#stretches.map((stretch) =>
      stretch.replica === replica && stretch.until === null ? { ...stretch, until: at } : stretch,
    )
    this.#stretches = [...closed, { replica, state, from: at, until: null }].slice(-MOST_STRETCHES)
  }
}
