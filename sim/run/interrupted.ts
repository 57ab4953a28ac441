/** Ctrl-C: what was done is printed. */
export interface Interrupted {
  yes: boolean
}
