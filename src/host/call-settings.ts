// What a set's configuration says to the call room.

import { assert } from '../base/assert.ts'
import { seconds } from '../base/instant.ts'
import type { CallSettings } from '../call/contract.ts'
import { hasEverybody, parseBlock } from '../proxy/access.ts'
import type { AccessList } from '../proxy/access.ts'
import type { SetAddress } from '../proxy/settings.ts'
import type { SetConfig } from './config.ts'
import { USUAL_KEY_DAYS } from './config-options.ts'
import { boundBy, hasName, listenersOf } from './sip-addresses.ts'

export function callSettings(config: SetConfig): CallSettings {
  const { sip, nextHop, nextHops } = config
  return {
    sip: isPlain(config) ? sip : { ...sip, ...listenersAndReplicas(config) },
    nextHop,
    nextHops,
    names: true,
    ...keyAgeOf(config),
    ...(config.followRedirects === true ? { followsRedirects: true } : {}),
    ...(config.allow === undefined ? {} : { access: accessList(config) }),
    ...(config.bounds === undefined ? {} : { bounds: config.bounds }),
    ...(config.router?.kind === 'table' ? { router: config.router.table } : {}),
    ...lifetimeOf(config),
  }
}

function isPlain(config: SetConfig): boolean {
  return config.sipTransport === undefined && config.listen === undefined && !hasName(config)
}

function listenersAndReplicas(config: SetConfig): Pick<SetAddress, 'listeners' | 'replicas'> {
  const listeners = listenersOf(config)
  if (!hasName(config)) return { listeners }
  return { listeners, replicas: config.replicas.flatMap((replica) => boundBy(config, replica)) }
}

function lifetimeOf({ maxCall = 0, probe, sessionTimers = false }: SetConfig): Pick<CallSettings, 'lifetime'> {
  if (maxCall === 0 && probe === undefined && !sessionTimers) return {}
  const asked = probe === undefined ? {} : { probe: { every: seconds(probe.every), grace: seconds(probe.grace) } }
  return { lifetime: { ...(maxCall === 0 ? {} : { maxCall: seconds(maxCall) }), ...asked, sessions: sessionTimers } }
}

function keyAgeOf({ keyDays = USUAL_KEY_DAYS }: SetConfig): Pick<CallSettings, 'keyAge'> {
  return keyDays === 0 ? {} : { keyAge: seconds(keyDays * 86_400) }
}

/** Whether its access list is none. */
export function letsEverybodyIn(config: SetConfig): boolean {
  return hasEverybody(accessList(config))
}

function accessList({ allow = [] }: SetConfig): AccessList {
  return allow.map((text) => {
    const block = parseBlock(text)
    assert(block.ok, 'a block of addresses that was checked when the configuration was read')
    return block.value
  })
}
