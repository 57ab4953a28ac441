// Every bound and every waiting time of a replica, in one file, each with its reason (design.md 3).

import { micros, millis, seconds } from '../base/instant.ts'

export const limits = {
  /** A send that is free to go and is still here after this long would reach a callee that forgot the call (schedules.md). */
  notAfter: millis(300),
  /** Silence after which the leader takes a life out of serving, and followers look for another leader. Above the pauses
   * of a loaded machine, below a person's patience. */
  silence: millis(500),
  /** Leader's heartbeats: five of them fit into `silence`. */
  heartbeat: millis(100),
  /** Randomised election timeouts lie in [silence, silence + this). */
  electionSpread: millis(500),
  /** A dead leader (link closed, reconnect refused) is forgotten, and a pre-vote follows within this. */
  prompt: millis(30),
  /** A loop that stalled longer than this judges nobody by the silence it slept through. */
  stall: millis(50),
  /** No leader heard for this long: detached (design.md 7). */
  detached: seconds(1),
  /** An owner without word from the leader (or a leader without its quorum) for this long asks for a read barrier before
   * anything that waited for a commit leaves: less than `silence`, so that it stops before another takes over. */
  stale: millis(350),
  /** An owner asks for a barrier this long after the one before... */
  confirm: millis(500),
  /** ...and is stale too if the newest that it has applied was asked for this long ago: less than `applyLag`, for the same reason. */
  confirmed: seconds(1),
  /** A life is admitted to serving after this much answered heartbeats; doubled per suspicion up to `admissionMost`. */
  admission: seconds(1),
  admissionMost: seconds(60),
  /** Earlier suspicions are forgotten of a life that answered, past its wait, for so long without a silence. */
  sound: seconds(60),
  /** ...and with fewer entries to apply than this. */
  admissionLag: 1_000,
  /** A serving life whose apply lags longer than this is removed. */
  applyLag: seconds(2),
  /** Of the set key: 27 years of a new one each day. */
  keyGenerations: 9_999,
  /** `ready` is said when all replicas serve, or one does and this has passed. */
  readyWait: seconds(5),
  /** Open proposals are proposed again after this long without an outcome; each time twice as long, up to the second. */
  reproposal: millis(500),
  reproposalMost: seconds(4),
  /** A commit that nothing waits for (a 1xx, a relayed BYE) leaves with the next one, or after this. */
  lazy: millis(20),
  /** Inputs whose changes travel as one commit: far above what comes in `lazy`, so that a commit stays small. */
  folded: 16,
  /** Raft: one append carries at most this, so that a follower that is far behind doesn't hold up the others' heartbeats. */
  appendEntries: 1_000,
  appendBytes: 1_000_000,
  /** Committed entries that are applied in one turn, more or less, and their bytes: who starts has a whole log to apply, and between the
   * turns it answers its peers, and `up`, which kills a loop that is silent for long. */
  appliedEntries: 1_000,
  appliedBytes: 100_000,
  /** Appends on their way to one follower. */
  inflight: 64,
  /** ...and bytes of those, which leave in one turn when a follower is far behind: 30 MB took 50 to 100 ms. */
  inflightBytes: 2_000_000,
  /** Entries that wait for a quorum; beyond it proposals are refused, and their owners propose them again. */
  uncommittedBytes: 64_000_000,
  /** Bytes written to the log after which it is worth a snapshot: more would make a restart read for seconds. */
  snapshotBytes: 64_000_000,
  /** Of a snapshot, what is encoded in one step, and sent or written at a time: about a millisecond. */
  snapshotPiece: 65_536,
  /** What changes while a snapshot is cut is set aside as it was; beyond this the snapshot is given up. */
  snapshotAside: 256_000_000,
  /** A piece that is not acknowledged is sent again after this... */
  snapshotAgain: seconds(1),
  /** ...and after this silence the snapshot is given up, for it holds back the next one. */
  snapshotPatience: seconds(10),
  /** Entries kept in memory behind a snapshot, for followers that are a little behind. */
  keptEntries: 10_000,
  /** Much comes if at so many checks in a row (four a second: hostLimits.loadCheckMs) it was too much (a pause is over sooner, and so is
   * what a takeover leaves, or a start with cold code). Then, and at each further such check until all are let in again, the share of new
   * requests that are let in is cut to so many hundredths of it, down to the least: to a third within 1.5 s. It rises by so many
   * hundredths at each check without. Ten seconds after the load all are let in again. */
  fullChecks: 4,
  shareCut: 80,
  leastShare: 5,
  shareRise: 3,
  /** An INVITE that waits for longer than this is one of too many: its caller has repeated it, and a takeover, from which on waiting counts
   * anew, takes less. A time between checks in which one of so many was, and at least so many were, had too much. */
  slow: seconds(1),
  slowPart: 4,
  slowLeast: 10,
  /** With so many messages that wait here for their owners, nothing new is let in, whatever the share: a replica that keeps up has some
   * hundred of them, and a second passes until the share is cut. But for a while after a change of owners, or without a quorum: what
   * waits then is no load. */
  crowd: 1_000,
  settled: seconds(3),
  /** What a request that was let in has made is applied here within that: who lags more is stale. */
  begunFor: seconds(2),
  /** Inputs kept for an owner; beyond it UDP is dropped, streams get 503. About 20 MB. */
  kept: 10_000,
  /** ...and this much more for what comes on a stream and can't be refused: its sender doesn't repeat it. Beyond it that is lost. */
  keptOnStreams: 10_000,
  /** With this many inputs kept or commits open, new calls get 503, so that those that are up are served. */
  busy: 5_000,
  /** ...and no longer than this. */
  keptFor: millis(32_000),
  /** Groups that the log knows nothing of (OPTIONS, REGISTER, MESSAGE on their way): each is remembered for 64*T1, about 3
   * kB. Beyond it such requests are relayed without state (16.11). */
  unlogged: 10_000,
  /** Sources whose requests are counted where their rate is bounded; each is some 100 bytes. With one more, the one heard longest ago
   * is forgotten. */
  sources: 20_000,
  /** Names that DNS was asked for: some kB each at most... */
  names: 5_000,
  /** ...and those that it is being asked for. Beyond it what needs another one gets 500. */
  namesAsked: 500,
  /** What waits for a way, or went by way of the leader, is given again after this: above any round trip, well below the
   * patience of whoever sent it. */
  passAgain: millis(500),
  /** A response that the holder of its stream doesn't acknowledge goes on a new connection after this: by then a holder that
   * is dead or stopped is out of serving, and the phone still waits. */
  lent: seconds(2),
  /** Responses that wait for that. Beyond it the oldest is taken as sent. */
  lentMost: 10_000,
  /** Passes of one input between replicas whose views differ. */
  hops: 3,
  /** Serving entries remembered for `judged`. */
  servingHistory: 64,
  /** Timers one pulse may fire: keeps an entry's apply under a few milliseconds. */
  pulse: 1_000,
  /** `delete` timers may fire this much late, so that many leave with one pulse. Callbacks are never delayed. */
  deleteSlack: seconds(1),
  /** Of each of these one turn takes so many, and leaves the rest to the next: messages that waited here, those that others passed on,
   * groups with something to send, to retract, to repeat. Some 20 ms of each at most: a turn that took all of a backlog would be late
   * for its peers, and its sends older than `notAfter`. Above what a turn has without a backlog. */
  inTurn: 100,
  /** Groups taken over in one step: the rest follow in the next ones, so that datagrams are served between. */
  takeoverBatch: 50,
  /** Groups looked at in one step for whether they changed owners. Both together are one or two milliseconds. */
  takeoverLooks: 400,
  /** Changes of owners whose groups are looked for at the same time. */
  sweeps: 8,
  /** Open performances of intents per owner, oldest first (design.md 4): of the set's own... */
  performances: 200,
  /** ...and of each application's. Each is a commit, and a call's next commit waits behind those of all owners: with 200, calls beside
   * a hundred thousand callbacks of one second waited 0.6 s for each of theirs. */
  callbacks: 32,
  /** The slew of cluster time towards the median wall clock: one part in a hundred. */
  slewPart: 100,
  /** Wall clocks within this of each other agree. */
  clockAgreement: seconds(1),
  /** Lookups of calls that wait for their barrier; each costs one look, or several, one after another. */
  lookups: 100,
  /** Groups that one look at calls reads: some 10 ms; the answer says from where the next one goes on. */
  looks: 500,
  /** Lookups answered in one turn. */
  looksAtOnce: 3,
  /** Timers that `GET /glance` tells: a list that somebody reads. */
  upcomingTimers: 12,
  /** ...and no longer than this: an election fits into it, and the host's patience with a replica is longer. */
  lookup: millis(1_500),
  /** Lookups of sessions that wait, each of one group. */
  sessionLookups: 500,
  /** Orders that wait for an answer at the replica that was asked, and as many at the owner... */
  orders: 200,
  /** ...no longer than this, for the same reasons... */
  order: millis(1_500),
  /** ...so that later than this, by whoever's clock, nobody waits for one that hasn't been done. */
  orderValid: seconds(2),
  /** Bytes of an order: all that one session may keep fits in. */
  orderBytes: 262_144,
  /** HTTP requests that have no answer yet; one more gets 503. */
  httpRequests: 1_000,
  /** A handler is run again for a request, because its session has changed or it wants something, so often at most... */
  httpRuns: 12,
  /** ...and not after this. */
  http: seconds(10),
  /** Sessions of one page of a list, about. */
  httpPage: 100,
  /** Events kept for those who follow calls (decision 0032), some 400 bytes each, in memory and in each snapshot: at ten calls a second
   * those of eight minutes. Who was away for longer is told what is missing. */
  keptEvents: 20_000,
  /** Reads that wait for an event: the host has a bound of its own, on consumers... */
  eventReads: 64,
  /** ...and no longer than this: then the consumer is told that the replica is alive. */
  eventWait: seconds(10),
  /** Events of one answer, about: a millisecond. */
  eventsAtOnce: 200,
  /** A replica that is told to end waits no longer than this to be taken out of serving: an election, a handover that fails and
   * another one fit into it. */
  leave: seconds(5),
  /** ...and then, its sockets closed, no longer for what it passed on: once it is with its owner only that one's death would make
   * the keeper repeat it. */
  settle: seconds(2),
  /** Requests about the set that wait for the leader, or for the log... */
  memberRequests: 100,
  /** ...and no longer than this: as lookups do. */
  memberAnswer: millis(1_500),
  /** Who leaves the set says when its sockets have come to rest, and is voted out then; one that has not said so after this is voted
   * out all the same. Longer than the host takes for it (drainStreamsMs and drainCloseMs, 11 s) and `settle`. */
  depart: seconds(15),
  /** Who is told that it was removed, and has nothing of that in its log, ends if it has been stale and without a quorum for this
   * long: longer than an election, and than the others' restart. */
  removed: seconds(10),
  /** Who was heard within this, and isn't known dead, would take part in a change: above the pauses of a machine that is at its limit. */
  reach: seconds(2),
  /** Rounds after which a learner that is no nearer is said to be too slow (thesis 4.2.1). */
  rounds: 10,
  /** Places that are to have a voter: seven outlive any three deaths, and more only add to each commit. */
  replicas: 7,
  /** The smallest step of a deadline: nothing is armed nearer than this. */
  grain: micros(100),
} as const
