// Chains of applications in simulated sets (JSR 289 15; decision 0037): a router's module names `first`, then `second`, each with the place
// in the chain as its state. `first` proxies what it gets; `second` proxies it too, or is a B2BUA, or has one session for each two calls (keyed.ts).

import type { AppCall, ApplicationInfo, HandlerName, NextApplication } from '../src/app/contract.ts'

export const chainNames = ['chain', 'chain-b2bua', 'chain-keyed'] as const
export type ChainName = (typeof chainNames)[number]

const APPLICATIONS = ['first', 'second'] as const

export function isChain(name: string | undefined): name is ChainName {
  return chainNames.some((one) => one === name)
}

/** How many proxies of the set are on a call's way. */
export function proxiesOf(name: string | undefined): number {
  return isChain(name) && name !== 'chain-b2bua' ? APPLICATIONS.length : 1
}

/** The set's applications, and the router. */
export function chainInfos(handlers: readonly (readonly HandlerName[])[]): readonly ApplicationInfo[] {
  const router: ApplicationInfo = { name: 'router', version: '1', handlers: ['getNextApplication'] }
  return [...APPLICATIONS.map((name, i) => ({ name, version: '1', handlers: handlers[i] ?? [] })), router]
}

/** Whether it is the router that is asked. */
export function isRouted({ handler }: AppCall): boolean {
  return handler === 'getNextApplication'
}

export function routed({ questions = [] }: AppCall): readonly (NextApplication | null)[] {
  return questions.map(({ stateInfo }) => {
    const place = typeof stateInfo === 'number' ? stateInfo + 1 : 0
    const application = APPLICATIONS[place]
    const region = place === 0 ? 'originating' : 'terminating'
    return application === undefined ? null : { application, region, stateInfo: place }
  })
}

export function isFirst({ application }: AppCall): boolean {
  return application === APPLICATIONS[0]
}

/** Which place in a chain an application of that name has; -1 = it is in none. */
export function placeOf(application: string): number {
  return APPLICATIONS.findIndex((one) => one === application)
}
