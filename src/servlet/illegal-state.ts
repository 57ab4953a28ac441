// JSR 289's IllegalStateException: what a handler asks for is right in itself, but not now. The message says what to do instead.

export class IllegalStateError extends Error {
  override name = 'IllegalStateError'
}

export function illegal(message: string): never {
  throw new IllegalStateError(message)
}
