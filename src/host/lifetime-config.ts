// What a config file says of calls that the set ends by itself (decision 0028).

import { USUAL_GRACE } from './config-options.ts'

export interface LifetimeConfig {
  /** Seconds after which a call is ended; absent = never. */
  readonly maxCall?: number
  /** Seconds between questions to both sides whether they are there, and until one that was not is asked again; absent = nobody asks. */
  readonly probe?: { readonly every: number; readonly grace: number }
  /** Whether a call whose session timer nobody refreshes (RFC 4028) is forgotten; absent = no. */
  readonly sessionTimers?: boolean
}

export interface PlainLifetime extends Omit<LifetimeConfig, 'probe'> {
  readonly probe?: { readonly every: number; readonly grace?: number }
}

/** Of values that were checked (config-options.ts). */
export function readLifetime({ maxCall = 0, probe, sessionTimers = false }: PlainLifetime): LifetimeConfig {
  return {
    ...(maxCall === 0 ? {} : { maxCall }),
    ...(probe === undefined ? {} : { probe: { every: probe.every, grace: probe.grace ?? USUAL_GRACE } }),
    ...(sessionTimers ? { sessionTimers } : {}),
  }
}
