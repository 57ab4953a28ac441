// Planted bugs of the replicated state machine and of cluster time.

import type { Mutant } from './mutant.ts'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'since-not-checked',
    room: 'store',
    file: 'src/store/store.ts',
    find: `    if (this.#ownership.sinceOf(proposer) !== since) return 'not-owner'
    if (!this.#ownership.ownedSince(proposer, judged, group)) return 'not-owner'
`,
    replace: '',
    story: 'a commit of a replica that lost its groups meanwhile is accepted',
    promise: 'C8',
  },
  {
    name: 'version-not-checked',
    room: 'store',
    file: 'src/store/groups.ts',
    find: `    if (!this.#fits(commit)) return 'version'
`,
    replace: '',
    story: 'a commit is applied to a group that has changed since it was made',
    promise: 'L11',
  },
  {
    name: 'proposal-applied-twice',
    room: 'store',
    file: 'src/store/serials.ts',
    find: 'if (table === undefined || serial < table.lowest || table.consumed.has(serial)) return false',
    replace: 'if (table === undefined) return false',
    story: 'a proposal that comes again is judged again',
    promise: 'L11',
  },
  {
    name: 'a-join-rejects-everything',
    room: 'store',
    file: 'src/store/store.ts',
    find: "if (!this.#ownership.ownedSince(proposer, judged, group)) return 'not-owner'",
    replace: "if (this.#ownership.serving.version !== judged) return 'not-owner'",
    story: 'one epoch for all groups: each join rejects the commits of groups that stay',
    promise: 'C8',
  },
  {
    name: 'cancelled-timer-fires',
    room: 'store',
    file: 'src/store/groups.ts',
    find: `    for (const id of commit.cancels) this.#timers.cancel(group, id)
`,
    replace: '',
    story: 'a timer fires although its cancel came first',
    promise: 'C5',
  },
  {
    name: 'timer-fires-twice',
    room: 'store',
    file: 'src/store/timers.ts',
    find: "'a timer that is due'))\n    this.cancel(timer.group, timer.id)\n",
    replace: "'a timer that is due'))\n",
    story: 'two pulses for one deadline',
    promise: 'C5',
  },
  {
    name: 'judged-not-checked',
    room: 'store',
    file: 'src/store/store.ts',
    find: 'if (!this.#ownership.ownedSince(proposer, judged, group)) return',
    replace: 'if (ownerUnder(this.#ownership.serving, group) !== proposer) return',
    story: 'a group moves away and back: a commit from before is accepted, though its input was given away',
    promise: 'C8',
    schedule: 'moved-and-back',
  },
  {
    name: 'onto-not-checked',
    room: 'store',
    file: 'src/store/groups.ts',
    find: `    if (onto !== 0 && (record === null || record.by !== proposer || record.serial !== onto)) return false
`,
    replace: '',
    story: "a pulse's +1 stands in for the +1 of a fallen commit: half a pipeline is accepted (docs/decisions/0011)",
    promise: 'L11',
    schedule: 'pulse-in-the-pipeline',
  },
  {
    name: 'deadlines-move-at-an-election',
    room: 'store',
    file: 'src/store/store.ts',
    find: `Applied {
    this.applyNoOp(at)`,
    replace: `Applied {
    this.#appliedIndex = at`,
    also: [
      {
        find: `'entries are applied in order')
    this.#appliedIndex = at`,
        replace: `'entries are applied in order')
    this.#appliedIndex = at
    this.#groups.moveTimers()`,
      },
      {
        file: 'src/store/groups.ts',
        find: '  view(key: GroupKey): GroupView | null {',
        replace: `  moveTimers(): void {
    for (const group of [...this.#index.groups()].sort()) {
      for (const timer of this.#timers.of(group)) {
        this.#timers.set(group, { ...timer, deadline: plus(timer.deadline, 1_000_000 as Duration) })
      }
    }
  }

  view(key: GroupKey): GroupView | null {`,
      },
    ],
    story: "each term's first entry computes the deadlines anew: they move by the time of the election",
    promise: 'C5',
  },
  {
    name: 'time-from-the-wall-clock',
    room: 'timer',
    file: 'src/timer/cluster-clock.ts',
    find: 'if (this.#leading) this.#anchor = this.#advanced(this.#anchor, now)',
    replace: 'if (this.#leading) this.#anchor = { cluster: wall, at: now }',
    story: "cluster time is the leader's wall clock: one that jumps fires every timer, or none",
    promise: 'C5',
  },
  {
    name: 'time-from-one-bad-clock',
    room: 'timer',
    file: 'src/timer/cluster-clock.ts',
    find: ': plus(stamp(now), median(this.#walled().known))',
    replace: ': plus(stamp(now), this.#walled().known.at(-1) ?? micros(0))',
    story: 'after a restart of all, cluster time is the wall clock that is farthest ahead',
    promise: 'C5',
  },
  {
    name: 'time-leaps-at-a-leader-change',
    room: 'timer',
    file: 'src/timer/cluster-clock.ts',
    find: 'this.#anchor = { cluster: stamp(Math.max(latest, lastStamp)), at: now }',
    replace: 'this.#anchor = { cluster: wall, at: now }',
    story: 'a new leader begins with its own wall clock',
    promise: 'C5',
  },
  {
    name: 'time-steps-back-with-its-leader',
    room: 'timer',
    file: 'src/timer/cluster-clock.ts',
    find: 'if (this.#leading) this.#anchor = this.#advanced(this.#anchor, now)',
    replace:
      'if (this.#leading) this.#anchor = { cluster: stamp(Math.min(wall, this.#anchor.cluster + between(this.#anchor.at, now))), at: now }',
    also: [
      {
        find: `    if (time > this.#floor) this.#floor = time
    return this.#floor`,
        replace: '    return time',
      },
      {
        file: 'src/store/store.ts',
        find: 'if (stamp > this.#lastStamp) this.#lastStamp = stamp',
        replace: 'this.#lastStamp = stamp',
      },
    ],
    story: "the leader's wall clock steps back an hour, and cluster time with it: nothing fires for an hour",
    promise: 'C5',
  },
  {
    name: 'lowest-open-not-checked',
    room: 'store',
    file: 'src/store/serials.ts',
    find: 'serial < table.lowest || table.consumed.has(serial)',
    replace: 'table.consumed.has(serial)',
    story: 'a proposal that is replayed long after its end is judged again: it may revive a group that was deleted',
    promise: 'L11',
    schedule: 'late-proposals',
  },
  {
    name: 'done-intent-stays-open',
    room: 'store',
    file: 'src/store/groups.ts',
    find: `    for (const id of commit.done) this.#intents.done(group, id)
`,
    replace: '',
    story: 'an intent that is done stays open: the next owner performs it again',
    promise: 'C3',
    schedule: 'every-flow',
  },
]
