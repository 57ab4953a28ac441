// JSR 289's IllegalStateException: what a handler asks for is right in itself, but not now. The message says what to do instead.

export class IllegalStateError extends Error {
  override name = 'IllegalStateError'
}

/** Nobody is at fault: no quorum, no owner that answers, others that were faster. Asking again may help; the message says whether what
 *  was asked for may have been done all the same. What doHttp throws of these is a 503. */
export class UnavailableError extends Error {
  override name = 'UnavailableError'
}

export function illegal(message: string): never {
  throw new IllegalStateError(message)
}
