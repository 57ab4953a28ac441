// What the application router said is in the log with each application's session, and stays what it is, whatever dies (decision 0037; C4);
// each application of a chain has one session of a call (C3), one for each key (C4), and hears of what the phones said in it (C2).

import { unpackValue } from '../../src/app/packed.ts'
import { equalBytes } from '../../src/base/bytes.ts'
import { entityValue } from '../../src/call/entities.ts'
import { unpackChain } from '../../src/proxy/chain.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { HEARD, listOf } from '../applications.ts'
import { placeOf } from '../chains.ts'
import type { Report } from './checker.ts'

export class ChainStates {
  readonly #report: Report
  /** By group, of the session that it has now: when that was created, and what the router said. */
  readonly #known = new Map<string, { readonly created: number; readonly state: Uint8Array }>()
  /** The group of each application's session, by application and Call-ID. */
  readonly #groups = new Map<string, string>()
  /** The group of each key. */
  readonly #keys = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  accepted(commit: Commit): void {
    const values = commit.puts.map((put) => entityValue(put))
    const app = values.find((value) => value?.kind === 'application-session')
    if (app?.kind !== 'application-session' || app.hosted === null) return
    const { applicationName: name, created, hosted } = app
    const group = `group ${commit.group} of ${name}`
    const chain = unpackChain(hosted.stateInfo)
    const place = placeOf(name)
    if (chain === null || unpackValue(chain.state) !== place || chain.position !== place + 1)
      this.#report('C4', `${group}: what the router said is ${chain === null ? 'lost' : 'of another place'}`)
    const before = this.#known.get(commit.group)
    if (before?.created === created && !equalBytes(before.state, hosted.stateInfo))
      this.#report('C4', `${group}: the router said something else before`)
    this.#known.set(commit.group, { created, state: hosted.stateInfo })
    const other = this.#keys.get(hosted.key ?? '')
    if (hosted.key !== null) this.#keys.set(hosted.key, commit.group)
    if (other !== undefined && other !== commit.group)
      this.#report('C4', `${group}: its key ${hosted.key} has a session in group ${other}`)
    const marks = hosted.attributes.find((one) => one.name === HEARD)
    const wrong =
      marks === undefined ? [] : listOf(unpackValue(marks.bytes)).filter((one) => !String(one).endsWith(` @${place}`))
    if (wrong.length > 0) this.#report('C4', `${group}: a handler saw another state: ${wrong.join(', ')}`)
    for (const value of values) if (value?.kind === 'session') this.#session(name, value.callId, commit.group)
  }

  #session(name: string, callId: string, group: string): void {
    const key = `${name} ${callId}`
    const other = this.#groups.get(key)
    this.#groups.set(key, group)
    if (other !== undefined && other !== group)
      this.#report('C3', `call ${callId} has two sessions of ${name}: groups ${other} and ${group}`)
  }
}
