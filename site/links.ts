// Links of the pages. Pages link to each other by the paths of their files, so that the links also work where the
// repository is read. The site has the pages and not the rest of the repository: links to the rest become plain text.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')

/** The folder of the pages. */
export const pagesFolder: string = join(root, 'docs')

/** The files outside of the folder that are pages of the site, too, and the address of each. */
export const outerPages: Readonly<Record<string, string>> = {
  'README.md': '/',
  'SECURITY.md': '/security',
  'CONTRIBUTING.md': '/contributing',
  'CHANGELOG.md': '/changelog',
  'CODE_OF_CONDUCT.md': '/conduct',
}

/** Files beside the pages that the site offers for download. */
export const downloads: readonly string[] = ['operations/keyturn.json', 'operations/alerts.yml']

/** Where a link leads. */
export type Target =
  | { readonly kind: 'outside' }
  /** A page of the site. `path` begins with `/` and has no extension. */
  | { readonly kind: 'page'; readonly path: string; readonly hash: string }
  | { readonly kind: 'download'; readonly path: string }
  /** A file of the repository that is not part of the site. */
  | { readonly kind: 'source'; readonly path: string }
  | { readonly kind: 'dead' }

/** Finds out where a link in a page leads. `page` is the path of its file in the repository. */
export function resolveLink(page: string, href: string): Target {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(href)) return { kind: 'outside' }
  const [address = '', hash = ''] = decodeURI(href).split(/(?=#)/)
  if (address.startsWith('/')) return findPage(join('docs', address), hash) ?? { kind: 'dead' }
  const path = join(dirname(page), address)
  return findPage(path, hash) ?? findOther(path)
}

function findPage(path: string, hash: string): Target | null {
  const outer = outerPages[path]
  if (outer !== undefined && existsSync(join(root, path))) return { kind: 'page', path: outer, hash }
  if (!path.startsWith('docs/')) return null
  const inside = path.slice('docs'.length).replace(/\/$/, '')
  const candidates = [inside, `${inside}.md`, `${inside}/README.md`, `${inside}/index.md`]
  const found = candidates.find(name => name.endsWith('.md') && existsSync(join(pagesFolder, name)))
  return found === undefined ? null : { kind: 'page', path: addressOf(found), hash }
}

/** The address of a page, by its path in the folder of the pages. */
function addressOf(file: string): string {
  return file.replace(/\.md$/, '').replace(/(^|\/)(?:README|index)$/, '$1')
}

function findOther(path: string): Target {
  if (path.startsWith('..') || !existsSync(join(root, path))) return { kind: 'dead' }
  const inside = relative('docs', path)
  return downloads.includes(inside) ? { kind: 'download', path: `/${inside}` } : { kind: 'source', path }
}

/** The part of markdown-it that is used. */
interface Token {
  readonly type: string
  readonly children: Token[] | null
  content: string
  tag: string
  hidden: boolean
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/** Renders a token of a list. */
type Rule = (tokens: { readonly info: string }[], index: number, ...rest: unknown[]) => string

interface MarkdownIt {
  readonly renderer: { readonly rules: { fence?: Rule | undefined } }
  readonly core: {
    readonly ruler: {
      push(name: string, rule: (state: { readonly tokens: Token[]; readonly env: { path?: string } }) => void): void
    }
  }
}

/** Makes the links of a page those of the site. @throws Error for a dead link. */
export function useSiteLinks(markdown: MarkdownIt): void {
  markdown.core.ruler.push('site-links', ({ tokens, env }) => {
    const file = relative(root, env.path ?? '')
    const page = includedFile(env.path) ?? file
    for (const { children } of tokens) {
      let unlinked = false
      for (const token of children ?? []) {
        if (token.type === 'link_close' && unlinked) {
          token.hidden = true
          Object.assign(token, { type: 'text', content: '', tag: '' })
          unlinked = false
        }
        if (token.type !== 'link_open') continue
        const href = token.attrGet('href') ?? ''
        const target = resolveLink(page, href)
        if (target.kind === 'dead') throw new Error(`${page}: the link to ${href} is dead`)
        if (target.kind === 'page') token.attrSet('href', `${target.path}${target.hash}`)
        if (target.kind === 'download') {
          token.attrSet('href', target.path)
          token.attrSet('target', '_self')
          token.attrSet('download', '')
        }
        if (target.kind === 'source') {
          Object.assign(token, { type: 'text', content: '', tag: '' })
          unlinked = true
        }
      }
    }
  })
}

/** Shows the name of a file above its code: the fence says it after the language. */
export function showFileNames(markdown: MarkdownIt): void {
  const { fence } = markdown.renderer.rules
  if (fence === undefined) return
  markdown.renderer.rules.fence = (tokens, index, ...rest) => {
    const [, name] = / (\S+\.\w+)$/.exec(tokens[index]?.info ?? '') ?? []
    const code = fence(tokens, index, ...rest)
    return name === undefined ? code : `<div class="file-name">${name}</div>\n${code}`
  }
}

/** The file whose text a page includes, as the pages of `outerPages` do: its links are relative to that file. */
function includedFile(path: string | undefined): string | null {
  if (path === undefined || !existsSync(path) || !statSync(path).isFile()) return null
  const found = /^<!--@include: (\S+)-->$/m.exec(readFileSync(path, 'utf8'))?.[1]
  return found === undefined ? null : relative(root, join(dirname(path), found))
}

/** The anchor of a heading, as GitHub makes it, so that links work in both places. */
export function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replaceAll(/\s/g, '-')
}
