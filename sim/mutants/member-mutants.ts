// Planted bugs of a set that changes.

import type { Mutant } from './mutant.ts'

const schedule = 'changing-set'

export const memberMutants: readonly Mutant[] = [
  {
    name: 'joint-for-ever',
    room: 'raft',
    file: 'src/raft/reconfigure.ts',
    find: 'if (latest.autoLeave) proposeLeaveJoint(core, lead)',
    replace: '',
    story: 'a joint configuration is never left',
    promise: 'C10',
    schedule,
  },
  {
    name: 'handed-over-too-early',
    room: 'raft',
    file: 'src/raft/transfer.ts',
    find: 'if (transfer === null || transfer.asked || lead.peers.get(transfer.to)?.match !== core.log.last) return',
    replace: 'if (transfer === null || transfer.asked) return',
    story: 'leadership is handed to one that has not all of the log',
    promise: 'L8',
  },
]
