/** Reads a text file of this package by its path, such as `package.json`. Null if it is not there. */
export async function readPackageFile(path: string): Promise<string | null> {
  try {
    // This module is in `src/platform`, `dist/platform` or `dist/chunks`. Bundlers take `new URL(path, import.meta.url)`
    // for a file to copy. In a bundle of an application there is no such file.
    const here = import.meta.url
    const { readFile } = await import('node:fs/promises')
    return await readFile(new URL(`../../${path}`, here), 'utf8')
  } catch {
    return null
  }
}
