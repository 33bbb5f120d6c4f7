import { render } from 'preact'
import { signal } from '@preact/signals'

const count = signal(0)
render(<button onClick={() => count.value++}>{count}</button>, document.getElementById('app')!)
