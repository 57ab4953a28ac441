// Planted bugs of what goes on to another place: failover and redirections (docs/decisions/0029-routing.md).

import type { Mutant } from './mutant.ts'

export const routingMutants: readonly Mutant[] = [
  {
    name: 'redirect-followed-again',
    room: 'call',
    file: 'src/call/invite-response.ts',
    find: 'else if (status >= 300 && open) onFailure',
    replace: "else if (status >= 300 && (open || (status === 302 && found.value.state === 'proceeding'))) onFailure",
    also: [
      {
        file: 'src/call/redirect.ts',
        find: 'const known = sent.flatMap(',
        replace: 'const known = sent.slice(0, 1).flatMap(',
      },
    ],
    story: 'a 302 that comes again, to the next owner perhaps, is followed again: its contact is called twice',
    promise: 'C3',
    schedule: 'routing',
  },
  {
    name: 'tried-uri-tried-again',
    room: 'call',
    file: 'src/call/redirect.ts',
    find: 'if (uri !== null && known.some((one) => equalUris(one, uri))) continue',
    replace: 'if (uri !== null && known.length === 0) continue',
    story: 'a redirection leads to a URI that was tried: two that point at each other ring in turn',
    promise: 'C3',
    schedule: 'routing',
  },
  {
    name: 'next-place-under-the-first-branch',
    room: 'call',
    file: 'src/call/forward.ts',
    find: 'return { ordinal: 1, attempt: n + 1, ...(n < others.length',
    replace: 'return { ordinal: 1, attempt: 1, ...(n < others.length',
    story:
      'the next place of a target gets the request under the branch of the first one, whose answers are then taken for its own',
    promise: 'C4',
    schedule: 'routing',
  },
  {
    name: 'place-given-up-answers',
    room: 'call',
    file: 'src/call/relay.ts',
    find: 'response.status === 503 && isAsked(relay) && tryNextPlace(turn, relay)',
    replace: 'response.status === 599 && isAsked(relay) && tryNextPlace(turn, relay)',
    story: 'the 503 of one place is the answer of all of them',
    promise: 'C10',
    schedule: 'routing',
  },
  {
    name: 'unknown-place-answers',
    room: 'call',
    file: 'src/call/relay.ts',
    find: 'if ((response.status === 503 && isOfFollowed(response)) ||',
    replace: 'if ((response.status === 599 && isOfFollowed(response)) ||',
    story: 'the 503 of one place that comes to another owner ends the call, though it has other places',
    promise: 'C10',
    schedule: 'routing',
  },
  {
    name: 'redirect-followed-after-cancel',
    room: 'call',
    file: 'src/call/redirect.ts',
    find: "return value.state === 'proceeding' && !value.cancelled && branch.cancel === null && value.dialog === ''",
    replace: "return value.state === 'proceeding' && value.dialog === ''",
    story: 'a redirection is followed for a caller that has given up',
    promise: 'C2',
    schedule: 'routing',
  },
  {
    name: 'redirect-called-before-its-commit',
    room: 'call',
    file: 'src/call/branches.ts',
    find: '  turn.sendAfter(branch.hop, text, what.invite(branch.id))\n  return { client',
    replace:
      '  if (branch.ordinal > 1) turn.send(branch.hop, text, what.invite(branch.id))\n  else turn.sendAfter(branch.hop, text, what.invite(branch.id))\n  return { client',
    story:
      'whom a redirection or a group led to is called before the log has that: an owner that dies then leaves a call that nobody knows',
    promise: 'L12',
    schedule: 'routing',
  },
]
