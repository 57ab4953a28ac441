// Planted bugs of INVITEs that fork (docs/decisions/0024-forking.md).

import type { Mutant } from './mutant.ts'

export const forkMutants: readonly Mutant[] = [
  {
    name: 'late-forked-answer-dropped',
    room: 'call',
    file: 'src/call/invite-response.ts',
    find: 'else if (status >= 200 && status < 300 && open) onFirstSuccess',
    replace: "else if (status >= 200 && status < 300 && open && found.value.state === 'proceeding') onFirstSuccess",
    story:
      'the 2xx of a fork is dropped when another one has answered: nobody acknowledges it, and nobody hangs up there',
    promise: 'C1',
    schedule: 'forks',
  },
  {
    name: 'one-branch-for-all-forks',
    room: 'proxy',
    file: 'src/proxy/branch.ts',
    find: '${number} ${name} ${place.ordinal} ${place.attempt}',
    replace: '${number} ${name} ${place.attempt}',
    story: 'all forks of an INVITE go under one branch: who answers, and who is cancelled, is anybody',
    promise: 'C4',
    schedule: 'forks',
  },
  {
    name: 'other-forks-not-cancelled',
    room: 'call',
    file: 'src/call/invite-response.ts',
    find: '  turn.put(id, cancelBranches(turn, id, accepted))\n',
    replace: '',
    story: 'a 2xx does not cancel the other forks: they ring on',
    promise: 'C10',
    schedule: 'forks',
  },
  {
    name: 'first-failure-is-the-best',
    room: 'proxy',
    file: 'src/proxy/best-response.ts',
    find: 'if (isBefore(rankOf(failure.status), rankOf(best.status))) best = failure',
    replace: 'if (best === undefined) best = failure',
    story: 'the failure of the first target goes upstream, whatever the others said',
    promise: 'C2',
    schedule: 'forks',
  },
  {
    name: 'failure-of-a-fork-goes-up',
    room: 'call',
    file: 'src/call/invite-failure.ts',
    find: '  if (record.branches.some(isOpen)) turn.put(id, record)\n  else finish(turn, id, record)',
    replace: '  finish(turn, id, record)',
    story: 'the first failure of a fork goes upstream while the others ring',
    promise: 'C2',
    schedule: 'forks',
  },
  {
    name: 'cancelled-hunt-goes-on',
    room: 'call',
    file: 'src/call/branches.ts',
    find: "    if (branch.state === 'waiting') value = withBranch(value, branch.id, { state: 'terminated' })\n",
    replace: '',
    story: 'a CANCEL stops who rings, and the next target is called',
    promise: 'C2',
    schedule: 'forks',
  },
]
