// Planted bugs of sets with two releases (docs/UPGRADING.md).

import type { Mutant } from './mutant.ts'

export const formatMutants: readonly Mutant[] = [
  {
    name: 'raised-too-early',
    room: 'replica',
    file: 'src/replica/upgrade.ts',
    find: 'links.newestFormat(member) > store.format',
    replace: 'links.newestFormat(member) >= 0',
    story: 'a leader raises the format before all members read the next one',
    promise: 'formats',
    schedule: 'rolling-upgrade',
  },
  {
    name: 'raised-while-one-is-down',
    room: 'replica',
    file: 'src/replica/upgrade.ts',
    find: 'member !== id && !isReady(member)',
    replace: 'member !== id && links.isUp(member) && !isReady(member)',
    story: 'a leader does not wait for members that are down, whatever they will come back with',
    promise: 'formats',
    schedule: 'rolling-upgrade',
  },
  {
    name: 'frames-in-the-newest-format',
    room: 'replica',
    file: 'src/replica/links.ts',
    find: 'return this.sendBytes(to, encodeFrame(frame, this.#format), this.#self)',
    replace: 'return this.sendBytes(to, encodeFrame(frame, 2), this.#self)',
    story: "frames are written in the newest format that their sender knows, not in the set's",
    promise: 'formats',
    schedule: 'rolling-upgrade',
  },
  {
    name: 'records-in-the-newest-format',
    room: 'replica',
    file: 'src/replica/log-port.ts',
    find: "records.push(encodeRecord({ kind: 'entry', entry }, format))",
    replace: "records.push(encodeRecord({ kind: 'entry', entry }, 2))",
    story: 'the log on disk is written in the newest format at once: a release that is rolled back does not start',
    promise: 'formats',
    schedule: 'rolling-upgrade',
  },
  {
    name: 'format-not-in-the-snapshot',
    room: 'store',
    file: 'src/store/store.ts',
    find: '    this.#writes(known)\n    return null',
    replace: '    return null',
    also: [{ find: 'return part.hash === this.hash() ? null :', replace: 'return part.hash !== null ? null :' }],
    story: 'who starts from a snapshot writes the first format again',
    promise: 'L6',
    schedule: 'behind-the-log',
  },
]
