// A moment at which a replica dies, in words and as a schedule: what the calls are, what is held back, and how to get there.

import type { Flow } from '../../sim/ladder.ts'
import type { SetOptions } from '../cluster/replica-set.ts'
import type { Stage } from './stage.ts'

export interface Moment {
  /** Which of the fifteen. */
  readonly nth: number
  readonly name: string
  readonly flow: Flow
  /** Deeds of phones that are held back until the stage lets them go (crowd.ts). */
  readonly held: readonly string[]
  /** Who dies; `any`: as is asked for, else the leader. */
  readonly victim: 'leader' | 'follower' | 'any'
  readonly set?: Pick<SetOptions, 'restart' | 'extra'>
  /** The set isn't what it was afterwards. */
  readonly changesSet?: true
  /** The set hangs up. */
  readonly endsBySet?: true
  /** The INVITE forks to two callees. */
  readonly forks?: true
  /** Brings all calls to the moment, kills at it, and lets the calls go on. */
  stage(stage: Stage): Promise<void>
}
