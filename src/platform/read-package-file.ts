/** Reads a text file of this package by its path, such as `package.json`. Null if it is not there. */
export async function readPackageFile(path: string): Promise<string | null> {
  try {
    // This module is in `src/platform`, `dist/platform` or `dist/chunks`. Bundlers take `new URL(path, import.meta.url)`
    // for a file to copy, and put another one in its place. In a bundle of an application there is no such file.
    const root = import.meta.url.split('/').slice(0, -3).join('/')
    const { readFile } = await import('node:fs/promises')
    return await readFile(new URL(`${root}/${path}`), 'utf8')
  } catch {
    return null
  }
}
