import { parseAst } from 'vitest/node'

/** One import or re-export of a module. */
export interface ImportedModule {
  readonly specifier: string
  /** True if only types are imported, so that nothing is loaded at run time. */
  readonly typeOnly: boolean
}

/** The facts about a source file that the rules need. */
export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly ImportedModule[]
  /** Every name that the file uses or declares, except for property names. */
  readonly names: ReadonlySet<string>
}

interface SyntaxNode {
  readonly type: string
  readonly [field: string]: unknown
}

/** Reads a TypeScript file through its syntax tree, so that comments and strings are not mistaken for code. */
export function readSourceFile(path: string, text: string): SourceFile {
  const imports: ImportedModule[] = []
  const names = new Set<string>()
  const program: unknown = parseAst(text, { lang: 'ts' })
  if (isNode(program)) visit(program, (node) => {
    const imported = importedModule(node)
    if (imported !== null) imports.push(imported)
    if (node.type === 'Identifier' && typeof node['name'] === 'string') names.add(node['name'])
  })
  return { path, lines: text.trimEnd().split('\n').length, imports, names }
}

function importedModule(node: SyntaxNode): ImportedModule | null {
  if (!['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression', 'TSImportType']
    .includes(node.type)) return null
  const source = node['source']
  if (!isNode(source) || typeof source['value'] !== 'string') return null
  const kind = node['importKind'] ?? node['exportKind']
  return { specifier: source['value'], typeOnly: kind === 'type' || node.type === 'TSImportType' }
}

// `request.process` names a property, not the global `process`.
function isPropertyName(parent: SyntaxNode, field: string): boolean {
  const named = field === 'property' || field === 'key'
  return named && parent['computed'] !== true && parent['shorthand'] !== true
}

function visit(node: SyntaxNode, see: (node: SyntaxNode) => void): void {
  see(node)
  for (const [field, value] of Object.entries(node)) {
    if (isPropertyName(node, field)) continue
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, see)
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
