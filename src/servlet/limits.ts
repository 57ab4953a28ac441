// The bounds of what a handler may do in one turn, with their reasons; what the owner refuses (app/limits.ts) is refused here
// already, where the mistake is.

export const servletLimits = {
  /** Bytes of all its operations together: with room to spare below a frame between replicas, and far above what calls need. */
  answerBytes: 1_000_000,
  /** How often `update` of another session runs its change anew because somebody else was faster: within the time that a handler has. */
  updates: 8,
} as const
