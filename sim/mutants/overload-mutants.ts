// Planted bugs of what is refused under overload (docs/decisions/0030).

import type { Mutant } from './mutant.ts'

export const overloadMutants: readonly Mutant[] = [
  {
    name: 'overload-refuses-known-calls',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: '    if (store.group(group) !== null || this.#shedding.hasBegun(group)) return false\n    if (message.method',
    replace: '    if (message.method',
    story: 'under overload an INVITE that comes again is refused, though its call is in the store',
    promise: 'C2',
    schedule: 'overload',
  },
  {
    name: 'overload-refuses-calls-that-are-up',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: 'if (toTag(message) !== null || (!isCrowded && this.#shedding.isLetIn(message, context.keys))) return false',
    replace: 'if (!isCrowded && this.#shedding.isLetIn(message, context.keys)) return false',
    also: [
      {
        find: '    if (store.group(group) !== null || this.#shedding.hasBegun(group)) return false\n    if (message.method',
        replace: '    if (message.method',
      },
    ],
    story: 'under overload a re-INVITE is refused as a new call is',
    promise: 'C1',
    schedule: 'overload',
  },
]
