// Signals that tell a process to end: the first one to do it well, a second one at once.

import { hostLimits } from './limits.ts'

/** One Ctrl-C under npm comes twice, from the terminal and passed on by npm: signals close together are one. */
export function onEndSignals(signals: readonly NodeJS.Signals[], first: () => void, again: () => void): void {
  let asked: number | null = null
  const heard = (): void => {
    const now = performance.now()
    const isEcho = asked !== null && now - asked < hostLimits.sameSignalMs
    if (isEcho) return
    const isFirst = asked === null
    asked = now
    if (isFirst) first()
    else again()
  }
  for (const signal of signals) process.on(signal, heard)
}
