// The planted bugs. `holdfast sim --mutants` must find every one; a test checks that every patch still applies.

import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = []
