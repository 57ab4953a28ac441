// Which handler hears of what (JSR 289 4.1).

import type { HandlerName } from './contract.ts'

const OF_METHODS: ReadonlyMap<string, HandlerName> = new Map([
  ['INVITE', 'doInvite'],
  ['ACK', 'doAck'],
  ['BYE', 'doBye'],
  ['CANCEL', 'doCancel'],
  ['INFO', 'doInfo'],
  ['MESSAGE', 'doMessage'],
  ['NOTIFY', 'doNotify'],
  ['OPTIONS', 'doOptions'],
  ['PRACK', 'doPrack'],
  ['REFER', 'doRefer'],
  ['SUBSCRIBE', 'doSubscribe'],
  ['UPDATE', 'doUpdate'],
])

/** `doRequest` is the one of a method that has none of its own. */
export function requestHandler(method: string): HandlerName {
  return OF_METHODS.get(method) ?? 'doRequest'
}

export function responseHandler(status: number): HandlerName {
  if (status < 200) return 'doProvisionalResponse'
  if (status < 300) return 'doSuccessResponse'
  return status < 400 ? 'doRedirectResponse' : 'doErrorResponse'
}
