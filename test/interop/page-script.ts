// A package of CommonJS modules as one script for a page, under a global name.

import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'

/** Its logger, which reads the browser's storage; nobody reads the log. */
const SILENT = new Map([
  [
    'debug',
    `const quiet = () => Object.assign(() => undefined, { enabled: false })
module.exports = Object.assign(quiet, { default: quiet })`,
  ],
])

export function pageScript(name: string, globalName: string): string {
  const modules: string[] = []
  const known = new Map<string, number>()
  const add = (path: string, text: string): number => {
    const number = known.size
    known.set(path, number)
    const needs = [...text.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)].map(([, need]) => need as string)
    const numbers = needs.map((need) => [need, find(need, path)] as const)
    modules.push(
      `${number}: [${JSON.stringify(Object.fromEntries(numbers))}, (module, exports, require) => {${text}\n}]`,
    )
    return number
  }
  const find = (need: string, from: string): number => {
    const silent = SILENT.get(need)
    // `events` is a package here, and Node's own module elsewhere.
    const path = silent === undefined ? createRequire(from).resolve(isBuiltin(need) ? `${need}/` : need) : need
    const text = silent ?? readFileSync(path, 'utf8')
    return known.get(path) ?? add(path, path.endsWith('.json') ? `module.exports = ${text}` : text)
  }
  const entry = find(name, import.meta.filename)
  return `{
const modules = {${modules.join(',\n')}}
const loaded = new Map()
const load = (number) => {
  if (!loaded.has(number)) {
    const module = { exports: {} }
    loaded.set(number, module)
    const [needs, run] = modules[number]
    run(module, module.exports, (need) => load(needs[need]))
  }
  return loaded.get(number).exports
}
globalThis.${globalName} = load(${entry})
}`
}
