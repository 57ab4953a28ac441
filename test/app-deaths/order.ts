// Where a replica dies, as the play (wave.ts), the applications and the preloaded module tell each other.

/** In the time of one handler's turn:
 *
 *    inside     the handler itself kills its replica, all that it does done
 *    arrived    its answer is in the replica, which has read nothing of it
 *    proposed   the turn of the loop that handled the answer is over: its commit is on its way, whatever comes of that
 *    unsent     the commit is applied, and the first message of it is about to leave
 *    asked      another replica, which was asked for the page and has passed that on to the owner, is killed by the play */
export type Place = 'inside' | 'arrived' | 'proposed' | 'unsent' | 'asked'

/** What a handler that comes to the gate is told. It returns it, so that its replica gets it with the answer. */
export type Order =
  | { readonly kind: 'go' }
  /** `calls`: at how many calls of this wave the replica has come there. */
  | { readonly kind: 'die'; readonly at: Place; readonly wave: number; readonly calls: number }

/** Calls are named so in From, whoever sends the message. */
export function callName(wave: number, call: number): string {
  return `call-${wave}-${call}`
}

/** The call that a message is of, if it is of that wave; null = of none. */
export function callIn(text: string, wave: number): string | null {
  return new RegExp(`\\bcall-${wave}-\\d+\\b`).exec(text)?.[0] ?? null
}

/** The environment's words for where the gate is, and where a replica writes how many calls it had when it died. */
export const GATE = 'APP_DEATHS_GATE'
export const DEATHS = 'APP_DEATHS_FILE'

/** In the response of a page: what the handler was told. */
export const ORDER_HEADER = 'x-order'
