import { createHash } from 'node:crypto'

/** A Lua script. Data is passed as keys and arguments only, never as part of the script's text (ST-03). */
export interface Script {
  readonly text: string
  /** The script's name in Redis: the SHA-1 of the text. */
  readonly digest: string
}

/** Makes a script from its text. */
export function defineScript(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}
