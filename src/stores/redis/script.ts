import { createHash } from 'node:crypto'

/** A Lua script. Data reaches it as keys and arguments only, never as text of the script (ST-03). */
export interface Script {
  readonly text: string
  /** What Redis calls it: the SHA-1 of the text. */
  readonly digest: string
}

/** Names a script. */
export function defineScript(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}
