/**
 * A process that serves a browser, and kills itself after a step of its requests. Arguments: the place as JSON, and the
 * number of the step; 0: it lives, and says how many steps there were when it is asked to.
 */
import { flushCompileCache } from 'node:module'
import { startCountedServer } from './crash-steps.ts'
import type { CrashPlace } from './crash-steps.ts'

const [place = '', last = '0'] = process.argv.slice(2)
const where: CrashPlace = JSON.parse(place)
const names: string[] = []
let isCounting = false
const { port } = await startCountedServer(where, name => {
  if (!isCounting) return
  names.push(name)
  // Not `exit`: nothing is flushed, closed or answered.
  if (names.length === Number(last)) process.kill(process.pid, 'SIGKILL')
})
// Those that are killed have no end at which Node would write it.
if (last === '0') flushCompileCache()
process.on('message', () => process.send?.(names))
isCounting = true
process.send?.(port)
