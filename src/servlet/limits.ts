// The bounds of what a handler may do in one turn, with their reasons; what a session may hold is bounded in app/limits.ts.

export const servletLimits = {
  /** Levels of arrays and objects in an attribute: more is a tree that wants a database, or a value that contains itself. */
  depth: 32,
  /** Operations of one turn; a handler that loops over them would fill the log. */
  ops: 1_000,
  /** Bytes of all of them together: with room to spare below a frame between replicas, and far above what calls need. */
  answerBytes: 1_000_000,
} as const
