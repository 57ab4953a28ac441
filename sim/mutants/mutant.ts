// A planted bug: a patch of the shipped source, put in when a fresh worker loads that file (sim/run/plant.ts). The shipped code
// knows nothing of it.

export interface Mutant {
  readonly name: string
  /** Where it belongs. */
  readonly room: string
  /** From the repository's root. */
  readonly file: string
  /** Must occur in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Where one patch isn't enough: each must occur exactly once too, in that file or in another one. */
  readonly also?: readonly { readonly file?: string; readonly find: string; readonly replace: string }[]
  /** What it does, in words. */
  readonly story: string
  /** A promise that it breaks; others may notice first. `determinism`: only two runs of one seed tell. */
  readonly promise: string
  /** The schedule that it is hunted in first (sim/schedules.ts), where drawn faults alone take long to meet. */
  readonly schedule?: string
}

/** The files that it changes. */
export function filesOf(mutant: Mutant): readonly string[] {
  return [...new Set([mutant.file, ...(mutant.also ?? []).map(({ file }) => file ?? mutant.file)])]
}

/** That file with the bug in it, or why it can't be planted. */
export function plant(mutant: Mutant, file: string, source: string): { readonly ok: boolean; readonly text: string } {
  let text = source
  for (const patch of [mutant, ...(mutant.also ?? [])]) {
    if ((patch.file ?? mutant.file) !== file) continue
    const parts = text.split(patch.find)
    if (parts.length !== 2) {
      const times = parts.length === 1 ? 'is not' : `is ${parts.length - 1} times`
      return { ok: false, text: `mutant ${mutant.name}: its text ${times} in ${file}: mend its patch` }
    }
    text = parts.join(patch.replace)
  }
  return { ok: true, text }
}
