import { render } from 'preact'
import { App } from './app.tsx'
import './style/base.css'
import './style/frame.css'
import './style/parts.css'
import './style/data.css'

const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  render(<App />, root)
}
