// A planted bug: a patch of one place in the shipped source, put in when a fresh worker loads that file (sim/run/plant.ts).
// The shipped code knows nothing of it.

export interface Mutant {
  readonly name: string
  /** Where it belongs. */
  readonly room: string
  /** From the repository's root. */
  readonly file: string
  /** Must occur in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Where one patch isn't enough: each must occur exactly once too. */
  readonly also?: readonly { readonly find: string; readonly replace: string }[]
  /** What it does, in words. */
  readonly story: string
  /** A promise that it breaks; others may notice first. */
  readonly promise: string
}

/** The file with the bug in it, or why it can't be planted. */
export function plant(mutant: Mutant, source: string): { readonly ok: boolean; readonly text: string } {
  let text = source
  for (const { find, replace } of [mutant, ...(mutant.also ?? [])]) {
    const parts = text.split(find)
    if (parts.length !== 2) {
      const times = parts.length === 1 ? 'is not' : `is ${parts.length - 1} times`
      return { ok: false, text: `mutant ${mutant.name}: its text ${times} in ${mutant.file}: mend its patch` }
    }
    text = parts.join(replace)
  }
  return { ok: true, text }
}
