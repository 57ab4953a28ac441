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
  {
    name: 'half-of-a-joint-commits',
    room: 'raft',
    file: 'src/raft/quorum.ts',
    find: 'Math.min(incoming, majorityValue(voters.outgoing, valueOf))',
    replace: 'Math.max(incoming, majorityValue(voters.outgoing, valueOf))',
    story: 'what one half of a joint configuration has is committed',
    promise: 'L4',
    schedule,
  },
  {
    name: 'half-of-a-joint-elects',
    room: 'raft',
    file: 'src/raft/quorum.ts',
    find: "return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending'",
    replace: "return incoming === 'won' || outgoing === 'won' ? 'won' : 'pending'",
    story: 'one half of a joint configuration elects a leader',
    promise: 'L8',
    schedule,
  },
  {
    name: 'learner-acknowledges',
    room: 'raft',
    file: 'src/raft/leader.ts',
    find: '(id === core.id ? disk.stable : (lead.peers.get(id)?.match ?? 0))',
    replace: `(
      id === core.id
        ? disk.stable
        : Math.max(0, ...[...lead.peers].filter(([peer]) => peer % 1_000 === id % 1_000).map(([, { match }]) => match))
    )`,
    story: 'acknowledgements are counted by place: a learner counts for the voter whose place it is to take',
    promise: 'L4',
    schedule,
  },
  {
    name: 'learner-votes',
    room: 'raft',
    file: 'src/raft/election.ts',
    find: 'for (const to of otherVoters(core)) send(core,',
    replace: 'for (const to of otherMembers(core)) send(core,',
    also: [
      { find: '  otherVoters,\n', replace: '  otherMembers,\n' },
      {
        find: 'const result = outcome(votersOf(core), (id) => votes.get(id))',
        replace:
          'const result = outcome(votersOf(core), (id) => votes.get(id) ?? votes.get((id + 1_000) as ReplicaId))',
      },
    ],
    story: 'learners are asked for their vote, and it counts for the voter whose place they are to take',
    promise: 'L9',
    schedule: 'newcomers',
  },
  {
    name: 'second-change-while-one-is-pending',
    room: 'raft',
    file: 'src/raft/reconfigure.ts',
    find: "return core.membership.latestIndex > core.log.commit ? 'pending' : null",
    replace: 'return null',
    also: [
      {
        file: 'src/replica/members.ts',
        find: 'if (status.configurationIndex > status.commit || status.transferee !== null) continue',
        replace: 'if (status.transferee !== null) continue',
      },
    ],
    story: 'a second change of the set begins while the first is not committed',
    promise: 'L8',
    schedule: 'newcomers',
  },
  {
    name: 'two-changes-in-one-step',
    room: 'raft',
    file: 'src/raft/conf-change.ts',
    find: "const isSimple = wanted.transition === 'auto' && wanted.changes.length < 2",
    replace: "const isSimple = wanted.transition === 'auto'",
    story: 'a voter is replaced by another without a joint configuration between',
    promise: 'L8',
    schedule,
  },
  {
    name: 'restart-forgets-the-configuration',
    room: 'raft',
    file: 'src/raft/core.ts',
    find: 'membership.append(entries)\n  const log',
    replace: 'const log',
    story: 'who starts again has the configuration of its beginning, not that of its log',
    promise: 'L2',
    schedule,
  },
  {
    name: 'snapshot-without-its-configuration',
    room: 'raft',
    file: 'src/raft/follower.ts',
    find: 'core.membership.restore(snapshot.index, snapshot.configuration)',
    replace: 'core.membership.restore(snapshot.index, core.membership.latest)',
    story: "who gets a snapshot keeps the configuration that it had, instead of the snapshot's",
    promise: 'L6',
    schedule,
  },
  {
    name: 'old-identity-for-a-new-disk',
    room: 'replica',
    file: 'src/replica/member-decisions.ts',
    find: 'generation: nextGeneration(row, rows), incarnation',
    replace: 'generation: Math.max(row.generation, row.gone + 1), incarnation',
    story: 'who comes with an empty disk is let in as the incarnation whose disk was lost',
    promise: 'L9',
    schedule,
  },
  {
    name: 'removed-ends-at-once',
    room: 'replica',
    file: 'src/replica/leaving.ts',
    find: 'if (this.#parts) this.#part()',
    replace: 'if (false) this.#part()',
    story: 'who leaves the set ends as soon as its sockets are closed, and does not vote until it is out',
    promise: 'L8',
    schedule,
  },
]
