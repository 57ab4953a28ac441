// Source text as the tidy test reads it: which files there are, what they import, and their code without comments and
// without the insides of strings. A scanner of our own, so that the net does not hang on a compiler's private API.

import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string
  readonly text: string
  /** The text with comments blanked and the insides of strings, templates and regular expressions replaced by spaces;
   * lines stay where they are. */
  readonly code: string
  readonly imports: readonly ImportOf[]
  readonly hasRegExp: boolean
}

export interface ImportOf {
  readonly specifier: string
  /** A relative specifier's file, from the root; null for a package or a Node module. */
  readonly target: string | null
}

const skipped = new Set(['node_modules', 'dist', '.git'])

/** All files under `folder` (from `root`), by path. */
export function listFiles(root: string, folder = '.'): string[] {
  const found: string[] = []
  for (const entry of readdirSync(posix.join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory() && !skipped.has(entry.name)) found.push(...listFiles(root, path))
    else if (entry.isFile()) found.push(path)
  }
  return found.sort()
}

export function readSource(root: string, path: string): SourceFile {
  return scanSource(path, readFileSync(posix.join(root, path), 'utf8'))
}

/** A source file of its text. */
export function scanSource(path: string, text: string): SourceFile {
  const scan = blank(text)
  const imports = scan.strings
    .filter((string) => isSpecifier(scan.code, string.start))
    .map(({ value }) => ({
      specifier: value,
      target: value.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), value)) : null,
    }))
  return { path, text, code: scan.code, imports, hasRegExp: scan.hasRegExp }
}

// A string literal is a module specifier right after `from`, `import` or `import(`.
function isSpecifier(code: string, quote: number): boolean {
  return /(?:\bfrom|\bimport|\bimport\s*\()\s*$/.test(code.slice(Math.max(0, quote - 40), quote))
}

interface Blanked {
  readonly code: string
  readonly strings: readonly { readonly start: number; readonly value: string }[]
  readonly hasRegExp: boolean
}

function blank(text: string): Blanked {
  const strings: { start: number; value: string }[] = []
  let hasRegExp = false
  let code = ''
  let at = 0
  // Depths of braces inside `${`: at 0 the template goes on.
  const templates: number[] = []
  const keep = (to: number): void => {
    code += text.slice(at, to)
    at = to
  }
  const hide = (to: number): void => {
    code += text.slice(at, to).replace(/[^\n]/g, ' ')
    at = to
  }
  const template = (): void => {
    let end = at
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1
    hide(end)
    if (text[at] === '`') return keep(at + 1)
    templates.push(0)
    keep(Math.min(at + 2, text.length))
  }
  while (at < text.length) {
    const character = text[at] as string
    const depth = templates.at(-1)
    if (text.startsWith('//', at)) hide(endOf(text, '\n', at))
    else if (text.startsWith('/*', at)) hide(endOf(text, '*/', at) + 2)
    else if (character === "'" || character === '"') {
      const end = closing(text, at, character)
      strings.push({ start: at, value: text.slice(at + 1, end) })
      keep(at + 1)
      hide(end)
      keep(end + 1)
    } else if (character === '`') {
      keep(at + 1)
      template()
    } else if (character === '/' && startsRegExp(code)) {
      hasRegExp = true
      keep(at + 1)
      hide(closingRegExp(text, at - 1))
      keep(at + 1)
    } else if (character === '{' && depth !== undefined) {
      templates[templates.length - 1] = depth + 1
      keep(at + 1)
    } else if (character === '}' && depth !== undefined) {
      keep(at + 1)
      if (depth > 0) templates[templates.length - 1] = depth - 1
      else {
        templates.pop()
        template()
      }
    } else keep(at + 1)
  }
  return { code, strings, hasRegExp }
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from)
  return end < 0 ? text.length : end
}

function closing(text: string, quote: number, mark: string): number {
  let at = quote + 1
  while (at < text.length && text[at] !== mark) at += text[at] === '\\' ? 2 : 1
  return at
}

// A slash divides after a value, else it starts a regular expression.
function startsRegExp(before: string): boolean {
  const code = before.trimEnd()
  if (code === '') return true
  return /[(,=:[!&|?{};+\-*%<>~^]$/.test(code) || /\b(?:return|typeof|case|in|of|do|else|void)$/.test(code)
}

function closingRegExp(text: string, slash: number): number {
  let inClass = false
  let at = slash + 1
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true
    else if (text[at] === ']') inClass = false
    at += text[at] === '\\' ? 2 : 1
  }
  return at
}
