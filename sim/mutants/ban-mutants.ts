// Planted bugs of banned sources (docs/decisions/0030).

import type { Mutant } from './mutant.ts'

export const banMutants: readonly Mutant[] = [
  {
    name: 'ban-list-read-once',
    room: 'replica',
    file: 'src/replica/bans.ts',
    find: '    if (isOurs) this.#list = null\n',
    replace: '    void isOurs\n',
    story: 'a replica goes by the list that it read first: what is banned later is heard',
    promise: 'bans',
    schedule: 'bans',
  },
  {
    name: 'list-of-a-snapshot-not-read',
    room: 'replica',
    file: 'src/replica/bans.ts',
    find: '  storeReplaced(): void {\n    this.#list = null\n  }',
    replace: '  storeReplaced(): void {}',
    story: 'who gets a snapshot goes on by the list that it had',
    promise: 'bans',
    schedule: 'bans',
  },
  {
    name: 'banned-answers-taken',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: 'if (this.#ports.bans.isBanned(flow.host)) {',
    replace: "if (this.#ports.bans.isBanned(flow.host) && !data.startsWith('SIP/2.0 ')) {",
    story: 'the answers of a banned source are taken',
    promise: 'bans',
    schedule: 'bans',
  },
  {
    name: 'unbanned-before-the-commit',
    room: 'call',
    file: 'src/call/bans.ts',
    find: '  turn.handledAfter(ref)',
    replace: "  if (change.kind === 'unban') turn.handled(ref)\n  else turn.handledAfter(ref)",
    story: 'an operator is told that a source is free before that is committed: its owner dies, and it stays banned',
    promise: 'L11',
    schedule: 'bans',
  },
  {
    name: 'ban-of-no-end-runs-out',
    room: 'call',
    file: 'src/call/bans.ts',
    find: 'if (change.after === null) turn.cancelTimer(timerOf(source))\n    else turn',
    replace: 'if (change.after !== null) turn',
    story: 'who bans a source for good that was banned for a while leaves its timer: it ends the ban',
    promise: 'L11',
    schedule: 'bans',
  },
]
