// The rare moments that the simulator must reach, or its silence means little (proof.md, "Coverage marks"). They are seen from
// outside, in inputs, effects, the log and the phones: the shipped code has no flags for them.

export interface Mark {
  readonly name: string
  readonly story: string
  /** Reached at least so often in 1,000 seeds: CI fails below. A fifth or less of what was measured when it was set. */
  readonly floor: number
}

export const marks = [
  // deaths
  { name: 'leader-died', story: 'the leader was killed', floor: 100 },
  { name: 'leader-died-proposing', story: 'the leader was killed with entries that were not committed yet', floor: 70 },
  {
    name: 'leader-died-answer-unsynced',
    story: 'the leader was killed between writing the commit of a 2xx and hearing that it is synced',
    floor: 10,
  },
  { name: 'died-electing', story: 'a replica was killed while it knew no leader', floor: 30 },
  { name: 'died-asleep', story: 'a process that had done nothing for 300 ms was killed', floor: 20 },
  { name: 'tail-lost', story: 'a death took all entries that were written and not synced', floor: 80 },
  { name: 'all-dead', story: 'no replica was alive', floor: 20 },
  // leadership
  { name: 'two-leaders', story: 'a replica became leader while the last one still took itself for it', floor: 100 },
  {
    name: 'deposed-proposing',
    story: 'a living leader lost its role with entries that were not committed',
    floor: 100,
  },
  { name: 'vote-refused', story: 'a vote or pre-vote was refused', floor: 600 },
  {
    name: 'append-refused',
    story: "a follower's log did not reach, or contradicted, what the leader sent",
    floor: 2_000,
  },
  { name: 'log-truncated', story: "a living replica's log got shorter: it contradicted the leader's", floor: 20 },
  { name: 'leader-slept', story: 'a leader did nothing for over a second and went on', floor: 100 },
  { name: 'clock-jumped-at-the-leader', story: "the leader's wall clock jumped by over a second", floor: 90 },
  // owners
  { name: 'takeover', story: "a group's owner changed", floor: 4_000 },
  { name: 'takeover-of-a-takeover', story: 'and changed again within two seconds', floor: 1_000 },
  { name: 'one-serves', story: 'a single replica was left in serving', floor: 100 },
  { name: 'serving-changed-twice', story: 'two serving entries were committed within 100 ms', floor: 100 },
  { name: 'barrier-asked', story: 'a stale replica asked for a read barrier', floor: 7_000 },
  { name: 'send-too-late', story: 'a send was past its not-after and came back', floor: 3 },
  { name: 'relayed-detached', story: 'a replica without a quorum relayed a request in a dialog', floor: 50 },
  { name: 'answer-relayed-detached', story: 'a replica without a quorum relayed a response', floor: 30 },
  // commits
  { name: 'built-on-an-open-commit', story: 'a commit was accepted on the one it was built on', floor: 800 },
  { name: 'rejected-version', story: 'a commit was rejected: its group had changed', floor: 10 },
  { name: 'rejected-not-owner', story: 'a commit was rejected: its proposer had lost the group', floor: 60 },
  { name: 'rejected-duplicate', story: 'a commit was rejected: it came again', floor: 80 },
  { name: 'pipeline-fell', story: 'a commit fell because the one it was built on had fallen', floor: 6 },
  // banned sources
  { name: 'banned', story: 'a source was banned', floor: 30 },
  { name: 'dropped-banned', story: 'a message came from a banned source', floor: 80 },
  { name: 'bans-crossed-a-takeover', story: 'the list of banned sources got another owner', floor: 20 },
  // timers
  { name: 'pulse-fired-several', story: 'one pulse fired more than one timer', floor: 2_000 },
  {
    name: 'timer-crossed-a-takeover',
    story: 'a timer fired in a group whose owner had changed since it was set',
    floor: 2_000,
  },
  // passing on
  { name: 'answer-at-a-stranger', story: 'a response reached a replica that does not own its call', floor: 7_000 },
  { name: 'cancel-at-a-stranger', story: 'so did a CANCEL', floor: 400 },
  { name: 'dealt-elsewhere', story: 'a datagram was repeated and reached another replica', floor: 900 },
  { name: 'passed-again', story: 'a kept message was passed to another owner', floor: 100 },
  { name: 'passed-on-twice', story: 'a message was passed on by one that it was passed to', floor: 200 },
  { name: 'passed-in-a-circle', story: 'a passed message was given back: views differed', floor: 7 },
  {
    name: 'by-way-of-the-leader',
    story: 'two replicas without a link reached each other by way of the leader',
    floor: 300,
  },
  // snapshots
  { name: 'snapshot-finished', story: 'a replica compacted its log behind a snapshot of its own', floor: 4_000 },
  { name: 'snapshot-abandoned', story: 'it gave one up', floor: 1 },
  { name: 'started-from-a-snapshot', story: 'a start went on from a snapshot', floor: 90 },
  { name: 'snapshot-sent', story: 'a leader sent one to a follower behind its log', floor: 100 },
  { name: 'snapshot-in-pieces', story: 'in more than one piece', floor: 50 },
  { name: 'snapshot-installed', story: 'a follower took it for its own', floor: 80 },
  { name: 'died-cutting', story: 'a replica was killed while it wrote its own', floor: 4 },
  { name: 'died-receiving', story: "or a leader's", floor: 4 },
  { name: 'died-installing', story: 'or between taking it in memory and its being durable', floor: 4 },
  { name: 'died-sending', story: 'or while it sent one', floor: 1 },
  { name: 'deposed-sending', story: 'a leader lost its role while it sent one', floor: 2 },
  // who comes and goes
  { name: 'replica-added', story: 'a place more had a vote', floor: 40 },
  { name: 'replica-removed', story: 'a place had none any more', floor: 20 },
  { name: 'replica-replaced', story: 'another incarnation voted for a place', floor: 40 },
  { name: 'added-during-a-re-invite', story: 'a place more had a vote while a re-INVITE was open', floor: 4 },
  { name: 'leader-leaves', story: 'a leader learned that it is to leave the set', floor: 4 },
  { name: 'leader-leaves-with-calls', story: 'so it did while calls were up', floor: 1 },
  { name: 'leadership-handed-over', story: 'a leader asked another one to lead', floor: 100 },
  { name: 'died-leaving', story: 'a replica was killed that was to leave, and had a vote still', floor: 15 },
  { name: 'snapshot-for-a-newcomer', story: 'a leader sent a snapshot to one that had no vote yet', floor: 30 },
  // releases
  { name: 'two-releases', story: 'a replica started beside one of another release', floor: 150 },
  { name: 'upgraded', story: 'a replica came back with a release that reads a newer format', floor: 30 },
  { name: 'rolled-back', story: 'or with an older release', floor: 10 },
  { name: 'format-raised', story: "a set's format rose", floor: 300 },
  { name: 'too-old', story: 'a release was too old for its set, and was told so', floor: 0 },
  // browsers (the schedule pages alone)
  { name: 'web-read-after-a-response', story: 'a browser was shown a session again', floor: 0 },
  // phones that register
  { name: 'registered', story: 'a phone registered by way of the set', floor: 100 },
  { name: 'registered-again', story: 'so did one that had lost its flow', floor: 30 },
  { name: 'called-by-path', story: 'a phone rang by the Path of its registration', floor: 100 },
  { name: 'flow-gone', story: 'a caller heard 430: the flow that leads to the phone was gone', floor: 5 },
  // phones
  { name: 'answered-and-cancelled', story: 'a caller got a 2xx after its CANCEL', floor: 90 },
  { name: 'glare', story: 'a re-INVITE was refused with 491', floor: 100 },
  { name: 'both-hung-up', story: 'a phone got a BYE after it had sent one', floor: 60 },
  { name: 'answer-repeated', story: 'a phone got the 2xx to its INVITE again', floor: 600 },
  { name: 'gave-up', story: 'a caller got 408', floor: 100 },
] as const satisfies readonly Mark[]

export type MarkName = (typeof marks)[number]['name']

/** How often each was reached; those that were not are missing. */
export type MarkCounts = Readonly<Partial<Record<MarkName, number>>>
