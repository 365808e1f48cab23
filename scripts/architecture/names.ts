/** Folders and files that do the same for different databases, runtimes and UI libraries. */
const parallel: readonly RegExp[] = [
  /^src\/stores\/(sqlite|async-sqlite|postgres|mysql|redis|memory|sql)\//,
  /^src\/platform\/(node|web|workerd)(?:-crypto)?\.ts$/,
  /^src\/client\/(react|vue|svelte)\.ts$/,
]

/** Which of the parallel sets a file is in, and which member of it; null for any other file. */
function placeOf(path: string): { readonly set: number; readonly member: string } | null {
  for (const [set, expression] of parallel.entries()) {
    const [, member] = expression.exec(path) ?? []
    if (member !== undefined) return { set, member }
  }
  return null
}

/**
 * Names that two files declare and export, each in one sentence: a reader who searches for one finds two meanings. One
 * role may have one name in each of several parallel folders.
 */
export function checkNames(files: ReadonlyMap<string, string>): string[] {
  const declared = new Map<string, string[]>()
  for (const [path, text] of files) {
    const names = text.matchAll(/^export (?:async |abstract )*(?:function\*?|class|interface|type|const|let) (\w+)/gm)
    for (const name of new Set([...names].map(([, name = '']) => name))) {
      declared.set(name, [...declared.get(name) ?? [], path])
    }
  }
  return [...declared].filter(([, paths]) => paths.length > 1 && !isParallel(paths))
    .map(([name, paths]) => `${name} is exported by ${paths.join(' and ')}`)
}

function isParallel(paths: readonly string[]): boolean {
  const places = paths.map(placeOf)
  const members = new Set(places.map((place) => place?.member))
  return places.every((place) => place !== null && place.set === places[0]?.set) && members.size === paths.length
}
