const WIDTH = 30

/**
 * Shows on stderr how far a long task is: a bar on a terminal, otherwise a line for each tenth. Returns a function that
 * takes how much is done.
 */
export function showProgress(label: string, total: number): (done: number) => void {
  const start = performance.now()
  let shown = 0
  return done => {
    const share = Math.min(done / total, 1)
    const percent = Math.floor(share * 100)
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    if (process.stderr.isTTY) {
      const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')
      process.stderr.write(`\r[${bar}] ${percent} % ${label}, ${seconds} s${share === 1 ? '\n' : ''}`)
    } else if (percent >= shown + 10 || (share === 1 && shown < 100)) {
      shown = percent - percent % 10
      process.stderr.write(`${label}: ${percent} %, ${seconds} s\n`)
    }
  }
}
