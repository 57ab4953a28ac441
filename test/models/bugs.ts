// Bugs planted in consensus and in the log on disk, each found by the model it is for (decision 0005: patches of the source).

import type { Mutant } from '../../sim/mutants/mutant.ts'
import type { ModelName } from './model.ts'

type Bug = Mutant & { readonly promise: ModelName }

const logBugs: readonly Bug[] = [
  {
    name: 'hint-below-its-term',
    room: 'raft',
    file: 'src/raft/log.ts',
    find: '.term <= limit) low = middle',
    replace: '.term < limit) low = middle',
    story: 'a hint passes over the entries of its own term',
    promise: 'log',
  },
  {
    name: 'compaction-takes-one-more',
    room: 'raft',
    file: 'src/raft/log.ts',
    find: 'const kept = this.tail(index(to + 1))',
    replace: 'const kept = this.tail(index(to + 2))',
    story: 'an entry that no snapshot has goes with those before it',
    promise: 'log',
  },
  {
    name: 'handed-out-without-bound',
    room: 'raft',
    file: 'src/raft/log.ts',
    find: 'Number.POSITIVE_INFINITY, bytes - waiting)',
    replace: 'Number.POSITIVE_INFINITY, bytes)',
    story: 'what is handed out and not applied doubles the bound on bytes',
    promise: 'log',
  },
  {
    name: 'longer-log-wins',
    room: 'raft',
    file: 'src/raft/log.ts',
    find: 'lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last)',
    replace: 'lastTerm >= this.lastTerm && lastIndex >= this.last',
    story: 'a later last term does not make a log more up to date (5.4.1)',
    promise: 'log',
  },
]

const progressBugs: readonly Bug[] = [
  {
    name: 'window-frees-too-little',
    room: 'raft',
    file: 'src/raft/inflights.ts',
    find: 'last > at)',
    replace: 'last >= at)',
    story: 'an acknowledged append stays in the window',
    promise: 'progress',
  },
  {
    name: 'lost-append-never-missed',
    room: 'raft',
    file: 'src/raft/progress.ts',
    find: 'if (this.#match < last) this.#due = true',
    replace: 'if (this.#match < last) this.#due = false',
    story: 'a full window whose appends were lost stays full for ever',
    promise: 'progress',
  },
  {
    name: 'late-rejection-taken',
    room: 'raft',
    file: 'src/raft/progress.ts',
    find: 'if (at !== this.#next - 1) return\n',
    replace: '',
    also: [{ find: 'Math.max(Math.min(at, hint + 1), this.#match + 1)', replace: 'at + 2' }],
    story: 'a rejection of something else moves the next entry beyond the log',
    promise: 'progress',
  },
  {
    name: 'snapshot-taken-for-arrived',
    room: 'raft',
    file: 'src/raft/progress.ts',
    find: "this.#become('snapshot', index(Math.max(at, this.#match) + 1))",
    replace:
      "this.#become('snapshot', index(Math.max(at, this.#match) + 1))\n    this.#match = index(Math.max(at, this.#match))",
    story: 'a snapshot that was sent counts as there',
    promise: 'progress',
  },
]

const configurationBugs: readonly Bug[] = [
  {
    name: 'half-is-a-quorum',
    room: 'raft',
    file: 'src/raft/quorum.ts',
    find: 'return Math.floor(count / 2) + 1',
    replace: 'return Math.floor((count + 1) / 2)',
    story: 'half of an even set is a majority',
    promise: 'quorum',
  },
  {
    name: 'one-half-commits',
    room: 'raft',
    file: 'src/raft/quorum.ts',
    find: 'Math.min(incoming, majorityValue(voters.outgoing, valueOf))',
    replace: 'Math.max(incoming, majorityValue(voters.outgoing, valueOf))',
    story: 'in a joint configuration one half is enough to commit',
    promise: 'quorum',
  },
  {
    name: 'one-half-elects',
    room: 'raft',
    file: 'src/raft/quorum.ts',
    find: "incoming === 'won' && outgoing === 'won'",
    replace: "incoming === 'won' || outgoing === 'won'",
    story: 'in a joint configuration one half is enough to win a vote',
    promise: 'quorum',
  },
  {
    name: 'two-at-once',
    room: 'raft',
    file: 'src/raft/conf-change.ts',
    find: 'wanted.changes.length < 2',
    replace: 'wanted.changes.length < 3',
    story: 'two voters change at once without a joint configuration (4.1)',
    promise: 'configurations',
  },
  {
    name: 'learner-with-a-vote',
    room: 'raft',
    file: 'src/raft/conf-change.ts',
    find: '(outgoing.includes(replica) ? learnersNext : learners).add(replica)',
    replace: 'learners.add(replica)',
    story: 'a voter of the outgoing half is a learner already',
    promise: 'configurations',
  },
  {
    name: 'cut-off-change-stays',
    room: 'raft',
    file: 'src/raft/membership.ts',
    find: 'while (this.#last.index >= from',
    replace: 'while (this.#last.index > from',
    story: 'a configuration that was cut off the log stays in force',
    promise: 'configurations',
  },
]

const diskBugs: readonly Bug[] = [
  {
    name: 'damage-taken-for-torn',
    room: 'wire',
    file: 'src/wire/segment.ts',
    find: ' && !hasLaterBatch(segment, end)',
    replace: '',
    story: 'what was synced before a later write is cut off as if it never had been',
    promise: 'crash images',
  },
  {
    name: 'payload-unchecked',
    room: 'wire',
    file: 'src/wire/segment.ts',
    find: 'if (other !== 0) return bad(stop',
    replace: 'if (other < 0 && other > 0) return bad(stop',
    story: "a record's payload is taken as it is",
    promise: 'crash images',
  },
  {
    name: 'head-unchecked',
    room: 'wire',
    file: 'src/wire/segment.ts',
    find: 'return view.getUint32(at + 12, true) === checksum(file.subarray(at, at + 12), 0)',
    replace: 'return true',
    story: 'a flipped length makes a record end behind the file, and counts as torn',
    promise: 'crash images',
  },
  {
    name: 'torn-in-the-middle',
    room: 'wire',
    file: 'src/wire/recovery.ts',
    find: '(reading.fault.torn && isLast)',
    replace: 'reading.fault.torn',
    story: 'a segment that was cut short is read, although others follow it',
    also: [{ find: 'title.previous === (before?.crc ?? 0) ||', replace: 'title.previous >= 0 ||' }],
    promise: 'crash images',
  },
  {
    name: 'cut-one-record-early',
    room: 'wire',
    file: 'src/wire/recovery.ts',
    find: 'i < reading.payloads.length; i++) records.push(',
    replace: 'i < reading.payloads.length - (reading.fault === null ? 0 : 1); i++) records.push(',
    story: 'the record before a torn one is forgotten',
    promise: 'crash images',
  },
  {
    name: 'snapshot-unchecked',
    room: 'wire',
    file: 'src/wire/snapshot-file.ts',
    find: 'if (this.#crc !== view.getUint32(at + 8, true)) return',
    replace: 'if (this.#crc < 0) return',
    story: "a flipped bit of a snapshot is told late, and not where, by the store's hash",
    promise: 'crash images',
  },
  {
    name: 'short-snapshot',
    room: 'host',
    file: 'src/host/snapshot-files.ts',
    find: "if (part?.ok !== true || part.value.kind !== 'end') throw",
    replace: 'if (part?.ok !== true) throw',
    story: 'a snapshot that was cut after a part is told without its place',
    promise: 'crash images',
  },
]

export const bugs: readonly Bug[] = [...logBugs, ...progressBugs, ...configurationBugs, ...diskBugs]
