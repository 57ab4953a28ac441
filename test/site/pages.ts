// The docs' pages: Markdown as it is in the repository, its headings' anchors, its links and its snippets.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import GithubSlugger from 'github-slugger'
import { Marked } from 'marked'
import type { Token, TokensList } from 'marked'
import { listFiles } from '../source-text.ts'

export interface Page {
  /** From the repository's root: `docs/EVENTS.md`. */
  readonly path: string
  readonly title: string
  readonly tokens: TokensList
  /** Of each heading, as GitHub makes them, in order. */
  readonly anchors: readonly string[]
  readonly links: readonly Link[]
  readonly snippets: readonly Snippet[]
}

/** A link or an image. */
export interface Link {
  readonly href: string
  /** What it leads to, from the root; null: another site. */
  readonly target: string | null
  readonly anchor: string | null
}

/** A block of code; its language is empty where none is said. */
export interface Snippet {
  readonly language: string
  readonly text: string
}

export const marked = new Marked({ gfm: true })

/** All of docs/, and what the root has for readers. */
export function readPages(root: string): ReadonlyMap<string, Page> {
  const docs = listFiles(root, 'docs').filter((path) => path.endsWith('.md'))
  return new Map(
    ['README.md', 'CHANGELOG.md', ...docs].map((path) => [
      path,
      readPage(path, readFileSync(posix.join(root, path), 'utf8')),
    ]),
  )
}

export function readPage(path: string, text: string): Page {
  const tokens = marked.lexer(text)
  const slugger = new GithubSlugger()
  const page = { title: '', anchors: [] as string[], links: [] as Link[], snippets: [] as Snippet[] }
  marked.walkTokens(tokens, (token: Token) => {
    if (token.type === 'heading') {
      const said = plain(token.tokens ?? [])
      if (page.title === '') page.title = said
      page.anchors.push(slugger.slug(said))
    } else if (token.type === 'link' || token.type === 'image') page.links.push(linkOf(path, token.href as string))
    else if (token.type === 'code') {
      page.snippets.push({ language: (token.lang as string | undefined) ?? '', text: token.text as string })
    }
  })
  return { path, tokens, ...page }
}

/** Why a link leads nowhere; null if it leads somewhere. Other sites are not asked. */
export function deadLink(root: string, pages: ReadonlyMap<string, Page>, link: Link): string | null {
  if (link.target === null) return link.href.startsWith('https://') ? null : `${link.href}: other sites are https://`
  if (link.target.startsWith('..')) return `${link.href}: outside the repository`
  if (!existsSync(posix.join(root, link.target))) return `${link.href}: no such file`
  if (link.anchor === null) return null
  const there = pages.get(link.target)
  if (there === undefined) return `${link.href}: an anchor in what is no page`
  return there.anchors.includes(link.anchor) ? null : `${link.href}: no such heading`
}

export function isFolder(root: string, path: string): boolean {
  return statSync(posix.join(root, path)).isDirectory()
}

function linkOf(from: string, href: string): Link {
  if (/^[a-z]+:/i.test(href)) return { href, target: null, anchor: null }
  const [path = '', anchor = null] = href.split('#')
  const target = path === '' ? from : posix.normalize(posix.join(posix.dirname(from), path)).replace(/\/$/, '')
  return { href, target, anchor }
}

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens !== undefined
        ? plain(token.tokens)
        : 'text' in token
          ? unescaped(token.text as string)
          : '',
    )
    .join('')
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
}

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|amp|quot|#39);/g, (entity) => entities[entity] as string)
}
