// Planted bugs of phones that are reached by their registration's Path (docs/decisions/0029-routing.md).

import type { Mutant } from './mutant.ts'

export const pathMutants: readonly Mutant[] = [
  {
    name: 'flow-token-not-checked',
    room: 'proxy',
    file: 'src/proxy/flow-token.ts',
    find: '  if (seal.slice(digits) !== mac(keys, generation, token.slice(seal.length + 1))) return null\n',
    replace: '',
    story: 'whoever makes up a flow is led to it: nobody looks whether the set has named it',
    promise: 'C2',
    schedule: 'registered',
  },
  {
    name: 'flow-gone-and-waited-for',
    room: 'call',
    file: 'src/call/unsent.ts',
    find: '  const isLeft = leadsByPath(turn, sent) || hasHungUp(turn, sent)\n',
    replace: '  const isLeft = hasHungUp(turn, sent)\n',
    also: [{ find: 'function leadsByPath(', replace: 'export function leadsByPath(' }],
    story: 'a call by a flow that is gone is answered by nobody, until its caller gives up',
    promise: 'C2',
    schedule: 'registered',
  },
  {
    name: 'called-back-where-nobody-is',
    room: 'proxy',
    file: 'src/proxy/route.ts',
    find: 'if (path.params.has(OUTBOUND) || isWebSocket(flow.transport)) return forward(question, plan, flow)',
    replace: 'if (isWebSocket(flow.transport)) return forward(question, plan, flow)',
    also: [{ find: "import { OUTBOUND } from './path.ts'\n", replace: '' }],
    story: 'a phone with `ob` whose flow is gone is looked for at its Contact, as if it could be called',
    promise: 'C2',
    schedule: 'registered',
  },
  {
    name: 'path-of-the-last-hop',
    room: 'proxy',
    file: 'src/proxy/path.ts',
    find: '`<${phones};lr;${FLOW}=${makeFlowToken(keys, arrival)}${ob}>`',
    replace: '`<${phones};lr;${FLOW}=${makeFlowToken(keys, { ...arrival, port: arrival.port ^ 1 })}${ob}>`',
    also: [
      {
        file: 'src/proxy/flow-token.ts',
        find: "  return { transport, host, port: Number(port), stream: stream.join('/') }\n",
        replace:
          "  const [life = '', serial] = stream\n  return { transport, host, port: Number(port), stream: serial === undefined ? life : `${life}/${Math.max(1, Number(serial) - 1)}` }\n",
      },
    ],
    story: 'a Path names the flow beside the one that the REGISTER came on: somebody else rings, or nobody',
    promise: 'C2',
    schedule: 'registered',
  },
  {
    name: 'dialog-not-bound-to-its-flow',
    room: 'call',
    file: 'src/call/bound.ts',
    find: '  return placeOf(flow)\n}\n\nfunction placeOf',
    replace: "  return ''\n}\n\nfunction placeOf",
    story:
      'what goes to a phone in its dialog goes to its Contact, where nobody is, not on the flow that it was called by',
    promise: 'C1',
    schedule: 'registered',
  },
  {
    name: 'dialog-not-bound-again',
    room: 'call',
    file: 'src/call/bound.ts',
    find: "  if (gone === '' || place === '' || gone === place || party.transport !== flow.transport) return\n",
    replace: "  if (gone !== '\\0' || place === '' || party.transport !== flow.transport) return\n",
    story: 'a phone that came back on another connection in the middle of a call is waited for on the old one',
    promise: 'C1',
    schedule: 'registered',
  },
  {
    name: 'answer-does-not-bind',
    room: 'call',
    file: 'src/call/bound.ts',
    find: "  if (gone === '' || flow.stream === '' || gone === flow.stream || flow.transport !== branch.hop.transport) return found\n",
    replace: "  if (gone !== '\\0' || flow.stream === '' || flow.transport !== branch.hop.transport) return found\n",
    story:
      'a phone rings, loses its connection and answers on the next one: its ACK, or its CANCEL, still goes on the old one',
    promise: 'C1',
    schedule: 'registered',
  },
  {
    name: 'bye-not-waited-for',
    room: 'call',
    file: 'src/call/bye.ts',
    find: "  if (dialog?.value.state !== 'ended') return false\n",
    replace: '  if (dialog !== null) return true\n',
    story: 'a BYE to a phone whose connection is gone gets 480 at once, though the phone comes back and would have it',
    promise: 'C1',
    schedule: 'registered',
  },
]
