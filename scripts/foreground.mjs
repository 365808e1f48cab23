import { spawn } from 'node:child_process'
import { projectNode, root, toolEnvironment } from './install.mjs'

/**
 * Runs a file with the project's Node in place of this process: same terminal, forwarded signals, same exit code.
 *
 * @param {string} file path inside the repository
 * @param {string[]} args
 */
export function runInForeground(file, args) {
  const child = spawn(projectNode, [file, ...args], { cwd: root, env: toolEnvironment, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole process group. The child has it already; a second one would force its
      // exit.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(`keyturn: cannot run ${file}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const forwarded of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(forwarded)
    process.kill(process.pid, signal)
  })
}
