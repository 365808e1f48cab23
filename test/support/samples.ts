// The code of README and docs. A fence says what its block is:
//   ```ts            a sample: a module of its own
//   ```ts server.ts  a part of this file; blocks of one file are joined
//   ```ts prelude    what the samples under the same heading assume, or, at the end of the page, all samples of the
//                    page: each sample gets the statements that it needs
// Within a block, a line `// path/file.ts` begins another file.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The pages for readers, by their paths in the repository. Written by the tests: the reference of all exports. */
export const pages: readonly string[] = [
  'README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'clients/python/README.md',
  ...globSync('docs/**/*.md', { cwd: root }).filter(path => !path.startsWith('docs/api/')).sort(),
]

/** A block of code. */
export interface Block {
  readonly language: string
  /** What the fence says after the language. */
  readonly info: string
  readonly code: string
  /** The line of the fence. */
  readonly line: number
  /** The heading of the second level that it is under. */
  readonly heading: string
}

/** A module of a page. */
export interface Sample {
  /** Its path within the application of the page. */
  readonly file: string
  readonly code: string
  /** The line of the fence of its first block. */
  readonly line: number
}

/** The blocks of a text, in order. */
export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^( *)```([\w-]*)(?: (.*?))?\n(.*?)^\1```$/gms)].map(match => {
    const [, indent = '', language = '', info = '', code = ''] = match
    const before = text.slice(0, match.index)
    return {
      language, info,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: before.split('\n').length,
      heading: before.match(/^## .*$/gm)?.at(-1) ?? '',
    }
  })
}

/** Reads a page. */
export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

const compiled: ReadonlySet<string> = new Set(['ts', 'tsx', 'js', 'jsx', 'mjs'])
const fileName = /^[\w.$+()[\]/-]+\.(?:m?[jt]sx?)$/

/** The modules of a page: its blocks of TypeScript and JavaScript, with what they need of its prelude. */
export function samplesOf(text: string): readonly Sample[] {
  const blocks = blocksOf(text).filter(({ language }) => compiled.has(language))
  const last = text.match(/^## .*$/gm)?.at(-1) ?? ''
  const preludes = blocks.filter(({ info }) => info === 'prelude')
  const preludeOf = (heading: string): readonly Statement[] => {
    const own = preludes.filter(prelude => prelude.heading === heading)
    const common = preludes.filter(prelude => prelude.heading === last && heading !== last)
    const declared = new Set(own.flatMap(({ code }) => declaredIn(code)))
    return [
      ...own.flatMap(({ code }) => statementsOf(code)),
      ...common.flatMap(({ code }) => statementsOf(code))
        .filter(({ declares }) => !declares.some(name => declared.has(name))),
    ]
  }
  const files = new Map<string, Sample & { readonly heading: string }>()
  const add = (file: string, { code, line, heading }: Pick<Block, 'code' | 'line' | 'heading'>): void => {
    const before = files.get(file)
    const joined = before === undefined ? { file, code, line, heading } : { ...before, code: `${before.code}\n${code}` }
    files.set(file, joined)
  }
  for (const [index, block] of blocks.entries()) {
    const { language, info, code } = block
    if (info === 'prelude') continue
    if (fileName.test(info)) {
      add(info, block)
      continue
    }
    const [first = '', ...others] = code.split(/^(?=\/\/ [\w.$+()[\]/-]+\.m?[jt]sx?\b)/m)
    for (const [number, part] of [first, ...others].entries()) {
      const [, stated] = /^\/\/ ([\w.$+()[\]/-]+\.m?[jt]sx?)\b/.exec(part) ?? []
      const name = stated ?? `sample-${index + 1}${number === 0 ? '' : `-${number}`}.${language}`
      if (part.trim() !== '') add(name, { ...block, code: part })
    }
  }
  return [...files.values()].map(({ file, code, line, heading }) => (
    { file, line, code: withPrelude(code, preludeOf(heading)) }
  ))
}

/** A statement of a prelude. */
interface Statement {
  readonly text: string
  readonly declares: readonly string[]
}

/** The statements of a module. A statement begins in the first column; so does the line that closes it. */
function statementsOf(code: string): readonly Statement[] {
  return code.split(/\n(?=[^\s)\]}])/).filter(text => text.trim() !== '').map(text => (
    { text: text.trimEnd(), declares: declaredIn(text) }
  ))
}

const prefix = '^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:async )?'
const imported = /^import (?:type )?(?:(\w+)(?:, )?)?(?:\* as (\w+))?(?:\{([^}]*)\})? from/gm
const destructured = /^(?:export )?(?:declare )?(?:const|let|var) (?:\{([^}]*)\}|\[([^\]]*)\])/gm
const named = new RegExp(`${prefix}(?:const|let|var|function\\*?|class|interface|type|enum|namespace) (\\w+)`, 'gm')

/** The names that a list in braces or brackets declares: `a`, `a as b`, `a: b`, `a = 1`, `...a`. */
function listed(list: string): readonly string[] {
  return list.split(',').map(name => (
    name.trim().replace(/^(?:type )?(?:.* as |.*:\s*)?(?:\.\.\.)?/, '').replace(/\s*=.*$/s, '')
  ))
}

/** The names that the code declares in the first column. */
function declaredIn(code: string): readonly string[] {
  return [
    ...[...code.matchAll(imported)].flatMap(([, name = '', space = '', list = '']) => [name, space, ...listed(list)]),
    ...[...code.matchAll(destructured)].flatMap(([, members = '', items = '']) => listed(members || items)),
    ...[...code.matchAll(named)].map(([, name = '']) => name),
  ].filter(name => name !== '')
}

/** Puts before a sample what it needs of the prelude: statements whose names it uses and does not declare itself. */
function withPrelude(code: string, prelude: readonly Statement[]): string {
  const own = new Set(declaredIn(code))
  const needed = new Set<Statement>()
  const uses = (text: string, name: string): boolean => (
    new RegExp(`(?<![.\\w$])${name}(?![\\w$])(?!\\s*:[^:])`).test(text)
  )
  const need = (text: string): void => {
    for (const statement of prelude) {
      const isNeeded = statement.declares.some(name => !own.has(name) && uses(text, name))
      if (!isNeeded || needed.has(statement)) continue
      needed.add(statement)
      need(statement.text)
    }
  }
  need(code)
  // What declares nothing, such as a middleware or the augmentation of a module, belongs to what it is about.
  const names = new Set([...needed].flatMap(({ declares }) => declares))
  for (const statement of prelude) {
    const isAbout = statement.declares.length === 0 && needed.size > 0
      && (statement.text.startsWith('declare ') || [...names].some(name => statement.text.startsWith(`${name}.`)))
    if (!isAbout) continue
    needed.add(statement)
    need(statement.text)
  }
  const lines = prelude.filter(statement => needed.has(statement)).map(({ text }) => withoutNames(text, own))
  return [...lines, code].filter(text => text !== '').join('\n')
}

/** An import without the names that the sample declares itself. Other statements stay as they are. */
function withoutNames(text: string, own: ReadonlySet<string>): string {
  if (!text.startsWith('import ')) return text
  return text.replace(/\{([^}]*)\}/, (_, list: string) => {
    const names = list.split(',').map(name => name.trim())
    return `{ ${names.filter(name => name !== '' && !own.has(name.replace(/^type /, ''))).join(', ')} }`
  })
}
