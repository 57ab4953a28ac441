// Lets a program of this repository import `holdfast/...` as its users do, and get the source instead of `dist/`:
//
//     node --import ./test/from-source.ts docs/examples/lost-update.ts

import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const root = new URL('../', import.meta.url)
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const entry = /^holdfast(?:\/|$)/.test(specifier) ? exports[specifier.replace('holdfast', '.')] : undefined
    if (entry === undefined || typeof entry === 'string') return nextResolve(specifier, context)
    const source = entry.default.replace('./dist/', './').replace(/\.js$/, '.ts')
    return { url: new URL(source, root).href, shortCircuit: true }
  },
})
