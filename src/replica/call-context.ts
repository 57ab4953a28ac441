// What the call room may know of the replica around it; read when it is asked for.

import type { Instant, Stamp } from '../base/instant.ts'
import type { AppContext } from '../app/context.ts'
import type { Store } from '../store/store.ts'
import type { ClusterClock } from '../timer/cluster-clock.ts'
import type { Admission } from './admission.ts'
import type { Configured } from './configured.ts'
import type { Names } from './names.ts'
import type { Place } from '../proxy/locate.ts'
import { isOwnFlow } from '../proxy/own.ts'
import { isRouter } from '../app/router.ts'
import { limits } from './limits.ts'

export interface ContextParts {
  readonly store: Store
  readonly clock: ClusterClock
  /** As it is when it is read. */
  readonly configured: Configured
  readonly admission: Admission
  readonly names: Names
  now(): Instant
  wall(): Stamp
  isBusy(): boolean
  /** Groups in memory of which the log has nothing. */
  unlogged(): number
}

export function callContext(parts: ContextParts): AppContext {
  const { store, clock, configured, admission, names, now, wall, isBusy, unlogged } = parts
  return {
    get applications() {
      return configured.applications.filter((info) => !isRouter(info))
    },
    get router() {
      return configured.applications.find(isRouter) ?? null
    },
    get hasApplications() {
      return configured.applications.length > 0
    },
    get applied() {
      return store.appliedIndex
    },
    get now() {
      return now()
    },
    get cluster() {
      return clock.read(now(), wall())
    },
    get settings() {
      return configured.settings
    },
    keys: {
      get current() {
        return store.keyAt(clock.read(now(), wall()))
      },
      at: (time) => store.keyAt(time),
      key: (generation) => store.key(generation),
    },
    get format() {
      return store.format
    },
    get acceptsCalls() {
      return !isBusy()
    },
    get keepsRelays() {
      return unlogged() < limits.unlogged
    },
    admit: (source) => {
      const { host } = source
      // What comes from one of our own groups was admitted where it came in.
      const { sip, bounds } = configured.settings
      if (isOwnFlow(sip, source)) return 'admit'
      const { length } = store.serving().members
      return admission.verdict(host, bounds?.rate ?? null, now(), Math.max(1, length))
    },
    ...(configured.settings.names === true ? { locate: (place: Place) => names.locate(place, now()) } : {}),
    counter: (name) => store.counter(name),
    view: (group) => store.group(group),
  }
}
