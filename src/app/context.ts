// What a group with an application may know of the replica around it, besides what call/ may.

import type { Index } from '../base/brand.ts'
import type { CallContext } from '../call/contract.ts'
import type { ApplicationInfo } from './contract.ts'

export interface AppContext extends CallContext {
  /** What this replica can ask, in the order of its configuration; several versions of one name: the newest first. None = the set is a
   * plain proxy. */
  readonly applications: readonly ApplicationInfo[]
  /** The application router's module, which chooses among them; absent or null = none. */
  readonly router?: ApplicationInfo | null
  /** The newest entry that this replica has applied. */
  readonly applied: Index
}
