// The counters that calls hold (design.md 4): how many are ringing, how many are answered.

export const EARLY_CALLS = 'calls.early'
export const CONFIRMED_CALLS = 'calls.confirmed'
