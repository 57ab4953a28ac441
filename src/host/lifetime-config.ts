// What a config file says of calls that the set ends by itself (decision 0028).

import { fields, only, wrong } from './config-fields.ts'

export interface LifetimeConfig {
  /** Seconds after which a call is ended; absent = never. */
  readonly maxCall?: number
  /** Seconds between questions to both sides whether they are there, and until one that was not is asked again; absent = nobody asks. */
  readonly probe?: { readonly every: number; readonly grace: number }
  /** Whether a call whose session timer nobody refreshes (RFC 4028) is forgotten; absent = no. */
  readonly sessionTimers?: boolean
}

/** A year. */
export const MOST_CALL_SECONDS = 31_536_000
const DAY = 86_400
/** Silence takes 64*T1 to be one. */
const LEAST_EVERY = 32
const DEFAULT_GRACE = 60

export function readLifetime(value: Readonly<Record<string, unknown>>): LifetimeConfig {
  const { maxCall, probe, sessionTimers } = value
  if (sessionTimers !== undefined && typeof sessionTimers !== 'boolean')
    wrong('sessionTimers', sessionTimers, 'true or false')
  return {
    ...(maxCall === undefined || maxCall === 0
      ? {}
      : { maxCall: readSeconds(maxCall, 'maxCall', [0, MOST_CALL_SECONDS], ', or 0 for never') }),
    ...(probe === undefined ? {} : { probe: readProbe(fields(probe, 'probe')) }),
    ...(sessionTimers === true ? { sessionTimers } : {}),
  }
}

function readProbe(value: Record<string, unknown>): { readonly every: number; readonly grace: number } {
  only(value, ['every', 'grace'], 'probe')
  const { every, grace = DEFAULT_GRACE } = value
  return {
    every: readSeconds(every, 'probe.every', [LEAST_EVERY, DAY]),
    grace: readSeconds(grace, 'probe.grace', [0, DAY]),
  }
}

function readSeconds(
  value: unknown,
  place: string,
  [least, most]: readonly [least: number, most: number],
  also = '',
): number {
  const isRight = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  if (!isRight) wrong(place, value, `whole seconds, from ${least} to ${most}${also}`)
  return value as number
}
