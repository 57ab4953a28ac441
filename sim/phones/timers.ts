// RFC 3261 17.1.1.1 and table 4, in microseconds.

export const t1 = 500_000
export const t2 = 4_000_000
export const t4 = 5_000_000
/** 64*T1. */
export const timeout = 64 * t1
