// An application has one session for each key (JSR 289 15.11.2): what a key's calls leave in the log is all in one group (C4), and no call
// has a SipSession in two of them (C3). Read in what is committed.

import { entityValue } from '../../src/call/entities.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { keyOfCallee } from '../keyed.ts'
import type { Report } from './checker.ts'

export class AppKeys {
  readonly #report: Report
  readonly #groups = new Map<string, string>()
  /** By Call-ID. */
  readonly #calls = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value.kind === 'application-session' && value.hosted !== null) this.#of(value.hosted.key ?? '', commit.group)
      if (value.kind !== 'session') continue
      const key = keyOfCallee(value.callee)
      if (key !== null) this.#of(key, commit.group)
      const before = this.#calls.get(value.callId)
      if (before !== undefined && before !== commit.group)
        this.#report('C3', `call ${value.callId} is in group ${before} and in group ${commit.group}`)
      this.#calls.set(value.callId, commit.group)
    }
  }

  #of(key: string, group: string): void {
    const before = this.#groups.get(key)
    if (key === '') this.#report('C4', `the session of group ${group} has no key`)
    if (before !== undefined && before !== group)
      this.#report('C4', `${key} has a session in group ${before}, and one in group ${group}`)
    this.#groups.set(key, group)
  }
}
