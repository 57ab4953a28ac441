// The headers that the dialog of a message makes, and the way that it takes (JSR 289 5.4.2): an application's own are left away.

export const DIALOG_HEADERS: ReadonlySet<string> = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'route',
  'record-route',
  'max-forwards',
  'content-length',
])
