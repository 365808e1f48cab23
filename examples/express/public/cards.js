// What the page shows of a session: loaded when there is one.
export { Data } from './data.js'
export { deviceCount, Devices } from './devices.js'
export { Theft } from './theft.js'
export { Timeline } from './timeline.js'
