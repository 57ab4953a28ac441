// The bounds of a message. Each is far above what phones and proxies send, and small enough that the worst message costs
// little to read.

export const sipLimits = {
  /** Characters of a whole message: a UDP datagram can't be longer. */
  message: 65_536,
  /** Header fields of a message, each line of a list counted. */
  headers: 256,
  /** Characters of the start line, or of one header with its folded lines. */
  line: 8_192,
  /** Via values: a message that passed 70 hops has used up Max-Forwards (RFC 3261 8.1.1.6). */
  vias: 70,
  /** Values of Route, and of Record-Route: a message passes no more proxies than it has Via values. */
  routes: 70,
} as const
