// The log timers of a dialog that is watched (lifetime.ts), and what the dialog's end takes with it.

import type { Dialog } from '../session/dialog.ts'
import type { Turn } from './turn.ts'

/** It is as old as a call may become. */
export function limitTimer(dialog: string): string {
  return `l.${dialog}`
}

/** Its sides are to be asked whether they are there. */
export function probeTimer(dialog: string): string {
  return `o.${dialog}`
}

/** Its session expires (RFC 4028). */
export function sessionTimer(dialog: string): string {
  return `s.${dialog}`
}

export function endWatch(turn: Turn, id: string, { watch }: Dialog): void {
  if (watch === null) return
  for (const timer of [limitTimer(id), probeTimer(id), sessionTimer(id)]) turn.cancelTimer(timer)
  if (!turn.local.probes.has(id)) return
  turn.dropProbe(id)
  turn.intentDone(probeTimer(id))
}
