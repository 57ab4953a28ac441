// Every bound and every waiting time of the host, in one file, each with its reason. Milliseconds, bytes and counts; the
// replica's own are in replica/limits.ts.

const KB = 1_024
const MB = 1_024 * KB

export const hostLimits = {
  /** A loop that slept longer than this hears the time before it hears anything else (design.md 1). */
  stallMs: 50,

  /** What lies between snapshots is far below; if they fail again and again, beyond this new calls get 503. What ends calls goes on,
   * into room that `diskReserveBytes` keeps: a limit that also stopped those would never let a call go. */
  logBytes: 1_024 * MB,
  /** What snapshots replace is kept for `holdfast trace`, up to so many bytes: of a set with few calls at a time two rounds of the log.
   * The least is nothing, the most a disk that somebody bought for it. */
  historyBytes: 160 * MB,
  historyMostBytes: 1_000_000 * MB,
  /** A replica reads its log for one trace at a time, in a process of its own, which may take so long and say so much. */
  traceMs: 60_000,
  traceAnswerBytes: 64 * MB,
  /** With less than this free on the log's disk new calls get 503, so that the calls that are up can still end. */
  diskReserveBytes: 64 * MB,
  /** How often free space is looked at: at 100 MB/s, faster than any log here grows, the reserve is not passed over. */
  diskCheckMs: 500,
  /** A write that found the disk full is tried again this often. */
  diskRetryMs: 1_000,
  /** Records that wait for a full disk; more would be memory without bound, and the replica stops. */
  walWaitingBytes: 64 * MB,
  /** A segment is read whole at start; small enough to do so, large enough to be few (16 to the limit). */
  segmentBytes: 64 * MB,

  /** The kernel's buffer for datagrams: rides out pauses of some 100 ms at 10,000 datagrams/s (the kernel caps it). */
  udpReceiveBytes: 4 * MB,
  /** Datagrams that the kernel wouldn't take at once; beyond this they are dropped, as a network does. */
  udpQueueBytes: 4 * MB,
  /** Datagrams that are to leave before the address is bound, which takes a turn or two; the others return as unreachable. */
  udpEarly: 10_000,
  /** As many messages as one round of the loop takes, at least, of a datagram socket that it didn't find empty (libuv reads 32, or as
   * many more as its last system call brought), and at most of all connections. */
  fullRound: 32,
  /** How often it is asked whether more comes than is handled (replica/limits.ts `fullChecks`). It is so if the loop waited for less than
   * this part of that time, and its rounds had at least so many messages, one with another: three quarters of what one full socket brings. */
  loadCheckMs: 250,
  idlePart: 0.05,
  largeRound: 24,
  /** Characters of messages that were read of connections and wait for their round: of a thousand connections all that one read brings.
   * What brings more is reset. */
  streamsWaiting: 64 * MB,
  /** DNS: one try, so many of them, and all that is asked for one name (NAPTR, SRV, addresses); an INVITE that waits is repeated once a
   * second by then. */
  dnsTryMs: 1_000,
  dnsTries: 2,
  dnsMs: 5_000,
  /** What DNS said holds for as long as it said, within these; that there is nothing, or that nobody answered, for so long. */
  nameLeastMs: 1_000,
  nameMostMs: 60_000,
  nameNoneMs: 10_000,
  nameFailedMs: 2_000,
  /** Records of one name that are looked at. */
  servers: 16,
  /** SIP connections of one replica, in and out. A silent one is closed to make room; else new ones are refused. */
  connections: 10_000,
  /** Of them, those from one address: more phones than sit behind one gateway, and no single source fills the table. Here too a
   * silent one makes room. */
  connectionsASource: 2_000,
  /** From the connection to the end of the TLS handshake and of the WebSocket's; a few lost packets on a slow link are less. */
  handshakeMs: 5_000,
  /** The kernel asks a connection that is silent for so long whether its far end is still there. */
  probeMs: 60_000,
  /** How often the files of certificates are looked at. */
  certificateCheckMs: 2_000,
  /** A connection that never said a whole message: twice 64*T1 is more than any phone needs. */
  silentMs: 64_000,
  /** A message that began and didn't end: slower than any phone, short enough that 10,000 of them don't stay. */
  halfMessageMs: 30_000,
  /** How often connections are looked at for the two above. */
  sweepMs: 1_000,
  /** Written to one peer that doesn't read: some hundred messages. Then the connection is reset. */
  streamQueueBytes: 1 * MB,
  /** A connection that isn't made by then is taken as unreachable (a lost SYN is repeated after 1 and 3 s). */
  connectMs: 5_000,
  /** Sends that wait for one connection to be made; the others return as unreachable. */
  connectWaiting: 1_000,

  /** A replica that ends closes a connection on which nothing was said for this long: longer than a transaction takes that nobody
   * has to answer by hand... */
  drainQuietMs: 1_000,
  /** ...and each of them after this, so that ending doesn't wait for a phone that rings: its answer goes on a new connection. */
  drainStreamsMs: 10_000,
  /** What the far end of such a connection still sends is read this long; it has been told that it is over. */
  drainCloseMs: 1_000,
  /** The last frames of a replica that ends: a peer that doesn't take them by then is told them again by others, or doesn't need them. */
  linkEndMs: 500,
  /** All of a drain, whatever hangs: above the sum of its parts (replica/limits.ts `leave`, `settle`, and the two above), below the
   * 30 s that supervisors give at least. */
  drainMs: 20_000,

  /** One frame between replicas; the largest append is far below, so a longer one is garbage. */
  frameBytes: 32 * MB,
  /** Frames queued for a peer that doesn't read (stopped, or a slow link): then the link is reset. */
  linkQueueBytes: 64 * MB,
  /** Links to peers: above any set, and what its members were. */
  links: 64,
  /** A hello is a short line of JSON. */
  helloBytes: 4 * KB,
  /** The hello must be there by then, else a silent connection to the peer port would stay. */
  helloMs: 2_000,
  /** Connections on the peer port that haven't said hello; with one more, the oldest of the address that has most is closed. */
  helloWaiting: 64,
  /** Reconnecting to a peer: the first time at once, then after a random time below a bound that doubles from the first
   * to the second of these. Within `most` of its start a peer is linked again. */
  reconnectLeastMs: 20,
  reconnectMostMs: 500,
  /** A process without a log asks who it is: so often, with so much patience for each answer (the leader's comes behind a commit),
   * and says what it waits for at least so often. */
  joinAgainMs: 200,
  /** Where nobody has a log, it listens this long for members that it doesn't know of: they dial at least every `reconnectMostMs`. */
  foundMs: 2_000,
  joinAnswerMs: 2_500,
  joinSayMs: 10_000,
  /** A SYN that isn't answered by then: the machine is gone, not the process. */
  linkConnectMs: 1_000,

  /** Applications of a set: each is a thread of each replica, and more than one while a version is replaced. */
  applications: 16,
  /** Megabytes of an application's heap (least, usual, most), and again of its buffers: V8 itself needs some 10... */
  applicationMemoryMb: [16, 128, 4_096],
  /** ...and how often its buffers are looked at; its heap is bounded by V8. */
  applicationMemoryMs: 250,
  /** How long a handler may take (least, usual, most): the replica doesn't wait longer (app/limits.ts). */
  applicationTimeMs: [50, 5_000, 5_000],
  /** A loop that runs answers a question at once, or after the handlers of a burst; one that hangs never. */
  applicationPongMs: 500,
  /** From when a worker begins to load its module until it has. Before that its process starts, which is none of the module's time: on a
   * machine that is short of it even a replica took half a minute for that, and a set would not start for it. */
  applicationLoadMs: 10_000,
  applicationBeginMs: 60_000,
  /** How often a worker looks whether its replica is still there. */
  applicationOrphanMs: 1_000,
  /** Calls of one application that wait for an answer; one more has failed. A worker that takes 1 ms for each has 5 s of work then. */
  applicationCalls: 5_000,
  /** ...and questions of a worker about other sessions, each until the replica has answered: one more is refused. */
  applicationQuestions: 200,
  /** A worker that died is started again after the first of these, then after twice as long, up to the second... */
  applicationAgainLeastMs: 100,
  applicationAgainMostMs: 30_000,
  /** ...and after the first again once one has run for so long. */
  applicationSoundMs: 60_000,
  /** How often it is asked whether an old version still has sessions; it ends when it had none twice, so that a call which was just
   * beginning is counted. */
  applicationOldMs: 5_000,
  /** Versions of one application side by side; before one more is loaded, the oldest one's sessions are taken by the newest. */
  applicationVersions: 4,
  /** Characters of a line that an application writes, and how many lines a second; what is more is left out. */
  applicationLine: 2_000,
  applicationLines: 100,

  /** HTTP connections of one replica: applications' pages, some for each browser... */
  httpConnections: 1_000,
  /** ...each closed after so many requests, so that they spread over the replicas again... */
  httpRequestsAConnection: 10_000,
  /** ...and when nothing came for this long. */
  httpIdleMs: 15_000,
  /** The headers of a request, and how long they and all of it may take to come. */
  httpHeaderBytes: 16 * KB,
  httpHeadersMs: 10_000,
  httpRequestMs: 30_000,
  /** Requests that wait for the replica, below its own bound (replica/limits.ts `httpRequests`)... */
  httpWaiting: 500,
  /** ...and no longer than this: all that it does for one takes less (its `http`, and one last run and order). */
  httpMs: 25_000,
  /** Bytes of the bodies of requests that are read or wait, by what their headers say; one that doesn't is counted as the longest. */
  httpBodies: 64 * MB,
  /** A replica that ends waits so long for those that it has: as for streams (drainStreamsMs). */
  httpDrainMs: 10_000,

  /** An admin request that the replica didn't answer by then gets 503. */
  adminMs: 2_000,
  /** One replica's status, asked over HTTP: its own 503 comes first. */
  statusMs: 2_500,
  /** What an order to an admin address says is a few short fields. */
  orderBytes: 4 * KB,
  /** Admin requests that wait for the replica. */
  adminWaiting: 100,

  /** Who follows events at one replica: below replica/limits.ts' `eventReads`, so that each of them can wait. */
  eventConsumers: 32,
  /** A consumer of events that takes nothing of what was written to it for this long is cut off. It can go on elsewhere, or later. */
  eventSlowMs: 30_000,
  /** A stream of events on which nothing comes for this long is dead or its replica stopped: a replica says every ten seconds that it
   * lives... */
  eventSilenceMs: 25_000,
  /** ...and between two tries to find a replica that tells them. */
  eventRetryMs: 500,
  /** One event: above what a message's URIs can make of it. */
  eventBytes: 1 * MB,

  /** Pages that are open at one address. */
  liveViewers: 16,
  /** How often a page is told how its set is, and each replica asked for that; and soon after something befell one. */
  liveMs: 1_000,
  liveSoonMs: 150,
  /** A replica that says nothing for so long is told to be silent; the page doesn't wait longer for the others. */
  livePatienceMs: 1_500,
  /** Seconds that are remembered for its plots. */
  livePoints: 300,
  /** What a page didn't read; then it is cut off, and comes back. */
  liveQueueBytes: 1 * MB,

  /** A rolling restart waits this long for one replica to serve again: it reads its log, and perhaps a snapshot from the leader. */
  rollMs: 300_000,
  /** A command that changes the set watches it for this long: a replica that is far behind catches up meanwhile. */
  memberMs: 600_000,
  /** A watchdog that wants to hear more often is told no more often: each time is a process. */
  watchdogLeastMs: 500,
  /** Copies for a capture server that the kernel hasn't taken yet; more are dropped. */
  hepInFlight: 1_000,
  /** The longest that a datagram of IPv4 takes. */
  hepBytes: 65_507,
  /** How long a backup waits for its replica's disk to have what the set had committed. */
  backupMs: 10_000,
  /** A ban is asked for again so long where there is no quorum just now. */
  banMs: 10_000,
  /** How often it, and a command that waits for a set, looks how far that is. */
  lookMs: 200,

  /** How often a replica tells `up` that its loop runs... */
  aliveMs: 1_000,
  /** ...and the silence after which `up` kills it: a stopped process keeps its share of the flows (design.md 9). */
  silentLoopMs: 10_000,
  /** Signals this close together are one: a terminal's Ctrl-C reaches npm's child twice. Below a person's second thought. */
  sameSignalMs: 300,
  /** From the order to SIGKILL when `up` ends. */
  endMs: 3_000,
  /** What a dead set's orphans need to notice and leave the address. */
  addressFreeMs: 3_000,

  /** One cause is logged this often at most; how many were left out is said with the next one. */
  logEveryMs: 1_000,
  /** Log lines that wait for standard error to take them; beyond it lines are dropped, the loop never waits. */
  logQueueBytes: 1 * MB,
} as const
