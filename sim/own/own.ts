// Where a user's applications meet the simulated world. A run without them has no `Own`; the world knows no more of them than this.

import type { AppAnswer, AppCall, ApplicationInfo } from '../../src/app/contract.ts'
import type { RouterTable } from '../../src/proxy/chain.ts'
import type { HttpReply, Reply } from '../../src/replica/effect.ts'
import type { AdminInput } from '../../src/replica/input.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import type { Agenda } from '../agenda.ts'
import type { Checker, Report } from '../checkers/checker.ts'
import type { Machine } from '../machine.ts'
import type { Trace } from '../trace.ts'
import type { OwnCall } from './definition.ts'

/** One life of a replica, which asks. */
export interface OwnHost {
  /** It is dead: nobody waits for what its handlers do. */
  isOver(): boolean
  ask(id: number, query: AdminInput['query']): void
  answer(call: AppCall, answer: AppAnswer): void
}

/** What an `Own` is given when its run begins. */
export interface OwnWorld {
  readonly agenda: Agenda
  readonly trace: Trace
  readonly seed: number
  readonly machines: readonly Machine[]
  readonly report: Report
  /** How long there was no quorum between two true times. */
  outage(from: number, until: number): number
  /** Why that call is nobody's fault; null = it must be right. */
  excuseOf(call: number): string | null
}

export interface Own extends Checker {
  readonly infos: readonly ApplicationInfo[]
  readonly table: RouterTable | null
  call(name: string): OwnCall | undefined
  begin(world: OwnWorld): void
  /** A handler waits for what is no part of the world: time stands still until it goes on. */
  readonly isWaiting: boolean
  ask(call: AppCall, host: OwnHost): void
  /** False: that was no answer to any of its questions. */
  answered(reply: Reply): boolean
  answeredWeb(reply: HttpReply): void
  /** After each entry of the log. */
  applied(applied: Applied, store: Store): void
  /** What is still to be done, in words; null = nothing. */
  readonly open: string | null
}
