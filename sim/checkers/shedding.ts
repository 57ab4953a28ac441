// Under overload (docs/decisions/0030) a replica refuses at its door what would begin something, but nothing of a call that it has in its
// store, or of which it keeps a message: that one has begun, and its caller would be told otherwise (C2). That calls which are up are
// served all the same is C1's.

import type { GroupKey } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Commit } from '../../src/wire/entry.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import { branchOf, callIdOf, cseqOf, readMessage } from '../phones/message.ts'
import type { Checker, Report } from './checker.ts'

export class Shed implements Checker {
  readonly #report: Report
  /** By the branch that came from upstream: the group of an INVITE that is in the log. */
  readonly #groups = new Map<string, GroupKey>()
  /** INVITEs that a life has passed on, and not heard of again. */
  readonly #kept = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  /** A commit was accepted in the log. */
  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value?.kind === 'invite') this.#groups.set(value.key.slice(value.key.indexOf(' ') + 1), commit.group)
    }
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind === 'passed-on') this.#kept.delete(frame.id)
    if (frame.kind === 'handled') for (const id of frame.ids) this.#kept.delete(id)
    if (frame.kind !== 'pass' || frame.hops > 1 || !frame.data.startsWith('INVITE ')) return
    const message = readMessage(frame.data)
    if (typeof message !== 'string') this.#kept.set(frame.id, `${machine.life} ${branchOf(message)}`)
  }

  leaving(machine: Machine, effect: Effect): void {
    // What an owner answers has an origin.
    if (effect.kind !== 'send' || effect.origin !== null || !effect.data.startsWith('SIP/2.0 503 ')) return
    const message = readMessage(effect.data)
    if (typeof message === 'string' || cseqOf(message).method !== 'INVITE') return
    const branch = branchOf(message)
    const group = this.#groups.get(branch)
    const isKnown = group !== undefined && (machine.replica?.store.group(group) ?? null) !== null
    const isKept = [...this.#kept.values()].includes(`${machine.life} ${branch}`)
    if (!isKnown && !isKept) return
    const why = isKnown ? 'its store has' : 'it has passed on'
    this.#report('C2', `replica ${machine.id} refuses the INVITE of call ${callIdOf(message)}, which ${why}`)
  }
}
