// A fresh process that imports one module, or none, and reports what that cost. It is plain JavaScript, so that only
// the module is compiled. With `count` it counts files; that takes time, so its times do not count.
const [mode, specifier = ''] = process.argv.slice(2)
let files = 0
if (mode === 'count') {
  process.getBuiltinModule('node:module').registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) files++
      return next(url, context)
    },
  })
}

const before = process.cpuUsage()
const start = performance.now()
if (specifier !== '') await import(specifier)
const time = performance.now() - start
const cpu = process.cpuUsage(before)
const whole = process.cpuUsage()
process.stdout.write(JSON.stringify({
  time,
  cpu: (cpu.user + cpu.system) / 1000,
  processCpu: (whole.user + whole.system) / 1000,
  rss: process.memoryUsage.rss() / 1e6,
  files,
}))
