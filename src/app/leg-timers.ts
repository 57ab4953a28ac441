// The log timers and intents of legs. All begin with `u.`, and what follows the next dot is the record's id.

/** No ACK came for our 2xx within 64*T1 (13.3.1.4). */
export function noAckTimer(uas: string): string {
  return `u.n.${uas}`
}

/** No PRACK came for a reliable provisional of ours within 64*T1 (RFC 3262 3). */
export function noPrackTimer(uas: string): string {
  return `u.p.${uas}`
}

/** Our CANCEL came to nothing within 64*T1 (9.1). */
export function cancelTimer(uac: string): string {
  return `u.c.${uac}`
}

/** 64*T1 after the first 2xx, early dialogs of the same INVITE end (13.2.2.4). */
export function forkTimer(uac: string): string {
  return `u.e.${uac}`
}

/** An intent, not a timer: the application is to hear of a final of our own making. */
export function finalIntent(uac: string): string {
  return `u.f.${uac}`
}

export interface LegIntent {
  readonly kind: 'no-ack' | 'no-prack' | 'cancel' | 'fork' | 'final'
  readonly id: string
}

const KINDS: ReadonlyMap<string, LegIntent['kind']> = new Map([
  ['u.n.', 'no-ack'],
  ['u.p.', 'no-prack'],
  ['u.c.', 'cancel'],
  ['u.e.', 'fork'],
  ['u.f.', 'final'],
])

export function readLegIntent(id: string): LegIntent | null {
  const kind = KINDS.get(id.slice(0, 4))
  return kind === undefined ? null : { kind, id: id.slice(4) }
}
