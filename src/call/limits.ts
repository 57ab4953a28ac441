// The bounds of one group: whoever repeats one Call-ID for ever fills no more than this.

export const callLimits = {
  /** INVITE transactions in the log. A long call with a refresh each second for 32 s has as many. */
  invites: 32,
  /** Targets of one INVITE. */
  targets: 16,
  /** Dialogs in the log: forks of one INVITE that answered, and tombstones. */
  dialogs: 32,
  /** Non-INVITE transactions in memory. */
  relays: 64,
  /** Inputs that wait for one transaction's final answer: repeats of a request that other replicas keep. */
  waiting: 16,
  /** Bytes of a request in a datagram: more may not pass in one piece, and the MTU of a path is unknown (RFC 3261 18.1.1). */
  datagramRequest: 1_300,
  /** Places that are tried for one target that DNS names several for. */
  places: 4,
  /** Banned sources of a set: each message is held against all of them, some microseconds. */
  bans: 1_000,
  /** Orders that changed a group within the last four seconds: each has a mark, some 30 bytes, in the commits of all that follow. One more is
   * told to ask again. */
  orders: 256,
  /** Seconds in Retry-After when a group has no room. */
  retryAfterSeconds: 32,
  /** ...and when there are as many calls as may be: one of them may end at any moment. */
  fullRetryAfterSeconds: 5,
} as const
