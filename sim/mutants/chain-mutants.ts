// Planted bugs in chains of applications (docs/decisions/0037-composition.md).

import type { Mutant } from './mutant.ts'

export const chainMutants: readonly Mutant[] = [
  {
    name: 'route-of-the-chain-left-on',
    room: 'app',
    file: 'src/app/group.ts',
    find: 'edit(input.message).removeTopRoute().print()',
    replace: 'edit(input.message).print()',
    story:
      "what a chain's group passes on to the session of a key still has the Route that led to that group: it goes round",
    promise: 'C2',
    schedule: 'chain-keys',
  },
  {
    name: 'router-state-not-kept',
    room: 'app',
    file: 'src/app/sessions.ts',
    find: 'stateInfo: chain === null ? packedNull() : packChain(chain),',
    replace: 'stateInfo: packedNull(),',
    story: 'what the router said is known to the owner that asked it, and is not in the log',
    promise: 'C4',
    schedule: 'chains',
  },
  {
    name: 'chain-in-one-group',
    room: 'proxy',
    file: 'src/proxy/chain.ts',
    find: 'return groupKey(hashHex(sipHashText(key, `chain ${from} ${requestUri}\\n${id}`)))',
    replace: 'return from',
    story: 'the next application of a chain has the group of the one before',
    promise: 'C2',
    schedule: 'chains',
  },
  {
    name: 'next-group-by-its-owner',
    room: 'app',
    file: 'src/app/ruling.ts',
    find: 'const group = chainGroup(keys, turn.key, id, requestUri)',
    replace: 'const group = chainGroup(keys, turn.key, `${id} ${turn.now}`, requestUri)',
    story:
      'the next application has another group whenever the request for it is made: what is made again is another call',
    promise: 'C3',
    schedule: 'chains',
  },
  {
    name: 'router-asked-with-no-state',
    room: 'app',
    file: 'src/app/onward.ts',
    find: 'const chain = event.chain ?? (app === null ? null : unpackChain(app.hosted.stateInfo))',
    replace: 'const chain = null as ReturnType<typeof unpackChain>',
    story: 'the router is asked for the next application as if nobody had been asked before: the chain goes on and on',
    promise: 'C2',
    schedule: 'chains',
  },
  {
    name: 'routes-of-the-chain-taken-away',
    room: 'proxy',
    file: 'src/proxy/route.ts',
    find: 'return named !== null && named !== group',
    replace: 'return named !== null && named === null && named !== group',
    story:
      'the first application of a chain takes the Routes of the others for its own: requests in the dialog pass them by',
    promise: 'sip',
    schedule: 'chains',
  },
  {
    name: 'record-for-each-application',
    room: 'call',
    file: 'src/call/events.ts',
    find: 'return (unpackChain(value.hosted.stateInfo)?.position ?? 1) > 1',
    replace: 'return (unpackChain(value.hosted.stateInfo)?.position ?? 1) > 9',
    story: 'each application of a chain tells of the call as if it were another one',
    promise: 'C3',
    schedule: 'chains',
  },
  {
    name: 'next-application-before-the-commit',
    room: 'call',
    file: 'src/call/invite.ts',
    find: 'turn.sendAfter(upstream, answerText(request, turn.ctx.keys, 100), what.response(id))\n  turn.handledAfter(ref)',
    replace:
      'turn.sendAfter(upstream, answerText(request, turn.ctx.keys, 100), what.response(id))\n  if (isOwnFlow(turn.ctx.settings.sip, flow)) turn.handled(ref)\n  else turn.handledAfter(ref)',
    also: [{ file: 'src/call/turn.ts', find: 'this.#isHeldBack = true', replace: 'this.#isHeldBack = false' }],
    story: 'a message from one application to the next is forgotten before what comes of it is committed',
    promise: 'C2',
    schedule: 'chains',
  },
]
