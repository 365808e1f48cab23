import { posix } from 'node:path'
import type { ImportedModule, SourceFile } from './source-file.ts'

/** What a module may import from another one. */
export type Permission = 'values' | 'types'

/** Which modules (folders of src) each module may import, as listed in docs/architecture.md. */
export type ModuleTable = ReadonlyMap<string, ReadonlyMap<string, Permission>>

/** The modules that run on any web-standard runtime. */
const neutralModules: ReadonlySet<string> = new Set(['base', 'tokens', 'session', 'transport', 'client'])
const nodeOnlyNames = ['process', 'Buffer', 'require', '__dirname', '__filename', 'setImmediate']
const lineLimit = 300
const heading = '## Modules and dependencies'

/**
 * Reads the table `| module | may import |` of docs/architecture.md. Lines that cannot be read are returned as
 * problems. A cell lists modules separated by commas; `types of` before a module allows its types only. A cell may be
 * empty.
 */
export function readModuleTable(markdown: string): { table: ModuleTable; problems: string[] } {
  const problems: string[] = []
  const table = new Map<string, Map<string, Permission>>()
  const [, section] = markdown.split(`${heading}\n`)
  if (section === undefined) return { table, problems: [`docs/architecture.md has no heading "${heading}"`] }
  for (const line of section.split(/^## /m)[0]?.split('\n') ?? []) {
    const [module, allowed] = line.split('|').slice(1).map((cell) => cell.replaceAll('`', '').trim())
    if (module === undefined || allowed === undefined || module === 'module' || /^[-: ]*$/.test(module)) continue
    const dependencies = new Map<string, Permission>()
    for (const item of allowed === '' ? [] : allowed.split(',')) {
      const dependency = /^(types of )?([a-z]+)$/.exec(item.trim())
      if (dependency?.[2] === undefined) {
        problems.push(`docs/architecture.md: cannot read "${item.trim()}" in module ${module}`)
      } else dependencies.set(dependency[2], dependency[1] === undefined ? 'values' : 'types')
    }
    table.set(module, dependencies)
  }
  if (table.size === 0) problems.push(`docs/architecture.md has no table under "${heading}"`)
  return { table, problems }
}

/** The module of a file in src; null for the files directly in src, which assemble the modules. */
export function moduleOf(path: string): string | null {
  const [, module, ...rest] = path.split('/')
  return module === undefined || rest.length === 0 ? null : module
}

/** Reports modules that exist and are not listed, and modules that are listed and do not exist. */
export function checkModules(table: ModuleTable, modules: ReadonlySet<string>): string[] {
  return [
    ...[...modules].filter((module) => !table.has(module)).map((module) =>
      `module ${module} is not in docs/architecture.md`
    ),
    ...[...table.keys()].filter((module) => !modules.has(module)).map((module) =>
      `module ${module} is in docs/architecture.md but does not exist`
    ),
  ]
}

/**
 * The `references` of each module's tsconfig.json must be exactly its dependencies, so that the compiler enforces
 * them.
 */
export function checkReferences(table: ModuleTable, references: ReadonlyMap<string, readonly string[]>): string[] {
  return [...references].flatMap(([module, targets]) => {
    const dependencies = [...table.get(module)?.keys() ?? []]
    return [
      ...targets.filter((target) => !dependencies.includes(target))
        .map((target) => `the tsconfig.json of ${module} references ${target}, which the table does not allow`),
      ...dependencies.filter((dependency) => !targets.includes(dependency))
        .map((dependency) => `the tsconfig.json of ${module} does not reference ${dependency}, which the table allows`),
    ]
  })
}

/** The file in src that an import refers to; null if it is outside src. `aliases` resolves `#name` imports. */
export function targetOf(from: string, specifier: string, aliases: ReadonlyMap<string, string>): string | null {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  return aliases.get(specifier) ?? null
}

/** Imports from other modules must be allowed by the table. */
export function checkDependencies(
  table: ModuleTable,
  files: readonly SourceFile[],
  aliases: ReadonlyMap<string, string>,
): string[] {
  return eachImport(files, ({ path }, { specifier, typeOnly }) => {
    const target = targetOf(path, specifier, aliases)
    if (target === null) return null
    if (!target.startsWith('src/')) return `${path} imports ${specifier}, which is outside src`
    const [from, to] = [moduleOf(path), moduleOf(target)]
    if (from === to || from === null) return null
    if (to === null) return `${path} imports ${specifier}: no module may import the files that assemble the modules`
    const permission = table.get(from)?.get(to)
    if (permission === undefined) {
      return `${path} imports ${specifier}: docs/architecture.md does not allow ${from} to import ${to}`
    }
    const excess = permission === 'types' && !typeOnly
    return excess ? `${path} imports ${specifier}: ${from} may only import types of ${to}` : null
  })
}

/** Relative imports must refer to a file that exists. */
export function checkTargets(files: readonly SourceFile[], existing: ReadonlySet<string>): string[] {
  return eachImport(files, ({ path }, { specifier }) => {
    const target = specifier.startsWith('.') ? targetOf(path, specifier, new Map()) : null
    return target === null || existing.has(target) ? null : `${path} imports ${specifier}, which does not exist`
  })
}

/** Neutral modules use web standards only: no Node module and no Node global. */
export function checkNeutral(files: readonly SourceFile[]): string[] {
  const neutral = files.filter(({ path }) => neutralModules.has(moduleOf(path) ?? ''))
  return [
    ...eachImport(neutral, ({ path }, { specifier }) =>
      specifier.startsWith('node:') ? `${path} imports ${specifier}, but ${moduleOf(path)} is neutral` : null),
    ...neutral.flatMap(({ path, names }) => nodeOnlyNames.filter((name) => names.has(name))
      .map((name) => `${path} uses ${name}, but ${moduleOf(path)} is neutral`)),
  ]
}

/** Values of other packages may be imported only if the package declares them to its users. */
export function checkPackages(files: readonly SourceFile[], declared: ReadonlySet<string>): string[] {
  return eachImport(files, ({ path }, { specifier, typeOnly }) => {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
    if (typeOnly || /^(?:\.|#|node:|cloudflare:)/.test(specifier) || declared.has(name)) return null
    return `${path} imports ${specifier}, which is not a dependency of the package`
  })
}

/** No file has more lines than the limit. */
export function checkLengths(files: readonly SourceFile[]): string[] {
  return files.filter(({ lines }) => lines > lineLimit)
    .map(({ path, lines }) => (
      `${path} has ${lines} lines; the limit is ${lineLimit}: move one of its ideas to another file`
    ))
}

/** No module in `forbidden` may be reachable from `entry` through imports. */
export function checkReach(
  entry: string,
  forbidden: ReadonlySet<string>,
  files: readonly SourceFile[],
  aliases: ReadonlyMap<string, string>,
): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const cameFrom = new Map<string, string | null>([[entry, null]])
  for (const path of cameFrom.keys()) {
    for (const { specifier } of byPath.get(path)?.imports ?? []) {
      const target = targetOf(path, specifier, aliases)
      if (target !== null && !cameFrom.has(target)) cameFrom.set(target, path)
    }
  }
  return [...cameFrom.keys()].filter((path) => forbidden.has(moduleOf(path) ?? ''))
    .map((path) => `${entry} reaches ${path}, through ${cameFrom.get(path)}`)
}

/** No import cycles: which file of a cycle is initialized first would depend on which is imported first. */
export function checkCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const problems: string[] = []
  function visit(path: string, way: readonly string[]): void {
    if (way.includes(path)) {
      problems.push(`these files import each other: ${[...way.slice(way.indexOf(path)), path].join(', ')}`)
      return
    }
    if (done.has(path)) return
    for (const { specifier, typeOnly } of byPath.get(path)?.imports ?? []) {
      const target = typeOnly ? null : targetOf(path, specifier, new Map())
      if (target !== null) visit(target, [...way, path])
    }
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return problems
}

/** Every file that package.json exports must have its source. */
export function checkExports(exported: unknown, existing: ReadonlySet<string>): string[] {
  return exportedFiles(exported).map(sourceOf).filter((source) => !existing.has(source))
    .map((source) => `package.json exports a file whose source ${source} does not exist`)
}

function exportedFiles(exported: unknown): string[] {
  if (typeof exported === 'string') return [exported]
  return typeof exported === 'object' && exported !== null ? Object.values(exported).flatMap(exportedFiles) : []
}

function sourceOf(file: string): string {
  return file.replace(/^\.\//, '').replace(/^dist\/(.*?)(?:\.d\.ts|\.js)$/, 'src/$1.ts')
}

function eachImport(
  files: readonly SourceFile[],
  check: (file: SourceFile, imported: ImportedModule) => string | null,
): string[] {
  return files.flatMap((file) => file.imports.map((imported) => check(file, imported)))
    .filter((problem) => problem !== null)
}
