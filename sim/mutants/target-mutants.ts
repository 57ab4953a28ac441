// Planted bugs of how a request finds its session (docs/decisions/0035-targeting.md).

import type { Mutant } from './mutant.ts'

export const targetMutants: readonly Mutant[] = [
  {
    name: 'alias-not-committed',
    room: 'call',
    file: 'src/call/alias.ts',
    find: "  putAlias(turn, { kind: 'alias', ...to, isDoubted: false })\n  turn.passOn(ref, to)",
    replace: '  turn.passOn(ref, to)',
    story: 'nothing in the log says that a Call-ID is another group’s: what follows its INVITE is lost',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'alias-lost-with-its-owner',
    room: 'call',
    file: 'src/call/group.ts',
    find: '  for (const entity of view?.entities ?? []) {\n',
    replace: "  for (const entity of view?.entities ?? []) {\n    if (entity.id === 'alias') continue\n",
    story:
      'who loads a group does not see its alias: only the owner that made it knows, as long as it has that in memory',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'alias-goes-too-early',
    room: 'call',
    file: 'src/call/alias.ts',
    find: 'if (!isThere && alias.isDoubted) turn.delete',
    replace: 'if (!isThere || !alias.isDoubted) turn.delete',
    also: [
      {
        find: '  putAlias(turn, {',
        replace: '  turn.setTimer(LOOK, 200_000 as never, null)\n  putAlias(turn, {',
      },
      {
        find: '  turn.put(ALIAS, alias)\n  turn.setTimer(LOOK, timers.sixtyFourT1, null)',
        replace: '  turn.put(ALIAS, alias)',
      },
    ],
    story: 'an alias goes after 0.2 s, while the session that it leads to is there: a CANCEL finds nothing',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'cancel-does-not-follow-the-alias',
    room: 'call',
    file: 'src/call/alias.ts',
    find: '  if (alias !== null && mayGoOn(turn, input)) {',
    replace:
      "  if (alias !== null && mayGoOn(turn, input) && !(message.kind === 'request' && message.method === 'CANCEL')) {",
    story: 'only requests that begin something are passed on to the group that an alias names',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'passed-on-is-forgotten',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: '    this.#keeper.takeBack(kept)\n    this.#again.add(kept)\n  }\n',
    replace: '    this.#keeper.handled(number)\n  }\n',
    story: 'a keeper that hears that a message is another group’s forgets it',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'destination-not-passed',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: '      data: kept.data,\n      to: kept.to,',
    replace: '      data: kept.data,\n      to: null,',
    story: 'a message for another group goes to that one’s owner, who is not told so: it goes in a circle',
    promise: 'C2',
    schedule: 'keys',
  },
  {
    name: 'key-of-one-call',
    room: 'app',
    file: 'src/app/targeting.ts',
    find: 'groupOfKey(turn.ctx.keys, name, result)',
    replace: 'groupOfKey(turn.ctx.keys, name, result + turn.key)',
    story: 'each call that has the key gets a session of its own',
    promise: 'C4',
    schedule: 'keys',
  },
  {
    name: 'key-not-kept',
    room: 'app',
    file: 'src/app/initial.ts',
    find: "key: key === '' ? null : key, chain,",
    replace: "key: key === '' ? null : null, chain,",
    story: 'a session does not know the key that led to it',
    promise: 'C4',
    schedule: 'keys',
  },
]
