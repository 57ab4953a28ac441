// From one configuration to the next (thesis chapter 4; etcd's confchange.Changer): pure, of configurations alone. One voter
// more or less needs no joint configuration, because majorities before and after share a voter (thesis 4.1); anything else
// goes through one, which needs majorities of both halves (thesis 4.3):
//
//     {1,2,3} ---- simple: one voter more or less ----> {1,2,3,4}
//     {1,2,3} -- enterJoint --> {1,4,5}&{1,2,3} -- leaveJoint --> {1,4,5}

import type { ReplicaId } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { Configuration } from './configuration.ts'
import { configurationFault, isJoint } from './configuration.ts'
import { sortedIds } from './quorum.ts'

export interface ConfChange {
  /** `add-learner` of a voter makes it a learner, `add-voter` of a learner promotes it. */
  readonly kind: 'add-voter' | 'add-learner' | 'remove'
  readonly replica: ReplicaId
}

/** etcd's ConfChangeV2. `auto`: without a joint configuration where one change allows it, else as `implicit`. `implicit`:
 * joint, and left by the leader as soon as that is committed. `explicit`: joint until `leaveJoint` is proposed. */
export interface ConfChanges {
  readonly changes: readonly ConfChange[]
  readonly transition: 'auto' | 'implicit' | 'explicit'
}

/** `joint`: a joint configuration must be left first. `not-joint`: there is none to leave. `no-voters`: nobody would be left to
 * vote. `not-encodable`: an id that is no whole number from 1 to 2^32 - 1, or more than 255 of a kind. */
export type ConfChangeError = 'joint' | 'not-joint' | 'no-voters' | 'not-encodable'

export function applyChanges(config: Configuration, wanted: ConfChanges): Result<Configuration, ConfChangeError> {
  if (isJoint(config)) return err('joint')
  const simple = change(config, wanted.changes, false)
  if (simple.voters.incoming.length === 0) return err('no-voters')
  const isSimple = wanted.transition === 'auto' && wanted.changes.length < 2
  const next = isSimple ? simple : change(config, wanted.changes, true, wanted.transition !== 'explicit')
  return configurationFault(next) === null ? ok(next) : err('not-encodable')
}

export function leaveJoint(config: Configuration): Result<Configuration, ConfChangeError> {
  if (!isJoint(config)) return err('not-joint')
  return ok({
    voters: { incoming: config.voters.incoming, outgoing: [] },
    learners: sortedIds([...config.learners, ...config.learnersNext]),
    learnersNext: [],
    autoLeave: false,
  })
}

function change(from: Configuration, changes: readonly ConfChange[], joint: boolean, autoLeave = false): Configuration {
  const outgoing = joint ? from.voters.incoming : []
  const incoming = new Set(from.voters.incoming)
  const learners = new Set(from.learners)
  const learnersNext = new Set<ReplicaId>()
  for (const { kind, replica } of changes) {
    incoming.delete(replica)
    learners.delete(replica)
    learnersNext.delete(replica)
    if (kind === 'add-voter') incoming.add(replica)
    // Who still votes in the outgoing half can't be a learner yet.
    if (kind === 'add-learner') (outgoing.includes(replica) ? learnersNext : learners).add(replica)
  }
  return {
    voters: { incoming: sortedIds([...incoming]), outgoing },
    learners: sortedIds([...learners]),
    learnersNext: sortedIds([...learnersNext]),
    autoLeave: joint && autoLeave,
  }
}
