// The counters that calls hold (design.md 4): how many are ringing, how many are answered; and, where their number is limited
// (decision 0026), how many there are, in each direction, and to each next hop. And how many sessions each version of an application has.

export const EARLY_CALLS = 'calls.early'
export const CONFIRMED_CALLS = 'calls.confirmed'

/** Ringing or answered. */
export const ALL_CALLS = 'calls.all'
/** Those that went to the set's next hop, and those that went elsewhere. */
export const IN_CALLS = 'calls.in'
export const OUT_CALLS = 'calls.out'
/** Valid sessions of one version of an application, which is loaded as long as there are any. */
export function sessionsOf(application: string, version: string): string {
  return `sessions.of ${application} ${version}`
}

/** To one next hop: its `host:port` follows. */
export const CALLS_TO = 'calls.to '
