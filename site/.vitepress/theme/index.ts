// The default theme without its fonts, which are half of the site's bytes.
import DefaultTheme from 'vitepress/theme-without-fonts'
import './style.css'

export default DefaultTheme
