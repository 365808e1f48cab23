// Preloaded into a program: its clock stands still, and the process that started it moves it.
let now = Number(process.env['OWN_CLOCK'])
Date.now = () => now

process.on('message', (milliseconds: number) => {
  now += milliseconds
  process.send?.('moved')
})
process.channel?.unref()
