// Bugs planted in the store, each found by the property that names what it breaks (decision 0005: patches of the source).

import type { Mutant } from '../../sim/mutants/mutant.ts'
import type { VersionProperty } from './properties.ts'

type Bug = Mutant & { readonly promise: VersionProperty }

export const bugs: readonly Bug[] = [
  {
    name: 'version-not-compared',
    room: 'store',
    file: 'src/store/groups.ts',
    find: '    if ((record?.version ?? 0) !== expected) return false\n',
    replace: '',
    also: [{ find: 'this.#versionOf(group, change) === change.expected', replace: 'true' }],
    story: 'a commit is applied on whatever version the group has: the last writer wins',
    promise: 'races',
  },
  {
    name: 'onto-not-compared',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'if (onto !== 0 && (',
    replace: 'if (onto < 0 && (',
    story: "a pulse's +1 stands in for a fallen commit's: half a pipeline is applied (decision 0011)",
    promise: 'pipelines',
  },
  {
    name: 'judged-under-the-newest-entry',
    room: 'store',
    file: 'src/store/ownership.ts',
    find: 'if (this.serving.version === judged) return true',
    replace: 'return true',
    story: 'a commit counts if its proposer owns the group now, although somebody else did meanwhile',
    promise: 'stale owners',
  },
  {
    name: 'ownership-not-looked-at',
    room: 'store',
    file: 'src/store/store.ts',
    find: `    if (this.#ownership.sinceOf(proposer) !== since) return 'not-owner'
    if (!this.#ownership.ownedSince(proposer, judged, group)) return 'not-owner'
`,
    replace: '',
    story: 'a commit of a replica that has lost its groups is accepted',
    promise: 'stale owners',
  },
  {
    name: 'serial-not-remembered',
    room: 'store',
    file: 'src/store/serials.ts',
    find: ' || table.consumed.has(serial)',
    replace: '',
    story: 'a proposal that comes again is applied again: a deleted group lives again',
    promise: 'replayed proposals',
  },
  {
    name: 'forgotten-serial-is-new',
    room: 'store',
    file: 'src/store/serials.ts',
    find: 'serial < table.lowest || ',
    replace: '',
    story: 'a serial below the lowest open one, which need not be remembered, counts as new',
    promise: 'replayed proposals',
  },
  {
    name: 'pulse-keeps-the-version',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'this.#setRecord(group, { ...record, version: record.version + 1 })',
    replace: 'this.#setRecord(group, record)',
    story: 'a timer changes a group, and its version stays',
    promise: 'versions',
  },
  {
    name: 'entity-keeps-the-version',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'version: expected + 1, stamp, bytes })',
    replace: 'version: Math.max(expected, 1), stamp, bytes })',
    story: 'an entity that is written again has the version that it had',
    promise: 'versions',
  },
  {
    name: 'deletes-after-a-refusal',
    room: 'store',
    file: 'src/store/store.ts',
    find: `    if (refusal !== null) return refusal
`,
    replace: `    if (refusal === 'version') {
      for (const ref of commit.deletes) if (this.group(group)?.entities.length) this.#groups.accept({ ...commit, deletes: [ref], puts: [] }, at, this.#lastStamp)
      return refusal
    }
    if (refusal !== null) return refusal
`,
    story: 'of a refused commit, the deletes are carried out',
    promise: 'whole',
  },
  {
    name: 'done-is-not-done',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'for (const id of commit.done) this.#intents.done(group, id)',
    replace: '',
    story: 'an intent stays open when its owner says that it is done',
    promise: 'whole',
  },
  {
    name: 'session-read-wrongly',
    room: 'session',
    file: 'src/session/sip-session.ts',
    find: `    callId: fields.text(),
    callerTag: fields.text(),`,
    replace: `    callerTag: fields.text(),
    callId: fields.text(),`,
    story: "a session that is read has its Call-ID and its caller's tag changed about",
    promise: 'whole',
  },
  {
    name: 'a-refusal-blocks-the-life',
    room: 'store',
    file: 'src/store/serials.ts',
    find: 'Math.max(lowestOpen, serial - WINDOW)',
    replace: 'Math.max(serial, serial - WINDOW)',
    story: 'a proposal that overtakes an earlier one of its life makes it a duplicate: its input is lost',
    promise: 'accepted',
  },
  {
    name: 'cancel-is-ignored',
    room: 'store',
    file: 'src/store/groups.ts',
    find: 'for (const id of commit.cancels) this.#timers.cancel(group, id)',
    replace: '',
    story: 'a timer fires after its cancel',
    promise: 'timers',
  },
  {
    name: 'timers-outlive-their-group',
    room: 'store',
    file: 'src/store/groups.ts',
    find: '    this.#timers.drop(group)\n',
    replace: '',
    story: 'a timer of a group that has ended fires in the one that has its name now',
    promise: 'timers',
  },
  {
    name: 'holds-outlive-their-group',
    room: 'store',
    file: 'src/store/groups.ts',
    find: '    this.#holds.drop(group)\n',
    replace: '',
    story: 'a counter stays up when the group that held it ends',
    promise: 'holds',
  },
  {
    name: 'serials-outside-the-store',
    room: 'store',
    file: 'src/store/serials.ts',
    find: 'readonly #tables = new Map<Life, Table>()',
    replace: 'readonly #tables = tables',
    also: [
      { find: 'export class Serials {', replace: 'const tables = new Map<Life, Table>()\n\nexport class Serials {' },
    ],
    story: 'what was consumed is kept in the module: the log, applied again, makes another store',
    promise: 'replay',
  },
  {
    name: 'short-stamps',
    room: 'wire',
    file: 'src/wire/codec.ts',
    find: 'view.setUint32(4, stamp % 0x1_0000_0000)',
    replace: 'view.setUint32(4, stamp & ~7)',
    story: "an entry's bytes have a rounder stamp than its proposer had: deadlines differ",
    promise: 'replay',
  },
]
