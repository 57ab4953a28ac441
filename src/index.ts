// The public API. `holdfast/servlet` is what applications are written with, `holdfast/raft` the consensus core alone, `holdfast/sip` the
// codec, `holdfast/sim` the simulator.

export { Replica } from './replica/replica.ts'
export type { ReplicaOptions } from './replica/options.ts'
export type { Input, InputBody } from './replica/input.ts'
export type { Effect } from './replica/effect.ts'
export { Store } from './store/store.ts'
export type { Applied, CommitOutcome, Entity, GroupView, Serving, StoreCounts } from './store/view.ts'
export type { Commit, Entry, EntryBody, Flow } from './wire/entry.ts'
export { GoneError, GroupLock } from './host/group-lock.ts'
export type { Reference } from './host/group-lock.ts'
export { LockOrderError } from './host/lock-order.ts'
export { LockTimeoutError, Locks } from './host/mutex.ts'
export type { Hold, Lock, LockLimits } from './host/mutex.ts'
export { attribute, defineApplication, IllegalStateError } from './servlet/index.ts'
export type * from './servlet/index.ts'
