// Planted bugs of RFC 3261's transactions (section 17) and of the proxy (section 16).

import type { Mutant } from './mutant.ts'

export const transactionMutants: readonly Mutant[] = [
  {
    name: 'invite-not-repeated',
    room: 'transaction',
    file: 'src/call/wake.ts',
    find: "if (client.actions.includes('send-request')) {",
    replace: "if (client.actions.includes('send-request') && turn.now < 0) {",
    story: 'timer A: an INVITE that the network loses is not sent again',
    promise: 'C2',
  },
  {
    name: 'final-not-repeated',
    room: 'transaction',
    file: 'src/call/wake.ts',
    find: "if (actions.includes('send-final') && record.final !== null)",
    replace: "if (actions.includes('send-final') && turn.now < 0 && record.final !== null)",
    story: 'timer G: a failure that the network loses on its way up is not sent again',
    promise: 'C2',
  },
  {
    name: 'ack-of-a-failure-not-repeated',
    room: 'transaction',
    file: 'src/call/invite-failure.ts',
    find: `  turn.send(branch.hop, branch.ack ?? ackFor(sentInvite(turn, branch), response), what.ack(branch.id))
`,
    replace: '',
    story: 'timer D: a failure that comes again gets no ACK',
    promise: 'C2',
  },
  {
    name: 'random-branch',
    room: 'proxy',
    file: 'src/proxy/branch.ts',
    find: '${place.ordinal} ${place.attempt}`',
    replace: '${place.ordinal} ${place.attempt} ${((keys as any).made = ((keys as any).made ?? 0) + 1)}`',
    story: 'each replica makes branches of its own: what is relayed again has another one',
    promise: 'C3',
  },
  {
    name: 'max-forwards-not-lowered',
    room: 'proxy',
    file: 'src/proxy/forward.ts',
    find: 'hops - 1)',
    replace: 'hops)',
    story: 'a request that loops is never stopped (RFC 3261 16.6 step 3)',
    promise: 'sip',
  },
  {
    name: 'via-left-on-a-response',
    room: 'proxy',
    file: 'src/proxy/response.ts',
    find: 'const change = edit(response).removeTopVia()',
    replace: 'const change = edit(response)',
    story: 'a response leaves with our own Via on top (16.7 step 3)',
    promise: 'sip',
  },
]
