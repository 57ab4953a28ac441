// Planted bugs of snapshots. A configuration missing in one is none of them yet: all replicas are told the same voters at each
// start, and nothing changes them.

import type { Mutant } from './mutant.ts'

/** A restored store is compared with the hash of the one that was cut: that alone must not be what finds the bug. */
const unchecked = {
  file: 'src/store/store.ts',
  find: 'return part.hash === this.hash() ? null :',
  replace: 'return part.hash !== null ? null :',
} as const

export const snapshotMutants: readonly Mutant[] = [
  {
    name: 'versions-not-in-the-snapshot',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'this.#put(key, entity)',
    replace: 'this.#put(key, { ...entity, version: 1 })',
    also: [unchecked],
    story: 'entities come out of a snapshot as if they were new',
    promise: 'L6',
    schedule: 'behind-the-log',
  },
  {
    name: 'serials-not-in-the-snapshot',
    room: 'store',
    file: 'src/store/store.ts',
    find: '    this.#serials.restore(serials)\n',
    replace: '    this.#serials.restore(serials.slice(0, 0))\n',
    also: [unchecked],
    story: 'which commits were judged is forgotten by whoever starts from a snapshot',
    promise: 'L6',
    schedule: 'behind-the-log',
  },
  {
    name: 'snapshot-of-two-moments',
    room: 'store',
    file: 'src/store/groups.ts',
    find: '    this.#cursor?.before(group)\n    this.#setRecord(group, { version: commit',
    replace: '    this.#setRecord(group, { version: commit',
    also: [unchecked],
    story: 'a group that changes while a snapshot is cut is in it as it is, not as it was',
    promise: 'L6',
    schedule: 'behind-the-log',
  },
  {
    name: 'snapshot-acknowledged-too-soon',
    room: 'replica',
    file: 'src/replica/log-port.ts',
    find: `    if (this.#held === null) this.#ports.outbox.push(persist)
    else this.#held.push(persist)`,
    replace: '    this.#ports.outbox.push(persist)',
    story: "a leader's snapshot counts as durable, and entries follow it on disk, while it is still being written",
    promise: 'L2',
    schedule: 'behind-the-log',
  },
  {
    name: 'rotation-without-the-suffix',
    room: 'replica',
    file: 'src/replica/own-snapshots.ts',
    find: "      ...entries.map((entry) => ({ kind: 'entry', entry }) as const),\n",
    replace: "      ...entries.slice(0, 0).map((entry) => ({ kind: 'entry', entry }) as const),\n",
    story: 'the segment that follows a snapshot lacks what was appended and not applied when it began',
    promise: 'L2',
    schedule: 'behind-the-log',
  },
  {
    name: 'rotation-without-the-vote',
    room: 'replica',
    file: 'src/replica/own-snapshots.ts',
    find: "      { kind: 'state', state } as const,\n",
    replace: "      { kind: 'state', state: { ...state, vote: null } } as const,\n",
    story: 'the segment that follows a snapshot forgets for whom this replica voted',
    promise: 'L1',
    schedule: 'behind-the-log',
  },
  {
    name: 'nothing-given-back-at-an-install',
    room: 'replica',
    file: 'src/replica/replica.ts',
    find: '    this.#passing.giveBack()\n',
    replace: '',
    story: 'who gets a snapshot forgets what was passed to it, and tells nobody',
    promise: 'C2',
    schedule: 'broken-links-behind-the-log',
  },
  {
    name: 'torn-rotation-cuts-the-log',
    room: 'replica',
    file: 'src/replica/restore.ts',
    find: 'if (entry.index <= start || entries[entry.index - start - 1]?.term === entry.term) break',
    replace: 'if (entry.index <= start) break',
    story: 'a crash within a rotation takes entries with it that were durable before it',
    promise: 'L2',
    schedule: 'behind-the-log',
  },
]
