import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTemplateLiteralTypeSpan, isTypeNode } from 'typescript/unstable/ast/is'
import type { Node, SourceFile } from 'typescript/unstable/ast'
import { API, TypeFlags } from 'typescript/unstable/sync'
import type { Project } from 'typescript/unstable/sync'

/** What the declarations of the installed package say, as a compiler understands them. */
export interface Declarations {
  /** The names that an entry exports. */
  exportsOf(specifier: string): readonly string[]
  /** Where a declaration is `any`, or names a type that does not exist: as file, line and text. */
  findAny(): readonly string[]
}

/** Reads the declarations that the entries lead to, of the package that is installed in a folder. */
export function readDeclarations<Result>(
  folder: string,
  specifiers: readonly string[],
  use: (declarations: Declarations) => Result,
): Result {
  const entries = join(folder, 'entries.ts')
  const project = join(folder, 'entries.json')
  writeFileSync(entries, specifiers.map(specifier => `import '${specifier}'\n`).join(''))
  writeFileSync(project, JSON.stringify({
    compilerOptions: {
      noEmit: true, strict: true, module: 'nodenext', lib: ['es2023', 'dom'], types: ['node'], jsx: 'react-jsx',
    },
    files: ['entries.ts'],
  }))
  const api = new API({ cwd: folder })
  try {
    const [opened] = api.updateSnapshot({ openProjects: [project] }).getProjects()
    if (opened === undefined) throw new Error(`${project} cannot be opened`)
    return use(declarationsOf(opened, join(folder, 'node_modules/keyturn/'), entries))
  } finally {
    api.close()
  }
}

function declarationsOf({ program, checker }: Project, folder: string, entries: string): Declarations {
  return {
    exportsOf(specifier) {
      const [literal] = nodesOf(sourceFile(entries), node => 'text' in node && node.text === specifier)
      const module = literal === undefined ? undefined : checker.getSymbolAtLocation(literal)
      if (module === undefined) throw new Error(`${specifier} has no declarations`)
      return checker.getExportsOfModule(module).map(({ name }) => name)
    },
    findAny: () => program.getSourceFileNames().filter(name => name.startsWith(folder)).flatMap(name => {
      const file = sourceFile(name)
      // The type in a span is a node of its own.
      const nodes = nodesOf(file, node => isTypeNode(node) && !isTemplateLiteralTypeSpan(node))
      const types = checker.getTypeAtLocation(nodes)
      const isAny = (index: number): boolean => ((types[index]?.flags ?? TypeFlags.Any) & TypeFlags.Any) !== 0
      return nodes.filter((_node, index) => isAny(index)).map(node => describe(file, name, node))
    }),
  }

  function sourceFile(name: string): SourceFile {
    const file = program.getSourceFile(name)
    if (file === undefined) throw new Error(`${name} is not read`)
    return file
  }
}

function nodesOf(file: SourceFile, isWanted: (node: Node) => boolean): Node[] {
  const found: Node[] = []
  const visit = (node: Node): void => {
    if (isWanted(node)) found.push(node)
    node.forEachChild(visit)
  }
  visit(file)
  return found
}

function describe(file: SourceFile, name: string, node: Node): string {
  const text = node.getText(file)
  const line = file.text.slice(0, node.end).split('\n').length
  return `${name.replace(/.*\/node_modules\/keyturn\//, '')}:${line}: ${text}`
}
