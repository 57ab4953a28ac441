// The names of our sends, as they come back in `unsent`.

/** What a send was. `id`: of the INVITE transaction, of its branch, or of the relay. */
export type Sent =
  | {
      readonly kind: (typeof KINDS)[number]
      readonly id: string
    }
  | { readonly kind: 'untracked' }

export const what = {
  /** The INVITE of a branch, the ACK for its failure, its CANCEL. */
  invite: (branchId: string) => `invite ${branchId}`,
  ack: (branchId: string) => `ack ${branchId}`,
  cancel: (branchId: string) => `cancel ${branchId}`,
  /** A response to an INVITE. */
  response: (id: string) => `response ${id}`,
  /** A non-INVITE request on its way, and a response to it. */
  request: (relayId: string) => `request ${relayId}`,
  answer: (relayId: string) => `answer ${relayId}`,
  /** The stored final of a BYE. */
  byeFinal: (id: string) => `bye-final ${id}`,
  /** A BYE of our own. */
  own: (id: string) => `own ${id}`,
  /** An OPTIONS of our own in that dialog. */
  probe: (dialogId: string) => `probe ${dialogId}`,
  /** Of a leg (app/legs.ts): a response of ours, by the `uas` record; a request and its CANCEL, by the `uac` record. */
  uas: (id: string) => `uas ${id}`,
  uac: (id: string) => `uac ${id}`,
  /** The ACK for a 2xx, by the leg. */
  legAck: (legId: string) => `leg-ack ${legId}`,
  /** What was relayed or answered without state. */
  untracked: 'untracked',
} as const

const KINDS = [
  'invite',
  'ack',
  'cancel',
  'response',
  'request',
  'answer',
  'bye-final',
  'own',
  'probe',
  'uas',
  'uac',
  'leg-ack',
] as const

export function readWhat(text: string): Sent {
  const space = text.indexOf(' ')
  const kind = KINDS.find((one) => one === text.slice(0, space))
  return kind === undefined ? { kind: 'untracked' } : { kind, id: text.slice(space + 1) }
}
