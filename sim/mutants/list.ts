// The planted bugs. `holdfast sim --mutants` must find every one; a test checks that every patch still applies.

import { appTimerMutants } from './app-timer-mutants.ts'
import { banMutants } from './ban-mutants.ts'
import { appMutants } from './app-mutants.ts'
import { chainMutants } from './chain-mutants.ts'
import { callMutants } from './call-mutants.ts'
import { determinismMutants } from './determinism-mutants.ts'
import { eventMutants } from './event-mutants.ts'
import { forkMutants } from './fork-mutants.ts'
import { httpMutants } from './http-mutants.ts'
import { legMutants } from './leg-mutants.ts'
import { lifetimeMutants } from './lifetime-mutants.ts'
import { memberMutants } from './member-mutants.ts'
import type { Mutant } from './mutant.ts'
import { formatMutants } from './format-mutants.ts'
import { orderMutants } from './order-mutants.ts'
import { overloadMutants } from './overload-mutants.ts'
import { pathMutants } from './path-mutants.ts'
import { raftMutants } from './raft-mutants.ts'
import { replicaMutants } from './replica-mutants.ts'
import { routingMutants } from './routing-mutants.ts'
import { snapshotMutants } from './snapshot-mutants.ts'
import { storeMutants } from './store-mutants.ts'
import { streamMutants } from './stream-mutants.ts'
import { targetMutants } from './target-mutants.ts'
import { transactionMutants } from './transaction-mutants.ts'

export const mutants: readonly Mutant[] = [
  ...raftMutants,
  ...storeMutants,
  ...replicaMutants,
  ...callMutants,
  ...transactionMutants,
  ...streamMutants,
  ...snapshotMutants,
  ...formatMutants,
  ...memberMutants,
  ...forkMutants,
  ...routingMutants,
  ...pathMutants,
  ...lifetimeMutants,
  ...appTimerMutants,
  ...banMutants,
  ...orderMutants,
  ...overloadMutants,
  ...eventMutants,
  ...legMutants,
  ...appMutants,
  ...chainMutants,
  ...httpMutants,
  ...targetMutants,
  ...determinismMutants,
]
